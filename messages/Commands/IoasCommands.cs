namespace Iommufd.Messages.Commands;

/// <summary>How a range is mapped: flags of MAP, MAP_FILE and COPY.</summary>
[Flags]
public enum IoasMapFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The caller chose the IOVA; without it the IOAS does.</summary>
    FixedIova = 1,

    /// <summary>Devices may write.</summary>
    Writeable = 2,

    /// <summary>Devices may read.</summary>
    Readable = 4,

    /// <summary>Every flag that the kernel knows.</summary>
    Known = FixedIova | Writeable | Readable,

    /// <summary>
    /// COPY on a kernel with the selftest only: <see cref="IoasCopy.SrcIova"/> holds the index of an area (low 32 bits)
    /// and an offset in it (high 32 bits). Cleared before the flags are checked.
    /// </summary>
    SourceByArea = 0x10000,
}

/// <summary>IOMMU_IOAS_ALLOC: makes an I/O address space.</summary>
public sealed record IoasAlloc : IoctlCommand
{
    /// <summary>Must be 0.</summary>
    public uint Flags { get; init; }

    /// <summary>Out: the new IOAS.</summary>
    public uint OutIoasId { get; init; }
}

/// <summary>IOMMU_IOAS_ALLOW_IOVAS: replaces the list of ranges that automatic IOVAs may come from.</summary>
public sealed record IoasAllowIovas : IoctlCommand
{
    /// <summary>The IOAS.</summary>
    public uint IoasId { get; init; }

    /// <summary>Number of ranges in the array; 0 allows everything.</summary>
    public uint NumIovas { get; init; }

    /// <summary>Must be 0.</summary>
    public uint Reserved { get; init; }

    /// <summary>User pointer to an array of {u64 first, u64 last}, last inclusive; 16 bytes each.</summary>
    public ulong AllowedIovas { get; init; }
}

/// <summary>
/// IOMMU_IOAS_COPY: maps the memory behind a range of one IOAS into another, or the same, IOAS. Pages are shared.
/// </summary>
public sealed record IoasCopy : IoctlCommand
{
    /// <summary>How to map; the source's own flags play no part.</summary>
    public IoasMapFlags Flags { get; init; }

    /// <summary>The IOAS to map into.</summary>
    public uint DstIoasId { get; init; }

    /// <summary>The IOAS to take from.</summary>
    public uint SrcIoasId { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; init; }

    /// <summary>In with <see cref="IoasMapFlags.FixedIova"/>, out always: the first IOVA in the destination.</summary>
    public ulong DstIova { get; init; }

    /// <summary>The first IOVA in the source.</summary>
    public ulong SrcIova { get; init; }
}

/// <summary>IOMMU_IOAS_IOVA_RANGES: lists the ranges that are not reserved. Written back with EMSGSIZE too.</summary>
public sealed record IoasIovaRanges : IoctlCommand
{
    /// <summary>The IOAS.</summary>
    public uint IoasId { get; init; }

    /// <summary>In: entries that the array holds. Out: ranges that there are.</summary>
    public uint NumIovas { get; init; }

    /// <summary>Must be 0.</summary>
    public uint Reserved { get; init; }

    /// <summary>
    /// User pointer to the array of {u64 first, u64 last} to fill, last inclusive. The command itself writes it.
    /// </summary>
    public ulong AllowedIovas { get; init; }

    /// <summary>Out: what IOVAs, lengths and page offsets must be a multiple of, in bytes.</summary>
    public ulong OutIovaAlignment { get; init; }
}

/// <summary>IOMMU_IOAS_MAP: maps a range of the caller's memory.</summary>
public sealed record IoasMap : IoctlCommand
{
    /// <summary>How to map.</summary>
    public IoasMapFlags Flags { get; init; }

    /// <summary>The IOAS to map into.</summary>
    public uint IoasId { get; init; }

    /// <summary>Must be 0.</summary>
    public uint Reserved { get; init; }

    /// <summary>User pointer to the first byte; need not be page aligned.</summary>
    public ulong UserVa { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; init; }

    /// <summary>In with <see cref="IoasMapFlags.FixedIova"/>, out always: the first IOVA.</summary>
    public ulong Iova { get; init; }
}

/// <summary>IOMMU_IOAS_MAP_FILE: maps a range of a memfd, a hugetlb file or a dma-buf.</summary>
public sealed record IoasMapFile : IoctlCommand
{
    /// <summary>How to map.</summary>
    public IoasMapFlags Flags { get; init; }

    /// <summary>The IOAS to map into.</summary>
    public uint IoasId { get; init; }

    /// <summary>Descriptor of the file; may be closed right after the call.</summary>
    public int Fd { get; init; }

    /// <summary>Byte offset in the file.</summary>
    public ulong Start { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; init; }

    /// <summary>In with <see cref="IoasMapFlags.FixedIova"/>, out always: the first IOVA.</summary>
    public ulong Iova { get; init; }
}

/// <summary>IOMMU_IOAS_UNMAP: removes every whole area in a range.</summary>
public sealed record IoasUnmap : IoctlCommand
{
    /// <summary>The IOAS.</summary>
    public uint IoasId { get; init; }

    /// <summary>First IOVA; with 0 and a length of 2^64 - 1 everything goes.</summary>
    public ulong Iova { get; init; }

    /// <summary>In: bytes of the range. Out: bytes really unmapped.</summary>
    public ulong Length { get; init; }
}

/// <summary>
/// IOMMU_IOAS_CHANGE_PROCESS: moves the ownership of all file-backed pages, and their charge, to the caller's
/// process.
/// </summary>
public sealed record IoasChangeProcess : IoctlCommand
{
    /// <summary>Must be 0.</summary>
    public uint Reserved { get; init; }
}
