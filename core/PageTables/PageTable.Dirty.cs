using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

public sealed unsafe partial class PageTable<TFormat>
{
    /// <inheritdoc/>
    public override Errno SetDirty(ulong iova)
    {
        if (!TFormat.TracksDirty)
        {
            return Errno.EOPNOTSUPP;
        }

        TableReclamation.ReadSection section = TableReclamation.Enter();
        Errno errno = Errno.ENOENT;
        while (errno != Errno.OK && TryFindItem(iova, out ulong* item, out ulong word, out _) && word != 0)
        {
            // Compare-and-swap: the mapping may go away at this moment, and must not come back by our store.
            ulong marked = WithDirty(word);
            if (word == marked || Replace(ref *item, marked, word, OrderingFault.PlainDirtyMark) == word)
            {
                errno = Errno.OK;
            }
        }

        TableReclamation.Exit(section);
        return errno;
    }

    /// <inheritdoc/>
    public override ulong SetDirty(IovaRange range)
    {
        if (!TFormat.TracksDirty)
        {
            return 0;
        }

        ulong marked = 0;
        ulong at = range.First;
        while (IsInput(at, at))
        {
            TableReclamation.ReadSection section = TableReclamation.Enter();
            bool reached = TryFindItem(at, out _, out ulong word, out int level);
            TableReclamation.Exit(section);
            if (!reached)
            {
                break;
            }

            if (word != 0 && SetDirty(at) == Errno.OK)
            {
                marked++;
            }

            ulong itemLast = at | ((1UL << ItemShift(level)) - 1);
            if (itemLast >= range.Last)
            {
                break;
            }

            at = itemLast + 1;
        }

        return marked;
    }

    /// <inheritdoc/>
    public override Errno ReadAndClearDirty(
        IovaRange range,
        IDirtySink sink,
        DirtyReadOptions options = DirtyReadOptions.None
    )
    {
        var forward = new SinkReference(sink);
        return ReadAndClearDirty(range, ref forward, options);
    }

    /// <summary>As <see cref="IoPageTable.ReadAndClearDirty"/>, with a sink that costs no interface call.</summary>
    /// <typeparam name="TSink">The sink.</typeparam>
    public Errno ReadAndClearDirty<TSink>(
        IovaRange range,
        ref TSink sink,
        DirtyReadOptions options = DirtyReadOptions.None
    )
        where TSink : struct, IDirtySink
    {
        if (!TFormat.TracksDirty)
        {
            return Errno.EOPNOTSUPP;
        }

        if (!IsInput(range.First, range.Last))
        {
            return Errno.ERANGE;
        }

        TableReclamation.ReadSection section = TableReclamation.Enter();
        try
        {
            ulong top = Volatile.Read(ref _top);
            int level = (int)(top & LevelMask);
            if (Reaches(level, range.First))
            {
                ReadDirtyIn((ulong*)(top & ~(ulong)LevelMask), level, range.First, range.Last, ref sink, options);
            }
        }
        finally
        {
            // The sink is the caller's code and may throw; a section left open would keep all freed tables for ever.
            TableReclamation.Exit(section);
        }

        return Errno.OK;
    }

    /// <summary>Reads the part of a range that lies in one table.</summary>
    private static void ReadDirtyIn<TSink>(
        ulong* table,
        int level,
        ulong first,
        ulong last,
        ref TSink sink,
        DirtyReadOptions options
    )
        where TSink : struct, IDirtySink
    {
        int itemShift = ItemShift(level);
        int index = IndexOf(first, level);
        ulong lastItem = (last >> itemShift) - (first >> itemShift) + (ulong)index;
        var end = (int)Math.Min(Items, lastItem + 1);
        if (
            level == 0
            && !ItemRuns.AnyMatches(table + index, end - index, TFormat.DirtyMask, TFormat.DirtyValue)
            && !CutsDirtyEntry(table, index, end)
        )
        {
            return;
        }

        ulong at = first;
        while (index < end)
        {
            ulong word = Volatile.Read(ref table[index]);
            int items = 1;
            if (word != 0 && IsTable(word, level))
            {
                ulong childLast = at | ((1UL << itemShift) - 1);
                var child = (ulong*)TFormat.TableAddress(word);
                ReadDirtyIn(child, level - 1, at, Math.Min(childLast, last), ref sink, options);
            }
            else if (word != 0)
            {
                items = 1 << (TFormat.LeafShift(word, level) - itemShift);
                int entryFirst = index & ~(items - 1);
                if (TakeDirty(table + entryFirst, items, options))
                {
                    int reported = ReportedItems(index, entryFirst + items, end, items, options);
                    sink.Report(at, (ulong)reported << itemShift);
                }

                items = entryFirst + items - index;
            }

            index += items;
            at = ((at >> itemShift) + (ulong)items) << itemShift;
        }
    }

    /// <summary>Whether a part outside [index, end) of an entry that either edge cuts is dirty.</summary>
    private static bool CutsDirtyEntry(ulong* table, int index, int end)
    {
        ulong first = Volatile.Read(ref table[index]);
        ulong last = Volatile.Read(ref table[end - 1]);
        int from = first == 0 ? index : index & -(1 << (TFormat.LeafShift(first, 0) - ItemShift(0)));
        int to = last == 0 ? end : ((end - 1) | ((1 << (TFormat.LeafShift(last, 0) - ItemShift(0))) - 1)) + 1;
        return ItemRuns.AnyMatches(table + from, to - from, TFormat.DirtyMask, TFormat.DirtyValue);
    }

    /// <summary>
    /// How many items of a dirty entry are reported from <paramref name="index"/> on. Linux 7.2 leaves out the last item of a
    /// contiguous entry (and depends on it in its own test). Where that would leave nothing, it hands an empty range to its
    /// bitmap and hangs; we report the item.
    /// </summary>
    private static int ReportedItems(int index, int entryEnd, int rangeEnd, int items, DirtyReadOptions options)
    {
        if (items == 1)
        {
            return 1;
        }

        if ((options & DirtyReadOptions.WholeEntries) != 0)
        {
            return Math.Min(entryEnd, rangeEnd) - index;
        }

        return Math.Max(1, Math.Min(entryEnd - 1, rangeEnd) - index);
    }

    /// <summary>Whether any item of an entry is dirty; clears them all unless asked not to.</summary>
    private static bool TakeDirty(ulong* items, int count, DirtyReadOptions options)
    {
        bool dirty = false;
        for (int i = 0; i < count; i++)
        {
            ulong word = Volatile.Read(ref items[i]);
            while (word != 0 && IsDirty(word))
            {
                dirty = true;
                if ((options & DirtyReadOptions.NoClear) != 0)
                {
                    return true;
                }

                // Compare-and-swap: an unmap at this moment must win, and a mark set after our reading must survive.
                ulong found = Replace(ref items[i], WithoutDirty(word), word, OrderingFault.PlainDirtyClear);
                if (found == word)
                {
                    break;
                }

                word = found;
            }
        }

        return dirty;
    }

    /// <summary>A sink behind an interface, as a struct.</summary>
    private readonly struct SinkReference(IDirtySink sink) : IDirtySink
    {
        public void Report(ulong iova, ulong length) => sink.Report(iova, length);
    }
}
