using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Scenarios.Linearizability;

/// <summary>
/// Records the calls that a client makes on its context and their answers, splits them by IOAS, and checks that each IOAS's history is
/// linearizable. Contexts share nothing that these calls answer about, so a history is one client's. Used by one actor.
/// </summary>
/// <remarks>
/// Checked are MAP, MAP_FILE, COPY, UNMAP, IOAS_ALLOC, DESTROY of an IOAS, and pins, reads and writes of accesses: whether they succeed
/// and what they answer. Of their errnos EEXIST, ENOENT, EPERM and EBUSY must have a reason; EFAULT, ENOMEM, EINVAL and others may come
/// from what the model does not know (memory, limits, apertures, injected faults) and only promise that nothing was changed.
/// </remarks>
public sealed class ContextHistory
{
    /// <summary>The name of what is checked, in reports.</summary>
    public const string InvariantName = "linearizable";

    private readonly SortedDictionary<uint, IoasHistory> _histories = [];
    private readonly Dictionary<long, Recorded> _open = [];
    private readonly Dictionary<uint, AccessHome> _accesses = [];
    private long _clock;
    private bool _isOver;
    private bool _hasPartsOfPages;
    private long _doneBefore;
    private long _givenUp;

    /// <summary>Answers found right, of one IOAS each.</summary>
    public long Checked => _doneBefore + _histories.Values.Sum(h => h.Checked);

    /// <summary>IOASes whose history could not be decided: too many calls at once, or calls that the model does not know.</summary>
    public long GivenUp => _givenUp + _histories.Values.Count(h => h is { IsGivenUp: true, Violation: null });

    /// <summary>The first counterexample; null while there is none.</summary>
    public string? Violation { get; private set; }

    /// <summary>A call is made.</summary>
    /// <param name="tag">The client's number for it.</param>
    /// <param name="command">The call.</param>
    public void Make(long tag, IoctlCommand command)
    {
        if (_isOver || SaysNothing(command))
        {
            return;
        }

        _clock++;
        var recorded = new Recorded(command);
        _open.Add(tag, recorded);
        switch (command)
        {
            case IoasMap map:
                Add(recorded, map.IoasId, Inserting(command, map.Flags, map.Iova, map.Length, seams: false));
                break;
            case IoasMapFile map:
                Add(recorded, map.IoasId, Inserting(command, map.Flags, map.Iova, map.Length, seams: false));
                break;
            case IoasCopy copy:
                Add(recorded, copy.SrcIoasId, Looking(command, copy.SrcIova, copy.Length, 0));
                Add(
                    recorded,
                    copy.DstIoasId,
                    Inserting(command, copy.Flags, copy.DstIova, copy.Length, HasSeams(copy.Length))
                );
                break;
            case IoasUnmap unmap:
                Add(recorded, unmap.IoasId, Removing(unmap));
                break;
            case Destroy destroy when _histories.ContainsKey(destroy.Id):
                Add(recorded, destroy.Id, Call(command, IoasAction.Vanish));
                break;
            case PinAccessPages pin:
                AddAccess(recorded, pin.AccessId, Looking(command, pin.Iova, pin.Length, pin.Write ? 1u : 2u));
                break;
            case ReadWriteAccess { Data.Length: > 0 } copy:
                ulong length = (ulong)copy.Data.Length;
                AddAccess(recorded, copy.AccessId, Looking(command, copy.Iova, length, copy.Write ? 1u : 2u));
                break;
            case ReplaceAccessIoas move:
                Unsettle(move.AccessId);
                break;
            case DestroyAccess gone:
                Unsettle(gone.AccessId);
                break;
            case VfioIommuMapDma or VfioIommuUnmapDma or CutAreaInTwo or HwQueueAlloc:
                // What they do to areas, the model does not know.
                Close();
                break;
        }
    }

    // Calls about devices neither look at areas nor change them: a large fleet makes hardly any others.
    private static bool SaysNothing(IoctlCommand command) =>
        command is BindDevice or AttachDevice or ReplaceDevice or DetachDevice or UnbindDevice;

    /// <summary>A call is answered.</summary>
    /// <param name="tag">The client's number for it.</param>
    /// <param name="result">The answer.</param>
    public void Answer(long tag, IoctlResult result)
    {
        if (_isOver || !_open.Remove(tag, out Recorded? recorded))
        {
            return;
        }

        _clock++;
        if (result.IsOk)
        {
            Succeeded(recorded, result);
        }
        else
        {
            StayedHome(recorded.Command);
        }

        foreach ((IoasHistory history, IoasCall call) in recorded.Calls)
        {
            call.IsFree |= IsFree(recorded, call, result.Errno);
            call.Answer(_clock, result.Errno);
            history.Answered(call);
            Violation ??= history.Violation;
        }
    }

    /// <summary>The context is closed, or its calls are no longer all seen: nothing more is checked.</summary>
    public void Close()
    {
        _isOver = true;
        _doneBefore = Checked;
        _givenUp = GivenUp;
        _histories.Clear();
        _open.Clear();
        _accesses.Clear();
    }

    private void Succeeded(Recorded recorded, IoctlResult result)
    {
        switch (result.WriteBack)
        {
            case IoasAlloc alloc:
                // Whoever made it is the first to know its id, so it is enough to let it appear when that is known.
                Add(recorded, alloc.OutIoasId, Call(recorded.Command, IoasAction.Appear), mayBeNew: true);
                break;
            case IoasMap map:
                Place(recorded, map.Iova, map.Length);
                break;
            case IoasMapFile map:
                Place(recorded, map.Iova, map.Length);
                break;
            case IoasCopy copy:
                Place(recorded, copy.DstIova, copy.Length);
                break;
            case IoasUnmap unmap:
                recorded.Calls.ForEach(c => c.Call.Length = unmap.Length);
                break;
            case CreateAccess made:
                _accesses[made.OutAccessId] = new AccessHome { Ioas = made.IoasId };
                break;
        }

        switch (recorded.Command)
        {
            case ReplaceAccessIoas move when _accesses.TryGetValue(move.AccessId, out AccessHome? home):
                home.Moving--;
                home.Ioas = home.Moving == 0 && !home.MovedTogether ? move.IoasId : null;
                break;
            case DestroyAccess gone:
                _accesses.Remove(gone.AccessId);
                break;
        }
    }

