using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

public sealed unsafe partial class PageTable<TFormat>
{
    /// <inheritdoc/>
    public override bool TryTranslate(ulong iova, out IopteTranslation translation)
    {
        TableReclamation.ReadSection section = TableReclamation.Enter();
        bool found = TryFindItem(iova, out _, out ulong word, out int level) && word != 0;
        TableReclamation.Exit(section);
        translation = found ? Describe(word, level, iova) : default;
        return found;
    }

    /// <inheritdoc/>
    public override bool TryTranslate(ulong iova, out ulong physical)
    {
        TableReclamation.ReadSection section = TableReclamation.Enter();
        bool found = TryFindItem(iova, out _, out ulong word, out int level) && word != 0;
        TableReclamation.Exit(section);
        physical = found ? PhysicalOf(word, level, iova) : 0;
        return found;
    }

    /// <inheritdoc/>
    public override bool TryAccess(
        ulong iova,
        IoptePermissions access,
        bool markDirty,
        out IopteTranslation translation
    )
    {
        TableReclamation.ReadSection section = TableReclamation.Enter();
        bool permitted = false;
        ulong word;
        int level;
        while (TryFindItem(iova, out ulong* item, out word, out level) && word != 0)
        {
            permitted = (TFormat.Permissions(word) & access) == access;
            if (!permitted || !markDirty || !TFormat.TracksDirty || (access & IoptePermissions.Write) == 0)
            {
                break;
            }

            // Compare-and-swap against the very word that was checked: if a writer took the mapping away or changed it, the
            // access starts again. A plain store here could bring an unmapped entry back to life.
            ulong marked = WithDirty(word);
            if (word == marked || Interlocked.CompareExchange(ref *item, marked, word) == word)
            {
                word = marked;
                break;
            }

            permitted = false;
        }

        TableReclamation.Exit(section);
        translation = permitted ? Describe(word, level, iova) : default;
        return permitted;
    }

    /// <inheritdoc/>
    public override int TranslatePages(ulong iova, ulong stride, Span<ulong> physical)
    {
        ArgumentOutOfRangeException.ThrowIfZero(stride);
        TableReclamation.ReadSection section = TableReclamation.Enter();
        int done = 0;
        while (done < physical.Length && TryFindItem(iova, out _, out ulong word, out int level) && word != 0)
        {
            physical[done++] = PhysicalOf(word, level, iova);
            if (iova + stride < iova)
            {
                break;
            }

            iova += stride;
        }

        TableReclamation.Exit(section);
        return done;
    }

    /// <inheritdoc/>
    public override int TranslateRuns(ulong iova, ulong length, Span<PfnRun> runs, out ulong translated)
    {
        translated = 0;
        int count = 0;
        ulong next = 0;
        TableReclamation.ReadSection section = TableReclamation.Enter();
        while (translated < length && TryFindItem(iova, out _, out ulong word, out int level) && word != 0)
        {
            ulong size = 1UL << TFormat.LeafShift(word, level);
            ulong physical = PhysicalOf(word, level, iova);
            ulong bytes = Math.Min(size - (iova & (size - 1)), length - translated);
            if (!AddToRuns(runs, ref count, translated != 0 && physical == next, physical, bytes))
            {
                break;
            }

            next = physical + bytes;
            translated += bytes;
            if (iova + bytes < iova)
            {
                break;
            }

            iova += bytes;
        }

        TableReclamation.Exit(section);
        return count;
    }

    /// <summary>Adds a piece of memory to the last run when it follows it, or as a new run; false when there is no room.</summary>
    private static bool AddToRuns(Span<PfnRun> runs, ref int count, bool follows, ulong physical, ulong bytes)
    {
        ulong first = physical >> HostPage.Shift;
        ulong last = (physical + (bytes - 1)) >> HostPage.Shift;
        if (follows)
        {
            PfnRun run = runs[count - 1];
            runs[count - 1] = run with { Count = last - run.First.Value + 1 };
            return true;
        }

        if (count == runs.Length)
        {
            return false;
        }

        runs[count++] = new PfnRun(new Pfn(first), last - first + 1);
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong PhysicalOf(ulong word, int level, ulong iova)
    {
        ulong offset = (1UL << TFormat.LeafShift(word, level)) - 1;
        return (FieldAddress(word) & ~offset) | (iova & offset);
    }

    private static IopteTranslation Describe(ulong word, int level, ulong iova) =>
        new(PhysicalOf(word, level, iova), TFormat.LeafShift(word, level), TFormat.Permissions(word), IsDirty(word));
}
