using Akka.Actor;
using Iommufd.Core.Faults;
using Iommufd.Core.Participants;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

// Participants and devices come and go by the hundred thousand: a producer costs one small object an actor, where Props made from an
// expression cost a tree, a constructor invoker and an array of arguments.

/// <summary>Makes the actor of a participant, again after each crash.</summary>
internal sealed class ParticipantProducer(
    ParticipantCell cell,
    DeviceDirectory devices,
    IFaultSource? faults,
    uint process
) : IIndirectActorProducer
{
    public Type ActorType =>
        cell.Name.Kind switch
        {
            ParticipantKind.Ioas => typeof(IoasActor),
            ParticipantKind.Hwpt when cell.State is HwptState => typeof(HwptActor),
            ParticipantKind.Device => typeof(DeviceActor),
            ParticipantKind.Access => typeof(AccessActor),
            _ => typeof(ObjectActor),
        };

    public ActorBase Produce() =>
        cell.Name.Kind switch
        {
            ParticipantKind.Ioas => new IoasActor(cell),
            ParticipantKind.Hwpt when cell.State is HwptState => new HwptActor(cell, devices, faults),
            ParticipantKind.Device => new DeviceActor(cell, devices, process),
            ParticipantKind.Access => new AccessActor(cell),
            _ => new ObjectActor(cell),
        };

    public void Release(ActorBase actor) { }
}

/// <summary>Makes the actor of a physical device, again after each crash.</summary>
internal sealed class HardwareProducer(PhysicalDevice device) : IIndirectActorProducer
{
    public Type ActorType => typeof(PhysicalDeviceActor);

    public ActorBase Produce() => new PhysicalDeviceActor(device);

    public void Release(ActorBase actor) { }
}
