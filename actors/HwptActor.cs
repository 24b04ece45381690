using Akka.Actor;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

/// <summary>
/// /user/iommufd-N/hwpt-ID: a paging HWPT and its page table. A cleared area is answered only when every linked device has
/// confirmed that its IOTLB forgot it: pages are unpinned after that.
/// </summary>
public sealed class HwptActor(ParticipantCell cell, DeviceDirectory devices) : ParticipantActor(cell)
{
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
        foreach (var device in linked)
        {
            device.Tell(new InvalidateRange(range, round));
        }
    }

    private static IovaRange? Stale(FlowRequest request, FlowResponse response) =>
        (request, response) switch
        {
            (ClearArea clear, _) => clear.Area.Range,
            (_, IStaleTranslations { Stale: { } range }) => range,
            _ => null,
        };

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
}
