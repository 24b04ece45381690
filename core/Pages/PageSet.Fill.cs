using Iommufd.Messages;

namespace Iommufd.Core.Pages;

// Areas with domains. A fill has two halves, with the installation of the IOPTEs between them; the frames are held by
// the cover during that time, so that other areas on the page set can be filled and pinned meanwhile.
public sealed partial class PageSet
{
    /// <summary>Reused for internal reads; empty between calls.</summary>
    private List<PfnRun>? _scratchRuns;

    /// <summary>A cover object kept for the next fill.</summary>
    private AreaCover? _spareCover;

    /// <summary>
    /// An area gets its first domain: appends the frames of its pages, pinning those that nothing covers yet. From here
    /// on the area covers its pages. For a revoked dma-buf there are no frames and the fill succeeds.
    /// </summary>
    /// <param name="areaKey">Names the area; unique among the areas of the page set.</param>
    /// <param name="first">Index of its first page.</param>
    /// <param name="last">Index of its last page.</param>
    /// <param name="charge">Whether the new pins are charged now; else by the next operation, or <see cref="Settle"/>.</param>
    /// <param name="runs">All frames in page order are appended, consecutive ones merged.</param>
    /// <param name="newlyPinned">The pages that this call pinned are appended.</param>
    /// <returns>EFAULT, EINVAL (file), ENOMEM (limit); then nothing has changed, neither have the lists.</returns>
    public Errno FillBegin(
        ulong areaKey,
        ulong first,
        ulong last,
        bool charge,
        List<PfnRun> runs,
        List<PinnedRun> newlyPinned
    )
    {
        ArgumentNullException.ThrowIfNull(runs);
        ArgumentNullException.ThrowIfNull(newlyPinned);
        CheckRange(first, last);
        if (_covers.IndexOfKey(areaKey) >= 0)
        {
            throw new InvalidOperationException($"area {areaKey} is filled already");
        }

        int from = runs.Count;
        if (IsDmabuf)
        {
            AppendDmabuf(first, last, runs);
        }
        else
        {
            Errno result = GatherPinned(first, last, charge, runs, newlyPinned);
            if (result != Errno.OK)
            {
                return result;
            }
        }

        AreaCover cover = _spareCover ?? new AreaCover();
        _spareCover = null;
        if (!IsDmabuf)
        {
            cover.Hold(runs, from);
        }

        _covers.Add(first, last, areaKey, cover);
        return Errno.OK;
    }

    /// <summary>
    /// All domains have the area. The frames of its pages are kept by the domains' IOPTEs alone from now on.
    /// </summary>
    /// <param name="areaKey">The area.</param>
    /// <param name="storage">Its storage domain's IOPTEs.</param>
    public void FillCommit(ulong areaKey, IPfnSource storage)
    {
        ArgumentNullException.ThrowIfNull(storage);
        AreaCover cover = _covers.ValueOf(RequireCover(areaKey));
        cover.Storage = storage;
        cover.LetGo();
    }

    /// <summary>
    /// A fill is taken back, before or after its commit, with the area cleared from all domains: unpins the pages that
    /// nothing else covers, and gives their charge back.
    /// </summary>
    /// <param name="areaKey">The area.</param>
    /// <param name="runs">The frames of all its pages, in page order.</param>
    public void FillAbort(ulong areaKey, IReadOnlyList<PfnRun> runs) => Unfill(areaKey, runs);

    /// <summary>
    /// The area has left its last domain, and its IOPTEs and IOTLB entries are gone: unpins the pages that neither an
    /// access nor another area covers, and gives their charge back.
    /// </summary>
    /// <param name="areaKey">The area.</param>
    /// <param name="cleared">The frames of all its pages, in page order, as the storage domain had them. Not looked at
    /// for a dma-buf.</param>
    public void Unfill(ulong areaKey, IReadOnlyList<PfnRun> cleared)
    {
        ArgumentNullException.ThrowIfNull(cleared);
        int at = RequireCover(areaKey);
        ulong first = _covers.FirstOf(at);
        ulong last = _covers.LastOf(at);
        ReadOnlySpan<PfnRun> runs = ScratchRuns.SpanOf(cleared);
        if (!IsDmabuf && PfnRuns.Pages(runs) != last - first + 1)
        {
            throw new ArgumentException(
                $"area {areaKey} has {last - first + 1} pages, {PfnRuns.Pages(runs)} were cleared",
                nameof(cleared)
            );
        }

        RemoveCover(at);
        if (IsDmabuf)
        {
            return;
        }

        var frames = new RunCursor(runs);
        for (ulong index = first; index <= last; )
        {
            Tier tier = TierAt(index, last, out ulong spanLast, out _);
            if (tier == Tier.Source)
            {
                UnpinFrom(ref frames, spanLast - index + 1);
            }
            else
            {
                frames.Skip(spanLast - index + 1);
            }

            index = spanLast + 1;
        }

        GiveBack();
    }

    /// <summary>Appends the frames of pages, for another domain of an area that has one. Every page must be covered.</summary>
    /// <param name="first">Index of the first page.</param>
    /// <param name="last">Index of the last page.</param>
    /// <param name="runs">All frames in page order are appended, consecutive ones merged.</param>
    /// <returns>OK; with nothing appended for a revoked dma-buf.</returns>
    public Errno ReadPfns(ulong first, ulong last, List<PfnRun> runs)
    {
        ArgumentNullException.ThrowIfNull(runs);
        CheckRange(first, last);
        if (IsDmabuf)
        {
            AppendDmabuf(first, last, runs);
            return Errno.OK;
        }

        return Gather(first, last, runs, runs.Count, pinned: null, pinnedFrom: 0);
    }

