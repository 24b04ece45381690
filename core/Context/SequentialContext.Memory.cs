// Most of what a journal restores are maps and unmaps, and most of what these cost is the flow: a coroutine, its questions, their
// answers. Here they are done in one go: the same participants in the same order, asked directly. Whatever is not plain - an access
// in the way, a range that is taken, a lock held - is left to the flow, which knows what becomes of it.
using Iommufd.Core.Flows;
using Iommufd.Core.Iova;
using Iommufd.Core.Pages;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Context;

public sealed partial class SequentialContext
{
    // Reused; empty between calls.
    private readonly List<PfnRun> _runs = [];
    private readonly List<PinnedRun> _newlyPinned = [];

    // Nothing may be in the middle of anything, fail by plan, or be written down.
    private bool IsPlain => Core.Faults is null && !KeepsEvents && Core.Engine.RunningCount == 0;

    /// <summary>IOAS_MAP at a fixed IOVA without a flow.</summary>
    /// <param name="caller">Whose memory.</param>
    /// <param name="ioasId">The IOAS.</param>
    /// <param name="userVa">Address of the first byte.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="iova">Where.</param>
    /// <param name="flags">As <see cref="IoasMap.Flags"/>; FIXED_IOVA is taken for granted.</param>
    /// <returns>False when this is a case for <see cref="MapFlow"/>; nothing has changed then.</returns>
    /// <exception cref="InvariantBrokenException">A domain could not take the area: the context is half changed.</exception>
    public bool TryMapAtOnce(Caller caller, uint ioasId, ulong userVa, ulong length, ulong iova, IoasMapFlags flags)
    {
        if (
            !IsPlain
            || (flags & ~IoasMapFlags.Known) != 0
            || (flags & (IoasMapFlags.Readable | IoasMapFlags.Writeable)) == 0
            || UserRange.Check(userVa, length) != Errno.OK
            || Core.Objects.Find<IoasObject>(ioasId) is not { } ioas
        )
        {
            return false;
        }

        var permissions = MappingFlow.PermissionsOf(flags);
        var (key, number) = (Core.NextAreaKey, Core.PageSets.NextNumber);
        var state = (IoasState)Find(new Participant(ParticipantKind.Ioas, ioasId));
        var placed = new Area
        {
            Key = key,
            PageSet = number,
            StartByte = userVa & HostPage.OffsetMask,
            Permissions = (AreaPermissions)permissions,
            State = ioas.Domains.Count == 0 ? AreaState.Ready : AreaState.Building,
        };
        if (!state.TryPlace(placed, iova, length))
        {
            return false;
        }

        var writable = (permissions & 1) != 0;
        Core.TakeAreaKey();
        Core.PageSets.Add(caller.ProcessId, writable, userVa & ~HostPage.OffsetMask).Areas = 1;
        var memory = (MemoryState)Find(new Participant(ParticipantKind.Memory, caller.ProcessId));
        memory.Add(Core.Number, number, userVa, length, writable, Core.ChargeProcess);
        if (ioas.Domains.Count > 0)
        {
            Fill(ioas, state, memory, placed);
        }

        return true;
    }

    /// <summary>IOAS_UNMAP of one whole area without a flow.</summary>
    /// <param name="ioasId">The IOAS.</param>
    /// <param name="range">The area's range.</param>
    /// <returns>False when this is a case for <see cref="UnmapFlow"/>; nothing has changed then.</returns>
    public bool TryUnmapAtOnce(uint ioasId, IovaRange range)
    {
        if (
            !IsPlain
            || Core.Objects.Find<IoasObject>(ioasId) is not { } ioas
            || ((IoasState)Find(new Participant(ParticipantKind.Ioas, ioasId))) is not { } state
            || state.TryTearDown(range) is not { } area
        )
        {
            return false;
        }

        var set = Core.PageSets.Get(area.PageSet);
        var memory = (MemoryState)Find(new Participant(ParticipantKind.Memory, set.Process));
        if (area.StorageHwpt != 0)
        {
            Empty(ioas, memory, IoasState.View(area));
        }

        set.Areas--;
        Invariant.Holds(set.Areas >= 0, "a page set has as many areas as were counted");
        if (set.Areas == 0)
        {
            memory.Drop(Core.Number, set.Number);
            Core.PageSets.Remove(set);
        }

        state.RemoveTornDown(area);
        return true;
    }

    private void Fill(IoasObject ioas, IoasState state, MemoryState memory, Area placed)
    {
        var storage = ioas.Domains[0];
        var set = memory.Find(Core.Number, placed.PageSet);
        var view = IoasState.View(placed) with { StorageHwpt = storage };
        _runs.Clear();
        _newlyPinned.Clear();
        Demand(set.FillBegin(view.Key, view.FirstIndex, view.LastIndex, charge: true, _runs, _newlyPinned));
        IPfnSource? source = null;
        foreach (var domain in ioas.Domains)
        {
            var installed = (AreaInstalled)
                Find(new Participant(ParticipantKind.Hwpt, domain))
                    .Handle(new InstallArea(view, _runs, state.MapsPageByPage));
            Demand(installed.Errno);
            source ??= installed.Source;
        }

        set.FillCommit(view.Key, source!);
        placed.StorageHwpt = storage;
        placed.State = AreaState.Ready;
    }

    private void Empty(IoasObject ioas, MemoryState memory, AreaView area)
    {
        IReadOnlyList<PfnRun>? runs = null;
        foreach (var domain in ioas.Domains)
        {
            var isStorage = domain == area.StorageHwpt;
            var cleared = (AreaCleared)
                Find(new Participant(ParticipantKind.Hwpt, domain)).Handle(new ClearArea(area, WantPfns: isStorage));
            runs = isStorage ? cleared.Runs : runs;
        }

        Invariant.Holds(runs is not null, "an area's storage domain is one of its IOAS's domains");
        memory.Find(Core.Number, area.PageSet).Unfill(area.Key, runs);
    }

    private static void Demand(Errno errno)
    {
        if (errno != Errno.OK)
        {
            throw new InvariantBrokenException($"IoasMap succeeds again (now {errno})");
        }
    }
}
