using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

public sealed unsafe partial class PageTable<TFormat>
{
    /// <inheritdoc/>
    public override bool TryTranslate(ulong iova, out IopteTranslation translation)
    {
        if (TFormat.Weakened == OrderingFault.ReadOutsideSection)
        {
            bool there = TryFindItem(iova, out _, out ulong seen, out int at) && seen != 0;
            translation = there ? Describe(seen, at, iova) : default;
            return there;
        }

        TableReclamation.ReadSection section = TableReclamation.Enter();
        bool found = TryFindItem(iova, out _, out ulong word, out int level) && word != 0;
        TableReclamation.Exit(section);
        translation = found ? Describe(word, level, iova) : default;
        return found;
    }

    /// <inheritdoc/>
    /// <remarks>
    /// Near tables that the cache knows it opens no read section, which would cost more than the walk. It reads the epoch before and
    /// after. A table is used again only in a later epoch than the one in which it was unlinked, so an item read in between is the
    /// item of a table as this tree had it, or the epochs differ; then a walk in a section decides.
    /// </remarks>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public override bool TryTranslate(ulong iova, out ulong physical)
    {
        physical = Lookup(iova);
        return physical != NotMapped;
    }

    /// <summary>
    /// The physical address behind an IOVA, or <see cref="NotMapped"/>. Locals only: nothing here may be spilled to the stack.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Lookup(ulong iova)
    {
        ulong* place = _epoch;
        // Acquire: a table that was taken off before this epoch began is neither in the cache nor linked any more.
        ulong epoch = Volatile.Read(ref *place);
        ulong found = CachesMiddle ? _middle.Find(iova) : 0;
        if (!CachesMiddle || !MiddleTableCache.Fits(found))
        {
            return LookupByWalk(iova);
        }

        // Acquire, and again below: the epoch is looked at after the items.
        ulong word = Volatile.Read(ref *ItemAt(MiddleTableCache.TableOf(found), iova, 1));
        // Before the word is followed: in the next life of the table it may be no pointer. Any pointer to a table may be followed,
        // even to one taken off: table memory stays readable.
        if (TFormat.Weakened != OrderingFault.LateEpochCheck && !IsStill(place, epoch))
        {
            return LookupByWalk(iova);
        }

        if (!IsTable(word, 1))
        {
            // Empty may only mean that the cache does not know the table.
            return word == 0 ? LookupByWalk(iova) : PhysicalOf(word, 1, iova);
        }

        word = Volatile.Read(ref *ItemAt((ulong*)TFormat.TableAddress(word), iova, 0));
        return IsStill(place, epoch) && word != 0 ? PhysicalOf(word, 0, iova) : LookupByWalk(iova);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsStill(ulong* place, ulong epoch) =>
        TFormat.Weakened == OrderingFault.NoEpochCheck || Volatile.Read(ref *place) == epoch;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong LookupByWalk(ulong iova)
    {
        TableReclamation.ReadSection section = TableReclamation.Enter();
        bool found = TryFindItem(iova, out _, out ulong word, out int level) && word != 0;
        TableReclamation.Exit(section);
        return found ? PhysicalOf(word, level, iova) : NotMapped;
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
        bool permitted = TryAccessInSection(iova, access, markDirty, out translation);
        TableReclamation.Exit(section);
        return permitted;
    }

    /// <inheritdoc/>
    internal override bool TryAccessInSection(
        ulong iova,
        IoptePermissions access,
        bool markDirty,
        out IopteTranslation translation
    )
    {
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
        ulong* item = null;
        int level = 0;
        int behind = 0;
        while (translated < length)
        {
            ulong word;
            if (behind > 0)
            {
                // The next page of the lowest table: no walk for each.
                behind--;
                word = Volatile.Read(ref *++item);
            }
            else if (TryFindItem(iova, out item, out word, out level))
            {
                behind = Items - 1 - IndexOf(iova, 0);
            }

            if (word == 0)
            {
                break;
            }

            ulong size = 1UL << TFormat.LeafShift(word, level);
            behind = level == 0 && size == 1UL << TFormat.GranuleShift ? behind : 0;
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
        ulong first = TFormat.AddressShift == 0 ? word & (TFormat.AddressMask & ~offset) : FieldAddress(word) & ~offset;
        return first | (iova & offset);
    }

    private static IopteTranslation Describe(ulong word, int level, ulong iova) =>
        new(PhysicalOf(word, level, iova), TFormat.LeafShift(word, level), TFormat.Permissions(word), IsDirty(word));
}
