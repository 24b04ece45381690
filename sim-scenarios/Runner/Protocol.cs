using Akka.Actor;
using Iommufd.Messages;

// Stands in for actors/Protocol until it lands; the names and shapes are the same.
namespace Iommufd.Actors.Protocol;

/// <summary>Machine → client: the process runs.</summary>
public sealed record ProcessStarted(int ProcessId, IActorRef Memory);

/// <summary>Machine → client: /dev/iommu is open.</summary>
public sealed record IommufdOpened(Errno Errno, int Number, IActorRef Context);

/// <summary>Client → device: a burst of DMA.</summary>
public sealed record RunDma(long Tag, DmaWorkload Workload);

/// <summary>What a burst does.</summary>
public sealed record DmaWorkload(string Pattern, IovaRange Range, int Block, int Count, int WritePercent);

/// <summary>Device → client: the burst is over.</summary>
public sealed record DmaDone(long Tag, DmaReport Report);

/// <summary>Counts of a burst.</summary>
public sealed record DmaReport(ulong Translations, ulong Faults, ulong Violations);

/// <summary>Door → machine: check everything.</summary>
public sealed record CheckInvariants;

/// <summary>Machine → door: what was checked.</summary>
public sealed record InvariantReport(long Checked, IReadOnlyList<InvariantViolation> Violations);

/// <summary>One invariant that does not hold.</summary>
public sealed record InvariantViolation(string Name, string Sentence, string Where);

/// <summary>Door → machine: what is the state?</summary>
public sealed record QueryDigest;

/// <summary>Machine → door: the state's digest.</summary>
public sealed record StateDigest(string Value, long Pins);
