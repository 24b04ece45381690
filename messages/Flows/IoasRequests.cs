namespace Iommufd.Messages.Flows;

/// <summary>An area as other parts see it: a copy, taken when the IOAS answered.</summary>
/// <param name="Key">Names the area; unique in its context, never reused.</param>
/// <param name="Range">Its IOVAs, inclusive.</param>
/// <param name="PageSet">The page set behind it.</param>
/// <param name="StartByte">Where it starts in the page set, in bytes from the set's first page.</param>
/// <param name="Permissions">Bit 0 devices may write, bit 1 devices may read.</param>
/// <param name="StorageHwpt">The HWPT whose IOPTEs hold its PFNs; 0 for none.</param>
public sealed record AreaView(
    ulong Key,
    IovaRange Range,
    uint PageSet,
    ulong StartByte,
    uint Permissions,
    uint StorageHwpt
)
{
    /// <summary>Index of the first page in the page set.</summary>
    public ulong FirstIndex => StartByte >> HostPage.Shift;

    /// <summary>Index of the last page in the page set, inclusive.</summary>
    public ulong LastIndex => (StartByte + (Range.Last - Range.First)) >> HostPage.Shift;

    /// <summary>Where the area starts in its first page, in bytes.</summary>
    public ulong PageOffset => StartByte & HostPage.OffsetMask;
}

/// <summary>One piece of a mapping to be placed: a stretch of one page set.</summary>
/// <param name="Key">The area's key.</param>
/// <param name="PageSet">The page set.</param>
/// <param name="StartByte">Where it starts in the page set.</param>
/// <param name="Length">Bytes, at least 1.</param>
/// <param name="Writable">Whether the page set may be written: EPERM for a writeable mapping otherwise.</param>
/// <param name="IsDmabuf">Whether the page set is a dma-buf's: its areas cannot be cut.</param>
public sealed record AreaPiece(
    ulong Key,
    uint PageSet,
    ulong StartByte,
    ulong Length,
    bool Writable,
    bool IsDmabuf = false
);

/// <summary>
/// Finds or checks the IOVA and inserts the pieces back to back, all or none, as areas under construction; at once
/// finished areas when the IOAS has no domain.
/// </summary>
/// <param name="Pieces">At least one.</param>
/// <param name="Fixed">Whether <paramref name="Iova"/> is where it must go.</param>
/// <param name="Iova">The wanted IOVA.</param>
/// <param name="Hint">Address that decides the alignment of an automatic IOVA.</param>
/// <param name="Permissions">As in <see cref="AreaView"/>.</param>
/// <param name="Publish">Whether the areas are finished at once.</param>
public sealed record PlaceAreas(
    IReadOnlyList<AreaPiece> Pieces,
    bool Fixed,
    ulong Iova,
    ulong Hint,
    uint Permissions,
    bool Publish
) : FlowRequest;

/// <summary>Where the areas were put.</summary>
/// <param name="Errno">EINVAL, EOVERFLOW, EEXIST, ENOSPC, EPERM: nothing was inserted.</param>
/// <param name="Iova">The first IOVA.</param>
/// <param name="PageByPage">Whether large pages are disabled.</param>
public sealed record AreasPlaced(Errno Errno, ulong Iova, bool PageByPage) : FlowResponse(Errno);

/// <summary>The areas are filled: makes them usable.</summary>
public sealed record PublishAreas(IReadOnlyList<ulong> Keys, uint StorageHwpt) : FlowRequest;

/// <summary>The areas could not be filled, or are torn down: forgets them.</summary>
public sealed record RemoveAreas(IReadOnlyList<ulong> Keys) : FlowRequest;

/// <summary>
/// Takes the next step of an unmap: finds the lowest area that meets the range and decides what happens to it.
/// </summary>
/// <param name="Range">What is still to be unmapped.</param>
/// <param name="Finished">The area torn down by the previous step, to be forgotten now; 0 for none.</param>
public sealed record NextUnmap(IovaRange Range, ulong Finished) : FlowRequest;

