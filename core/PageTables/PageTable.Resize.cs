using System.Numerics;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

public sealed unsafe partial class PageTable<TFormat>
{
    /// <inheritdoc/>
    public override Errno Split(IovaRange range, ulong pageSize)
    {
        if (
            !IsOffered(pageSize)
            || ((range.First | (range.Last + 1)) & (pageSize - 1)) != 0
            || !IsInput(range.First, range.Last)
        )
        {
            return Errno.EINVAL;
        }

        ulong at = range.First;
        while (TryFindItem(at, out ulong* item, out ulong word, out int level))
        {
            ulong size = 1UL << (word == 0 ? ItemShift(level) : TFormat.LeafShift(word, level));
            if (word != 0 && size > pageSize)
            {
                Errno errno = SplitEntry(item, word, level);
                if (errno != Errno.OK)
                {
                    return errno;
                }

                continue;
            }

            ulong last = at | (size - 1);
            if (last >= range.Last)
            {
                break;
            }

            at = last + 1;
        }

        return Errno.OK;
    }

    /// <inheritdoc/>
    public override Errno Merge(ulong iova, ulong pageSize)
    {
        if (!IsOffered(pageSize) || (iova & (pageSize - 1)) != 0 || !IsInput(iova, iova + (pageSize - 1)))
        {
            return Errno.EINVAL;
        }

        if (
            TryFindItem(iova, out _, out ulong found, out int at)
            && found != 0
            && 1UL << TFormat.LeafShift(found, at) >= pageSize
        )
        {
            return Errno.OK;
        }

        int shift = BitOperations.Log2(pageSize);
        Errno errno = CheckMergeable(iova, pageSize, out ulong physical, out IoptePermissions permissions);
        if (errno != Errno.OK)
        {
            return errno;
        }

        int level = LevelOf(shift);
        errno = FindOrMakeTable(iova, level, out ulong* table);
        if (errno != Errno.OK)
        {
            return errno;
        }

        int items = 1 << (shift - ItemShift(level));
        ulong word = TFormat.LeafWord(physical, level, shift, permissions);
        bool detached = false;
        Span<ulong> tables = items <= Items ? stackalloc ulong[items] : [];
        for (int i = 0; i < items; i++)
        {
            ref ulong item = ref table[IndexOf(iova, level) + i];
            tables[i] = ReplaceForMerge(ref item, word + ((ulong)i * TFormat.ContiguousStep(level)), level);
            detached |= tables[i] != 0;
        }

        if (detached)
        {
            for (int i = 0; i < items; i++)
            {
                Forget((ulong*)tables[i], level - 1);
            }

            // Walk caches that hold one of the tables find it gone.
            _detached.Bump();
            // Devices that found the old entries may still mark them; once they have left, the marks are final and can be
            // carried over. Without the wait a mark set in a detached table would be lost.
            if (TFormat.Weakened != OrderingFault.NoMergeWait)
            {
                TableReclamation.WaitForReaders();
            }

            for (int i = 0; i < items; i++)
            {
                CarryDirtyOver(iova + ((ulong)i << ItemShift(level)), tables[i], level);
            }
        }

        return Errno.OK;
    }

    private static bool IsOffered(ulong pageSize) =>
        BitOperations.IsPow2(pageSize) && (TFormat.PageSizes & pageSize) != 0;

    /// <summary>Puts a leaf in the place of a leaf or a table; gives back the table's address, 0 if there was none.</summary>
    private static ulong ReplaceForMerge(ref ulong item, ulong leaf, int level)
    {
        while (true)
        {
            ulong old = Volatile.Read(ref item);
            bool wasTable = IsTable(old, level);
            ulong replacement = !wasTable && IsDirty(old) ? WithDirty(leaf) : leaf;
            // Compare-and-swap: a device may mark the old leaf dirty at this moment.
            if (Replace(ref item, replacement, old, OrderingFault.PlainReplace) == old)
            {
                return wasTable ? TFormat.TableAddress(old) : 0;
            }
        }
    }

    private void CarryDirtyOver(ulong iova, ulong table, int level)
    {
        if (table == 0)
        {
            return;
        }

        if (TFormat.TracksDirty && AnyDirtyBelow((ulong*)table, level - 1))
        {
            SetDirty(iova);
        }

        RetireTree((ulong*)table, level - 1);
    }

    private static bool AnyDirtyBelow(ulong* table, int level)
    {
        for (int i = 0; i < Items; i++)
        {
            ulong word = Volatile.Read(ref table[i]);
            bool dirty =
                word != 0
                && (
                    IsTable(word, level) ? AnyDirtyBelow((ulong*)TFormat.TableAddress(word), level - 1) : IsDirty(word)
                );
            if (dirty)
            {
                return true;
            }
        }

        return false;
    }

    private Errno CheckMergeable(ulong iova, ulong pageSize, out ulong physical, out IoptePermissions permissions)
    {
        physical = 0;
        permissions = IoptePermissions.None;
        ulong done = 0;
        while (done < pageSize)
        {
            if (!TryFindItem(iova + done, out _, out ulong word, out int level) || word == 0)
            {
                return Errno.ENOENT;
            }

            ulong size = 1UL << TFormat.LeafShift(word, level);
            ulong at = PhysicalOf(word, level, iova + done);
            if (done == 0)
            {
                physical = at;
                permissions = TFormat.Permissions(word);
            }

            if (at != physical + done || TFormat.Permissions(word) != permissions || (physical & (pageSize - 1)) != 0)
            {
                return Errno.EADDRINUSE;
            }

            done += size;
        }

        return Errno.OK;
    }

