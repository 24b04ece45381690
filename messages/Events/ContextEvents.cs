// The journal's vocabulary: one record for each kind of change that a command made to a context. An event holds what cannot be
// computed again: ids, IOVAs chosen, PFNs pinned. The order of the types in EventTypes.InFileOrder is part of the file format.
namespace Iommufd.Messages.Events;

/// <summary>
/// Something that a context did. Sender: the context's flows. Receiver: its journal, in the order in which the commands
/// completed.
/// </summary>
public abstract record ContextEvent;

/// <summary>The context was opened. Always the first event.</summary>
/// <param name="Version">Version of the event vocabulary.</param>
/// <param name="Number">The context's number on the machine.</param>
/// <param name="ProcessId">Who opened it.</param>
public sealed record ContextOpened(int Version, int Number, uint ProcessId) : ContextEvent;

/// <summary>A process called for the first time: what it may do.</summary>
/// <param name="ProcessId">The machine's number for it.</param>
/// <param name="RlimitMemlock">Bytes.</param>
/// <param name="CapIpcLock">Whether locked memory is not limited.</param>
/// <param name="CapSysResource">Whether it may change the accounting mode.</param>
public sealed record ProcessSeen(uint ProcessId, ulong RlimitMemlock, bool CapIpcLock, bool CapSysResource)
    : ContextEvent;

/// <summary>IOAS_ALLOC.</summary>
public sealed record IoasAllocated(uint IoasId) : ContextEvent;

/// <summary>IOAS_MAP.</summary>
/// <param name="ProcessId">Whose memory.</param>
/// <param name="IoasId">The IOAS.</param>
/// <param name="Iova">Where it went.</param>
/// <param name="Length">Bytes.</param>
/// <param name="UserVa">First byte of memory.</param>
/// <param name="Flags">As in the command.</param>
/// <param name="PageSet">The page set's number, by which later events name it.</param>
/// <param name="Pinned">Newly pinned pages: page set, first page index, first PFN, count; repeated.</param>
public sealed record AreaMapped(
    uint ProcessId,
    uint IoasId,
    ulong Iova,
    ulong Length,
    ulong UserVa,
    uint Flags,
    uint PageSet,
    ulong[] Pinned
) : ContextEvent;

/// <summary>IOAS_COPY.</summary>
public sealed record AreasCopied(
    uint DstIoasId,
    uint SrcIoasId,
    ulong DstIova,
    ulong SrcIova,
    ulong Length,
    uint Flags,
    ulong[] Pinned
) : ContextEvent;

/// <summary>IOAS_UNMAP, also one that failed half-way.</summary>
/// <param name="IoasId">The IOAS.</param>
/// <param name="Removed">The areas that really went: first and last IOVA, inclusive; repeated.</param>
public sealed record AreasUnmapped(uint IoasId, ulong[] Removed) : ContextEvent;

/// <summary>IOAS_ALLOW_IOVAS.</summary>
/// <param name="IoasId">The IOAS.</param>
/// <param name="Ranges">First and last, repeated.</param>
public sealed record AllowedReplaced(uint IoasId, ulong[] Ranges) : ContextEvent;

/// <summary>OPTION HUGE_PAGES.</summary>
public sealed record LargePagesSet(uint IoasId, bool Enabled) : ContextEvent;

/// <summary>OPTION RLIMIT_MODE.</summary>
public sealed record AccountingModeSet(bool ChargeProcess) : ContextEvent;

/// <summary>The selftest reserved a range.</summary>
public sealed record RangeReserved(uint IoasId, ulong First, ulong Last) : ContextEvent;

/// <summary>HWPT_ALLOC of a paging HWPT.</summary>
/// <param name="HwptId">The new HWPT.</param>
/// <param name="DeviceId">For which device.</param>
/// <param name="IoasId">On which IOAS.</param>
/// <param name="Flags">As in the command.</param>
/// <param name="TableType">Page-table type of the selftest's data, 0 for the default.</param>
/// <param name="Pinned">As in <see cref="AreaMapped"/>.</param>
public sealed record HwptAllocated(uint HwptId, uint DeviceId, uint IoasId, uint Flags, uint TableType, ulong[] Pinned)
    : ContextEvent;

/// <summary>A driver bound a device.</summary>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="Name">The physical device.</param>
/// <param name="Traits">What it is: group, unit, format, aperture first and last, dirty tracking, PASIDs; then its reserved ranges.</param>
public sealed record DeviceBound(uint DeviceId, string Name, ulong[] Traits) : ContextEvent;

/// <summary>A driver unbound a device.</summary>
public sealed record DeviceUnbound(uint DeviceId) : ContextEvent;

/// <summary>A device was attached.</summary>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="Pasid">0 for its own requests.</param>
/// <param name="PtId">What was asked for.</param>
/// <param name="HwptId">The HWPT used.</param>
/// <param name="Pinned">As in <see cref="AreaMapped"/>.</param>
public sealed record DeviceAttached(uint DeviceId, uint Pasid, uint PtId, uint HwptId, ulong[] Pinned) : ContextEvent;

