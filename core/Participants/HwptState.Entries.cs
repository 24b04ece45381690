using System.Numerics;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

// Entries that change their size at run time. The table itself may be walked by devices all the time; this participant is its only
// writer, and says which IOVAs the devices' IOTLBs have to forget before it is answered.
public sealed partial class HwptState
{
    /// <summary>Larger entries are left to MAP: looking for neighbours of a gigabyte page costs more than it gives.</summary>
    private const ulong LargestPromoted = 1ul << 30;

    /// <summary>First IOVAs of areas that were installed page by page and stay so.</summary>
    private readonly SortedSet<ulong> _pageByPage = [];

    /// <summary>Whether an entry may reach across areas: then an unmap has to split.</summary>
    private bool _mayCross;

    /// <summary>How large entries are kept.</summary>
    public EntryPolicy Policy { get; private set; }

    private bool SplitsNow => IsTracking && Policy.HasFlag(EntryPolicy.SplitForTracking);

    private bool PromotesNow => Policy.HasFlag(EntryPolicy.Promote) && !SplitsNow;

    /// <summary>The smallest entry that is a page of the host or more.</summary>
    private ulong SmallestWholePage => LowestBit(Table.PageSizes & ~HostPage.OffsetMask);

    private static ulong LowestBit(ulong bits) => bits & (0 - bits);

    private EntriesChanged Use(EntryPolicy policy)
    {
        Policy = policy;
        if (SplitsNow)
        {
            return SplitAll();
        }

        return PromotesNow ? PromoteAll() : new EntriesChanged(Errno.OK, 0, null);
    }

    private EntriesChanged Resize(ResizeRange resize)
    {
        var size = resize.PageSize;
        var offered = BitOperations.IsPow2(size) && (Table.PageSizes & size) != 0;
        if (!offered || ((resize.Range.First | unchecked(resize.Range.Last + 1)) & (size - 1)) != 0)
        {
            return new EntriesChanged(Errno.EINVAL, 0, null);
        }

        if (!resize.Merge)
        {
            foreach (var area in _installed.Values.Where(a => a.Range.Overlaps(resize.Range)))
            {
                Split(resize.Range, area.Range, size);
            }

            return new EntriesChanged(Errno.OK, 0, resize.Range);
        }

        var merged = MergeIn(resize.Range, size);
        return new EntriesChanged(Errno.OK, merged, merged > 0 ? resize.Range : null);
    }

    // Tracking begins with small entries where the policy says so, and ends with large ones.
    private IovaRange? FollowTracking()
    {
        if (SplitsNow)
        {
            return SplitAll().Stale;
        }

        return PromotesNow && Policy.HasFlag(EntryPolicy.SplitForTracking) ? PromoteAll().Stale : null;
    }

    private EntriesChanged SplitAll()
    {
        foreach (var area in _installed.Values)
        {
            Split(area.Range, area.Range, SmallestWholePage);
        }

        return new EntriesChanged(Errno.OK, 0, _installed.Count > 0 ? IovaRange.All : null);
    }

    private void Split(IovaRange wanted, IovaRange area, ulong size)
    {
        // Whole entries of the size around what both have: an area may begin or end inside of one.
        var first = Math.Max(wanted.First, area.First) & ~(size - 1);
        var last = Math.Min(wanted.Last, area.Last) | (size - 1);
        var errno = Table.Split(new IovaRange(first, Math.Min(last, Table.InputRange.Last)), size);
        Invariant.Holds(errno == Errno.OK, $"entries can be split to an offered size, not {errno}");
    }

    private EntriesChanged PromoteAll()
    {
        var merged = 0ul;
        IovaRange? stale = null;
        foreach (var size in PromotedSizes())
        {
            foreach (var area in _installed.Values.ToArray())
            {
                var made = MergeIn(area.Range, size);
                merged += made;
                stale = made > 0 ? IovaRange.All : stale;
            }
        }

        return new EntriesChanged(Errno.OK, merged, stale);
    }

    /// <summary>A new area: what it completes at its two ends becomes larger, the smallest entries first.</summary>
    private IovaRange? PromoteAround(AreaView area)
    {
        IovaRange? stale = null;
        foreach (var size in PromotedSizes())
        {
            var merged = TryMerge(area.Range.First & ~(size - 1), size);
            merged |= TryMerge(area.Range.Last & ~(size - 1), size);
            if (merged)
            {
                stale = new IovaRange(area.Range.First & ~(size - 1), area.Range.Last | (size - 1));
            }
        }

        return stale;
    }

    private IEnumerable<ulong> PromotedSizes()
    {
        for (var sizes = Table.PageSizes & ~HostPage.OffsetMask; sizes != 0; sizes &= sizes - 1)
        {
            var size = LowestBit(sizes);
            if (size > LargestPromoted)
            {
                yield break;
            }

            if (size > HostPage.Size)
            {
                yield return size;
            }
        }
    }

    private ulong MergeIn(IovaRange range, ulong size)
    {
        var merged = 0ul;
        for (var block = range.First & ~(size - 1); ; block += size)
        {
            merged += TryMerge(block, size) ? 1ul : 0;
            if (range.Last - block < size)
            {
                return merged;
            }
        }
    }

    private bool TryMerge(ulong block, ulong size)
    {
        var last = block + (size - 1);
        if (
            last > Table.InputRange.Last
            || !Table.TryTranslate(block, out IopteTranslation first)
            || first.PageSize >= size
            || (first.Physical & (size - 1)) != 0
            || !Table.TryTranslate(last, out ulong end)
            || end != first.Physical + (size - 1)
            || StaysPageByPage(block, last)
            || Table.Merge(block, size) != Errno.OK
        )
        {
            return false;
        }

        _mayCross = true;
        return true;
    }

    private bool StaysPageByPage(ulong first, ulong last)
    {
        if (_pageByPage.Count == 0)
        {
            return false;
        }

        var before = _pageByPage.GetViewBetween(0, last);
        return before.Count > 0 && _installed[before.Max].Range.Last >= first;
    }

    /// <summary>Takes an area's translations away; an entry that reaches beyond it is split first.</summary>
    private void UnmapArea(AreaView area)
    {
        var cut = _mayCross ? UnmapCut.Split : UnmapCut.WholeEntry;
        var unmapped = Table.Unmap(area.Range.First, area.Range.Length, cut);
        Invariant.Holds(unmapped == area.Range.Length, "an area's IOPTEs cover exactly the area");
        _pageByPage.Remove(area.Range.First);
    }
}
