using Iommufd.Core.Context;
using Iommufd.Core.Faults;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Flows of in-kernel accesses (facts sheet C.6, C.10).</summary>
public abstract class AccessFlow(ContextCore context, Caller caller) : UnmappingFlow(context, caller)
{
    /// <summary>PFNs of the pages pinned by <see cref="Pin"/>, in order.</summary>
    protected List<PfnRun> PinnedRuns => field ??= [];

    /// <summary>The number that <see cref="Pin"/> remembered the pin under: in a replay the recorded one.</summary>
    protected uint PinId { get; private set; }

    /// <summary>The pieces of areas pinned by <see cref="Pin"/>.</summary>
    protected IReadOnlyList<AreaView> PinnedPieces { get; private set; } = [];

    /// <summary>Lets an access join an IOAS: a pinning one raises the alignment (EADDRINUSE).</summary>
    protected IEnumerable<FlowWait> JoinIoas(AccessObject access, IoasObject ioas, Outcome outcome)
    {
        yield return FlowWait.ForLock(ioas.DomainsLock, exclusive: true);
        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: true);
        var join = FlowWait.For(ParticipantKind.Ioas, ioas.Id, new AddAccess(access.Id, access.Pins));
        yield return join;
        outcome.Errno = join.Response.Errno;
        if (outcome.IsOk)
        {
            ioas.Accesses.Add(access.Id);
            ioas.Users++;
        }

