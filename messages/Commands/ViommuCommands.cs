namespace Iommufd.Messages.Commands;

/// <summary>Values of <see cref="ViommuAlloc.Type"/>.</summary>
public static class ViommuType
{
    /// <summary>Always refused.</summary>
    public const uint Default = 0;

    /// <summary>Arm SMMUv3.</summary>
    public const uint ArmSmmuV3 = 1;

    /// <summary>
    /// NVIDIA Tegra241 command queue virtualisation; data: out_vintf_mmap_offset u64, out_vintf_mmap_length u64.
    /// </summary>
    public const uint Tegra241Cmdqv = 2;

    /// <summary>
    /// The selftest's mock; data, 8 to 24 bytes: in_data u32, out_data u32, out_mmap_offset u64, out_mmap_length
    /// u64.
    /// </summary>
    public const uint Selftest = 0xdeadbeef;
}

/// <summary>IOMMU_VIOMMU_ALLOC: makes the guest's view of a physical IOMMU, on a nesting parent.</summary>
public sealed record ViommuAlloc : IoctlCommand
{
    /// <summary>Must be 0.</summary>
    public uint Flags { get; init; }

    /// <summary>Which IOMMU the guest sees; see <see cref="ViommuType"/>.</summary>
    public uint Type { get; init; }

    /// <summary>A device whose IOMMU backs it.</summary>
    public uint DevId { get; init; }

    /// <summary>The nesting parent.</summary>
    public uint HwptId { get; init; }

    /// <summary>Out: the new vIOMMU.</summary>
    public uint OutViommuId { get; init; }

    /// <summary>Bytes of data; 0 where there are none.</summary>
    public uint DataLen { get; init; }

    /// <summary>The kernel does not look at it.</summary>
    public uint Reserved { get; init; }

    /// <summary>User pointer to data that the driver reads and writes. The command itself writes them.</summary>
    public ulong DataUptr { get; init; }
}

/// <summary>IOMMU_VDEVICE_ALLOC: says which device a guest means by its own number.</summary>
public sealed record VdeviceAlloc : IoctlCommand
{
    /// <summary>The vIOMMU.</summary>
    public uint ViommuId { get; init; }

    /// <summary>The device.</summary>
    public uint DevId { get; init; }

    /// <summary>Out: the new vDEVICE.</summary>
    public uint OutVdeviceId { get; init; }

    /// <summary>The guest's number of the device (stream id, requester id).</summary>
    public ulong VirtId { get; init; }
}

/// <summary>Values of <see cref="VeventqAlloc.Type"/>.</summary>
public static class VeventqType
{
    /// <summary>Always refused.</summary>
    public const uint Default = 0;

    /// <summary>Arm SMMUv3 event, 32 bytes.</summary>
    public const uint ArmSmmuV3 = 1;

    /// <summary>Tegra241 error map, 16 bytes.</summary>
    public const uint Tegra241Cmdqv = 2;

    /// <summary>The selftest's event, 4 bytes: virt_id u32.</summary>
    public const uint Selftest = 0xbeefbeef;
}

/// <summary>IOMMU_VEVENTQ_ALLOC: makes a queue of a vIOMMU's events and a descriptor to read them from.</summary>
public sealed record VeventqAlloc : IoctlCommand
{
    /// <summary>Must be 0.</summary>
    public uint Flags { get; init; }

    /// <summary>The vIOMMU.</summary>
    public uint ViommuId { get; init; }

    /// <summary>What the events are; see <see cref="VeventqType"/>.</summary>
    public uint Type { get; init; }

    /// <summary>Events that the queue holds, 1 to 2^19.</summary>
    public uint VeventqDepth { get; init; }

    /// <summary>Out: the new queue.</summary>
    public uint OutVeventqId { get; init; }

    /// <summary>Out: the descriptor.</summary>
    public int OutVeventqFd { get; init; }

    /// <summary>Must be 0.</summary>
    public uint Reserved { get; init; }
}

/// <summary>Values of <see cref="HwQueueAlloc.Type"/>.</summary>
public static class HwQueueType
{
    /// <summary>Always refused.</summary>
    public const uint Default = 0;

    /// <summary>Tegra241 virtual command queue.</summary>
    public const uint Tegra241Cmdqv = 1;

    /// <summary>The selftest's mock.</summary>
    public const uint Selftest = 0xdeadbeef;
}

/// <summary>
/// IOMMU_HW_QUEUE_ALLOC: hands a queue in guest memory to the hardware; the memory stays pinned and locked.
/// </summary>
public sealed record HwQueueAlloc : IoctlCommand
{
    /// <summary>Must be 0.</summary>
    public uint Flags { get; init; }

    /// <summary>The vIOMMU.</summary>
    public uint ViommuId { get; init; }

    /// <summary>What the queue is; see <see cref="HwQueueType"/>.</summary>
    public uint Type { get; init; }

    /// <summary>The guest's number of the queue.</summary>
    public uint Index { get; init; }

    /// <summary>Out: the new queue.</summary>
    public uint OutHwQueueId { get; init; }

    /// <summary>First IOVA of the queue in the nesting parent.</summary>
    public ulong NestingParentIova { get; init; }

    /// <summary>Bytes.</summary>
    public ulong Length { get; init; }
}
