using Akka.Actor;
using Iommufd.Core.Participants;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

/// <summary>
/// /user/iommufd-N/device-ID: a DEVICE. A switch of its translation is answered by the physical device, once DMA goes through the
/// new tables and the IOTLB has forgotten the old ones.
/// </summary>
public sealed class DeviceActor(ParticipantCell cell, DeviceDirectory devices) : ParticipantActor(cell)
{
    private readonly DeviceState _state = (DeviceState)cell.State;

    /// <inheritdoc/>
    protected override void Answer(FlowStep step, IActorRef replyTo, FlowResponse response)
    {
        if (
            step.Request is SwitchTranslation change
            && step.WantsReply
            && devices.Find(_state.PhysicalDevice) is { } hardware
        )
        {
            var answer = new FlowReply(step.Flow, step.Step, response);
            hardware.Tell(new SwitchDma(change.Pasid, change.Root, replyTo, answer));
            return;
        }

        base.Answer(step, replyTo, response);
    }
}
