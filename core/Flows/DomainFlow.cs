using Iommufd.Core.Context;
using Iommufd.Core.Faults;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>The way an inner sequence of steps ended; iterators cannot return values.</summary>
public sealed class Outcome
{
    /// <summary>OK or why it failed; a failed sequence has undone itself.</summary>
    public Errno Errno { get; set; }

    /// <summary>Whether it succeeded.</summary>
    public bool IsOk => Errno == Errno.OK;
}

/// <summary>
/// Flows that move pages in and out of domains: the filling and emptying of facts sheet C.8, shared by MAP, COPY, UNMAP, attach
/// and HWPT allocation. Order everywhere: pin, install in every domain, then keep the PFNs only in the first domain's IOPTEs; clear
/// every domain and invalidate, then unpin.
/// </summary>
public abstract class DomainFlow(ContextCore context, Caller caller) : Flow(context, caller)
{
    /// <summary>Fills a new area into every domain of its IOAS. On failure nothing of it stays in any domain.</summary>
    protected IEnumerable<FlowWait> FillNewArea(IoasObject ioas, AreaView area, bool pageByPage, Outcome outcome)
    {
        var set = Context.PageSets.Get(area.PageSet);
        yield return FlowWait.ForLock(set.Lock, exclusive: true);
        var pinnedBefore = Pinned.Count;
        var fill = AskMemory(
            area.PageSet,
            new FillBegin(
                Context.Number,
                area.PageSet,
                area.Key,
                area.FirstIndex,
                area.LastIndex,
                area.Permissions != 0,
                Context.NotesPins
            )
        );
        yield return fill;
        if (fill.Response is not PfnsReady { Errno: Errno.OK } pfns)
        {
            outcome.Errno = fill.Response.Errno;
            Release(set.Lock);
            yield break;
        }

        AddPinned(area.PageSet, area.FirstIndex, area.LastIndex, pfns.Pinned);
        var asks = new FlowAsk[ioas.Domains.Count];
        for (var i = 0; i < asks.Length; i++)
        {
            asks[i] = new FlowAsk(
                new Participant(ParticipantKind.Hwpt, ioas.Domains[i]),
                new InstallArea(area, pfns.Runs, pageByPage)
            );
        }

        yield return FlowWait.ForAll(asks);
        foreach (var ask in asks)
        {
            if (ask.Response!.Errno != Errno.OK)
            {
                outcome.Errno = ask.Response.Errno;
                break;
            }
        }

        if (outcome.IsOk)
        {
            var storage = ((AreaInstalled)asks[0].Response!).Source!;
            TellMemory(area.PageSet, new FillCommit(Context.Number, area.PageSet, area.Key, storage));
            Release(set.Lock);
            yield break;
        }

        Context.Faults?.Saw(Sights.MapRolledBack);
        yield return FlowWait.ForAll(
            [
                .. asks.Where(a => a.Response!.Errno == Errno.OK)
                    .Select(a => new FlowAsk(a.To, new ClearArea(area, WantPfns: false))),
            ]
        );
        Pinned.RemoveRange(pinnedBefore, Pinned.Count - pinnedBefore);
        yield return AskMemory(
            area.PageSet,
            new Unfill(Context.Number, area.PageSet, area.Key, pfns.Runs, Committed: false)
        );
        Release(set.Lock);
    }

    /// <summary>Takes an area out of every domain and unpins what nobody else needs.</summary>
    protected IEnumerable<FlowWait> EmptyArea(IoasObject ioas, AreaView area)
    {
        if (area.StorageHwpt == 0)
        {
            yield break;
        }

        var set = Context.PageSets.Get(area.PageSet);
        yield return FlowWait.ForLock(set.Lock, exclusive: true);
        var asks = new FlowAsk[ioas.Domains.Count];
        FlowAsk? storage = null;
        for (var i = 0; i < asks.Length; i++)
        {
            var isStorage = ioas.Domains[i] == area.StorageHwpt;
            asks[i] = new FlowAsk(
                new Participant(ParticipantKind.Hwpt, ioas.Domains[i]),
                new ClearArea(area, WantPfns: isStorage)
            );
            storage = isStorage ? asks[i] : storage;
        }

        yield return FlowWait.ForAll(asks);
        Invariant.Holds(storage is not null, "an area's storage domain is one of its IOAS's domains");
        var runs = ((AreaCleared)storage.Response!).Runs;
        yield return AskMemory(area.PageSet, new Unfill(Context.Number, area.PageSet, area.Key, runs, Committed: true));
        Release(set.Lock);
    }

