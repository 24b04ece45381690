// Events of commands on the size of page-table entries. See ContextEvents.
namespace Iommufd.Messages.Events;

/// <summary>The entry policy of a HWPT or an IOAS was set.</summary>
/// <param name="PtId">The HWPT or IOAS.</param>
/// <param name="Policy">As in EntryPolicy.</param>
public sealed record EntryPolicySet(uint PtId, uint Policy) : ContextEvent;

/// <summary>Entries of a range were split or merged.</summary>
/// <param name="HwptId">The HWPT.</param>
/// <param name="First">The first IOVA.</param>
/// <param name="Last">The last IOVA.</param>
/// <param name="PageSize">Bytes of an entry.</param>
/// <param name="Merge">Whether they were merged.</param>
public sealed record EntriesResized(uint HwptId, ulong First, ulong Last, ulong PageSize, bool Merge) : ContextEvent;
