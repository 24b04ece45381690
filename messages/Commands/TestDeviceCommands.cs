namespace Iommufd.Messages.Commands;

/// <summary>DIRTY: has the mock device dirty pages of a HWPT.</summary>
public sealed record TestDirty : TestCommand
{
    /// <summary>The paging HWPT.</summary>
    public uint HwptId { get; init; }

    /// <summary>Not used.</summary>
    public uint Flags { get; init; }

    /// <summary>First IOVA.</summary>
    public ulong Iova { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; init; }

    /// <summary>Bytes that one bit stands for.</summary>
    public ulong PageSize { get; init; }

    /// <summary>User pointer to the bitmap of pages to dirty.</summary>
    public ulong Uptr { get; init; }

    /// <summary>Out: bits that were set in the bitmap.</summary>
    public ulong OutNrDirty { get; init; }
}

/// <summary>MD_CHECK_IOTLB: EINVAL unless an entry of a nested HWPT's IOTLB has a given value.</summary>
public sealed record TestMdCheckIotlb : TestCommand
{
    /// <summary>The nested HWPT.</summary>
    public uint HwptId { get; init; }

    /// <summary>The entry, 0 to 3.</summary>
    public uint IotlbId { get; init; }

    /// <summary>The value expected.</summary>
    public uint Iotlb { get; init; }
}

/// <summary>TRIGGER_IOPF: has a mock device report an I/O page fault.</summary>
public sealed record TestTriggerIopf : TestCommand
{
    /// <summary>The struct's id member; not used.</summary>
    public uint Id { get; init; }

    /// <summary>The DEVICE object.</summary>
    public uint DevId { get; init; }

    /// <summary>The PASID; 0 for none.</summary>
    public uint Pasid { get; init; }

    /// <summary>The page request group.</summary>
    public uint GrpId { get; init; }

    /// <summary>READ 1, WRITE 2, EXEC 4, PRIV 8.</summary>
    public uint Perm { get; init; }

    /// <summary>The address that faulted.</summary>
    public ulong Addr { get; init; }
}

/// <summary>DEV_CHECK_CACHE: EINVAL unless a word of a mock device's cache has a given value.</summary>
public sealed record TestDevCheckCache : TestCommand
{
    /// <summary>The DEVICE object.</summary>
    public uint IdevId { get; init; }

    /// <summary>The word, 0 to 3.</summary>
    public uint CacheId { get; init; }

    /// <summary>The value expected.</summary>
    public uint Cache { get; init; }
}

/// <summary>TRIGGER_VEVENT: has a mock device report an event to its vIOMMU.</summary>
public sealed record TestTriggerVevent : TestCommand
{
    /// <summary>The struct's id member; not used.</summary>
    public uint Id { get; init; }

    /// <summary>The DEVICE object.</summary>
    public uint DevId { get; init; }
}

/// <summary>PASID_ATTACH: attaches a PASID of a mock device.</summary>
public sealed record TestPasidAttach : TestCommand
{
    /// <summary>The SELFTEST object.</summary>
    public uint StdevId { get; init; }

    /// <summary>The PASID.</summary>
    public uint Pasid { get; init; }

    /// <summary>In: an IOAS or HWPT. Out: the HWPT that is used.</summary>
    public uint PtId { get; init; }
}

/// <summary>PASID_REPLACE: attaches a PASID of a mock device to something else.</summary>
public sealed record TestPasidReplace : TestCommand
{
    /// <summary>The SELFTEST object.</summary>
    public uint StdevId { get; init; }

    /// <summary>The PASID.</summary>
    public uint Pasid { get; init; }

    /// <summary>In: an IOAS or HWPT. Out: the HWPT that is used.</summary>
    public uint PtId { get; init; }
}

/// <summary>PASID_DETACH: detaches a PASID of a mock device.</summary>
public sealed record TestPasidDetach : TestCommand
{
    /// <summary>The SELFTEST object.</summary>
    public uint StdevId { get; init; }

    /// <summary>The PASID.</summary>
    public uint Pasid { get; init; }
}

/// <summary>PASID_CHECK_HWPT: EINVAL unless a PASID of a mock device is attached to a given HWPT.</summary>
public sealed record TestPasidCheckHwpt : TestCommand
{
    /// <summary>The SELFTEST object.</summary>
    public uint StdevId { get; init; }

    /// <summary>The PASID.</summary>
    public uint Pasid { get; init; }

    /// <summary>The HWPT expected; 0 for none.</summary>
    public uint HwptId { get; init; }
}

/// <summary>
/// DMABUF_GET: makes a dma-buf of zeroed, physically contiguous memory. The descriptor is the return value.
/// </summary>
public sealed record TestDmabufGet : TestCommand
{
    /// <summary>The struct's id member; not used.</summary>
    public uint Id { get; init; }

    /// <summary>Bytes, 1 to 512 pages.</summary>
    public uint Length { get; init; }

    /// <summary>Flags for the descriptor.</summary>
    public uint OpenFlags { get; init; }
}

/// <summary>
/// DMABUF_REVOKE: the exporter takes its memory back, or gives it again; all importers' mappings go either way.
/// </summary>
public sealed record TestDmabufRevoke : TestCommand
{
    /// <summary>The struct's id member; not used.</summary>
    public uint Id { get; init; }

    /// <summary>The dma-buf's descriptor.</summary>
    public int DmabufFd { get; init; }

    /// <summary>0: usable; anything else: revoked.</summary>
    public uint Revoked { get; init; }
}