/// <summary>What an unmap does next.</summary>
public enum UnmapAction
{
    /// <summary>No area is left in the range.</summary>
    Nothing,

    /// <summary>The area is in transition now; clear it everywhere.</summary>
    TearDown,

    /// <summary>Accesses use the area: ask them to let go, then try again.</summary>
    Notify,
}

/// <summary>The next step of an unmap.</summary>
/// <param name="Errno">EBUSY or ENOENT ends the unmap.</param>
/// <param name="Action">What to do.</param>
/// <param name="Area">The area concerned, null for nothing.</param>
public sealed record UnmapStep(Errno Errno, UnmapAction Action, AreaView? Area) : FlowResponse(Errno);

/// <summary>Asks for the gap-free run of finished areas behind a range (source of COPY). ENOENT when there is none.</summary>
public sealed record FindContiguous(IovaRange Range) : FlowRequest;

/// <summary>Asks for all finished areas, ascending.</summary>
public sealed record ListAreas : FlowRequest
{
    /// <summary>The one instance.</summary>
    public static readonly ListAreas Instance = new();
}

/// <summary>A list of areas, cut to what was asked for.</summary>
/// <param name="Errno">OK, or ENOENT.</param>
/// <param name="Areas">Ascending.</param>
/// <param name="PageByPage">Whether large pages are disabled.</param>
public sealed record AreaList(Errno Errno, IReadOnlyList<AreaView> Areas, bool PageByPage) : FlowResponse(Errno);

/// <summary>The PFNs of these areas are held by another domain from now on.</summary>
public sealed record SetStorage(IReadOnlyList<ulong> Keys, uint StorageHwpt) : FlowRequest;

/// <summary>A domain joins: its page size and aperture bind the IOVA space. EINVAL, EADDRINUSE.</summary>
/// <param name="HwptId">Owner of the reservations made here.</param>
/// <param name="SmallestPage">Bytes.</param>
/// <param name="Aperture">What the domain can translate.</param>
public sealed record AddDomain(uint HwptId, ulong SmallestPage, IovaRange Aperture) : FlowRequest;

/// <summary>A domain has left.</summary>
public sealed record RemoveDomain(uint HwptId) : FlowRequest;

/// <summary>Reserves ranges for an owner, all or none. EADDRINUSE.</summary>
/// <param name="Owner">A DEVICE id; 0 reserves for as long as the IOAS lives.</param>
/// <param name="Ranges">The ranges.</param>
public sealed record ReserveRanges(uint Owner, IReadOnlyList<IovaRange> Ranges) : FlowRequest;

/// <summary>Gives an owner's reservations back.</summary>
public sealed record ReleaseRanges(uint Owner) : FlowRequest;

/// <summary>An access joins; one that pins raises the alignment to a page. EADDRINUSE.</summary>
public sealed record AddAccess(uint AccessId, bool Pins) : FlowRequest;

/// <summary>An access has left.</summary>
public sealed record RemoveAccess(uint AccessId) : FlowRequest;

/// <summary>Asks for the ranges that are not reserved.</summary>
public sealed record QueryRanges : FlowRequest
{
    /// <summary>The one instance.</summary>
    public static readonly QueryRanges Instance = new();
}

/// <summary>The ranges that are not reserved.</summary>
/// <param name="Ranges">Ascending.</param>
/// <param name="Alignment">Bytes.</param>
public sealed record UsableRanges(IReadOnlyList<IovaRange> Ranges, ulong Alignment) : FlowResponse(Errno.OK);

/// <summary>Replaces the allowed list; empty allows everything. EADDRINUSE.</summary>
public sealed record ReplaceAllowed(IReadOnlyList<IovaRange> Ranges) : FlowRequest;

