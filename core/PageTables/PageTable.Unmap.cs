namespace Iommufd.Core.PageTables;

public sealed unsafe partial class PageTable<TFormat>
{
    /// <inheritdoc/>
    public override ulong Unmap(ulong iova, ulong length, UnmapCut cut = UnmapCut.WholeEntry)
    {
        if (length == 0 || iova + (length - 1) < iova || iova + (length - 1) > LastInput)
        {
            return 0;
        }

        ulong last = iova + (length - 1);
        if (cut != UnmapCut.WholeEntry)
        {
            bool begins = CutsEntry(iova);
            bool ends = last != LastInput && CutsEntry(last + 1);
            if ((begins || ends) && cut == UnmapCut.Refuse)
            {
                return 0;
            }

            if ((begins && !TrySplitAt(iova)) || (ends && !TrySplitAt(last + 1)))
            {
                return 0;
            }
        }

        ulong top = Volatile.Read(ref _top);
        int level = (int)(top & LevelMask);
        if (!Reaches(level, iova))
        {
            return 0;
        }

        ulong at = iova;
        ClearIn((ulong*)(top & ~(ulong)LevelMask), level, ref at, last);
        // At the very end of the address space the position wraps to 0, and the difference is still right.
        return at - iova;
    }

    /// <summary>
    /// Clears from <paramref name="at"/>, which moves on, up to the end of a table or of the range. False: a hole, an entry that
    /// began earlier, or the end of the range; the walk is over.
    /// </summary>
    private static bool ClearIn(ulong* table, int level, ref ulong at, ulong last)
    {
        ulong itemBytes = 1UL << ItemShift(level);
        int index = IndexOf(at, level);
        while (index < Items)
        {
            ulong word = Volatile.Read(ref table[index]);
            if (word == 0)
            {
                return false;
            }

            if (TFormat.IsTable(word, level))
            {
                bool whole = (at & (itemBytes - 1)) == 0 && last - at >= itemBytes - 1;
                if (!ClearChild(ref table[index], word, level, whole, ref at, last))
                {
                    return false;
                }

                index++;
            }
            else
            {
                int shift = TFormat.LeafShift(word, level);
                if ((at & ((1UL << shift) - 1)) != 0)
                {
                    return false;
                }

                int items = 1 << (shift - ItemShift(level));
                ItemRuns.Clear(table + index, items);
                index += items;
                at += 1UL << shift;
            }

            // The position wraps to 0 past the last address there is.
            if (at > last || at == 0)
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Clears inside the table that an item points to; takes the table off when the range covers it whole.</summary>
    private static bool ClearChild(ref ulong item, ulong word, int level, bool whole, ref ulong at, ulong last)
    {
        var child = (ulong*)TFormat.TableAddress(word);
        if (whole && level == 1 && ItemRuns.AllPresent(child, Items))
        {
            // Full of leaves: one store takes all of them away, and the page needs no clearing before it is filled again.
            Volatile.Write(ref item, 0);
            TableReclamation.ThreadTables.Current.Retire((nint)child, clean: false);
            at += 1UL << ItemShift(level);
            return true;
        }

        ulong end = at + (1UL << ItemShift(level));
        bool on = ClearIn(child, level - 1, ref at, last);
        if (whole && at == end)
        {
            Volatile.Write(ref item, 0);
            TableReclamation.ThreadTables.Current.Retire((nint)child, clean: true);
            return true;
        }

        return on;
    }

    /// <summary>Whether an address lies inside an entry, not at its first byte.</summary>
    private bool CutsEntry(ulong iova) =>
        TryFindItem(iova, out _, out ulong word, out int level)
        && word != 0
        && (iova & ((1UL << TFormat.LeafShift(word, level)) - 1)) != 0;
}
