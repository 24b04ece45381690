using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

public sealed unsafe partial class PageTable<TFormat>
{
    /// <summary>What <see cref="Lookup"/> gives for an IOVA that is not mapped; no format has that many address bits.</summary>
    private const ulong NotMapped = ulong.MaxValue;

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
        if (TFormat.Weakened == OrderingFault.ReadOutsideSection)
        {
            physical = Lookup(iova);
            return physical != NotMapped;
        }

        TableReclamation.ReadSection section = TableReclamation.Enter();
        ulong found = Lookup(iova);
        TableReclamation.Exit(section);
        physical = found;
        return found != NotMapped;
    }

    /// <summary>
    /// The physical address behind an IOVA, or <see cref="NotMapped"/>; inside a read section. Each load depends on the one before
    /// it, which orders them on every machine that .NET runs on. Locals only: nothing here may be spilled to the stack.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Lookup(ulong iova)
    {
        // Acquire: a top read here was complete before it was published.
        ulong top = Volatile.Read(ref _top);
        if ((top & LevelMask) != (ulong)TFormat.StartTopLevel || !Reaches(TFormat.StartTopLevel, iova))
        {
            return LookupAnyDepth(iova);
        }

        ulong table = top - (ulong)TFormat.StartTopLevel;
        ulong word;
        if (TFormat.StartTopLevel >= 4)
        {
            word = ItemOf(table, iova, 4);
            if (!IsTable(word, 4))
            {
                return AddressIn(word, 4, iova);
            }

            table = TFormat.TableAddress(word);
        }

        if (TFormat.StartTopLevel >= 3)
        {
            word = ItemOf(table, iova, 3);
            if (!IsTable(word, 3))
            {
                return AddressIn(word, 3, iova);
            }

            table = TFormat.TableAddress(word);
        }

        word = ItemOf(table, iova, 2);
        if (!IsTable(word, 2))
        {
            return AddressIn(word, 2, iova);
        }

        word = ItemOf(TFormat.TableAddress(word), iova, 1);
        if (!IsTable(word, 1))
        {
            return AddressIn(word, 1, iova);
        }

        return AddressIn(ItemOf(TFormat.TableAddress(word), iova, 0), 0, iova);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong LookupAnyDepth(ulong iova) =>
        TryFindItem(iova, out _, out ulong word, out int level) ? AddressIn(word, level, iova) : NotMapped;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ItemOf(ulong table, ulong iova, int level) =>
        Volatile.Read(ref ((ulong*)table)[IndexOf(iova, level)]);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AddressIn(ulong word, int level, ulong iova) =>
        word == 0 ? NotMapped : PhysicalOf(word, level, iova);

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
            if (word == marked || Replace(ref *item, marked, word, OrderingFault.PlainDirtyMark) == word)
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
        if (!BitOperations.IsPow2(stride))
        {
            throw new ArgumentOutOfRangeException(nameof(stride), stride, "the stride must be a power of two");
        }

        TableReclamation.ReadSection section = TableReclamation.Enter();
        int done = 0;
        while (done < physical.Length && TryFindItem(iova, out ulong* item, out ulong word, out int level) && word != 0)
        {
            int count = TranslateHere(item, word, level, iova, stride, physical[done..]);
            done += count;
            ulong next = iova + ((ulong)count * stride);
            if (next < iova)
            {
                break;
            }

            iova = next;
        }

        TableReclamation.Exit(section);
        return done;
    }

    /// <summary>Translates as much as one table, or one entry, gives at once; at least one element.</summary>
    private static int TranslateHere(ulong* item, ulong word, int level, ulong iova, ulong stride, Span<ulong> physical)
    {
        ref ulong first = ref MemoryMarshal.GetReference(physical);
        if (level == 0 && stride == 1UL << TFormat.GranuleShift && (word & TFormat.SizeCodeMask) == 0)
        {
            int count = Math.Min(Items - IndexOf(iova, 0), physical.Length);
            ulong offset = iova & (stride - 1);
            count = ItemRuns.CopyAddresses(
                item,
                ref first,
                count,
                TFormat.AddressMask,
                TFormat.AddressShift,
                TFormat.SizeCodeMask
            );
            for (int i = 0; offset != 0 && i < count; i++)
            {
                physical[i] |= offset;
            }

            // The word was present when it was first read; should it be gone by now, the first reading stands.
            if (count != 0)
            {
                return count;
            }
        }

        // Inside one entry the addresses rise by the stride.
        ulong left = (1UL << TFormat.LeafShift(word, level)) - (iova & ((1UL << TFormat.LeafShift(word, level)) - 1));
        var inside = (int)Math.Min((ulong)physical.Length, ((left - 1) / stride) + 1);
        ulong at = PhysicalOf(word, level, iova);
        for (int i = 0; i < inside; i++)
        {
            physical[i] = at + ((ulong)i * stride);
        }

        return inside;
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
