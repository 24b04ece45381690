namespace Iommufd.Messages.Flows;

/// <summary>Context → IOAS: the finished areas from a range's first IOVA on, without a gap, cut to the range; perhaps none.</summary>
public sealed record ContiguousFrom(IovaRange Range) : FlowRequest;

/// <summary>Context → HWPT: starts or stops dirty tracking. Starting forgets what was dirty before.</summary>
public sealed record TrackDirty(bool Enable) : FlowRequest;

/// <summary>Context → HWPT: reads, and clears, the dirty entries of ranges.</summary>
/// <param name="Ranges">One after the other, each walked by itself.</param>
/// <param name="Clear">Whether the marks are taken away, and IOTLBs invalidated.</param>
public sealed record ReadDirty(IReadOnlyList<IovaRange> Ranges, bool Clear) : FlowRequest;

/// <summary>Dirty entries.</summary>
/// <param name="Dirty">First IOVA and bytes, in the order of the walk; may reach past the range asked for.</param>
public sealed record DirtyFound(IReadOnlyList<(ulong Iova, ulong Length)> Dirty) : FlowResponse(Errno.OK);

/// <summary>Context → HWPT: what a device's writes would do (selftest DIRTY). EINVAL while tracking is off.</summary>
/// <param name="Iova">The IOVA of bit 0.</param>
/// <param name="PageSize">Bytes from one bit to the next.</param>
/// <param name="Pages">Number of bits.</param>
/// <param name="Bits">The bitmap; null only asks whether tracking is on.</param>
public sealed record MarkDirty(ulong Iova, ulong PageSize, ulong Pages, byte[]? Bits) : FlowRequest;

/// <summary>Entries marked.</summary>
public sealed record DirtyMarked(ulong Count) : FlowResponse(Errno.OK);
