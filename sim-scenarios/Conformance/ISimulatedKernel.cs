using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Conformance;

/// <summary>
/// What the trace player needs of a kernel: processes with memory, descriptors, ioctls. One instance plays one trace
/// and is thrown away; instances share nothing. Every task completes only when its effect is complete (a close has
/// released the context, an unmap has reached the page tables), so that the next step sees it. The player calls one
/// method at a time.
/// <para>
/// A method that an implementation does not have throws <see cref="NotSupportedException"/>: the player counts the
/// step as unsupported, never as agreement.
/// </para>
/// <para>
/// Physical layout, which dirty bitmaps and HW queues make visible, is the implementation's business and must be this:
/// in every mapping and file, 4 KiB page i + 1 never directly follows page i physically; a 2 MiB page is contiguous and
/// aligned to 2 MiB, and huge page i + 1 never follows huge page i; a dma-buf of the selftest is one contiguous run,
/// aligned to its length rounded up to a power of two pages.
/// </para>
/// </summary>
public interface ISimulatedKernel : IAsyncDisposable
{
    /// <summary>
    /// Starts a process: user 0, all capabilities but for what the options say, an empty address space, an empty
    /// descriptor table. No other process of that user has locked memory.
    /// </summary>
    Task<ISimulatedProcess> StartProcessAsync(SimulatedProcessOptions options);

    /// <summary>Pages that are charged to the user before the trace begins: what earlier traces leaked in the recording.</summary>
    Task StartWithLockedPagesAsync(long pages) => Task.CompletedTask;

    /// <summary>
    /// The trace is over and its processes exit. Answers the pages that stay charged to the user for good, those it started with
    /// included.
    /// </summary>
    Task<long> EndAsync() => Task.FromResult(0L);
}

/// <summary>How a process starts.</summary>
/// <param name="CapIpcLock">It has CAP_IPC_LOCK: locked memory is not limited (accounting mode NONE).</param>
/// <param name="MemlockLimit">RLIMIT_MEMLOCK, soft and hard, in bytes; 2^64 - 1 is no limit.</param>
public sealed record SimulatedProcessOptions(bool CapIpcLock, ulong MemlockLimit);

/// <summary>
/// One process. Descriptors are numbers in its table; a number that is not open is EBADF. Addresses and sizes of the
/// memory calls are page multiples (2 MiB multiples for huge pages).
/// </summary>
public interface ISimulatedProcess
{
    /// <summary>
    /// The address space as user-copy sees it. The player writes ioctl arguments and fills buffers through it, and an
    /// implementation reads and writes payloads through it. A write to a read-only mapping fails.
    /// </summary>
    IUserMemory Memory { get; }

    /// <summary>
    /// Starts a process that shares this one's descriptor table, user and limits; its address space is empty.
    /// </summary>
    Task<ISimulatedProcess> StartChildAsync();

    /// <summary>
    /// The process is killed: its address space goes. Its descriptor table stays as long as another process shares
    /// it.
    /// </summary>
    Task ExitAsync();

    /// <summary>VmPin and VmLck of the process.</summary>
    Task<ProcessVmCounters> ReadVmCountersAsync();

    /// <summary>Maps private anonymous memory, readable and writeable, reading as zeros, at a fixed address.</summary>
    Task<Errno> MapAnonymousAsync(ulong address, ulong size, SimulatedPageKind kind);

    /// <summary>Maps a file, shared, readable and writeable, from offset 0 at a fixed address.</summary>
    Task<Errno> MapFileAsync(int fd, ulong address, ulong size);

    /// <summary>munmap. Pages that are pinned stay pinned; user access faults from now on.</summary>
    Task<Errno> UnmapAsync(ulong address, ulong size);

    /// <summary>mprotect.</summary>
    Task<Errno> ProtectAsync(ulong address, ulong size, SimulatedProtection protection);

    /// <summary>Makes a file and opens it for reading and writing. Answers the descriptor.</summary>
    /// <param name="kind">What it is.</param>
    /// <param name="size">
    /// Bytes, not necessarily whole pages; 0 for an eventfd. A memfd starts as one hole and reads as zeros.
    /// </param>
    Task<int> CreateFileAsync(SimulatedFileKind kind, ulong size);

    /// <summary>Opens the file behind a descriptor again, for reading only. Answers the new descriptor.</summary>
    Task<int> ReopenReadOnlyAsync(int fd);

    /// <summary>ftruncate. Pages beyond the new end leave the file; pinned ones live on for who pinned them.</summary>
    Task<Errno> TruncateAsync(int fd, ulong size);

