using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

// Revocation of dma-bufs, dirty tracking, and the cut of VFIO.
public sealed partial class HwptState
{
    /// <summary>First IOVAs of installed areas that have no translations because their dma-buf was revoked.</summary>
    private readonly HashSet<ulong> _withoutPages = [];

    /// <summary>Whether dirty tracking is switched on.</summary>
    public bool IsTracking { get; private set; }

    private FlowResponse Revoke(uint pageSet)
    {
        foreach (var area in _installed.Values)
        {
            if (area.PageSet == pageSet && _withoutPages.Add(area.Range.First))
            {
                UnmapArea(area);
            }
        }

        return FlowResponse.Done;
    }

    private EntriesChanged Track(bool enable)
    {
        IsTracking = enable;
        var stale = FollowTracking();
        if (enable)
        {
            foreach (var area in _installed.Values)
            {
                Table.ReadAndClearDirty(area.Range, NoDirtySink.Instance);
            }
        }

        IsTracking = enable;
        Translation.MarksDirty = enable;
        return new EntriesChanged(Errno.OK, 0, stale);
    }

    // As in the kernel, reading does not ask whether tracking is on.
    private DirtyFound ReadAndClear(ReadDirty read)
    {
        var sink = new DirtyList();
        foreach (var range in read.Ranges)
        {
            Table.ReadAndClearDirty(range, sink, read.Clear ? DirtyReadOptions.None : DirtyReadOptions.NoClear);
        }

        return new DirtyFound(sink.Found);
    }

    private FlowResponse Mark(MarkDirty mark)
    {
        if (!IsTracking)
        {
            return FlowResponse.Fail(Errno.EINVAL);
        }

        if (mark.Bits is null)
        {
            return FlowResponse.Done;
        }

        var count = 0ul;
        for (var page = 0ul; page < mark.Pages; page++)
        {
            if ((mark.Bits[page >> 3] & (1 << (int)(page & 7))) != 0)
            {
                // A bit without a mapping counts too.
                Table.SetDirty(unchecked(mark.Iova + (page * mark.PageSize)));
                count++;
            }
        }

        return new DirtyMarked(count);
    }

    private InstalledSplit Split(SplitInstalled split)
    {
        Invariant.Holds(_installed.Remove(split.Whole.Range.First), "only an installed area is cut");
        if (_pageByPage.Remove(split.Whole.Range.First))
        {
            _pageByPage.Add(split.Left.Range.First);
            _pageByPage.Add(split.Right.Range.First);
        }

        _installed.Add(split.Left.Range.First, split.Left);
        _installed.Add(split.Right.Range.First, split.Right);
        return new InstalledSplit(new AreaPfnSource(Table, split.Left), new AreaPfnSource(Table, split.Right));
    }

    private sealed class DirtyList : IDirtySink
    {
        public List<(ulong Iova, ulong Length)> Found { get; } = [];

        public void Report(ulong iova, ulong length) => Found.Add((iova, length));
    }

    private sealed class NoDirtySink : IDirtySink
    {
        public static readonly NoDirtySink Instance = new();

        public void Report(ulong iova, ulong length) { }
    }
}
