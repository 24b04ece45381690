namespace Iommufd.Messages.Host;

/// <summary>Door or client → machine: adds an IOMMU unit. Answered by <see cref="HostResult"/>.</summary>
public sealed record AddIommu(IommuSpec Spec);

/// <summary>Door or client → machine: adds a physical device. Answered by <see cref="HostResult"/>.</summary>
public sealed record AddDevice(DeviceSpec Spec);

/// <summary>Door or client → machine: starts a process with an empty address space. Answered by ProcessStarted.</summary>
public sealed record StartProcess(ProcessSpec Spec);

/// <summary>Door or client → machine: opens /dev/iommu for a process. Answered by IommufdOpened.</summary>
/// <param name="ProcessId">From ProcessStarted.</param>
public sealed record OpenIommufd(int ProcessId);

/// <summary>The answer to a host operation that returns nothing but success.</summary>
/// <param name="Errno">OK or the reason.</param>
public sealed record HostResult(Errno Errno);

/// <summary>Client → memory: maps memory. Answered by <see cref="MemoryMapped"/>.</summary>
/// <param name="Address">Where (page aligned), or null to let the process choose.</param>
/// <param name="Length">Bytes; rounded up to pages (2 MiB pages for <see cref="MemoryKind.Huge2M"/>).</param>
/// <param name="Kind">What the pages are.</param>
/// <param name="Protection">Allowed accesses.</param>
public sealed record MapMemory(ulong? Address, ulong Length, MemoryKind Kind, MemoryProtection Protection);

/// <summary>Memory → client: where <see cref="MapMemory"/> put it.</summary>
/// <param name="Errno">OK, or EEXIST, EINVAL, ENOMEM.</param>
/// <param name="Address">The first address.</param>
public sealed record MemoryMapped(Errno Errno, ulong Address);

/// <summary>Client → memory: munmap. Pages that are pinned stay pinned. Answered by <see cref="HostResult"/>.</summary>
public sealed record UnmapMemory(ulong Address, ulong Length);

/// <summary>Client → memory: mprotect. Answered by <see cref="HostResult"/>.</summary>
public sealed record ProtectMemory(ulong Address, ulong Length, MemoryProtection Protection);

/// <summary>Client → memory: writes bytes as the process itself would. Answered by <see cref="HostResult"/>: OK or EFAULT.</summary>
/// <param name="Address">Where.</param>
/// <param name="Bytes">What.</param>
public sealed record WriteMemory(ulong Address, byte[] Bytes);

/// <summary>Client → machine: makes a memory file and opens it. Answered by <see cref="MemoryFileOpened"/>.</summary>
/// <param name="ProcessId">Who opens it.</param>
/// <param name="Size">Bytes.</param>
public sealed record OpenMemoryFile(uint ProcessId, ulong Size);

/// <summary>Machine → client: the file's descriptor.</summary>
/// <param name="Descriptor">The number in the process's table.</param>
public sealed record MemoryFileOpened(int Descriptor);

/// <summary>
/// Client → memory: the process ends. Its mappings go, pages that are pinned stay pinned, nothing of it can be pinned any more. Not
/// answered.
/// </summary>
public sealed record EndProcess;

/// <summary>Client → context: one ioctl or driver call. Answered by <see cref="IoctlAnswer"/>, after its event is durable.</summary>
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
/// Calls still running are finished first. Answered by <see cref="IommufdClosed"/>; the context then stops.
/// </summary>
public sealed record CloseIommufd;

/// <summary>Context → client: closed.</summary>
/// <param name="Leaked">Objects that could not be destroyed: 0, or it is a bug.</param>
public sealed record IommufdClosed(int Leaked);
