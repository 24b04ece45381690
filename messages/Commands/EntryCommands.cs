// Commands on the size of page-table entries, which no kernel has: docs/decisions/0005-entry-size-change.md.
namespace Iommufd.Messages.Commands;

/// <summary>
/// Sets the policy of a paging HWPT, or of an IOAS: then of all its HWPTs, those to come included. What is mapped follows at once.
/// EOPNOTSUPP for an unknown policy, ENOENT, EINVAL for another kind of object.
/// </summary>
/// <param name="PtId">The HWPT or the IOAS.</param>
/// <param name="Policy">From now on.</param>
public sealed record SetEntryPolicy(uint PtId, EntryPolicy Policy) : DriverCommand;

/// <summary>
/// Splits the entries of a range that are larger than a page size, or merges those that follow each other into entries of it; what
/// cannot be merged stays. Devices translate all the time, and answer before the command does that their IOTLBs forgot the old entries.
/// EINVAL for a length of 0 or a page size that the table does not have or that the range is no multiple of; EOVERFLOW; ENOENT.
/// </summary>
/// <param name="HwptId">The paging HWPT.</param>
/// <param name="Iova">The first IOVA.</param>
/// <param name="Length">Bytes.</param>
/// <param name="PageSize">Bytes of an entry.</param>
/// <param name="Merge">Whether to merge; else to split.</param>
/// <param name="OutEntries">Entries of the size that were made by merging; 0 for a split.</param>
public sealed record ResizeEntries(
    uint HwptId,
    ulong Iova,
    ulong Length,
    ulong PageSize,
    bool Merge,
    ulong OutEntries = 0
) : DriverCommand;
