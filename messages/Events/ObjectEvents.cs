// Events of the objects beyond IOAS, paging HWPT, device and access. See ContextEvents.
namespace Iommufd.Messages.Events;

/// <summary>HWPT_ALLOC of a nested HWPT.</summary>
/// <param name="HwptId">The new HWPT.</param>
/// <param name="DeviceId">For which device.</param>
/// <param name="PtId">The nesting parent or the vIOMMU.</param>
/// <param name="Flags">As in the command.</param>
/// <param name="Iotlb">From the selftest's data: what each IOTLB entry holds.</param>
/// <param name="FaultId">The fault queue, 0 for none.</param>
public sealed record NestedHwptAllocated(uint HwptId, uint DeviceId, uint PtId, uint Flags, uint Iotlb, uint FaultId)
    : ContextEvent;

/// <summary>HWPT_ALLOC of a paging HWPT gave it a fault queue. Follows its <see cref="HwptAllocated"/>.</summary>
public sealed record HwptFaultSet(uint HwptId, uint FaultId) : ContextEvent;

/// <summary>HWPT_INVALIDATE of a nested HWPT.</summary>
/// <param name="HwptId">The nested HWPT.</param>
/// <param name="Mask">Bit n: IOTLB entry n was zeroed.</param>
public sealed record IotlbInvalidated(uint HwptId, uint Mask) : ContextEvent;

/// <summary>HWPT_INVALIDATE of a vIOMMU.</summary>
/// <param name="DeviceIds">Devices whose caches were invalidated, each once.</param>
/// <param name="Masks">For each: bit n, word n was zeroed.</param>
public sealed record CachesInvalidated(uint[] DeviceIds, uint[] Masks) : ContextEvent;

/// <summary>FAULT_QUEUE_ALLOC. Its descriptor is open.</summary>
public sealed record FaultQueueAllocated(uint FaultId) : ContextEvent;

/// <summary>A device reported a page fault and it was queued.</summary>
/// <param name="FaultId">The queue.</param>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="Pasid">0 for none.</param>
/// <param name="GroupId">The page request group index.</param>
/// <param name="Permissions">READ 1, WRITE 2, EXEC 4, PRIV 8.</param>
/// <param name="Address">The address that faulted.</param>
public sealed record FaultReported(
    uint FaultId,
    uint DeviceId,
    uint Pasid,
    uint GroupId,
    uint Permissions,
    ulong Address
) : ContextEvent;

/// <summary>A reader took fault groups, oldest first.</summary>
/// <param name="FaultId">The queue.</param>
/// <param name="Groups">How many.</param>
public sealed record FaultsRead(uint FaultId, int Groups) : ContextEvent;

/// <summary>A reader answered fault groups.</summary>
/// <param name="FaultId">The queue.</param>
/// <param name="Cookies">Which.</param>
/// <param name="Codes">SUCCESS 0, INVALID 1.</param>
public sealed record FaultsAnswered(uint FaultId, uint[] Cookies, uint[] Codes) : ContextEvent;

/// <summary>The descriptor of a fault or event queue was closed.</summary>
public sealed record QueueDescriptorClosed(uint ObjectId) : ContextEvent;

/// <summary>VIOMMU_ALLOC.</summary>
/// <param name="ViommuId">The new vIOMMU.</param>
/// <param name="DeviceId">A device of the unit behind it.</param>
/// <param name="HwptId">The nesting parent.</param>
/// <param name="Type">As in the command.</param>
/// <param name="HasWindow">Whether it has a window for mmap.</param>
/// <param name="WindowWord">The first word of the window.</param>
public sealed record ViommuAllocated(
    uint ViommuId,
    uint DeviceId,
    uint HwptId,
    uint Type,
    bool HasWindow,
    uint WindowWord
) : ContextEvent;

/// <summary>VDEVICE_ALLOC.</summary>
public sealed record VdeviceAllocated(uint VdeviceId, uint ViommuId, uint DeviceId, ulong VirtId) : ContextEvent;

/// <summary>VEVENTQ_ALLOC. Its descriptor is open.</summary>
public sealed record VeventqAllocated(uint VeventqId, uint ViommuId, uint Type, uint Depth) : ContextEvent;

/// <summary>A device reported an event to its vIOMMU; it was queued or counted as lost.</summary>
public sealed record VeventReported(uint VeventqId, byte[] Payload) : ContextEvent;

/// <summary>A reader took events, oldest first; the mark of lost events counts as one.</summary>
public sealed record VeventsRead(uint VeventqId, int Count) : ContextEvent;

/// <summary>HW_QUEUE_ALLOC.</summary>
/// <param name="HwQueueId">The new queue.</param>
/// <param name="AccessId">Its internal access.</param>
/// <param name="ViommuId">The vIOMMU.</param>
/// <param name="Type">As in the command.</param>
/// <param name="Index">Its number there.</param>
/// <param name="Iova">First IOVA in the nesting parent.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Pinned">As in <see cref="AreaMapped"/>.</param>
public sealed record HwQueueAllocated(
    uint HwQueueId,
    uint AccessId,
    uint ViommuId,
    uint Type,
    uint Index,
    ulong Iova,
    ulong Length,
    ulong[] Pinned
) : ContextEvent;

/// <summary>A window of a vIOMMU was mapped once more.</summary>
/// <param name="Offset">Its place in the iommufd.</param>
/// <param name="Length">Bytes.</param>
public sealed record WindowMapped(ulong Offset, ulong Length) : ContextEvent;

/// <summary>A mapping of a vIOMMU's window went.</summary>
/// <param name="Offset">Its place in the iommufd.</param>
/// <param name="Length">Bytes.</param>
public sealed record WindowUnmapped(ulong Offset, ulong Length) : ContextEvent;

/// <summary>A mock device refused a switch of its reserved PASID, and takes the next one.</summary>
public sealed record ReservedPasidRefused(uint DeviceId) : ContextEvent;