    /// <summary>open("/dev/iommu", O_RDWR). Answers the descriptor.</summary>
    Task<int> OpenIommufdAsync();

    /// <summary>
    /// One ioctl on an iommufd, decoded; the calling process is this one. The player has applied the size rules and
    /// writes the struct back.
    /// </summary>
    Task<IoctlResult> ExecuteAsync(int fd, IoctlCommand command);

    /// <summary>Takes back a command whose answer could not be written to the caller; see IIoctlExecutor.</summary>
    Task UndoAsync(int fd, IoctlCommand command, IoctlResult result);

    /// <summary>read(2), never blocking, at file position 0. The value is the number of bytes.</summary>
    Task<SyscallResult> ReadAsync(int fd, ulong address, ulong count);

    /// <summary>write(2), never blocking. The value is the number of bytes.</summary>
    Task<SyscallResult> WriteAsync(int fd, ulong address, ulong count);

    /// <summary>
    /// poll(2) of one descriptor with time-out 0. The value is revents: IN 1, OUT 4 (of what was asked), NVAL 32. A
    /// negative descriptor is 0; a file without a poll operation is IN | OUT.
    /// </summary>
    Task<SyscallResult> PollAsync(int fd, int events);

    /// <summary>close(2). Completes when everything that the last close of a file releases is released.</summary>
    Task<Errno> CloseAsync(int fd);

    /// <summary>
    /// mmap(2) of an iommufd. The player has refused an offset inside a page and rounded the length up to pages; the
    /// order here is EBADF, a length of 0 EINVAL, then iommufd's own rules.
    /// </summary>
    Task<SimulatedMmapResult> MmapAsync(int fd, ulong offset, ulong length, MmapProtection protection, bool shared);
}

/// <summary>How a system call other than ioctl ended.</summary>
/// <param name="Errno"><see cref="Errno.OK"/> or the error.</param>
/// <param name="Value">The result, 0 or more, where it succeeded.</param>
public readonly record struct SyscallResult(Errno Errno, long Value)
{
    /// <summary>A failure.</summary>
    public static SyscallResult Fail(Errno errno) => new(errno, 0);

    /// <summary>Success.</summary>
    public static SyscallResult Ok(long value) => new(Errno.OK, value);
}

/// <summary>Counters of /proc/PID/status, in KiB; a counter below 0 is negative.</summary>
/// <param name="VmPinKb">Pinned memory.</param>
/// <param name="VmLckKb">Locked memory.</param>
public readonly record struct ProcessVmCounters(long VmPinKb, long VmLckKb);

/// <summary>Pages of anonymous memory.</summary>
public enum SimulatedPageKind
{
    /// <summary>4 KiB pages.</summary>
    Normal,

    /// <summary>2 MiB hugetlb pages.</summary>
    Huge2M,
}

/// <summary>Kinds of file.</summary>
public enum SimulatedFileKind
{
    /// <summary>memfd of 4 KiB pages.</summary>
    Memfd,

    /// <summary>memfd of 2 MiB hugetlb pages.</summary>
    MemfdHuge2M,

    /// <summary>An eventfd: open, but not memory.</summary>
    EventFd,
}

/// <summary>Protection of user memory.</summary>
[Flags]
public enum SimulatedProtection
{
    /// <summary>No access.</summary>
    None = 0,

    /// <summary>Readable.</summary>
    Read = 1,

    /// <summary>Writeable.</summary>
    Write = 2,
}

/// <summary>Protection asked for with mmap.</summary>
[Flags]
public enum MmapProtection
{
    /// <summary>PROT_READ.</summary>
    Read = 1,

    /// <summary>PROT_WRITE.</summary>
    Write = 2,

    /// <summary>PROT_EXEC.</summary>
    Execute = 4,
}

/// <summary>How an mmap ended.</summary>
/// <param name="Errno"><see cref="Errno.OK"/> or the error.</param>
/// <param name="Window">The mapping, where it succeeded.</param>
public sealed record SimulatedMmapResult(Errno Errno, ISimulatedWindow? Window);

/// <summary>A mapping of an iommufd's window. It outlives the descriptor and keeps its owner object in use.</summary>
public interface ISimulatedWindow
{
    /// <summary>Reads 32 bits at a byte offset.</summary>
    uint Read(ulong offset);

    /// <summary>Writes 32 bits at a byte offset.</summary>
    void Write(ulong offset, uint value);

    /// <summary>munmap of the whole mapping.</summary>
    Task UnmapAsync();
}