    /// <summary>An area is gone: its page set goes with its last one.</summary>
    protected void DropAreas(uint pageSet, int count = 1)
    {
        var set = Context.PageSets.Get(pageSet);
        set.Areas -= count;
        Invariant.Holds(set.Areas >= 0, "a page set has as many areas as were counted");
        if (set.Areas == 0)
        {
            TellMemory(pageSet, new DropPageSet(Context.Number, pageSet));
            Context.PageSets.Remove(set);
        }
    }

    /// <summary>
    /// Lets a HWPT mirror its IOAS: binds the IOVA space to it and fills it with every area, from wherever the PFNs live now.
    /// Waits for the fills in flight; maps wait for it. On failure the IOAS is as before.
    /// </summary>
    protected IEnumerable<FlowWait> AddDomain(HwptObject hwpt, Outcome outcome)
    {
        var ioas = hwpt.Ioas;
        yield return FlowWait.ForLock(ioas.DomainsLock, exclusive: true);
        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: true);
        var join = FlowWait.For(
            ParticipantKind.Ioas,
            ioas.Id,
            new AddDomain(hwpt.Id, hwpt.SmallestPage, hwpt.Aperture)
        );
        yield return join;
        outcome.Errno = join.Response.Errno;
        if (outcome.IsOk)
        {
            var list = FlowWait.For(ParticipantKind.Ioas, ioas.Id, ListAreas.Instance);
            yield return list;
            var areas = list.As<AreaList>();
            var first = ioas.Domains.Count == 0;
            var filled = 0;
            foreach (var area in areas.Areas)
            {
                foreach (var wait in FillDomain(hwpt, area, areas.PageByPage, first, outcome))
                {
                    yield return wait;
                }

                if (!outcome.IsOk)
                {
                    break;
                }

                filled++;
            }

            foreach (
                var wait in outcome.IsOk ? JoinDomain(hwpt, areas, first) : LeaveHalfFilled(hwpt, areas, filled, first)
            )
            {
                yield return wait;
            }
        }

