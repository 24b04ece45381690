using Akka.Actor;
using Iommufd.Core.Flows;
using Iommufd.Core.Participants;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

/// <summary>
/// The cell of a context's participant. It makes the participant's actor too, again after each crash: participants come and go by the
/// hundred thousand, and a producer apart from the cell would be an object more for each.
/// </summary>
/// <param name="name">Who it is.</param>
/// <param name="state">Its state.</param>
/// <param name="room">The context that it belongs to.</param>
internal sealed class RoomCell(Participant name, IFlowParticipant state, ContextRoom room)
    : ParticipantCell(name, state, room.Watchers),
        IIndirectActorProducer
{
    /// <summary>The context that it belongs to.</summary>
    public ContextRoom Room => ((RoomWatchers)Around).Room;

    Type IIndirectActorProducer.ActorType =>
        Name.Kind switch
        {
            ParticipantKind.Ioas => typeof(IoasActor),
            ParticipantKind.Hwpt when State is HwptState => typeof(HwptActor),
            ParticipantKind.Device => typeof(DeviceActor),
            ParticipantKind.Access => typeof(AccessActor),
            _ => typeof(ObjectActor),
        };

    ActorBase IIndirectActorProducer.Produce() =>
        Name.Kind switch
        {
            ParticipantKind.Ioas => new IoasActor(this),
            ParticipantKind.Hwpt when State is HwptState => new HwptActor(this, Room.Devices, Room.Options.Faults),
            ParticipantKind.Device => new DeviceActor(this),
            ParticipantKind.Access => new AccessActor(this),
            _ => new ObjectActor(this),
        };

    void IIndirectActorProducer.Release(ActorBase actor) { }
}

/// <summary>What looks on while the participants of a context work, and where they find the context.</summary>
/// <param name="Room">The context.</param>
internal sealed record RoomWatchers(ContextRoom Room)
    : CellWatchers(Room.Options.StepHook, Room.Options.Faults, Room.Options.Wrap, Room.Options.Sampler);
