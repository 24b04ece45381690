using Iommufd.Messages;

namespace Iommufd.Core.Pages;

// Where the frames are: walking a range of pages by tier, reading from each, pinning what is in none.
public sealed partial class PageSet
{
    /// <summary>Runs after which memory is taken for scattered, if they had about a page each.</summary>
    private const int ScatteredAfter = 64;

    /// <summary>The most runs that room is made for at once.</summary>
    private const ulong MostReserved = 1 << 20;

    /// <summary>Areas that have domains, by page index.</summary>
    private SpanIndex<AreaCover> _covers;

    /// <summary>Access ranges with their number of users; the key is the last index, so equal ranges are one entry.</summary>
    private SpanIndex<int> _accesses;

    /// <summary>Frames of the pages that an access covers.</summary>
    private PinnedPfnStore _store;

    private enum Tier
    {
        /// <summary>Not pinned: in the source memory only.</summary>
        Source,

        /// <summary>In the pinned-PFN store; a domain may have it as well.</summary>
        Store,

        /// <summary>In a domain only.</summary>
        Domain,
    }

    /// <summary>Pages pinned by this page set now.</summary>
    public long PinnedPages { get; private set; }

    /// <summary>The tier of a page, and how far it reaches at least.</summary>
    private Tier TierAt(ulong index, ulong last, out ulong spanLast, out int cover)
    {
        cover = -1;
        int access = _accesses.Containing(index);
        if (access >= 0)
        {
            spanLast = Math.Min(last, _accesses.LastOf(access));
            return Tier.Store;
        }

        spanLast = Math.Min(last, _accesses.NextFirst(index) - 1);
        cover = _covers.Containing(index);
        if (cover >= 0)
        {
            spanLast = Math.Min(spanLast, _covers.LastOf(cover));
            return Tier.Domain;
        }

        spanLast = Math.Min(spanLast, _covers.NextFirst(index) - 1);
        return Tier.Source;
    }

    /// <summary>Appends the frames of all pages of a range, pinning those that nothing covers.</summary>
    /// <param name="first">First page.</param>
    /// <param name="last">Last page.</param>
    /// <param name="runs">Where the frames go.</param>
    /// <param name="from">Start of the part of the list that is this call's.</param>
    /// <param name="pinned">Where newly pinned pages go; null when every page must be covered.</param>
    /// <param name="pinnedFrom">Start of the part of that list that is this call's.</param>
    private Errno Gather(ulong first, ulong last, List<PfnRun> runs, int from, List<PinnedRun>? pinned, int pinnedFrom)
    {
        for (ulong index = first; index <= last; )
        {
            switch (TierAt(index, last, out ulong spanLast, out int cover))
            {
                case Tier.Store:
                    _store.Read(index, spanLast, runs, from);
                    break;
                case Tier.Domain:
                    ReadCover(cover, index, spanLast, runs, from);
                    break;
                default:
                    if (pinned is null)
                    {
                        throw new InvalidOperationException($"page {index} of page set {Number} is not pinned");
                    }

                    Errno result = PinSource(index, spanLast, runs, from, pinned, pinnedFrom);
                    if (result != Errno.OK)
                    {
                        return result;
                    }

                    break;
            }

            index = spanLast + 1;
        }

        return Errno.OK;
    }

    private void ReadCover(int cover, ulong first, ulong last, List<PfnRun> runs, int from)
    {
        if (_covers.ValueOf(cover).TryRead(_covers.FirstOf(cover), first, last, runs, from))
        {
            return;
        }

        for (ulong index = first; index <= last; index++)
        {
            if (!TryReadAnyCover(index, runs, from))
            {
                throw new InvalidOperationException(
                    $"page {index} of page set {Number} is covered but no domain maps it: were its IOPTEs cleared "
                        + "without HoldPfns?"
                );
            }
        }
    }

