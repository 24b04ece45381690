using System.Runtime.InteropServices;
using Iommufd.Messages;

namespace Iommufd.Core.Pages;

// What must hold between any two calls.
public sealed partial class PageSet
{
    // A large page set has frames of its own by the ten thousand: lists that are made anew for each check would be most of what a
    // soak allocates.
    [ThreadStatic]
    private static List<PfnRun>? t_frames;

    private static List<PfnRun> EmptyFrames
    {
        get
        {
            List<PfnRun> frames = t_frames ??= [];
            frames.Clear();
            return frames;
        }
    }

    /// <summary>
    /// Checks every invariant: a page is pinned exactly if an access range or an area covers it; the count of pinned
    /// pages is exact; the store has the pages of the access ranges and no other; the store and all covering domains name
    /// the same, pinned, frame; the charge is the number of pinned pages. Walks all covered pages.
    /// </summary>
    /// <exception cref="InvalidOperationException">One of them does not hold.</exception>
    public void CheckInvariants()
    {
        _covers.CheckInvariants();
        _accesses.CheckInvariants();
        if (IsDmabuf)
        {
            Require(_accesses.Count == 0 && PinnedPages == 0 && _accounted == 0, "a dma-buf has pins or charges");
            return;
        }

        ulong inStore = 0;
        ulong covered = 0;
        int readWhole = 0;
        List<PfnRun> frames = EmptyFrames;
        for (ulong index = 0; index < PageCount; )
        {
            Tier tier = TierAt(index, PageCount - 1, out ulong spanLast, out int cover);
            ulong pages = spanLast - index + 1;
            inStore += tier == Tier.Store ? pages : 0;
            if (tier != Tier.Source)
            {
                covered += pages;
                frames.Clear();
                if (tier == Tier.Domain && IsReadWhole(cover, index, spanLast, frames))
                {
                    readWhole++;
                }
                else
                {
                    Gather(index, spanLast, frames, 0, pinned: null, pinnedFrom: 0);
                }

                Require(PfnRuns.Pages(CollectionsMarshal.AsSpan(frames)) == pages, "a covered page has no frame");
                CheckPinned(frames);
            }

            index = spanLast + 1;
        }

        Require(PinnedPages == (long)covered, $"{covered} pages are covered, {PinnedPages} pinned");
        Require(_store.PageCount == inStore, $"accesses cover {inStore} pages, the store has {_store.PageCount}");
        Require(_accounted == PinnedPages, $"{PinnedPages} pages are pinned, {_accounted} accounted");
        Require(_references > 0 || covered == 0, "pages are covered without an area");

        // A cover that alone gave all of its pages has them all, and there is no second place that could name others.
        for (int at = 0; at < _covers.Count && readWhole < _covers.Count; at++)
        {
            CheckCover(at, frames);
        }
    }

    /// <summary>
    /// Checks what holds in the middle of a fill or unmap too: the store has the pages of the access ranges and no other, each of
    /// them pinned; there are no more pages charged than were ever pinned.
    /// </summary>
    /// <exception cref="InvalidOperationException">One of them does not hold.</exception>
    public void CheckInFlight()
    {
        _covers.CheckInvariants();
        _accesses.CheckInvariants();
        Require(PinnedPages >= 0, $"{PinnedPages} pages are pinned");
        ulong inStore = 0;
        List<PfnRun> frames = EmptyFrames;
        for (ulong index = 0; index < PageCount; )
        {
            Tier tier = TierAt(index, PageCount - 1, out ulong spanLast, out _);
            if (tier == Tier.Store)
            {
                inStore += spanLast - index + 1;
                frames.Clear();
                _store.Read(index, spanLast, frames, 0);
                CheckPinned(frames);
            }

            index = spanLast + 1;
        }

        Require(_store.PageCount == inStore, $"accesses cover {inStore} pages, the store has {_store.PageCount}");
    }

    private bool IsReadWhole(int cover, ulong first, ulong last, List<PfnRun> frames) =>
        _covers.FirstOf(cover) == first
        && _covers.LastOf(cover) == last
        && _covers.ValueOf(cover).TryRead(first, first, last, frames, 0);

    private void CheckCover(int at, List<PfnRun> frames)
    {
        ulong first = _covers.FirstOf(at);
        ulong last = _covers.LastOf(at);
        frames.Clear();
        bool readable = _covers.ValueOf(at).TryRead(first, first, last, frames, 0);
        Require(readable, $"the storage domain does not have all of pages {first}..{last}");
        int from = frames.Count;
        Gather(first, last, frames, from, pinned: null, pinnedFrom: 0);
        ReadOnlySpan<PfnRun> both = CollectionsMarshal.AsSpan(frames);
        if (both[..from].SequenceEqual(both[from..]))
        {
            return;
        }

        var own = new RunCursor(both[..from]);
        var tiers = new RunCursor(both[from..]);
        for (ulong left = last - first + 1; left > 0; left--)
        {
            Require(own.Take(1).First == tiers.Take(1).First, "two places name different frames of a page");
        }
    }

    private void CheckPinned(List<PfnRun> frames)
    {
        foreach (PfnRun run in frames)
        {
            for (ulong i = 0; i < run.Count; i++)
            {
                var pfn = new Pfn(run.First.Value + i);
                if (!_physical!.IsPinned(pfn))
                {
                    // The sentence is made for a page that is wrong, not for every page.
                    Require(holds: false, $"{pfn} is covered and not pinned");
                }
            }
        }
    }

    private void Require(bool holds, string broken)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"page set {Number}: {broken}");
        }
    }
}
