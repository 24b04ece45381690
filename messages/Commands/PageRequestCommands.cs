// What hardware tells iommufd about: requests for pages (PRI) and faults that a guest has to know of. Sender: a physical device that
// is bound to the context.
namespace Iommufd.Messages.Commands;

/// <summary>
/// A device asks for pages that are not there. They are queued as one group at the fault queue of the HWPT that the device is attached
/// to, and the device is told the response by its driver. EOPNOTSUPP: nobody handles faults of this device, so that its request is
/// answered "invalid" at once. ENOENT: no such device.
/// </summary>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="Pasid">The address space, 0 for its own requests.</param>
/// <param name="GroupId">The page request group index, by which the device knows the response.</param>
/// <param name="Permissions">READ 1, WRITE 2, EXEC 4, PRIV 8.</param>
/// <param name="Addresses">The pages, at least one.</param>
public sealed record RequestPages(uint DeviceId, uint Pasid, uint GroupId, uint Permissions, ulong[] Addresses)
    : DriverCommand;

/// <summary>
/// A device's DMA was refused behind a vIOMMU: the guest gets an event, where its vIOMMU has a queue for it. ENOENT: no such device, or
/// it is not known to a vIOMMU. EOPNOTSUPP: no queue.
/// </summary>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="Pasid">The address space, 0 for its own requests.</param>
/// <param name="Address">The address that was refused.</param>
/// <param name="Write">Whether the device wanted to write.</param>
/// <param name="Present">Whether the page was there and only the permission was missing.</param>
public sealed record ReportDmaFault(uint DeviceId, uint Pasid, ulong Address, bool Write, bool Present) : DriverCommand;

/// <summary>HWPT_ALLOC of a nested HWPT whose first stage is in guest memory, with data that are not in user memory (a replay).</summary>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="PtId">The nesting parent or the vIOMMU.</param>
/// <param name="Flags">As in HWPT_ALLOC.</param>
/// <param name="DataType">See <see cref="HwptDataType"/>.</param>
/// <param name="Data">The data, as 64-bit words.</param>
/// <param name="FaultId">The fault queue, with its flag.</param>
public sealed record AllocateGuestStage(
    uint DeviceId,
    uint PtId,
    HwptAllocFlags Flags,
    uint DataType,
    ulong[] Data,
    uint FaultId
) : DriverCommand;
