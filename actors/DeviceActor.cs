using Akka.Actor;
using Iommufd.Core.Participants;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

/// <summary>
/// /user/iommufd-N/device-ID: a DEVICE. A switch of its translation is answered by the physical device, once DMA goes through the
/// new tables and the IOTLB has forgotten the old ones; so is an invalidation by the guest.
/// </summary>
/// <param name="cell">The state and the steps not answered yet.</param>
internal sealed class DeviceActor(RoomCell cell) : ParticipantActor(cell)
{
    private ContextRoom Room => ((RoomCell)Cell).Room;

    private DeviceState State => (DeviceState)Cell.State;

    /// <inheritdoc/>
    protected override void Answer(FlowStep step, IActorRef replyTo, FlowResponse response)
    {
        var concerns = step.Request is SwitchTranslation or ForgetTranslations or RespondToPageRequest;
        if (!concerns || Room.Devices.Find(State.PhysicalDevice) is not { } hardware)
        {
            base.Answer(step, replyTo, response);
            return;
        }

        var answer = new FlowReply(step.Flow, step.Step, response);
        switch (step.Request)
        {
            case SwitchTranslation change when step.WantsReply && response.Errno == Messages.Errno.OK:
                var owner = new DmaOwner(Context.Parent, (int)Room.OpenedBy, Cell.Name.Id, change.ViommuId != 0);
                hardware.Tell(new SwitchDma(change.Pasid, change.Root, owner, replyTo, answer));
                break;
            case ForgetTranslations forget when step.WantsReply:
                hardware.Tell(new ForgetNested(forget.Pasid, forget.Ranges, replyTo, answer));
                break;
            case RespondToPageRequest respond:
                hardware.Tell(new PageResponse(respond.GroupId, respond.Success));
                break;
            default:
                base.Answer(step, replyTo, response);
                break;
        }
    }
}
