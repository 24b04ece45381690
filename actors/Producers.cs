using Akka.Actor;
using Iommufd.Core.Dma;
using Iommufd.Core.Participants;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

// Participants and devices come and go by the hundred thousand: a producer costs one small object an actor, where Props made from an
// expression cost a tree, a constructor invoker and an array of arguments.

/// <summary>Makes the actor of a participant, again after each crash.</summary>
internal sealed class ParticipantProducer(ParticipantCell cell, DeviceDirectory devices) : IIndirectActorProducer
{
    public Type ActorType =>
        cell.Name.Kind switch
        {
            ParticipantKind.Ioas => typeof(IoasActor),
            ParticipantKind.Hwpt => typeof(HwptActor),
            ParticipantKind.Device => typeof(DeviceActor),
            ParticipantKind.Access => typeof(AccessActor),
            _ => typeof(ObjectActor),
        };

    public ActorBase Produce() =>
        cell.Name.Kind switch
        {
            ParticipantKind.Ioas => new IoasActor(cell),
            ParticipantKind.Hwpt => new HwptActor(cell, devices),
            ParticipantKind.Device => new DeviceActor(cell, devices),
            ParticipantKind.Access => new AccessActor(cell),
            _ => new ObjectActor(cell),
        };

    public void Release(ActorBase actor) { }
}

/// <summary>Makes the actor of a physical device, again after each crash.</summary>
internal sealed class HardwareProducer(DmaEngine engine) : IIndirectActorProducer
{
    public Type ActorType => typeof(PhysicalDeviceActor);

    public ActorBase Produce() => new PhysicalDeviceActor(engine);

    public void Release(ActorBase actor) { }
}
