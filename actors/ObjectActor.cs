using Iommufd.Core.Participants;

namespace Iommufd.Actors;

/// <summary>The actor of an object whose state needs no other actor to answer: a nested HWPT, a fault queue, a vIOMMU and so on.</summary>
public sealed class ObjectActor(ParticipantCell cell) : ParticipantActor(cell);