    /// <summary>Makes a boundary between entries at an address; false when there is no memory for a table.</summary>
    private bool TrySplitAt(ulong iova)
    {
        while (CutsEntry(iova))
        {
            if (!TryFindItem(iova, out ulong* item, out ulong word, out int level) || word == 0)
            {
                return true;
            }

            if (SplitEntry(item, word, level) != Errno.OK)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Cuts the entry that an item belongs to into the next smaller offered sizes: a contiguous entry into the smallest entries of
    /// its level, an entry of that size into tables one level lower.
    /// </summary>
    private Errno SplitEntry(ulong* item, ulong word, int level)
    {
        int itemShift = ItemShift(level);
        int shift = TFormat.LeafShift(word, level);
        int items = 1 << (shift - itemShift);
        ulong* first = (ulong*)((ulong)item & ~(((ulong)items * sizeof(ulong)) - 1));
        ulong physical = LeafAddress(word, shift);
        IoptePermissions permissions = TFormat.Permissions(word);
        int smallest = SmallestShift(level);
        if (shift > smallest)
        {
            SplitInPlace(first, items, physical, permissions, level, smallest);
            return Errno.OK;
        }

        if (level == 0)
        {
            return Errno.EINVAL;
        }

        for (int i = 0; i < items; i++)
        {
            Errno errno = SplitItem(ref first[i], physical + ((ulong)i << itemShift), permissions, level);
            if (errno != Errno.OK)
            {
                return errno;
            }
        }

        if (AnyDirtyAfterSplit(first, items, level))
        {
            MarkAllBelow(first, items, level);
        }

        return Errno.OK;
    }

    /// <summary>The smallest offered size at a level; the next level's item size where the level has none of its own.</summary>
    private static int SmallestShift(int level)
    {
        ulong own = TFormat.PageSizes >> ItemShift(level) << ItemShift(level);
        return BitOperations.TrailingZeroCount(own);
    }

    /// <summary>Rewrites the items of a contiguous entry as smaller entries of the same level.</summary>
    private static void SplitInPlace(
        ulong* first,
        int items,
        ulong physical,
        IoptePermissions permissions,
        int level,
        int shift
    )
    {
        int perEntry = 1 << (shift - ItemShift(level));
        bool dirty = false;
        for (int i = 0; i < items; i++)
        {
            ulong entryPhysical = physical + ((ulong)(i / perEntry) << shift);
            ulong leaf = TFormat.LeafWord(entryPhysical, level, shift, permissions);
            leaf += (ulong)(i % perEntry) * TFormat.ContiguousStep(level);
            ReplaceForMerge(ref first[i], leaf, level);
            dirty |= IsDirty(Volatile.Read(ref first[i]));
        }

        if (dirty)
        {
            MarkAllBelow(first, items, level);
        }
    }

    /// <summary>Replaces one item by a table of smaller leaves with the same translation and mark.</summary>
    private Errno SplitItem(ref ulong item, ulong physical, IoptePermissions permissions, int level)
    {
        nint page = NewTable();
        if (page == 0)
        {
            return Errno.ENOMEM;
        }

        var table = (ulong*)page;
        int below = level - 1;
        // The largest offered size below the item, so that few entries are made where one contiguous entry does.
        int shift = SmallestShift(below);
        int perEntry = 1 << (shift - ItemShift(below));
        ulong pointer = TFormat.TableWord((ulong)page, level);
        while (true)
        {
            ulong old = Volatile.Read(ref item);
            for (int i = 0; i < Items; i += perEntry)
            {
                ulong leaf = TFormat.LeafWord(physical + ((ulong)i << ItemShift(below)), below, shift, permissions);
                leaf = IsDirty(old) ? WithDirty(leaf) : leaf;
                ItemRuns.Fill(table + i, perEntry, leaf, TFormat.ContiguousStep(below));
            }

            // Full fence: the leaves are visible before the pointer. And if a device marked the item meanwhile, again.
            if (Replace(ref item, pointer, old, OrderingFault.PlainReplace) == old)
            {
                return Errno.OK;
            }
        }
    }

    private static bool AnyDirtyAfterSplit(ulong* items, int count, int level)
    {
        for (int i = 0; count > 1 && TFormat.TracksDirty && i < count; i++)
        {
            ulong word = Volatile.Read(ref items[i]);
            if (AnyDirtyBelow((ulong*)TFormat.TableAddress(word), level - 1))
            {
                return true;
            }
        }

        return false;
    }

    private static void MarkAllBelow(ulong* items, int count, int level)
    {
        for (int i = 0; i < count; i++)
        {
            ulong word = Volatile.Read(ref items[i]);
            if (word == 0)
            {
                continue;
            }

            if (IsTable(word, level))
            {
                MarkAllBelow((ulong*)TFormat.TableAddress(word), Items, level - 1);
                continue;
            }

            while (true)
            {
                ulong found = Interlocked.CompareExchange(ref items[i], WithDirty(word), word);
                if (found == word || found == 0)
                {
                    break;
                }

                word = found;
            }
        }
    }
}
