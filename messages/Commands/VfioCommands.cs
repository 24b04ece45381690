namespace Iommufd.Messages.Commands;

/// <summary>VFIO_GET_API_VERSION: returns 0.</summary>
public sealed record VfioGetApiVersion : IoctlCommand;

/// <summary>
/// VFIO_CHECK_EXTENSION: returns what is known about an extension. The argument is a number, not a pointer.
/// </summary>
public sealed record VfioCheckExtension : IoctlCommand
{
    /// <summary>The extension; see <see cref="VfioExtension"/>.</summary>
    public ulong Extension { get; init; }
}

/// <summary>Numbers of VFIO extensions and IOMMU types.</summary>
public static class VfioExtension
{
    /// <summary>Type 1, version 1: an unmap may cut mappings.</summary>
    public const ulong Type1 = 1;

    /// <summary>Type 1, version 2: an unmap covers whole mappings.</summary>
    public const ulong Type1V2 = 3;

    /// <summary>Every device's DMA is cache coherent.</summary>
    public const ulong DmaCcIommu = 4;

    /// <summary>Once nesting; now always 0.</summary>
    public const ulong Type1Nesting = 6;

    /// <summary>Devices without an IOMMU.</summary>
    public const ulong NoIommu = 8;

    /// <summary>UNMAP_DMA knows <see cref="VfioUnmapFlags.All"/>.</summary>
    public const ulong UnmapAll = 9;

    /// <summary>Mappings may move to another process; always 0.</summary>
    public const ulong UpdateVaddr = 10;
}

/// <summary>VFIO_SET_IOMMU: chooses the IOMMU type. The argument is a number, not a pointer.</summary>
public sealed record VfioSetIommu : IoctlCommand
{
    /// <summary>The type, by the numbers of <see cref="VfioExtension"/>.</summary>
    public ulong Type { get; init; }
}

/// <summary>VFIO_IOMMU_GET_INFO: page sizes, and a chain of capabilities behind the struct.</summary>
public sealed record VfioIommuGetInfo : IoctlCommand
{
    /// <summary>
    /// User pointer to the struct. The command itself writes the capabilities behind it, at offsets below <see
    /// cref="ArgSz"/>.
    /// </summary>
    public ulong Argument { get; init; }

    /// <summary>In: bytes that the caller's buffer holds. Out: bytes that struct and capabilities need.</summary>
    public uint ArgSz { get; init; }

    /// <summary>Out: page sizes valid (1), capabilities valid (2).</summary>
    public uint Flags { get; init; }

    /// <summary>Out: a bit for each page size in bytes.</summary>
    public ulong IovaPgSizes { get; init; }

    /// <summary>Out: offset of the first capability; 0 where the buffer is too small for all.</summary>
    public uint CapOffset { get; init; }
}

/// <summary>Flags of <see cref="VfioIommuMapDma"/>.</summary>
[Flags]
public enum VfioMapFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Devices may read.</summary>
    Read = 1,

    /// <summary>Devices may write.</summary>
    Write = 2,
}

/// <summary>VFIO_IOMMU_MAP_DMA: maps a range of the caller's memory at a fixed IOVA. Writes nothing back.</summary>
public sealed record VfioIommuMapDma : IoctlCommand
{
    /// <summary>Bytes of the caller's struct.</summary>
    public uint ArgSz { get; init; }

    /// <summary>Which directions.</summary>
    public VfioMapFlags Flags { get; init; }

    /// <summary>User pointer to the first byte.</summary>
    public ulong Vaddr { get; init; }

    /// <summary>First IOVA.</summary>
    public ulong Iova { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Size { get; init; }
}

/// <summary>Flags of <see cref="VfioIommuUnmapDma"/>.</summary>
[Flags]
public enum VfioUnmapFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Not supported by iommufd.</summary>
    GetDirtyBitmap = 1,

    /// <summary>Unmap everything; iova and size must be 0.</summary>
    All = 2,

    /// <summary>Not supported by iommufd.</summary>
    Vaddr = 4,
}

/// <summary>VFIO_IOMMU_UNMAP_DMA: unmaps a range. Written back with an error of the unmap itself too.</summary>
public sealed record VfioIommuUnmapDma : IoctlCommand
{
    /// <summary>Bytes of the caller's struct.</summary>
    public uint ArgSz { get; init; }

    /// <summary>What to unmap.</summary>
    public VfioUnmapFlags Flags { get; init; }

    /// <summary>First IOVA.</summary>
    public ulong Iova { get; init; }

    /// <summary>In: bytes of the range. Out: bytes really unmapped.</summary>
    public ulong Size { get; init; }
}

