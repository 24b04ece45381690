using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Faults;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>HWPT_SET_DIRTY_TRACKING (facts sheet B.13).</summary>
public sealed class SetDirtyTrackingFlow(ContextCore context, Caller caller, HwptSetDirtyTracking command)
    : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if ((command.Flags & ~HwptSetDirtyTracking.Enable) != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        if (Get<HwptObject>(command.HwptId) is not { } hwpt)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (!hwpt.Dirty)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        var enable = command.Flags == HwptSetDirtyTracking.Enable;
        yield return FlowWait.ForLock(hwpt.Ioas.IovaLock, exclusive: false);
        yield return FlowWait.For(ParticipantKind.Hwpt, hwpt.Id, new TrackDirty(enable));
        Events.Add(new DirtyTrackingSet(hwpt.Id, enable));
    }
}

/// <summary>
/// HWPT_GET_DIRTY_BITMAP (facts sheet B.14, E; additions A.10). What goes wrong while the pages are walked is not told: the walk ends
/// at the first gap, and what cannot be written to the bitmap is lost.
/// </summary>
public sealed class GetDirtyBitmapFlow(ContextCore context, Caller caller, HwptGetDirtyBitmap command)
    : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if ((command.Flags & ~HwptGetDirtyBitmap.NoClear) != 0 || command.Reserved != 0)
        {
            Fail(Errno.EOPNOTSUPP);
            yield break;
        }

        if (Get<HwptObject>(command.HwptId) is not { } hwpt)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        // A length of 0 wraps to the whole space: refused with any IOVA but 0.
        var last = unchecked(command.Iova + (command.Length - 1));
        if (last < command.Iova)
        {
            Fail(Errno.EOVERFLOW);
            yield break;
        }

        yield return FlowWait.ForLock(hwpt.Ioas.IovaLock, exclusive: false);
        var query = FlowWait.For(ParticipantKind.Ioas, hwpt.Ioas.Id, QueryRanges.Instance);
        yield return query;
        if (Check(hwpt, query.As<UsableRanges>().Alignment) is var bad && bad != Errno.OK)
        {
            Fail(bad);
            yield break;
        }

        if (Strikes(FaultPoints.DirtyBitmap))
        {
            Fail(Errno.ENOMEM);
            yield break;
        }

        var range = new IovaRange(command.Iova, last);
        var areas = FlowWait.For(ParticipantKind.Ioas, hwpt.Ioas.Id, new ContiguousFrom(range));
        yield return areas;
        var clear = command.Flags != HwptGetDirtyBitmap.NoClear;
        var read = FlowWait.For(
            ParticipantKind.Hwpt,
            hwpt.Id,
            new ReadDirty([.. areas.As<AreaList>().Areas.Select(a => a.Range)], clear)
        );
        yield return read;
        var bitmap = new DirtyBitmap(Caller.Memory, command.Data, range, command.PageSize);
        foreach (var (iova, length) in read.As<DirtyFound>().Dirty)
        {
            bitmap.Set(iova, length);
        }

        if (clear && read.As<DirtyFound>().Dirty.Count > 0)
        {
            Events.Add(new DirtyCleared(hwpt.Id, range.First, range.Last));
        }
    }

    private Errno Check(HwptObject hwpt, ulong alignment)
    {
        var misaligned = (command.Iova | command.Length) & (alignment - 1);
        if (misaligned != 0 || command.PageSize == 0)
        {
            return Errno.EINVAL;
        }

        if (((command.Iova | command.Length) & (command.PageSize - 1)) != 0)
        {
            return Errno.EINVAL;
        }

        return hwpt.Dirty ? Errno.OK : Errno.EOPNOTSUPP;
    }
}

/// <summary>The selftest's DIRTY: marks pages as a device's writes would (additions F.3, operation 13).</summary>
public sealed class MarkDirtyFlow(ContextCore context, Caller caller, TestDirty command) : Flow(context, caller)
{
    private const ulong MostPages = 1ul << 27;

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (
            command.PageSize == 0
            || command.Length == 0
            || command.Iova % command.PageSize != 0
            || command.Length % command.PageSize != 0
            || command.Uptr == 0
        )
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        var pages = command.Length / command.PageSize;
        if (pages > MostPages)
        {
            Fail(Errno.EOVERFLOW);
            yield break;
        }

        if (Get<HwptObject>(command.HwptId) is not { } hwpt)
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        // Whether tracking is on is looked at before the bitmap is read.
        var ask = FlowWait.For(ParticipantKind.Hwpt, hwpt.Id, new MarkDirty(0, 1, 0, Bits: null));
        yield return ask;
        if (ask.Response.Errno != Errno.OK)
        {
            Fail(ask.Response.Errno);
            yield break;
        }

        var bits = new byte[(pages + 7) >> 3];
        if (!Caller.Memory.TryRead(command.Uptr, bits))
        {
            Fail(Errno.EFAULT);
            yield break;
        }

        var mark = FlowWait.For(
            ParticipantKind.Hwpt,
            hwpt.Id,
            new MarkDirty(command.Iova, command.PageSize, pages, bits)
        );
        yield return mark;
        if (mark.Response is not DirtyMarked marked)
        {
            Fail(mark.Response.Errno);
            yield break;
        }

        Events.Add(new PagesMarkedDirty(hwpt.Id, command.Iova, command.PageSize, pages, bits));
        Succeed(command with { OutNrDirty = marked.Count });
    }
}
