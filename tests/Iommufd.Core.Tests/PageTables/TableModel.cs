using System.Numerics;
using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>
/// What an I/O page table should do, over a sorted dictionary of entries and a set of dirty items: the reference for the
/// property tests. Knows sizes and granules only, no bits.
/// </summary>
internal sealed class TableModel(IoPageTable table)
{
    private readonly int _granule = table.Format is IoPageTableFormat.AmdV1Mock or IoPageTableFormat.AmdV1MockHuge
        ? 11
        : 12;

    /// <summary>Entries by their first IOVA.</summary>
    internal SortedDictionary<ulong, Entry> Entries { get; } = [];

    /// <summary>First IOVAs of dirty items.</summary>
    internal SortedSet<ulong> DirtyItems { get; } = [];

    internal sealed record Entry(ulong Physical, int Shift, IoptePermissions Permissions);

    internal Errno Map(ulong iova, ulong physical, ulong length, IoptePermissions permissions, ulong sizes)
    {
        if (((iova | physical | length) & (table.SmallestPage - 1)) != 0)
        {
            return Errno.ENXIO;
        }

        if (Overlapping(iova, iova + (length - 1)).Any())
        {
            return Errno.EADDRINUSE;
        }

        for (ulong done = 0; done < length; )
        {
            int shift = 63;
            while (
                (sizes >> shift & 1) == 0
                || 1UL << shift > length - done
                || (((iova + done) | (physical + done)) & ((1UL << shift) - 1)) != 0
            )
            {
                shift--;
            }

            Entries[iova + done] = new Entry(physical + done, shift, Effective(permissions));
            done += 1UL << shift;
        }

        return Errno.OK;
    }

    internal ulong Unmap(ulong iova, ulong length, UnmapCut cut)
    {
        ulong end = iova + length;
        if (cut != UnmapCut.WholeEntry && (Cuts(iova) || Cuts(end)))
        {
            if (cut == UnmapCut.Refuse)
            {
                return 0;
            }

            CutAt(iova);
            CutAt(end);
        }

        ulong at = iova;
        while (at < end && Entries.TryGetValue(at, out Entry? entry))
        {
            Entries.Remove(at);
            DirtyItems.RemoveWhere(item => item >= at && item - at < 1UL << entry.Shift);
            at += 1UL << entry.Shift;
        }

        return at - iova;
    }

    internal IopteTranslation? Translate(ulong iova)
    {
        if (Find(iova) is not { } found)
        {
            return null;
        }

        (ulong first, Entry entry) = found;
        bool dirty = DirtyItems.Contains(iova & ~(ItemBytes(entry.Shift) - 1));
        return new IopteTranslation(entry.Physical + (iova - first), entry.Shift, entry.Permissions, dirty);
    }

    internal Errno SetDirty(ulong iova)
    {
        if (!table.TracksDirty)
        {
            return Errno.EOPNOTSUPP;
        }

        if (Find(iova) is not { } found)
        {
            return Errno.ENOENT;
        }

        // An ARM descriptor that is read-only has no dirty state.
        if (table.Format != IoPageTableFormat.ArmV8Lpae4K || found.Entry.Permissions == IoptePermissions.ReadWrite)
        {
            DirtyItems.Add(iova & ~(ItemBytes(found.Entry.Shift) - 1));
        }

        return Errno.OK;
    }

    internal List<(ulong Iova, ulong Length)> ReadDirty(ulong first, ulong last, DirtyReadOptions options)
    {
        var spans = new List<(ulong Iova, ulong Length)>();
        foreach ((ulong start, Entry entry) in Overlapping(first, last).ToList())
        {
            ulong item = ItemBytes(entry.Shift);
            ulong size = 1UL << entry.Shift;
            if (!DirtyItems.GetViewBetween(start, start + (size - 1)).Any())
            {
                continue;
            }

            ulong at = Math.Max(first, start);
            ulong index = (at - start) / item;
            ulong entryItems = size / item;
            ulong endIndex = last >= start + (size - 1) ? entryItems : ((last - start) / item) + 1;
            ulong reported = 1;
            if (entryItems > 1)
            {
                bool whole = (options & DirtyReadOptions.WholeEntries) != 0;
                reported = Math.Min(endIndex, whole ? entryItems : Math.Max(entryItems - 1, index + 1)) - index;
            }

            spans.Add((at, reported * item));
            if ((options & DirtyReadOptions.NoClear) == 0)
            {
                DirtyItems.RemoveWhere(dirty => dirty >= start && dirty - start < size);
            }
        }

        return spans;
    }