        Release(ioas.IovaLock);
        Release(ioas.DomainsLock);
    }

    /// <summary>Takes a HWPT out of its IOAS: other domains take its storage over, or the pages are unpinned with it.</summary>
    protected IEnumerable<FlowWait> RemoveDomain(HwptObject hwpt)
    {
        var ioas = hwpt.Ioas;
        yield return FlowWait.ForLock(ioas.DomainsLock, exclusive: true);
        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: true);
        var list = FlowWait.For(ParticipantKind.Ioas, ioas.Id, ListAreas.Instance);
        yield return list;
        var areas = list.As<AreaList>().Areas;

        // As in the kernel the last domain takes the place of the one removed.
        var index = ioas.Domains.IndexOf(hwpt.Id);
        ioas.Domains[index] = ioas.Domains[^1];
        ioas.Domains.RemoveAt(ioas.Domains.Count - 1);
        var heir = ioas.Domains.Count > 0 ? ioas.Domains[0] : 0;
        var moved = new List<ulong>();
        foreach (var area in areas)
        {
            if (heir != 0 && area.StorageHwpt != hwpt.Id)
            {
                continue;
            }

            moved.Add(area.Key);
            foreach (var wait in heir != 0 ? MoveStorageTo(heir, area) : EmptyDomain(hwpt, area))
            {
                yield return wait;
            }
        }

        if (moved.Count > 0)
        {
            yield return FlowWait.For(ParticipantKind.Ioas, ioas.Id, new SetStorage(moved, heir));
        }

        if (heir != 0)
        {
            foreach (var area in areas)
            {
                yield return FlowWait.For(ParticipantKind.Hwpt, hwpt.Id, new ClearArea(area, WantPfns: false));
            }
        }

        yield return FlowWait.For(ParticipantKind.Ioas, ioas.Id, new RemoveDomain(hwpt.Id));
        Release(ioas.IovaLock);
        Release(ioas.DomainsLock);
    }

    private static IEnumerable<FlowWait> JoinDomain(HwptObject hwpt, AreaList areas, bool first)
    {
        hwpt.Ioas.Domains.Add(hwpt.Id);
        if (first && areas.Areas.Count > 0)
        {
            yield return FlowWait.For(
                ParticipantKind.Ioas,
                hwpt.Ioas.Id,
                new SetStorage([.. areas.Areas.Select(a => a.Key)], hwpt.Id)
            );
        }
    }

    private IEnumerable<FlowWait> LeaveHalfFilled(HwptObject hwpt, AreaList areas, int filled, bool first)
    {
        if (filled > 0)
        {
            Context.Faults?.Saw(Sights.AttachRolledBack);
        }

        for (var i = 0; i < filled; i++)
        {
            var area = areas.Areas[i];
            foreach (
                var wait in first
                    ? EmptyDomain(hwpt, area)
                    : [FlowWait.For(ParticipantKind.Hwpt, hwpt.Id, new ClearArea(area, WantPfns: false))]
            )
            {
                yield return wait;
            }
        }

        Pinned.Clear();
        yield return FlowWait.For(ParticipantKind.Ioas, hwpt.Ioas.Id, new RemoveDomain(hwpt.Id));
    }

    private IEnumerable<FlowWait> FillDomain(
        HwptObject hwpt,
        AreaView area,
        bool pageByPage,
        bool first,
        Outcome outcome
    )
    {
        var set = Context.PageSets.Get(area.PageSet);
        yield return FlowWait.ForLock(set.Lock, exclusive: true);
        FlowRequest request = first
            ? new FillBegin(
                Context.Number,
                area.PageSet,
                area.Key,
                area.FirstIndex,
                area.LastIndex,
                area.Permissions != 0,
                Context.NotesPins
            )
            : new ReadPfns(Context.Number, area.PageSet, area.FirstIndex, area.LastIndex);
        var read = AskMemory(area.PageSet, request);
        yield return read;
        if (read.Response is not PfnsReady { Errno: Errno.OK } pfns)
        {
            outcome.Errno = read.Response.Errno;
            Release(set.Lock);
            yield break;
        }

        AddPinned(area.PageSet, area.FirstIndex, area.LastIndex, pfns.Pinned);
        var install = FlowWait.For(ParticipantKind.Hwpt, hwpt.Id, new InstallArea(area, pfns.Runs, pageByPage));
        yield return install;
        outcome.Errno = install.Response.Errno;
        if (first && outcome.IsOk)
        {
            var source = install.As<AreaInstalled>().Source!;
            TellMemory(area.PageSet, new FillCommit(Context.Number, area.PageSet, area.Key, source));
        }
        else if (first)
        {
            yield return AskMemory(
                area.PageSet,
                new Unfill(Context.Number, area.PageSet, area.Key, pfns.Runs, Committed: false)
            );
        }

        Release(set.Lock);
    }

    private IEnumerable<FlowWait> EmptyDomain(HwptObject hwpt, AreaView area)
    {
        var set = Context.PageSets.Get(area.PageSet);
        yield return FlowWait.ForLock(set.Lock, exclusive: true);
        var clear = FlowWait.For(ParticipantKind.Hwpt, hwpt.Id, new ClearArea(area, WantPfns: true));
        yield return clear;
        yield return AskMemory(
            area.PageSet,
            new Unfill(Context.Number, area.PageSet, area.Key, clear.As<AreaCleared>().Runs, Committed: true)
        );
        Release(set.Lock);
    }

    private IEnumerable<FlowWait> MoveStorageTo(uint heir, AreaView area)
    {
        var set = Context.PageSets.Get(area.PageSet);
        yield return FlowWait.ForLock(set.Lock, exclusive: true);
        var open = FlowWait.For(ParticipantKind.Hwpt, heir, new OpenPfnSource(area));
        yield return open;
        TellMemory(
            area.PageSet,
            new MoveStorage(Context.Number, area.PageSet, area.Key, open.As<AreaInstalled>().Source!)
        );
        Release(set.Lock);
    }
}