/// <summary>A device was moved.</summary>
public sealed record DeviceReplaced(uint DeviceId, uint Pasid, uint PtId, uint HwptId, ulong[] Pinned) : ContextEvent;

/// <summary>A device was detached.</summary>
public sealed record DeviceDetached(uint DeviceId, uint Pasid) : ContextEvent;

/// <summary>The selftest made a mock device.</summary>
/// <param name="StdevId">The SELFTEST object.</param>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="HwptId">The HWPT it was attached to.</param>
/// <param name="PtId">What was asked for.</param>
/// <param name="Flags">Device flags.</param>
/// <param name="Pinned">As in <see cref="AreaMapped"/>.</param>
public sealed record MockDeviceMade(uint StdevId, uint DeviceId, uint HwptId, uint PtId, uint Flags, ulong[] Pinned)
    : ContextEvent;

/// <summary>An access was made.</summary>
public sealed record AccessCreated(uint AccessId, uint IoasId, bool Pins) : ContextEvent;

/// <summary>An access moved to another IOAS.</summary>
public sealed record AccessMoved(uint AccessId, uint IoasId) : ContextEvent;

/// <summary>An access pinned pages.</summary>
public sealed record AccessPinned(uint AccessId, uint PinId, ulong Iova, ulong Length, bool Write, ulong[] Pinned)
    : ContextEvent;

/// <summary>An access released a pin.</summary>
public sealed record AccessUnpinned(uint AccessId, uint PinId) : ContextEvent;

/// <summary>An access was destroyed by its driver.</summary>
public sealed record AccessDestroyed(uint AccessId) : ContextEvent;

/// <summary>DESTROY.</summary>
public sealed record ObjectDestroyed(uint ObjectId) : ContextEvent;

/// <summary>The digest of the whole state after the event before, for verification.</summary>
public sealed record DigestRecorded(ulong Digest) : ContextEvent;

/// <summary>The context was closed. Always the last event.</summary>
public sealed record ContextClosed(int Leaked) : ContextEvent;

/// <summary>The event vocabulary as the file format sees it.</summary>
public static class EventTypes
{
    /// <summary>
    /// Version of the vocabulary; a journal of a newer one is refused. 2 added the run's own events. It grows with every type that
    /// is added to a released vocabulary.
    /// </summary>
    public const int Version = 2;

    /// <summary>Append-only: the position of a type is its name in the file.</summary>
    public static IReadOnlyList<Type> InFileOrder { get; } =
    [
        typeof(ContextOpened),
        typeof(ProcessSeen),
        typeof(IoasAllocated),
        typeof(AreaMapped),
        typeof(AreasCopied),
        typeof(AreasUnmapped),
        typeof(AllowedReplaced),
        typeof(LargePagesSet),
        typeof(AccountingModeSet),
        typeof(RangeReserved),
        typeof(HwptAllocated),
        typeof(DeviceBound),
        typeof(DeviceUnbound),
        typeof(DeviceAttached),
        typeof(DeviceReplaced),
        typeof(DeviceDetached),
        typeof(MockDeviceMade),
        typeof(AccessCreated),
        typeof(AccessMoved),
        typeof(AccessPinned),
        typeof(AccessUnpinned),
        typeof(AccessDestroyed),
        typeof(ObjectDestroyed),
        typeof(DigestRecorded),
        typeof(ContextClosed),
        typeof(NestedHwptAllocated),
        typeof(HwptFaultSet),
        typeof(IotlbInvalidated),
        typeof(CachesInvalidated),
        typeof(FaultQueueAllocated),
        typeof(FaultReported),
        typeof(FaultsRead),
        typeof(FaultsAnswered),
        typeof(QueueDescriptorClosed),
        typeof(ViommuAllocated),
        typeof(VdeviceAllocated),
        typeof(VeventqAllocated),
        typeof(VeventReported),
        typeof(VeventsRead),
        typeof(HwQueueAllocated),
        typeof(WindowMapped),
        typeof(WindowUnmapped),
        typeof(ReservedPasidRefused),
        typeof(FileMapped),
        typeof(DmabufRevoked),
        typeof(ProcessChanged),
        typeof(DirtyTrackingSet),
        typeof(DirtyCleared),
        typeof(PagesMarkedDirty),
        typeof(CompatIoasSet),
        typeof(VfioMapped),
        typeof(AreaCutInTwo),
        typeof(EntryPolicySet),
        typeof(EntriesResized),
        typeof(GuestStageAllocated),
        typeof(PagesRequested),
        typeof(SharedHwptAllocated),
        typeof(RunStarted),
        typeof(ClientFinished),
        typeof(BarrierOpened),
        typeof(RunStopping),
        typeof(RunContinued),
        typeof(RunFinished),
    ];
}
