using Iommufd.Core.Participants;

namespace Iommufd.Actors;

/// <summary>/user/iommufd-N/ioas-ID: an IOAS and its IOVA map.</summary>
public sealed class IoasActor(ParticipantCell cell) : ParticipantActor(cell);
