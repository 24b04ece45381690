namespace Iommufd.Messages.Events;

/// <summary>IOAS_MAP_FILE.</summary>
/// <param name="ProcessId">Who is charged.</param>
/// <param name="IoasId">The IOAS.</param>
/// <param name="Iova">Where it went.</param>
/// <param name="Start">Offset of the first byte in the file.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Flags">As in the command.</param>
/// <param name="FileNumber">The file's or dma-buf's number on the machine.</param>
/// <param name="FileKind">What it is; see <see cref="MappedFileKind"/>.</param>
/// <param name="FileSize">Its size in bytes when it was mapped.</param>
/// <param name="FirstPfn">The first frame of a dma-buf; 0 for others.</param>
/// <param name="PageSet">The number of the page set that was made.</param>
/// <param name="Pinned">As in <see cref="AreaMapped"/>.</param>
public sealed record FileMapped(
    uint ProcessId,
    uint IoasId,
    ulong Iova,
    ulong Start,
    ulong Length,
    uint Flags,
    uint FileNumber,
    uint FileKind,
    ulong FileSize,
    ulong FirstPfn,
    uint PageSet,
    ulong[] Pinned
) : ContextEvent;

/// <summary>Values of <see cref="FileMapped.FileKind"/>.</summary>
public static class MappedFileKind
{
    /// <summary>4 KiB pages.</summary>
    public const uint Memfd = 0;

    /// <summary>2 MiB pages.</summary>
    public const uint MemfdHuge2M = 1;

    /// <summary>4 KiB pages, holes at first.</summary>
    public const uint MemfdSparse = 2;

    /// <summary>No memory.</summary>
    public const uint NotMemory = 3;

    /// <summary>Device memory that can be revoked.</summary>
    public const uint Dmabuf = 4;
}

/// <summary>A dma-buf was revoked, or allowed again; either way everything mapped from it so far is gone from all domains.</summary>
/// <param name="FileNumber">Its number on the machine.</param>
/// <param name="Revoked">Whether imports are refused from now on.</param>
public sealed record DmabufRevoked(uint FileNumber, bool Revoked) : ContextEvent;

/// <summary>IOAS_CHANGE_PROCESS.</summary>
/// <param name="ProcessId">The new owner of all page sets.</param>
public sealed record ProcessChanged(uint ProcessId) : ContextEvent;

/// <summary>HWPT_SET_DIRTY_TRACKING.</summary>
public sealed record DirtyTrackingSet(uint HwptId, bool Enabled) : ContextEvent;

/// <summary>HWPT_GET_DIRTY_BITMAP cleared the dirty marks of a range.</summary>
/// <param name="HwptId">The HWPT.</param>
/// <param name="First">First IOVA.</param>
/// <param name="Last">Last IOVA, inclusive.</param>
public sealed record DirtyCleared(uint HwptId, ulong First, ulong Last) : ContextEvent;

/// <summary>The selftest marked pages dirty.</summary>
/// <param name="HwptId">The HWPT.</param>
/// <param name="Iova">The IOVA of bit 0.</param>
/// <param name="PageSize">Bytes from one bit to the next.</param>
/// <param name="Pages">Number of bits.</param>
/// <param name="Bits">The bitmap.</param>
public sealed record PagesMarkedDirty(uint HwptId, ulong Iova, ulong PageSize, ulong Pages, byte[] Bits) : ContextEvent;

/// <summary>VFIO_IOAS SET or CLEAR: the IOAS that VFIO's own calls work on.</summary>
/// <param name="IoasId">The IOAS; 0 for none.</param>
public sealed record CompatIoasSet(uint IoasId) : ContextEvent;

/// <summary>VFIO_IOMMU_MAP_DMA.</summary>
/// <param name="ProcessId">Whose memory.</param>
/// <param name="IoasId">The compat IOAS.</param>
/// <param name="Iova">First IOVA.</param>
/// <param name="Length">Bytes.</param>
/// <param name="UserVa">First byte of memory.</param>
/// <param name="Permissions">Bit 0 devices may write, bit 1 devices may read.</param>
/// <param name="PageSet">The number of the page set that was made.</param>
/// <param name="Pinned">As in <see cref="AreaMapped"/>.</param>
public sealed record VfioMapped(
    uint ProcessId,
    uint IoasId,
    ulong Iova,
    ulong Length,
    ulong UserVa,
    uint Permissions,
    uint PageSet,
    ulong[] Pinned
) : ContextEvent;

/// <summary>An area was cut in two by a VFIO unmap.</summary>
/// <param name="IoasId">The compat IOAS.</param>
/// <param name="LastOfLeft">The last IOVA of the left half.</param>
public sealed record AreaCutInTwo(uint IoasId, ulong LastOfLeft) : ContextEvent;