/// <summary>OPTION HUGE_PAGES. EINVAL, EADDRINUSE when disabling.</summary>
/// <param name="Disabled">True to map page by page; null to ask only.</param>
public sealed record LargePages(bool? Disabled) : FlowRequest;

/// <summary>Whether large pages are allowed.</summary>
public sealed record LargePagesState(Errno Errno, bool Enabled) : FlowResponse(Errno);

/// <summary>Checks an access to a range, area by area, and takes a use of each area that passes (for a pin).</summary>
/// <param name="Range">The IOVAs.</param>
/// <param name="Write">Whether the access writes.</param>
/// <param name="Pin">Whether pages will be pinned: page alignment is checked and uses are taken.</param>
/// <param name="Lock">Whether the areas are locked against UNMAP as well (hardware queues).</param>
public sealed record OpenAreas(IovaRange Range, bool Write, bool Pin, bool Lock) : FlowRequest;

/// <summary>The areas that passed, cut to the range, and why the walk ended.</summary>
/// <param name="Areas">Ascending; may be shorter than the range.</param>
/// <param name="End">OK when the whole range passed, else the errno of the first area that did not, ENOENT for a gap.</param>
public sealed record AreasOpened(IReadOnlyList<AreaView> Areas, Errno End) : FlowResponse(Errno.OK);

/// <summary>Gives uses of areas back.</summary>
/// <param name="Keys">The areas.</param>
/// <param name="Lock">Whether they were locked too.</param>
public sealed record CloseAreas(IReadOnlyList<ulong> Keys, bool Lock) : FlowRequest;

/// <summary>Finds the n-th area, in IOVA order (the selftest's area addressing).</summary>
public sealed record AreaByIndex(uint Index) : FlowRequest;

/// <summary>VFIO type 1: makes an IOVA the last byte of an area. EBUSY, EINVAL, EOPNOTSUPP.</summary>
public sealed record CutArea(ulong LastByte, ulong LeftKey, ulong RightKey) : FlowRequest;

/// <summary>The two halves; both null when there was nothing to cut.</summary>
public sealed record AreaCut(Errno Errno, AreaView? Whole, AreaView? Left, AreaView? Right) : FlowResponse(Errno);

/// <summary>Asks any participant for a digest of its state and, on request, for its text.</summary>
public sealed record DescribeState(bool WithText) : FlowRequest;

/// <summary>A participant's state.</summary>
/// <param name="Digest">FNV-1a over the canonical lines.</param>
/// <param name="Lines">The canonical lines, empty unless asked for.</param>
public sealed record StateDescription(ulong Digest, IReadOnlyList<string> Lines) : FlowResponse(Errno.OK);

/// <summary>Asks a participant to check its own invariants; a broken one comes back as text.</summary>
public sealed record CheckState : FlowRequest
{
    /// <summary>The one instance.</summary>
    public static readonly CheckState Instance = new();
}

/// <summary>Asks a participant for those of its invariants that hold in the middle of a flow as well.</summary>
public sealed record CheckInFlight : FlowRequest
{
    /// <summary>The one instance.</summary>
    public static readonly CheckInFlight Instance = new();
}

/// <summary>What a memory's check found, and what it holds.</summary>
/// <param name="Checks">How many invariants were checked.</param>
/// <param name="Broken">The broken ones, in words.</param>
/// <param name="Pinned">Pages that its page sets have pinned.</param>
/// <param name="UserCharged">Pages charged to the user.</param>
/// <param name="ProcessCharged">Pages charged to processes.</param>
public sealed record MemoryChecked(
    int Checks,
    IReadOnlyList<string> Broken,
    long Pinned,
    long UserCharged,
    long ProcessCharged
) : StateChecked(Checks, Broken);

/// <summary>What a participant's check found.</summary>
/// <param name="Checks">How many invariants were checked.</param>
/// <param name="Broken">The broken ones, in words.</param>
public record StateChecked(int Checks, IReadOnlyList<string> Broken) : FlowResponse(Errno.OK);
