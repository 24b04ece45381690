// Events around guest tables and page requests of scenario devices. See ContextEvents.
namespace Iommufd.Messages.Events;

/// <summary>HWPT_ALLOC of a nested HWPT whose first stage is in guest memory.</summary>
/// <param name="HwptId">The new HWPT.</param>
/// <param name="DeviceId">For which device.</param>
/// <param name="PtId">The nesting parent or the vIOMMU.</param>
/// <param name="Flags">As in the command.</param>
/// <param name="DataType">As in the command.</param>
/// <param name="Data">The driver's data as 64-bit words: where the guest's tables are.</param>
/// <param name="FaultId">The fault queue, 0 for none.</param>
public sealed record GuestStageAllocated(
    uint HwptId,
    uint DeviceId,
    uint PtId,
    uint Flags,
    uint DataType,
    ulong[] Data,
    uint FaultId
) : ContextEvent;

/// <summary>A device asked for pages, as one group.</summary>
/// <param name="FaultId">The queue.</param>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="Pasid">0 for none.</param>
/// <param name="GroupId">The page request group index.</param>
/// <param name="Permissions">READ 1, WRITE 2, EXEC 4, PRIV 8.</param>
/// <param name="Addresses">The pages.</param>
public sealed record PagesRequested(
    uint FaultId,
    uint DeviceId,
    uint Pasid,
    uint GroupId,
    uint Permissions,
    ulong[] Addresses
) : ContextEvent;
