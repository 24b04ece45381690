namespace Iommufd.Messages.Flows;

/// <summary>Makes a page set of a stretch of the process's memory. Wants no answer: its arguments are checked before.</summary>
/// <param name="Context">The context's number; page sets are named by context and number.</param>
/// <param name="PageSet">The number.</param>
/// <param name="UserVa">First byte.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Writable">Whether pages are pinned for writing.</param>
/// <param name="ChargeProcess">Whether the process (MM mode), not the user, is charged.</param>
public sealed record CreatePageSet(
    int Context,
    uint PageSet,
    ulong UserVa,
    ulong Length,
    bool Writable,
    bool ChargeProcess
) : FlowRequest;

/// <summary>The last area is gone: forgets a page set. Wants no answer.</summary>
public sealed record DropPageSet(int Context, uint PageSet) : FlowRequest;

/// <summary>Covers an area's pages for a domain: pins those that nobody holds, and gives the PFNs of all. EFAULT, ENOMEM, EINVAL.</summary>
/// <param name="Context">The context's number.</param>
/// <param name="PageSet">The page set.</param>
/// <param name="AreaKey">Names the cover.</param>
/// <param name="First">First page index.</param>
/// <param name="Last">Last page index, inclusive.</param>
/// <param name="Charge">Whether the locked-memory limit is charged.</param>
/// <param name="NotesPins">Whether the answer lists what was pinned: nobody asks where no event is written.</param>
public sealed record FillBegin(
    int Context,
    uint PageSet,
    ulong AreaKey,
    ulong First,
    ulong Last,
    bool Charge,
    bool NotesPins
) : FlowRequest;

/// <summary>PFNs in page order.</summary>
/// <param name="Errno">OK or why there are none.</param>
/// <param name="Runs">Neighbouring frames merged.</param>
/// <param name="Pinned">What this request newly pinned.</param>
public sealed record PfnsReady(Errno Errno, IReadOnlyList<PfnRun> Runs, IReadOnlyList<PinnedRun> Pinned)
    : FlowResponse(Errno);

/// <summary>The area is in the storage domain now: its PFNs are kept nowhere else. Wants no answer.</summary>
public sealed record FillCommit(int Context, uint PageSet, ulong AreaKey, IPfnSource Storage) : FlowRequest;

/// <summary>The area could not be installed, or its last domain was cleared: uncovers and unpins what nobody else needs.</summary>
/// <param name="Context">The context's number.</param>
/// <param name="PageSet">The page set.</param>
/// <param name="AreaKey">The cover.</param>
/// <param name="Runs">The PFNs of all its pages in order, as FillBegin gave them or as the cleared IOPTEs held them.</param>
/// <param name="Committed">Whether FillCommit had been sent.</param>
public sealed record Unfill(int Context, uint PageSet, ulong AreaKey, IReadOnlyList<PfnRun> Runs, bool Committed)
    : FlowRequest;

/// <summary>Gives the PFNs of pages that are covered, for another domain.</summary>
public sealed record ReadPfns(int Context, uint PageSet, ulong First, ulong Last) : FlowRequest;

/// <summary>Another domain holds the PFNs of a cover from now on.</summary>
public sealed record MoveStorage(int Context, uint PageSet, ulong AreaKey, IPfnSource Storage) : FlowRequest;

/// <summary>Pins pages for an access. EFAULT, ENOMEM.</summary>
public sealed record AccessAdd(int Context, uint PageSet, ulong First, ulong Last) : FlowRequest;

/// <summary>Releases pages of an access.</summary>
public sealed record AccessRemove(int Context, uint PageSet, ulong First, ulong Last) : FlowRequest;

/// <summary>Copies bytes between a buffer and a page set. EFAULT, EPERM, EINVAL; bytes before the fault are copied.</summary>
/// <param name="Context">The context's number.</param>
/// <param name="PageSet">The page set.</param>
/// <param name="StartByte">First byte, from the set's first page.</param>
/// <param name="Buffer">Source, or destination. Nobody else touches it until the answer.</param>
/// <param name="Offset">First byte of the buffer.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Write">Direction.</param>
/// <param name="SlowPath">Whether the page tiers are read even where the process could be.</param>
/// <param name="Caller">The calling process.</param>
public sealed record CopyBytes(
    int Context,
    uint PageSet,
    ulong StartByte,
    byte[] Buffer,
    int Offset,
    int Length,
    bool Write,
    bool SlowPath,
    int Caller
) : FlowRequest;

/// <summary>Two areas take the place of one (VFIO cut).</summary>
public sealed record SplitCover(
    int Context,
    uint PageSet,
    ulong WholeKey,
    AreaView Left,
    AreaView Right,
    IPfnSource LeftStorage,
    IPfnSource RightStorage
) : FlowRequest;
