namespace Iommufd.Messages.Commands;

/// <summary>What a new HWPT is for.</summary>
[Flags]
public enum HwptAllocFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>It can be the parent of nested HWPTs and of vIOMMUs.</summary>
    NestParent = 1,

    /// <summary>Devices that attach can track dirty pages.</summary>
    DirtyTracking = 2,

    /// <summary><see cref="HwptAlloc.FaultId"/> is meant.</summary>
    FaultIdValid = 4,

    /// <summary>It can be attached to PASIDs.</summary>
    Pasid = 8,
}

/// <summary>Values of <see cref="HwptAlloc.DataType"/>.</summary>
public static class HwptDataType
{
    /// <summary>No data.</summary>
    public const uint None = 0;

    /// <summary>Intel VT-d stage 1, 24 bytes: flags u64, pgtbl_addr u64, addr_width u32, reserved u32.</summary>
    public const uint VtdS1 = 1;

    /// <summary>Arm SMMUv3 stream table entry, 16 bytes.</summary>
    public const uint ArmSmmuV3 = 2;

    /// <summary>AMD guest device table entry, 32 bytes.</summary>
    public const uint AmdGuest = 3;

    /// <summary>The selftest's mock, 4 to 8 bytes: iotlb u32, pagetable_type u32.</summary>
    public const uint Selftest = 0xdead;
}

/// <summary>
/// IOMMU_HWPT_ALLOC: makes a page table for a device, on an IOAS, on a nesting parent or on a vIOMMU.
/// </summary>
public sealed record HwptAlloc : IoctlCommand
{
    /// <summary>What it is for.</summary>
    public HwptAllocFlags Flags { get; init; }

    /// <summary>The device whose IOMMU makes the table.</summary>
    public uint DevId { get; init; }

    /// <summary>What it is made on: an IOAS, a paging HWPT or a vIOMMU.</summary>
    public uint PtId { get; init; }

    /// <summary>Out: the new HWPT.</summary>
    public uint OutHwptId { get; init; }

    /// <summary>Must be 0.</summary>
    public uint Reserved { get; init; }

    /// <summary>What the data are; see <see cref="HwptDataType"/>.</summary>
    public uint DataType { get; init; }

    /// <summary>Bytes of data; 0 exactly when the type is NONE.</summary>
    public uint DataLen { get; init; }

    /// <summary>User pointer to the data.</summary>
    public ulong DataUptr { get; init; }

    /// <summary>The fault queue, with <see cref="HwptAllocFlags.FaultIdValid"/>.</summary>
    public uint FaultId { get; init; }

    /// <summary>The kernel does not look at it.</summary>
    public uint Reserved2 { get; init; }
}

/// <summary>Flags of <see cref="GetHwInfo"/>.</summary>
[Flags]
public enum HwInfoFlags : uint
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The caller asks for the type in <see cref="GetHwInfo.DataType"/>.</summary>
    InputType = 1,
}

/// <summary>Values of <see cref="GetHwInfo.DataType"/>.</summary>
public static class HwInfoType
{
    /// <summary>Out: no information.</summary>
    public const uint None = 0;

    /// <summary>In: whatever the driver offers.</summary>
    public const uint Default = 0;

    /// <summary>Intel VT-d, 24 bytes: flags u32, reserved u32, cap u64, ecap u64.</summary>
    public const uint IntelVtd = 1;

    /// <summary>Arm SMMUv3, 40 bytes: flags u32, reserved u32, idr u32[6], iidr u32, aidr u32.</summary>
    public const uint ArmSmmuV3 = 2;

    /// <summary>NVIDIA Tegra241 command queue virtualisation, 8 bytes.</summary>
    public const uint Tegra241Cmdqv = 3;

    /// <summary>AMD, 16 bytes: efr u64, efr2 u64.</summary>
    public const uint Amd = 4;

    /// <summary>The selftest's mock, 8 bytes: flags u32, test_reg u32.</summary>
    public const uint Selftest = 0xfeedbeef;
}

/// <summary>Bits of <see cref="GetHwInfo.OutCapabilities"/>.</summary>
[Flags]
public enum HwCapabilities : ulong
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>The IOMMU can track dirty pages for the device.</summary>
    DirtyTracking = 1,

    /// <summary>PASIDs may carry execute requests (PCI).</summary>
    PciPasidExec = 2,

    /// <summary>PASIDs may carry privileged requests (PCI).</summary>
    PciPasidPriv = 4,

    /// <summary>The device cannot use ATS.</summary>
    PciAtsNotSupported = 8,
}

