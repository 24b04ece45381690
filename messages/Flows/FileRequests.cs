namespace Iommufd.Messages.Flows;

/// <summary>A file or dma-buf whose pages can be mapped; the memory participant knows which. Safe from any thread.</summary>
public interface IMappableFile
{
    /// <summary>Its number on the machine; 0 where the machine does not know it (not memory).</summary>
    uint Number { get; }
}

/// <summary>
/// Makes a page set of a file or a dma-buf and takes a reference on it; the sender holds one until the answer. EINVAL,
/// EOVERFLOW, ENODEV: then there is no page set.
/// </summary>
/// <param name="Context">The context's number; page sets are named by context and number.</param>
/// <param name="PageSet">The number.</param>
/// <param name="File">The file.</param>
/// <param name="Start">Offset of the first byte.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Writable">Whether WRITEABLE was asked for.</param>
/// <param name="ChargeProcess">Whether the process (MM mode), not the user, is charged.</param>
public sealed record CreateFilePageSet(
    int Context,
    uint PageSet,
    IMappableFile File,
    ulong Start,
    ulong Length,
    bool Writable,
    bool ChargeProcess
) : FlowRequest;

/// <summary>
/// Context → HWPT: the memory behind a page set is taken away. Unmaps every area on it and invalidates IOTLBs; the areas stay
/// installed without translations.
/// </summary>
/// <param name="PageSet">The page set.</param>
public sealed record RevokePageSet(uint PageSet) : FlowRequest;

/// <summary>
/// Context → another context that imports a dma-buf: it was revoked, or imports are allowed again. What was imported before is unmapped
/// from every domain.
/// </summary>
/// <param name="Buffer">The dma-buf.</param>
/// <param name="Revoked">Whether imports are refused from now on.</param>
/// <param name="Process">Who asked for it.</param>
public sealed record ClearImports(IMappableFile Buffer, bool Revoked, uint Process) : FlowRequest;

/// <summary>Context → memory: what a page set would charge a new owner (CHANGE_PROCESS, second pass).</summary>
/// <param name="Context">The context's number.</param>
/// <param name="PageSet">The page set.</param>
/// <param name="Caller">The process that wants to own it.</param>
public sealed record CountCharges(int Context, uint PageSet, int Caller) : FlowRequest;

/// <summary>Pages that a new owner is charged for.</summary>
/// <param name="User">Pages on its user's account.</param>
/// <param name="Process">Pages on its own account.</param>
public sealed record ChargesCounted(long User, long Process) : FlowResponse(Errno.OK);

/// <summary>Context → memory: gives the old owner's charge back and makes the caller, who has been charged, the owner.</summary>
/// <param name="Context">The context's number.</param>
/// <param name="PageSet">The page set.</param>
/// <param name="Caller">The new owner.</param>
public sealed record SwitchOwner(int Context, uint PageSet, int Caller) : FlowRequest;

/// <summary>Context → IOAS: which page sets its areas are on.</summary>
public sealed record ListPageSets : FlowRequest
{
    /// <summary>The one instance.</summary>
    public static readonly ListPageSets Instance = new();
}

/// <summary>The page sets of all areas in IOVA order, repetitions included, up to the first area in transition.</summary>
/// <param name="Errno">OK, or EBUSY when an area in transition was met.</param>
/// <param name="PageSets">Their numbers.</param>
public sealed record PageSetList(Errno Errno, IReadOnlyList<uint> PageSets) : FlowResponse(Errno);
