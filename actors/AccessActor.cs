using Iommufd.Core.Participants;

namespace Iommufd.Actors;

/// <summary>/user/iommufd-N/access-ID: an in-kernel access and its pins.</summary>
public sealed class AccessActor(ParticipantCell cell) : ParticipantActor(cell);
