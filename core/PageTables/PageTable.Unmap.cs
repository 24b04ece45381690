using System.Runtime.CompilerServices;

namespace Iommufd.Core.PageTables;

public sealed unsafe partial class PageTable<TFormat>
{
    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public override ulong Unmap(ulong iova, ulong length, UnmapCut cut = UnmapCut.WholeEntry)
    {
        ulong page = 1UL << TFormat.GranuleShift;
        // What the cache knows lies inside the input range.
        if (((iova & (page - 1)) | (length ^ page)) == 0)
        {
            ulong* item = CachedPageItemOrNull(iova);
            if (item != null && TryClearPage(item))
            {
                return page;
            }
        }

        return UnmapRange(iova, length, cut);
    }

    /// <summary>Everything that is not one entry of the smallest size.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong UnmapRange(ulong iova, ulong length, UnmapCut cut) =>
        length < 1UL << LeafTableShift ? UnmapInTable(iova, length, cut)
        : length == 1UL << LeafTableShift ? UnmapLarge(iova, length, cut)
        : UnmapAny(iova, length, cut);

    /// <summary>Entries of one leaf table, or whatever it is.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong UnmapInTable(ulong iova, ulong length, UnmapCut cut)
    {
        ulong page = 1UL << TFormat.GranuleShift;
        ulong tableBytes = 1UL << LeafTableShift;
        // Where there are contiguous entries a run may begin or end inside one.
        if (
            SizesInLeafTable != 0
            || length - 1 >= tableBytes
            || ((iova | length) & (page - 1)) != 0
            || (iova & (tableBytes - 1)) + length > tableBytes
        )
        {
            return UnmapAny(iova, length, cut);
        }

        ulong* item = CachedPageItemOrNull(iova);
        if (item == null)
        {
            return UnmapAny(iova, length, cut);
        }

        return (ulong)(uint)ItemRuns.ClearFull(item, (int)(length >> TFormat.GranuleShift)) << TFormat.GranuleShift;
    }

    /// <summary>One entry of the size that a leaf table covers, or whatever it is.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong UnmapLarge(ulong iova, ulong length, UnmapCut cut)
    {
        ulong* table = (iova & ((1UL << LeafTableShift) - 1)) == 0 ? CachedMiddleOrNull(iova) : null;
        if (table == null)
        {
            return UnmapAny(iova, length, cut);
        }

        ulong word = Volatile.Read(ref *ItemAt(table, iova, 1));
        if (word == 0 || IsTable(word, 1) || TFormat.LeafShift(word, 1) != LeafTableShift)
        {
            return UnmapAny(iova, length, cut);
        }

        Volatile.Write(ref *ItemAt(table, iova, 1), 0);
        return length;
    }

    /// <summary>Every unmap there is.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private ulong UnmapAny(ulong iova, ulong length, UnmapCut cut)
    {
        if (length == 0 || iova + (length - 1) < iova || !IsInput(iova, iova + (length - 1)))
        {
            return 0;
        }

        ulong last = iova + (length - 1);
        if (cut != UnmapCut.WholeEntry)
        {
            bool begins = CutsEntry(iova);
            bool ends = CutsEntry(last + 1);
            if ((begins || ends) && cut == UnmapCut.Refuse)
            {
                return 0;
            }

            if ((begins && !TrySplitAt(iova)) || (ends && !TrySplitAt(last + 1)))
            {
                return 0;
            }
        }

        ulong at = iova;
        if (length < 1UL << ItemShift(2))
        {
            // No table above the lowest is covered whole, so the walk may begin at level 1.
            ulong* middle;
            while ((middle = MiddleTableOrNull(at)) != null)
            {
                if (!ClearIn(middle, 1, ref at, last))
                {
                    return at - iova;
                }
            }
        }

        ulong top = Volatile.Read(ref _top);
        int level = (int)(top & LevelMask);
        if (!Reaches(level, at))
        {
            return at - iova;
        }

        ClearIn((ulong*)(top & ~(ulong)LevelMask), level, ref at, last);
        // At the very end of the address space the position wraps to 0, and the difference is still right.
        return at - iova;
    }

    /// <summary>Clears one item if it is an entry of the smallest size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool TryClearPage(ulong* item)
    {
        ulong word = Volatile.Read(ref *item);
        if (word == 0 || TFormat.LeafShift(word, 0) != TFormat.GranuleShift)
        {
            return false;
        }

        Volatile.Write(ref *item, 0);
        return true;
    }

