using Akka.Actor;
using Iommufd.Core.Faults;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

/// <summary>
/// /user/iommufd-N/hwpt-ID: a paging HWPT and its page table. What a device's IOTLB may still hold is answered only when every linked
/// device has confirmed that it forgot: cleared areas (pages are unpinned after that), dirty marks that were taken away (the next write
/// has to mark again), and the start of tracking. Where invalidations can be lost, they are sent again to the devices that have not
/// confirmed in time.
/// </summary>
public sealed class HwptActor(ParticipantCell cell, DeviceDirectory devices, IFaultSource? faults = null)
    : ParticipantActor(cell)
{
    /// <summary>How long a device may take to confirm an invalidation before it is sent again.</summary>
    public static readonly TimeSpan InvalidationTimeout = TimeSpan.FromMilliseconds(20);

    private readonly HwptState _state = (HwptState)cell.State;

    /// <inheritdoc/>
    protected override void Answer(FlowStep step, IActorRef replyTo, FlowResponse response)
    {
        var stale = step.WantsReply ? Stale(step.Request, response) : null;
        var linked = stale is null ? [] : Linked();
        if (stale is not { } range || linked.Count == 0)
        {
            base.Answer(step, replyTo, response);
            return;
        }

        var round = new InvalidationRound(linked.Count, replyTo, new FlowReply(step.Flow, step.Step, response));
        Invalidate(new PendingInvalidation(range, round, linked, step));
    }

    /// <inheritdoc/>
    protected override bool OnOther(object message)
    {
        if (message is not PendingInvalidation late)
        {
            return false;
        }

        if (!late.Round.IsOver)
        {
            faults!.Saw(Sights.InvalidationRepeated);
            Invalidate(late);
        }

        return true;
    }

    private void Invalidate(PendingInvalidation pending)
    {
        for (var i = 0; i < pending.Devices.Count; i++)
        {
            if (!pending.Round.HasConfirmed(i))
            {
                pending
                    .Devices[i]
                    .Tell(new InvalidateTable(_state.HwptId, pending.Range, pending.Round, i, pending.Step));
            }
        }

        if (faults is not null && !pending.Round.IsOver)
        {
            var step = pending.Step;
            var site = new FaultSite(step.Context, step.Flow, Cell.Name.Kind, Cell.Name.Id);
            var jumps = faults.ShouldFail(FaultPoints.ClockJump, site);
            var wait = jumps ? TimeSpan.Zero : InvalidationTimeout;
            Context.System.Scheduler.ScheduleTellOnce(wait, Self, pending, Self);
        }
    }

    private static IovaRange? Stale(FlowRequest request, FlowResponse response) =>
        (request, response) switch
        {
            (ClearArea clear, _) => clear.Area.Range,
            (ReadDirty { Clear: true }, DirtyFound { Dirty.Count: > 0 } found) => Enclosing(found.Dirty),
            (TrackDirty or RevokePageSet, _) => IovaRange.All,
            (_, IStaleTranslations { Stale: { } range }) => range,
            _ => null,
        };

    private static IovaRange Enclosing(IReadOnlyList<(ulong Iova, ulong Length)> dirty)
    {
        var first = ulong.MaxValue;
        var last = 0ul;
        foreach (var (iova, length) in dirty)
        {
            var end = unchecked(iova + (length - 1));
            first = Math.Min(first, iova);
            last = Math.Max(last, end < iova ? ulong.MaxValue : end);
        }

        return new IovaRange(first, last);
    }

    private List<IActorRef> Linked()
    {
        var linked = new List<IActorRef>();
        foreach (var name in _state.Devices)
        {
            if (devices.Find(name) is { } device)
            {
                linked.Add(device);
            }
        }

        return linked;
    }

    private sealed record PendingInvalidation(
        IovaRange Range,
        InvalidationRound Round,
        List<IActorRef> Devices,
        FlowStep Step
    );
}