/// <summary>IOMMU_GET_HW_INFO: what the IOMMU in front of a device can do.</summary>
public sealed record GetHwInfo : IoctlCommand
{
    /// <summary>Which inputs are meant.</summary>
    public HwInfoFlags Flags { get; init; }

    /// <summary>The device.</summary>
    public uint DevId { get; init; }

    /// <summary>In: bytes that the caller's buffer holds. Out: bytes that the information has.</summary>
    public uint DataLen { get; init; }

    /// <summary>User pointer to the buffer. The command itself writes it.</summary>
    public ulong DataUptr { get; init; }

    /// <summary>
    /// In (with <see cref="HwInfoFlags.InputType"/>): the type asked for. Out: the type given. One word of the
    /// struct.
    /// </summary>
    public uint DataType { get; init; }

    /// <summary>Out: log2 of the number of PASIDs, 0 where there are none. Its input is not checked.</summary>
    public byte OutMaxPasidLog2 { get; init; }

    /// <summary>Three bytes, the first one lowest; must be 0.</summary>
    public uint Reserved { get; init; }

    /// <summary>Out: what the IOMMU can do for the device.</summary>
    public HwCapabilities OutCapabilities { get; init; }
}

/// <summary>IOMMU_HWPT_SET_DIRTY_TRACKING: starts or stops the tracking of dirty pages.</summary>
public sealed record HwptSetDirtyTracking : IoctlCommand
{
    /// <summary>Flag: track; without it stop.</summary>
    public const uint Enable = 1;

    /// <summary><see cref="Enable"/> or 0.</summary>
    public uint Flags { get; init; }

    /// <summary>The paging HWPT.</summary>
    public uint HwptId { get; init; }

    /// <summary>The kernel does not look at it.</summary>
    public uint Reserved { get; init; }
}

/// <summary>
/// IOMMU_HWPT_GET_DIRTY_BITMAP: reads, and clears, which pages were written. Writes nothing back to the struct.
/// </summary>
public sealed record HwptGetDirtyBitmap : IoctlCommand
{
    /// <summary>Flag: leave the dirty bits set in the page table.</summary>
    public const uint NoClear = 1;

    /// <summary>The paging HWPT.</summary>
    public uint HwptId { get; init; }

    /// <summary><see cref="NoClear"/> or 0.</summary>
    public uint Flags { get; init; }

    /// <summary>Must be 0.</summary>
    public uint Reserved { get; init; }

    /// <summary>First IOVA.</summary>
    public ulong Iova { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; init; }

    /// <summary>Bytes that one bit of the bitmap stands for.</summary>
    public ulong PageSize { get; init; }

    /// <summary>User pointer to the bitmap; bit 0 of byte 0 is the first page. Bits are only ever set.</summary>
    public ulong Data { get; init; }
}

/// <summary>Values of <see cref="HwptInvalidate.DataType"/>.</summary>
public static class InvalidateDataType
{
    /// <summary>VT-d stage 1, 24 bytes: addr u64, npages u64, flags u32, reserved u32.</summary>
    public const uint VtdS1 = 0;

    /// <summary>A vIOMMU's SMMUv3 command, 16 bytes.</summary>
    public const uint ViommuArmSmmuV3 = 1;

    /// <summary>
    /// The selftest: {flags u32, iotlb_id u32} on a nested HWPT, {flags u32, vdev_id u32, cache_id u32} on a
    /// vIOMMU.
    /// </summary>
    public const uint Selftest = 0xdeadbeef;
}

/// <summary>IOMMU_HWPT_INVALIDATE: the guest's cache invalidations. Always written back, with an error too.</summary>
public sealed record HwptInvalidate : IoctlCommand
{
    /// <summary>A nested HWPT or a vIOMMU.</summary>
    public uint HwptId { get; init; }

    /// <summary>User pointer to the array of entries.</summary>
    public ulong DataUptr { get; init; }

    /// <summary>What the entries are; see <see cref="InvalidateDataType"/>.</summary>
    public uint DataType { get; init; }

    /// <summary>Bytes from one entry to the next.</summary>
    public uint EntryLen { get; init; }

    /// <summary>In: entries in the array. Out: entries done.</summary>
    public uint EntryNum { get; init; }

    /// <summary>Must be 0.</summary>
    public uint Reserved { get; init; }
}