    /// <summary>The slow way, for a page whose first cover is being torn down: any cover that still has it.</summary>
    private bool TryReadAnyCover(ulong index, List<PfnRun> runs, int from)
    {
        for (int at = 0; at < _covers.Count; at++)
        {
            if (
                _covers.FirstOf(at) <= index
                && _covers.LastOf(at) >= index
                && _covers.ValueOf(at).TryRead(_covers.FirstOf(at), index, index, runs, from)
            )
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Pins pages that nothing covers. On an error what was pinned stays in the list, for the caller to undo.</summary>
    private Errno PinSource(
        ulong first,
        ulong last,
        List<PfnRun> runs,
        int from,
        List<PinnedRun> pinned,
        int pinnedFrom
    )
    {
        if (
            _file is not null
            && Owner.RecordedPins is null
            && !_file.CanPin((BaseAddress >> HostPage.Shift) + first, last - first + 1)
        )
        {
            return Errno.EINVAL;
        }

        for (ulong index = first; index <= last; )
        {
            Errno result = PinSourceRun(index, last - index + 1, out PfnRun run);
            if (result != Errno.OK)
            {
                return result;
            }

            PfnRuns.Append(runs, from, run);
            PfnRuns.Append(pinned, pinnedFrom, Number, index, run);
            index += run.Count;
            if (runs.Count - from == ScatteredAfter && index - first < 2 * ScatteredAfter && index <= last)
            {
                // Page by page to the end, most likely: lists that double their way there would throw as much away again.
                runs.EnsureCapacity(runs.Count + (int)Math.Min(last - index + 1, MostReserved));
                pinned.EnsureCapacity(pinned.Count + (int)Math.Min(last - index + 1, MostReserved));
            }
        }

        return Errno.OK;
    }

    private Errno PinSourceRun(ulong index, ulong pages, out PfnRun run)
    {
        if (_fault is { FailsPins: true } fault)
        {
            run = default;
            if (fault.PagesBefore == 0)
            {
                return fault.Errno;
            }

            Errno pinned = PinFromSource(index, Math.Min(pages, fault.PagesBefore), out run);
            _fault = fault with { PagesBefore = fault.PagesBefore - run.Count };
            return pinned;
        }

        return PinFromSource(index, pages, out run);
    }

    private Errno PinFromSource(ulong index, ulong pages, out PfnRun run)
    {
        if (_file is null)
        {
            return Owner.PinRun(BaseAddress + (index << HostPage.Shift), pages, Writable, out run);
        }

        if (Owner.RecordedPins is { } recorded)
        {
            run = recorded.Take(BaseAddress + (index << HostPage.Shift), pages);
            _physical!.PinRun(run);
            return Errno.OK;
        }

        run = default;
        if (Owner.PinFault is { } fault)
        {
            Errno injected = fault(BaseAddress + (index << HostPage.Shift), pages);
            if (injected != Errno.OK)
            {
                return injected;
            }
        }

        ulong count = _file.PinRun((BaseAddress >> HostPage.Shift) + index, pages, out Pfn first);
        run = new PfnRun(first, count);
        return count == 0 ? Errno.EINVAL : Errno.OK;
    }

    /// <summary>Unpins what one call pinned and takes it off the list.</summary>
    private void UnpinListed(List<PinnedRun> pinned, int from)
    {
        for (int i = pinned.Count - 1; i >= from; i--)
        {
            _physical!.UnpinRun(pinned[i].Run);
        }

        pinned.RemoveRange(from, pinned.Count - from);
    }

    private static ulong Listed(List<PinnedRun> pinned, int from)
    {
        ulong pages = 0;
        for (int i = from; i < pinned.Count; i++)
        {
            pages += pinned[i].Run.Count;
        }

        return pages;
    }

    private void CheckRange(ulong first, ulong last)
    {
        if (first > last || last >= PageCount)
        {
            throw new ArgumentOutOfRangeException(
                nameof(last),
                $"pages {first}..{last} are not in page set {Number}, which has {PageCount}"
            );
        }
    }
}