    /// <summary>
    /// Clears from <paramref name="at"/>, which moves on, up to the end of a table or of the range. False: a hole, an entry that
    /// began earlier, or the end of the range; the walk is over.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool ClearIn(ulong* table, int level, ref ulong at, ulong last)
    {
        int itemShift = ItemShift(level);
        int index = IndexOf(at, level);
        while (index < Items)
        {
            ulong word = Volatile.Read(ref table[index]);
            if (word == 0)
            {
                return false;
            }

            if (IsTable(word, level))
            {
                if (!ClearChild(ref table[index], word, level, ref at, last))
                {
                    return false;
                }

                index++;
            }
            else
            {
                int cleared = ClearLeaves(table, index, level, word, at, last);
                if (cleared == 0)
                {
                    return false;
                }

                index += cleared;
                at += (ulong)cleared << itemShift;
            }

            // The position wraps to 0 past the last address there is.
            if (at > last || at == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>
    /// Clears the leaves that follow each other in a table from one that begins at <paramref name="at"/>; gives back how many
    /// items, 0 when the leaf began earlier.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ClearLeaves(ulong* table, int index, int level, ulong word, ulong at, ulong last)
    {
        int itemShift = ItemShift(level);
        if ((at & ((1UL << TFormat.LeafShift(word, level)) - 1)) != 0)
        {
            return 0;
        }

        ulong wanted = ((last - at) >> itemShift) + 1;
        var count = (int)Math.Min((ulong)(Items - index), wanted);
        ulong tableMask = level == 0 ? 0 : TFormat.TableMask;
        if ((TFormat.PageSizes >> itemShift & (Items - 2)) == 0)
        {
            // No contiguous entries at this level: every item is an entry.
            return ItemRuns.ClearLeaves(table + index, count, tableMask, TFormat.TableValue(level));
        }

        count = ItemRuns.LeavesInRow(table + index, count, tableMask, TFormat.TableValue(level));
        // The last entry goes whole, also the part of it that lies past the range.
        ulong lastWord = Volatile.Read(ref table[index + count - 1]);
        int entryItems = 1 << (TFormat.LeafShift(lastWord, level) - itemShift);
        count = ((index + count - 1) | (entryItems - 1)) + 1 - index;
        ItemRuns.Clear(table + index, count);
        return count;
    }

    /// <summary>Clears inside the table that an item points to; takes the table off when the range covers it whole.</summary>
    private bool ClearChild(ref ulong item, ulong word, int level, ref ulong at, ulong last)
    {
        ulong itemBytes = 1UL << ItemShift(level);
        bool whole = (at & (itemBytes - 1)) == 0 && last - at >= itemBytes - 1;
        var child = (ulong*)TFormat.TableAddress(word);
        if (whole && level == 1 && ItemRuns.LeavesInRow(child, Items, 0, 0) == Items)
        {
            // Full of leaves: one store takes all of them away, and the page needs no clearing before it is filled again.
            Detach(ref item, child, level - 1, clean: false);
            at += itemBytes;
            return true;
        }

        ulong end = at + itemBytes;
        bool on = ClearIn(child, level - 1, ref at, last);
        if (whole && at == end)
        {
            Detach(ref item, child, level - 1, clean: true);
            return true;
        }

        return on;
    }

    /// <summary>Takes a table off the tree; walkers inside it may go on reading it until they leave.</summary>
    private void Detach(ref ulong item, ulong* child, int level, bool clean)
    {
        if (TFormat.Weakened != OrderingFault.None && DetachWeakened(ref item, child, level))
        {
            return;
        }

        Volatile.Write(ref item, 0);
        Forget(child, level);
        // After the unlinking: a walk cache that reads the new generation finds the table gone. Before it, a cache could take
        // the old pointer under the new generation and keep it.
        _detached.Bump();
        TableReclamation.ThreadTables.Current.Retire((nint)child, clean);
    }

    /// <summary>Whether an address lies inside an entry, not at its first byte.</summary>
    private bool CutsEntry(ulong iova) =>
        TryFindItem(iova, out _, out ulong word, out int level)
        && word != 0
        && (iova & ((1UL << TFormat.LeafShift(word, level)) - 1)) != 0;
}
