// What doors and clients say to the machine, and what needs an actor reference to be said.
using Akka.Actor;
using Iommufd.Core.Dma;
using Iommufd.Core.Pages;
using Iommufd.Messages;

namespace Iommufd.Actors.Protocol;

/// <summary>Machine → client: a process was started.</summary>
/// <param name="ProcessId">Its number on the machine.</param>
/// <param name="Memory">Its memory actor.</param>
public sealed record ProcessStarted(int ProcessId, IActorRef Memory);

/// <summary>
/// Client → machine: a process forks. The child has copies of its private memory, shares its files and its descriptors, and has
/// the same limits and capabilities. Answered by <see cref="ProcessStarted"/>.
/// </summary>
/// <param name="Parent">The parent's number.</param>
/// <param name="Name">The child's name.</param>
public sealed record ForkProcess(uint Parent, string Name);

/// <summary>Client → memory: a new file of memory (memfd_create). Answered by <see cref="FileOpened"/>: EINVAL, EMFILE.</summary>
/// <param name="Kind">What it is made of.</param>
/// <param name="Size">Bytes; whole 2 MiB pages for a file of them.</param>
public sealed record MakeFile(MemoryFileKind Kind, ulong Size);

/// <summary>Machine → memory: copy yourself into a child, then tell somebody that it runs.</summary>
internal sealed record CopyInto(ProcessMemory Child, IActorRef ReplyTo, ProcessStarted Answer);

/// <summary>Machine → client: /dev/iommu was opened.</summary>
/// <param name="Errno">OK, or ENOENT for an unknown process, EMFILE.</param>
/// <param name="Number">The context's number on the machine.</param>
/// <param name="Context">The context's actor; nobody if it failed.</param>
/// <param name="Descriptor">The descriptor; -1 if it failed.</param>
public sealed record IommufdOpened(Errno Errno, int Number, IActorRef Context, int Descriptor = -1);

/// <summary>Client → machine: let a device do DMA. Answered by <see cref="DmaDone"/> when all of it is done.</summary>
/// <param name="Tag">The client's number for it.</param>
/// <param name="Device">The device's name.</param>
/// <param name="Pattern">What it does.</param>
/// <param name="Transfers">Blocks to transfer.</param>
public sealed record RunDma(long Tag, string Device, DmaPattern Pattern, long Transfers)
{
    /// <summary>Whether the device asks for missing pages (PRI) and waits for them, instead of faulting.</summary>
    public bool PageRequests { get; init; }

    /// <summary>How long it waits for the response to a page request; then the transfer has faulted.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(10);
}

/// <summary>Device → client: the DMA is done.</summary>
/// <param name="Tag">From the request.</param>
/// <param name="Errno">OK, or ENODEV.</param>
/// <param name="Report">What happened, of this request alone.</param>
public sealed record DmaDone(long Tag, Errno Errno, DmaReport Report);

/// <summary>
/// Door or client → machine: check every invariant that can be checked now. A context checks itself when no command is running in
/// it. Answered by <see cref="InvariantReport"/>.
/// </summary>
/// <param name="IsQuiet">
/// Whether nothing is under way anywhere: what holds between contexts, memories and the machine is checked too then.
/// </param>
public sealed record CheckInvariants(bool IsQuiet = false);

/// <summary>A broken invariant.</summary>
/// <param name="Invariant">Its name.</param>
/// <param name="Where">The object.</param>
/// <param name="What">What was found.</param>
public sealed record InvariantViolation(string Invariant, string Where, string What);

/// <summary>What a check of the invariants found.</summary>
/// <param name="Checked">How many were checked.</param>
/// <param name="Violations">The broken ones.</param>
public sealed record InvariantReport(long Checked, IReadOnlyList<InvariantViolation> Violations);

/// <summary>Door or client → machine or context: the digest of the state, taken when no command is running.</summary>
public sealed record QueryDigest(bool WithText);

/// <summary>The digest of a state.</summary>
/// <param name="Digest">FNV-1a over the canonical lines.</param>
/// <param name="Lines">The lines, if asked for.</param>
public sealed record StateDigest(ulong Digest, IReadOnlyList<string> Lines);