/// <summary>VFIO_IOMMU_DIRTY_PAGES: iommufd refuses it (ENOTTY) without looking at the argument.</summary>
public sealed record VfioIommuDirtyPages : IoctlCommand
{
    /// <summary>User pointer to the struct.</summary>
    public ulong Argument { get; init; }
}

/// <summary>An ioctl on a VFIO device's descriptor.</summary>
public abstract record VfioDeviceCommand : IoctlCommand
{
    /// <summary>The descriptor that it is called on: no member of the struct, set by whoever was called.</summary>
    public int Descriptor { get; init; }
}

/// <summary>VFIO_DEVICE_GET_INFO on a VFIO device descriptor.</summary>
public sealed record VfioDeviceGetInfo : VfioDeviceCommand
{
    /// <summary>User pointer to the struct. The command itself writes capabilities behind it.</summary>
    public ulong Argument { get; init; }

    /// <summary>In: bytes that the caller's buffer holds. Out: bytes needed.</summary>
    public uint ArgSz { get; init; }

    /// <summary>Out: RESET 1, PCI 2, PLATFORM 4, AMBA 8, CCW 16, AP 32, FSL_MC 64, CAPS 128, CDX 256.</summary>
    public uint Flags { get; init; }

    /// <summary>Out: number of regions.</summary>
    public uint NumRegions { get; init; }

    /// <summary>Out: number of interrupt indexes.</summary>
    public uint NumIrqs { get; init; }

    /// <summary>Out: offset of the first capability, 0 for none.</summary>
    public uint CapOffset { get; init; }
}

/// <summary>VFIO_DEVICE_BIND_IOMMUFD on a VFIO device descriptor: makes the device an object of an iommufd.</summary>
public sealed record VfioDeviceBindIommufd : VfioDeviceCommand
{
    /// <summary>Flag: <see cref="TokenUuidPtr"/> is meant.</summary>
    public const uint Token = 1;

    /// <summary>Bytes of the struct.</summary>
    public const uint Size = 24;

    /// <summary>Bytes of the caller's struct.</summary>
    public uint ArgSz { get; init; }

    /// <summary><see cref="Token"/> or 0.</summary>
    public uint Flags { get; init; }

    /// <summary>The iommufd's descriptor.</summary>
    public int Iommufd { get; init; }

    /// <summary>Out: the DEVICE object.</summary>
    public uint OutDevId { get; init; }

    /// <summary>User pointer to a 16-byte token.</summary>
    public ulong TokenUuidPtr { get; init; }
}

/// <summary>
/// VFIO_DEVICE_ATTACH_IOMMUFD_PT on a VFIO device descriptor: attaches the device, or one PASID of it, or replaces
/// what it had.
/// </summary>
public sealed record VfioDeviceAttachIommufdPt : VfioDeviceCommand
{
    /// <summary>Flag: <see cref="Pasid"/> is meant.</summary>
    public const uint AttachPasid = 1;

    /// <summary>Bytes of the struct without the PASID.</summary>
    public const uint PlainSize = 12;

    /// <summary>Bytes of the struct with the PASID.</summary>
    public const uint PasidSize = 16;

    /// <summary>
    /// Bytes of the caller's struct; with <see cref="AttachPasid"/> below 16 is EINVAL, which the command checks.
    /// </summary>
    public uint ArgSz { get; init; }

    /// <summary><see cref="AttachPasid"/> or 0.</summary>
    public uint Flags { get; init; }

    /// <summary>In: an IOAS or HWPT. Out: the HWPT that is used.</summary>
    public uint PtId { get; init; }

    /// <summary>The PASID, with <see cref="AttachPasid"/>.</summary>
    public uint Pasid { get; init; }
}

/// <summary>VFIO_DEVICE_DETACH_IOMMUFD_PT on a VFIO device descriptor.</summary>
public sealed record VfioDeviceDetachIommufdPt : VfioDeviceCommand
{
    /// <summary>Flag: <see cref="Pasid"/> is meant.</summary>
    public const uint DetachPasid = 1;

    /// <summary>Bytes of the struct without the PASID.</summary>
    public const uint PlainSize = 8;

    /// <summary>Bytes of the struct with the PASID.</summary>
    public const uint PasidSize = 12;

    /// <summary>
    /// Bytes of the caller's struct; with <see cref="DetachPasid"/> below 12 is EINVAL, which the command checks.
    /// </summary>
    public uint ArgSz { get; init; }

    /// <summary><see cref="DetachPasid"/> or 0.</summary>
    public uint Flags { get; init; }

    /// <summary>The PASID, with <see cref="DetachPasid"/>.</summary>
    public uint Pasid { get; init; }
}
