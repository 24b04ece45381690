namespace Iommufd.Messages.Commands;

/// <summary>IOAS_MAP_FILE at a fixed IOVA, of a file that a replay knows and no descriptor refers to.</summary>
/// <param name="IoasId">The IOAS.</param>
/// <param name="File">The file.</param>
/// <param name="Start">Offset of the first byte.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Iova">First IOVA.</param>
/// <param name="Flags">As in the command.</param>
public sealed record MapKnownFile(
    uint IoasId,
    Flows.IMappableFile File,
    ulong Start,
    ulong Length,
    ulong Iova,
    IoasMapFlags Flags
) : DriverCommand;

/// <summary>The exporter of a dma-buf revokes it, or allows imports again.</summary>
/// <param name="Buffer">The buffer.</param>
/// <param name="Revoked">Whether imports are refused from now on.</param>
public sealed record RevokeKnownDmabuf(Flows.IMappableFile Buffer, bool Revoked) : DriverCommand;

/// <summary>Marks pages dirty, as writes of a device would. EINVAL while tracking is off.</summary>
/// <param name="HwptId">The HWPT.</param>
/// <param name="Iova">The IOVA of bit 0.</param>
/// <param name="PageSize">Bytes from one bit to the next.</param>
/// <param name="Pages">Number of bits.</param>
/// <param name="Bits">The bitmap.</param>
public sealed record MarkPagesDirty(uint HwptId, ulong Iova, ulong PageSize, ulong Pages, byte[] Bits) : DriverCommand;

/// <summary>Cuts an area in two.</summary>
/// <param name="IoasId">The IOAS.</param>
/// <param name="LastOfLeft">The last IOVA of the left half.</param>
public sealed record CutAreaInTwo(uint IoasId, ulong LastOfLeft) : DriverCommand;
