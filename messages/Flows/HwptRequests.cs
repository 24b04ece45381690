namespace Iommufd.Messages.Flows;

/// <summary>
/// The translation that a domain gives to devices: a lock-free page table. Devices keep it and translate through it at
/// any time, from any thread, until they are switched away.
/// </summary>
public interface ITranslationRoot
{
    /// <summary>The HWPT it belongs to.</summary>
    uint HwptId { get; }
}

/// <summary>Installs an area's pages. Refused as a whole: nothing stays installed.</summary>
/// <param name="Area">The area.</param>
/// <param name="Runs">PFNs of its pages in order.</param>
/// <param name="PageByPage">Whether each page gets an entry of its own.</param>
public sealed record InstallArea(AreaView Area, IReadOnlyList<PfnRun> Runs, bool PageByPage) : FlowRequest;

/// <summary>An area is installed.</summary>
/// <param name="Errno">OK, EINVAL, EADDRINUSE, ENOMEM.</param>
/// <param name="Source">Reads its PFNs back.</param>
/// <param name="Stale">Where entries of it and its neighbours became larger; null for nowhere.</param>
public sealed record AreaInstalled(Errno Errno, IPfnSource? Source, IovaRange? Stale = null)
    : FlowResponse(Errno),
        IStaleTranslations;

/// <summary>Asks how to read an area's PFNs back.</summary>
public sealed record OpenPfnSource(AreaView Area) : FlowRequest;

/// <summary>
/// Clears an area's IOPTEs and invalidates every IOTLB that may hold them. Answered when no device can reach the pages
/// through this domain any more.
/// </summary>
/// <param name="Area">The area.</param>
/// <param name="WantPfns">Whether the PFNs are wanted: the domain is the storage and the pages are to be unpinned.</param>
public sealed record ClearArea(AreaView Area, bool WantPfns) : FlowRequest;

/// <summary>An area is cleared.</summary>
/// <param name="Runs">The PFNs that the IOPTEs held, in page order; empty unless wanted.</param>
public sealed record AreaCleared(IReadOnlyList<PfnRun> Runs) : FlowResponse(Errno.OK);

/// <summary>A device is about to translate through this HWPT: its IOTLB must be invalidated from now on. Wants no answer.</summary>
/// <param name="Device">The physical device's name. A device may be linked several times, once for each PASID.</param>
public sealed record LinkDevice(string Device) : FlowRequest;

/// <summary>A device has been switched away. Wants no answer.</summary>
/// <param name="Device">The physical device's name.</param>
public sealed record UnlinkDevice(string Device) : FlowRequest;

/// <summary>Compares what is mapped with PFNs, step by step of the smallest page (selftest MD_CHECK_MAP). EINVAL.</summary>
/// <param name="Iova">First IOVA.</param>
/// <param name="Physical">The physical address expected at each step.</param>
/// <param name="Step">Bytes from one to the next.</param>
public sealed record CheckMapped(ulong Iova, IReadOnlyList<ulong> Physical, ulong Step) : FlowRequest;

/// <summary>Compares the areas installed with those that the IOAS has. Answered by <see cref="StateChecked"/>.</summary>
public sealed record CompareAreas(IReadOnlyList<AreaView> Areas) : FlowRequest;
