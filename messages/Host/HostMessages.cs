namespace Iommufd.Messages.Host;

/// <summary>Door or client → machine: adds an IOMMU unit. Answered by <see cref="HostResult"/>.</summary>
public sealed record AddIommu(IommuSpec Spec);

/// <summary>Door or client → machine: adds a physical device. Answered by <see cref="HostResult"/>.</summary>
public sealed record AddDevice(DeviceSpec Spec);

/// <summary>Door or client → machine: starts a process with an empty address space. Answered by ProcessStarted.</summary>
public sealed record StartProcess(ProcessSpec Spec);

/// <summary>Door or client → machine: opens /dev/iommu for a process. Answered by IommufdOpened.</summary>
/// <param name="ProcessId">From ProcessStarted.</param>
/// <param name="AsContainer">
/// Whether /dev/vfio/vfio is opened instead: locked memory is then charged to the process from the start.
/// </param>
public sealed record OpenIommufd(int ProcessId, bool AsContainer = false);

/// <summary>
/// Client → machine: a process ends and closes what it has open of VFIO devices; devices that were bound are unbound. Its memory, and
/// its iommufd, are told by themselves. Not answered.
/// </summary>
/// <param name="ProcessId">Whose descriptors.</param>
public sealed record CloseVfioDescriptors(int ProcessId);

/// <summary>The answer to a host operation that returns nothing but success.</summary>
/// <param name="Errno">OK or the reason.</param>
public sealed record HostResult(Errno Errno);

/// <summary>Client → memory: maps memory. Answered by <see cref="MemoryMapped"/>.</summary>
/// <param name="Address">Where (page aligned), or null to let the process choose.</param>
/// <param name="Length">Bytes; rounded up to pages (2 MiB pages for <see cref="MemoryKind.Huge2M"/>).</param>
/// <param name="Kind">What the pages are.</param>
/// <param name="Protection">Allowed accesses.</param>
/// <param name="Fd">For <see cref="MemoryKind.File"/>: the file's descriptor, or -1 for a new memory file of that length.</param>
/// <param name="Offset">For <see cref="MemoryKind.File"/>: where in the file; whole pages.</param>
/// <param name="Shared">For <see cref="MemoryKind.File"/>: whether others see what is written.</param>
public sealed record MapMemory(
    ulong? Address,
    ulong Length,
    MemoryKind Kind,
    MemoryProtection Protection,
    int Fd = -1,
    ulong Offset = 0,
    bool Shared = true
);

/// <summary>Memory → client: where <see cref="MapMemory"/> put it.</summary>
/// <param name="Errno">OK, or EBADF, EINVAL, ENOMEM.</param>
/// <param name="Address">The first address.</param>
/// <param name="Fd">The descriptor of the file that is mapped; -1 for none.</param>
public sealed record MemoryMapped(Errno Errno, ulong Address, int Fd = -1);

/// <summary>
/// Client → memory: a limit of the process, or a capability, changes; null leaves it as it is. What is charged already stays, and
/// so does what is open. Answered by <see cref="HostResult"/>.
/// </summary>
/// <param name="RlimitMemlock">RLIMIT_MEMLOCK in bytes.</param>
/// <param name="CapIpcLock">CAP_IPC_LOCK.</param>
/// <param name="CapSysResource">CAP_SYS_RESOURCE.</param>
/// <param name="RlimitOpenFiles">RLIMIT_NOFILE: one more than the highest descriptor that can be opened.</param>
public sealed record ChangeLimits(
    ulong? RlimitMemlock = null,
    bool? CapIpcLock = null,
    bool? CapSysResource = null,
    ulong? RlimitOpenFiles = null
);

/// <summary>
/// Client → memory: the process ends. Its mappings go; what is pinned stays pinned, and contexts that it opened stay open as long
/// as somebody has a descriptor. Answered by <see cref="HostResult"/>.
/// </summary>
public sealed record EndProcess;

/// <summary>Client → memory: ftruncate. Pages beyond the end go, pinned ones for their holders last. Answered by <see cref="HostResult"/>.</summary>
public sealed record TruncateFile(int Fd, ulong Size);

/// <summary>Client → memory: munmap. Pages that are pinned stay pinned. Answered by <see cref="HostResult"/>.</summary>
public sealed record UnmapMemory(ulong Address, ulong Length);

/// <summary>Client → memory: mprotect. Answered by <see cref="HostResult"/>.</summary>
public sealed record ProtectMemory(ulong Address, ulong Length, MemoryProtection Protection);

/// <summary>
/// Client → context, or → machine for what is called on a VFIO device's descriptor: one ioctl or driver call. Answered by
/// <see cref="IoctlAnswer"/>, after its event is durable.
/// </summary>
/// <param name="Tag">The client's own number for the call, returned in the answer. Calls may overlap.</param>
/// <param name="ProcessId">Who calls: decides user memory, limits and capabilities.</param>
/// <param name="Command">What is asked.</param>
public sealed record IoctlRequest(long Tag, int ProcessId, Commands.IoctlCommand Command);

/// <summary>Context → client: how a call ended.</summary>
/// <param name="Tag">From the request.</param>
/// <param name="Result">Errno, return value, struct to write back.</param>
public sealed record IoctlAnswer(long Tag, Commands.IoctlResult Result);

/// <summary>
/// Client → context: the last descriptor was closed. Objects are destroyed leaf by leaf, everything pinned is released.
/// Calls still running are finished first. Answered by <see cref="IommufdClosed"/>; the context then stops. While VFIO devices are
/// bound it stays open: answered by <see cref="IommufdStaysOpen"/>, and by <see cref="IommufdClosed"/> when the last one was closed.
/// </summary>
public sealed record CloseIommufd;

/// <summary>Context → client: closed.</summary>
/// <param name="Leaked">Objects that could not be destroyed: 0, or it is a bug.</param>
public sealed record IommufdClosed(int Leaked)
{
    /// <summary>Flows that ended in an exception and that no check of the invariants has reported: none, or it is a bug.</summary>
    public IReadOnlyList<string> Crashes { get; init; } = [];
}

/// <summary>Context → client: the descriptor is closed, the context is not: VFIO devices that are bound to it hold it open.</summary>
/// <param name="Devices">How many.</param>
public sealed record IommufdStaysOpen(int Devices);
