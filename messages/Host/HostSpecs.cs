namespace Iommufd.Messages.Host;

/// <summary>What a physical device is, as the machine is built.</summary>
/// <param name="Name">Unique on the machine; the actor is /user/machine/device-NAME.</param>
/// <param name="Group">IOMMU group number; devices of one group are isolated together and share one translation.</param>
/// <param name="Unit">The IOMMU unit that translates for it: decides page-table format, aperture, page sizes.</param>
/// <param name="ReservedRegions">IOVA ranges that the device cannot use (MSI window, direct-mapped firmware ranges).</param>
/// <param name="DirtyTracking">Whether the device's IOMMU reports dirty pages.</param>
/// <param name="MaxPasids">Number of PASIDs, 0 for none.</param>
public sealed record DeviceSpec(
    string Name,
    int Group,
    int Unit,
    IReadOnlyList<IovaRange> ReservedRegions,
    bool DirtyTracking = true,
    uint MaxPasids = 0
);

/// <summary>What an IOMMU unit is.</summary>
/// <param name="Index">Its number; the actor is /user/machine/iommu-N.</param>
/// <param name="Format">Page-table format by name: amd-v1, amd-v1-mock, vtd-ss, x86-64, sv39, sv48, sv57, armv8-4k.</param>
/// <param name="Aperture">IOVA range that its domains can translate.</param>
public sealed record IommuSpec(int Index, string Format, IovaRange Aperture);

/// <summary>What a client process is.</summary>
/// <param name="Name">For people; unique on the machine.</param>
/// <param name="RlimitMemlock">RLIMIT_MEMLOCK in bytes.</param>
/// <param name="CapIpcLock">Whether it has CAP_IPC_LOCK: locked memory is then not limited.</param>
/// <param name="CapSysResource">Whether it may change the accounting mode.</param>
/// <param name="RlimitOpenFiles">RLIMIT_NOFILE: one more than the highest descriptor; 0, 1 and 2 are its standard streams.</param>
public sealed record ProcessSpec(
    string Name,
    ulong RlimitMemlock = ulong.MaxValue,
    bool CapIpcLock = true,
    bool CapSysResource = true,
    ulong RlimitOpenFiles = ulong.MaxValue
);

/// <summary>What a mapping of a process's memory is made of.</summary>
public enum MemoryKind
{
    /// <summary>Private anonymous 4 KiB pages.</summary>
    Anonymous,

    /// <summary>2 MiB huge pages, each physically contiguous.</summary>
    Huge2M,

    /// <summary>Shared pages of a memory file.</summary>
    File,
}

/// <summary>Protection of a mapping of process memory.</summary>
[Flags]
public enum MemoryProtection
{
    /// <summary>No access: pinning and copying are EFAULT.</summary>
    None = 0,

    /// <summary>Readable.</summary>
    Read = 1,

    /// <summary>Writable.</summary>
    Write = 2,
}