    private void StayedHome(IoctlCommand command)
    {
        uint access = command switch
        {
            ReplaceAccessIoas move => move.AccessId,
            DestroyAccess gone => gone.AccessId,
            _ => 0,
        };
        if (_accesses.TryGetValue(access, out AccessHome? home))
        {
            home.Moving--;
        }
    }

    // Errnos that can come from elsewhere than the areas of this IOAS.
    private bool IsFree(Recorded recorded, IoasCall call, Errno errno) =>
        recorded.Command switch
        {
            // The source's answer is known only where the copy found it; ENOENT may speak of either IOAS.
            IoasCopy when call.Action == IoasAction.Look => errno != Errno.OK,
            PinAccessPages or ReadWriteAccess => errno == Errno.ENOENT && !IsSettled(recorded.Access),
            _ => errno is Errno.EBADF or Errno.ENODEV or Errno.EIO && call.Action != IoasAction.Remove,
        };

    private bool IsSettled(uint access) => _accesses.TryGetValue(access, out AccessHome? home) && home.Moving == 0;

    private static void Place(Recorded recorded, ulong iova, ulong length)
    {
        if (IovaRange.TryFromLength(iova, length, out IovaRange range))
        {
            foreach ((_, IoasCall call) in recorded.Calls.Where(c => c.Call.Action == IoasAction.Insert))
            {
                call.Range = range;
            }
        }
    }

    private void Unsettle(uint access)
    {
        if (!_accesses.TryGetValue(access, out AccessHome? home))
        {
            return;
        }

        home.MovedTogether |= home.Moving > 0;
        home.Moving++;
        foreach (Recorded other in _open.Values.Where(o => o.Access == access && o.Calls.Count > 0))
        {
            other.Calls.ForEach(c => c.Call.IsFree = true);
        }
    }

    private void AddAccess(Recorded recorded, uint access, IoasCall? call)
    {
        recorded.Access = access;
        if (_accesses.TryGetValue(access, out AccessHome? home) && home is { Moving: 0, Ioas: { } ioas })
        {
            Add(recorded, ioas, call);
        }
    }

    private void Add(Recorded recorded, uint ioas, IoasCall? call, bool mayBeNew = false)
    {
        // An id that this client was never given: whatever it is, its history is not known.
        if (call is null || (!mayBeNew && !_histories.ContainsKey(ioas)))
        {
            return;
        }

        if (!_histories.TryGetValue(ioas, out IoasHistory? history))
        {
            history = new IoasHistory(ioas);
            _histories.Add(ioas, history);
        }

        recorded.Calls.Add((history, call));
        history.Make(call);
    }

    private IoasCall Call(IoctlCommand command, IoasAction action) =>
        new()
        {
            Number = _clock,
            Action = action,
            Command = command,
            MadeAt = _clock,
        };

    private IoasCall? Looking(IoctlCommand command, ulong iova, ulong length, uint permissions) =>
        IovaRange.TryFromLength(iova, length, out IovaRange range)
            ? new IoasCall
            {
                Number = _clock,
                Action = IoasAction.Look,
                Command = command,
                MadeAt = _clock,
                Range = range,
                Permissions = permissions,
            }
            : null;

    // A page has no seam in it as long as nothing was mapped but whole pages.
    private bool HasSeams(ulong length) => length > HostPage.Size || _hasPartsOfPages;

    private IoasCall Inserting(IoctlCommand command, IoasMapFlags flags, ulong iova, ulong length, bool seams)
    {
        _hasPartsOfPages |= ((iova | length) & HostPage.OffsetMask) != 0;
        bool isKnown =
            flags.HasFlag(IoasMapFlags.FixedIova) & IovaRange.TryFromLength(iova, length, out IovaRange range);
        return new IoasCall
        {
            Number = _clock,
            Action = IoasAction.Insert,
            Command = command,
            MadeAt = _clock,
            Range = isKnown ? range : IovaRange.All,
            Permissions =
                (flags.HasFlag(IoasMapFlags.Writeable) ? 1u : 0) | (flags.HasFlag(IoasMapFlags.Readable) ? 2u : 0),
            MayHaveSeams = seams,
        };
    }

    private IoasCall? Removing(IoasUnmap unmap)
    {
        bool everything = unmap is { Iova: 0, Length: ulong.MaxValue };
        if (!everything && !IovaRange.TryFromLength(unmap.Iova, unmap.Length, out _))
        {
            return null;
        }

        return new IoasCall
        {
            Number = _clock,
            Action = IoasAction.Remove,
            Command = unmap,
            MadeAt = _clock,
            Range = everything ? IovaRange.All : new IovaRange(unmap.Iova, unmap.Iova + (unmap.Length - 1)),
            Everything = everything,
        };
    }

    private sealed record Recorded(IoctlCommand Command)
    {
        public uint Access { get; set; }

        public List<(IoasHistory History, IoasCall Call)> Calls { get; } = [];
    }

    private sealed class AccessHome
    {
        public uint? Ioas { get; set; }

        public int Moving { get; set; }

        // Two moves at the same time: which one came last is not known, nor will it be.
        public bool MovedTogether { get; set; }
    }
}