    /// <summary>Another domain is the area's storage domain from now on.</summary>
    public void MoveStorage(ulong areaKey, IPfnSource storage)
    {
        ArgumentNullException.ThrowIfNull(storage);
        _covers.ValueOf(RequireCover(areaKey)).Storage = storage;
    }

    /// <summary>
    /// The area's IOPTEs are about to be cleared: reads its frames back and holds them until <see cref="Unfill"/>, so that
    /// a fill or pin of the same pages that comes in between finds them. Not needed where nothing can come in between.
    /// </summary>
    public void HoldPfns(ulong areaKey)
    {
        int at = RequireCover(areaKey);
        AreaCover cover = _covers.ValueOf(at);
        if (cover.HoldsFrames || IsDmabuf)
        {
            return;
        }

        List<PfnRun> runs = _scratchRuns ??= [];
        runs.Clear();
        ReadCover(at, _covers.FirstOf(at), _covers.LastOf(at), runs, 0);
        cover.Hold(runs, 0);
        runs.Clear();
    }

    /// <summary>
    /// VFIO cuts an area in two: its cover becomes two, which together have the same pages and may share the one in the
    /// middle. Pins do not change.
    /// </summary>
    /// <param name="areaKey">The area that is cut.</param>
    /// <param name="leftKey">The left part; may be the old key.</param>
    /// <param name="leftLastIndex">Last page of the left part.</param>
    /// <param name="rightKey">The right part; may be the old key.</param>
    /// <param name="rightFirstIndex">First page of the right part: the left part's last one, or the next.</param>
    /// <param name="left">Where the left part's frames are read back.</param>
    /// <param name="right">Where the right part's frames are read back.</param>
    public void SplitCover(
        ulong areaKey,
        ulong leftKey,
        ulong leftLastIndex,
        ulong rightKey,
        ulong rightFirstIndex,
        IPfnSource left,
        IPfnSource right
    )
    {
        ArgumentNullException.ThrowIfNull(left);
        ArgumentNullException.ThrowIfNull(right);
        int at = RequireCover(areaKey);
        ulong first = _covers.FirstOf(at);
        ulong last = _covers.LastOf(at);
        bool parts = first <= leftLastIndex && rightFirstIndex <= last && leftLastIndex <= last;
        if (!parts || rightFirstIndex < leftLastIndex || rightFirstIndex - leftLastIndex > 1 || leftKey == rightKey)
        {
            throw new ArgumentException(
                $"pages {first}..{last} cannot be cut into ..{leftLastIndex} and {rightFirstIndex}..",
                nameof(leftLastIndex)
            );
        }

        if (_covers.ValueOf(at).HoldsFrames)
        {
            throw new InvalidOperationException($"area {areaKey} is cut in the middle of a fill");
        }

        RemoveCover(at);
        _covers.Add(first, leftLastIndex, leftKey, new AreaCover { Storage = left });
        _covers.Add(rightFirstIndex, last, rightKey, new AreaCover { Storage = right });
    }

    private Errno GatherPinned(ulong first, ulong last, bool charge, List<PfnRun> runs, List<PinnedRun> newlyPinned)
    {
        int from = runs.Count;
        int pinnedFrom = newlyPinned.Count;
        Errno result = Gather(first, last, runs, from, newlyPinned, pinnedFrom);
        long added = (long)Listed(newlyPinned, pinnedFrom);
        PinnedPages += added;
        if (result == Errno.OK && charge)
        {
            result = Settle();
        }

        if (result != Errno.OK)
        {
            UnpinListed(newlyPinned, pinnedFrom);
            PinnedPages -= added;
            runs.RemoveRange(from, runs.Count - from);
        }

        return result;
    }

    private void AppendDmabuf(ulong first, ulong last, List<PfnRun> runs)
    {
        if (!IsRevoked)
        {
            ulong start = _dmabuf!.Run.First.Value + (BaseAddress >> HostPage.Shift) + first;
            runs.Add(new PfnRun(new Pfn(start), last - first + 1));
        }
    }

    private int RequireCover(ulong areaKey)
    {
        int at = _covers.IndexOfKey(areaKey);
        return at >= 0
            ? at
            : throw new InvalidOperationException($"area {areaKey} does not cover pages of page set {Number}");
    }

    private void RemoveCover(int at)
    {
        AreaCover cover = _covers.ValueOf(at);
        _covers.RemoveAt(at);
        cover.LetGo();
        cover.Storage = null;
        _spareCover = cover;
    }

    private void UnpinFrom(ref RunCursor frames, ulong pages)
    {
        PinnedPages -= (long)pages;
        while (pages > 0)
        {
            PfnRun run = frames.Take(pages);
            _physical!.UnpinRun(run);
            pages -= run.Count;
        }
    }

    /// <summary>Uncharges after unpinning; pins that nobody has charged yet stay that way.</summary>
    private void GiveBack()
    {
        if (PinnedPages < _accounted)
        {
            Settle();
        }
    }
}