        Release(ioas.IovaLock);
        Release(ioas.DomainsLock);
    }

    /// <summary>Lets an access leave its IOAS: its pins go through the unmap notification first.</summary>
    protected IEnumerable<FlowWait> LeaveIoas(AccessObject access, IoasObject ioas)
    {
        var notify = FlowWait.For(ParticipantKind.Access, access.Id, new NotifyUnmap(IovaRange.All));
        yield return notify;
        foreach (var wait in ReleasePins(ioas, notify.As<PinsReleased>().Pins, access.Internal))
        {
            yield return wait;
        }

        yield return FlowWait.ForLock(ioas.DomainsLock, exclusive: true);
        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: true);
        yield return FlowWait.For(ParticipantKind.Ioas, ioas.Id, new RemoveAccess(access.Id));
        ioas.Accesses.Remove(access.Id);
        ioas.Users--;
        Release(ioas.IovaLock);
        Release(ioas.DomainsLock);
    }

    /// <summary>Makes an ACCESS and joins it to an IOAS; its driver holds one reference. Not published yet.</summary>
    protected IEnumerable<FlowWait> MakeAccess(IoasObject ioas, bool pins, AccessObject access, Outcome outcome)
    {
        Context.Reserve(access);
        access.Users = 2;
        Context.Engine.Host.Open(new Participant(ParticipantKind.Access, access.Id), new AccessState());
        foreach (var wait in JoinIoas(access, ioas, outcome))
        {
            yield return wait;
        }

        if (outcome.IsOk)
        {
            access.Ioas = ioas;
            Context.Objects.Publish(access);
        }
        else
        {
            Invariant.Holds(access.Pins == pins, "an access is what was asked for");
            Forget(access);
        }
    }

    /// <summary>Destroys an access: pins released, IOAS left, id free.</summary>
    protected IEnumerable<FlowWait> Destroy(AccessObject access)
    {
        yield return FlowWait.ForLock(access.Lock, exclusive: true);
        if (access.Ioas is { } ioas)
        {
            access.Ioas = null;
            foreach (var wait in LeaveIoas(access, ioas))
            {
                yield return wait;
            }
        }

        Release(access.Lock);
        Forget(access);
    }

    /// <summary>Pins the pages of a range and remembers them under the access's next number.</summary>
    protected IEnumerable<FlowWait> Pin(
        AccessObject access,
        ulong iova,
        ulong length,
        bool write,
        uint recordedPin,
        Outcome outcome
    )
    {
        if (length == 0)
        {
            outcome.Errno = Errno.EINVAL;
            yield break;
        }

        if (!IovaRange.TryFromLength(iova, length, out var range))
        {
            outcome.Errno = Errno.EOVERFLOW;
            yield break;
        }

        if (access.Ioas is not { } ioas)
        {
            outcome.Errno = Errno.ENOENT;
            yield break;
        }

        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: false);
        var open = FlowWait.For(ParticipantKind.Ioas, ioas.Id, new OpenAreas(range, write, Pin: true, access.Internal));
        yield return open;
        var opened = open.As<AreasOpened>();
        var pinned = new List<AreaView>(opened.Areas.Count);
        foreach (var piece in opened.Areas)
        {
            var set = Context.PageSets.Get(piece.PageSet);
            yield return FlowWait.ForLock(set.Lock, exclusive: true);
            var add = AskMemory(
                piece.PageSet,
                new AccessAdd(Context.Number, piece.PageSet, piece.FirstIndex, piece.LastIndex)
            );
            yield return add;
            Release(set.Lock);
            outcome.Errno = add.Response.Errno;
            if (!outcome.IsOk)
            {
                break;
            }

            pinned.Add(piece);
            Pinned.Add(add.As<PfnsReady>().Pinned);
            PinnedRuns.AddRange(add.As<PfnsReady>().Runs);
        }

        outcome.Errno = outcome.IsOk ? opened.End : outcome.Errno;
        if (outcome.IsOk)
        {
            PinnedPieces = pinned;

            // The number is taken in the same breath as it is used: another pin of this access may be under way.
            PinId = Context.Recorded is null ? access.NextPin : recordedPin;
            access.NextPin = Math.Max(access.NextPin, PinId + 1);
            yield return FlowWait.For(
                ParticipantKind.Access,
                access.Id,
                new RememberPin(PinId, ioas.Id, range, pinned)
            );
        }
        else
        {
            Context.Faults?.Saw(Sights.PinRolledBack);
            foreach (var wait in UndoPin(ioas, opened.Areas, pinned, access.Internal))
            {
                yield return wait;
            }
        }

        Release(ioas.IovaLock);
    }

    /// <summary>Releases one remembered pin; ENOENT when it is gone.</summary>
    protected IEnumerable<FlowWait> Unpin(AccessObject access, uint pinId, Outcome outcome)
    {
        var forget = FlowWait.For(ParticipantKind.Access, access.Id, new ForgetPin(pinId));
        yield return forget;
        outcome.Errno = forget.Response.Errno;
        if (!outcome.IsOk)
        {
            yield break;
        }

        Invariant.Holds(access.Ioas is not null, "an access with pins is attached");
        foreach (var wait in ReleasePins(access.Ioas, forget.As<PinsReleased>().Pins, access.Internal))
        {
            yield return wait;
        }
    }

    /// <summary>Copies between a buffer and the range, area by area; what was copied before a failure stays copied.</summary>
    protected IEnumerable<FlowWait> Copy(
        AccessObject access,
        ulong iova,
        byte[] buffer,
        bool write,
        bool slowPath,
        Outcome outcome
    )
    {
        if (buffer.Length == 0)
        {
            outcome.Errno = Errno.EINVAL;
            yield break;
        }

        if (!IovaRange.TryFromLength(iova, (ulong)buffer.Length, out var range))
        {
            outcome.Errno = Errno.EOVERFLOW;
            yield break;
        }

        if (access.Ioas is not { } ioas)
        {
            outcome.Errno = Errno.ENOENT;
            yield break;
        }

        yield return FlowWait.ForLock(ioas.IovaLock, exclusive: false);
        var open = FlowWait.For(ParticipantKind.Ioas, ioas.Id, new OpenAreas(range, write, Pin: false, Lock: false));
        yield return open;
        var opened = open.As<AreasOpened>();
        foreach (var piece in opened.Areas)
        {
            var set = Context.PageSets.Get(piece.PageSet);
            yield return FlowWait.ForLock(set.Lock, exclusive: true);
            var copy = AskMemory(
                piece.PageSet,
                new CopyBytes(
                    Context.Number,
                    piece.PageSet,
                    piece.StartByte,
                    buffer,
                    (int)(piece.Range.First - iova),
                    (int)piece.Range.Length,
                    write,
                    slowPath,
                    (int)Caller.ProcessId
                )
            );
            yield return copy;
            Release(set.Lock);
            outcome.Errno = copy.Response.Errno;
            if (!outcome.IsOk)
            {
                break;
            }
        }

        outcome.Errno = outcome.IsOk ? opened.End : outcome.Errno;
        Release(ioas.IovaLock);
    }

    /// <summary>Undoes a pin: what was opened is closed, what was pinned is released.</summary>
    protected IEnumerable<FlowWait> UndoPin(
        IoasObject ioas,
        IReadOnlyList<AreaView> opened,
        IReadOnlyList<AreaView> pinned,
        bool locked = false
    )
    {
        foreach (var piece in pinned)
        {
            var set = Context.PageSets.Get(piece.PageSet);
            yield return FlowWait.ForLock(set.Lock, exclusive: true);
            yield return AskMemory(
                piece.PageSet,
                new AccessRemove(Context.Number, piece.PageSet, piece.FirstIndex, piece.LastIndex)
            );
            Release(set.Lock);
        }

        Pinned.Clear();
        if (opened.Count > 0)
        {
            yield return FlowWait.For(
                ParticipantKind.Ioas,
                ioas.Id,
                new CloseAreas([.. opened.Select(a => a.Key)], locked)
            );
        }
    }

    /// <summary>The selftest's area addressing: low 32 bits the n-th area, high 32 bits an offset in it; 0 where there is none.</summary>
    protected static ulong Addressed(AreaList found, ulong address) =>
        found.Areas.Count == 0 ? 0 : unchecked(found.Areas[0].Range.First + (address >> 32));

    private void Forget(AccessObject access)
    {
        Context.Objects.Remove(access);
        Context.Engine.Host.Close(new Participant(ParticipantKind.Access, access.Id));
    }
}