    internal Errno Split(ulong first, ulong last, ulong pageSize)
    {
        while (
            Overlapping(first, last).FirstOrDefault(e => 1UL << e.Value.Shift > pageSize) is { Value: not null } large
        )
        {
            Cut(large.Key, large.Value);
        }

        return Errno.OK;
    }

    internal Errno Merge(ulong iova, ulong pageSize)
    {
        if (Find(iova) is not { } head)
        {
            return Errno.ENOENT;
        }

        int shift = BitOperations.Log2(pageSize);
        if (head.Entry.Shift >= shift)
        {
            return Errno.OK;
        }

        ulong physical = head.Entry.Physical;
        for (ulong at = iova; at < iova + pageSize; )
        {
            if (!Entries.TryGetValue(at, out Entry? part))
            {
                return Errno.ENOENT;
            }

            if (
                part.Physical != physical + (at - iova)
                || part.Permissions != head.Entry.Permissions
                || (physical & (pageSize - 1)) != 0
            )
            {
                return Errno.EADDRINUSE;
            }

            at += 1UL << part.Shift;
        }

        foreach ((ulong start, _) in Overlapping(iova, iova + (pageSize - 1)).ToList())
        {
            Entries.Remove(start);
        }

        Entries[iova] = new Entry(physical, shift, head.Entry.Permissions);
        ulong item = ItemBytes(shift);
        List<ulong> dirty = [.. DirtyItems.Where(d => d - iova < pageSize).Select(d => d & ~(item - 1)).Distinct()];
        DirtyItems.RemoveWhere(d => d - iova < pageSize);
        DirtyItems.UnionWith(dirty);
        return Errno.OK;
    }

    internal IEnumerable<KeyValuePair<ulong, Entry>> Overlapping(ulong first, ulong last) =>
        Entries.Where(e => e.Key <= last && first <= e.Key + ((1UL << e.Value.Shift) - 1));

    private IoptePermissions Effective(IoptePermissions asked) =>
        table.Format switch
        {
            IoPageTableFormat.AmdV1
            or IoPageTableFormat.AmdV1Mock
            or IoPageTableFormat.AmdV1MockHuge
            or IoPageTableFormat.VtdSecondStage => asked,
            _ => asked | IoptePermissions.Read,
        };

    private ulong ItemBytes(int shift) => 1UL << (_granule + ((shift - _granule) / 9 * 9));

    private (ulong First, Entry Entry)? Find(ulong iova)
    {
        KeyValuePair<ulong, Entry> found = Overlapping(iova, iova).FirstOrDefault();
        return found.Value is null ? null : (found.Key, found.Value);
    }

    private bool Cuts(ulong iova) => Find(iova) is { } found && found.First != iova;

    private void CutAt(ulong iova)
    {
        while (Find(iova) is { } found && found.First != iova)
        {
            Cut(found.First, found.Entry);
        }
    }

    /// <summary>One step of cutting: to the smallest size of the entry's level, or to the smallest size of the level below.</summary>
    private void Cut(ulong first, Entry entry)
    {
        ulong size = 1UL << entry.Shift;
        ulong item = ItemBytes(entry.Shift);
        int shift = SmallestFrom(item);
        if (shift == entry.Shift)
        {
            shift = SmallestFrom(item >> 9);
        }

        bool dirty = DirtyItems.Any(d => d >= first && d - first < size);
        DirtyItems.RemoveWhere(d => d >= first && d - first < size);
        Entries.Remove(first);
        for (ulong offset = 0; offset < size; offset += 1UL << shift)
        {
            Entries[first + offset] = entry with { Physical = entry.Physical + offset, Shift = shift };
        }

        for (ulong offset = 0; dirty && offset < size; offset += ItemBytes(shift))
        {
            DirtyItems.Add(first + offset);
        }
    }

    private int SmallestFrom(ulong bytes)
    {
        int shift = BitOperations.Log2(bytes);
        while ((table.PageSizes >> shift & 1) == 0)
        {
            shift++;
        }

        return shift;
    }
}
