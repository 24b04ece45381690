using Iommufd.Messages;

namespace Iommufd.Scenarios.Linearizability;

/// <summary>
/// One way in which everything so far can have happened: a state, and how far each call that is under way has come. Immutable.
/// </summary>
internal sealed class Possibility
{
    private readonly CallProgress[] _underWay;

    private Possibility(IoasModel state, CallProgress[] underWay)
    {
        (State, _underWay) = (state, underWay);
        ulong hash = state.Hash;
        foreach (CallProgress progress in underWay)
        {
            hash = unchecked((hash * 0x0000_0100_0000_01b3) ^ progress.Hash);
        }

        Key = (state.Hash, hash);
    }

    /// <summary>The state.</summary>
    public IoasModel State { get; }

    /// <summary>Equal for possibilities from which the same can follow.</summary>
    public (ulong State, ulong All) Key { get; }

    /// <summary>Nothing under way.</summary>
    public static Possibility Of(IoasModel state) => new(state, []);

    /// <summary>A call begins.</summary>
    public Possibility Begin(IoasCall call)
    {
        var underWay = new CallProgress[_underWay.Length + 1];
        _underWay.CopyTo(underWay, 0);
        underWay[^1] = new CallProgress(call);
        return Settled(State, underWay);
    }

    /// <summary>A call that has happened is forgotten.</summary>
    public Possibility Forget(IoasCall call)
    {
        int gone = IndexOf(call);
        if (gone < 0)
        {
            return this;
        }

        if (_underWay.Length == 1)
        {
            return new(State, []);
        }

        var left = new CallProgress[_underWay.Length - 1];
        Array.Copy(_underWay, left, gone);
        Array.Copy(_underWay, gone + 1, left, gone, left.Length - gone);
        return new(State, left);
    }

    /// <summary>Whether a call has happened.</summary>
    public bool HasHappened(IoasCall call) => Find(call).HasHappened;

    /// <summary>The next instant of a call; null where it cannot come in this state.</summary>
    public Possibility? Step(IoasCall call)
    {
        CallProgress progress = Find(call);
        return !progress.HasHappened && progress.TryStep(State, out IoasModel after, out CallProgress next)
            ? With(after, call, next)
            : null;
    }

    /// <summary>An UNMAP that failed gives up here; null where its errno would be wrong, or may be right later as well.</summary>
    /// <param name="call">The UNMAP.</param>
    /// <param name="isLast">Whether this is its last chance.</param>
    public Possibility? GiveUp(IoasCall call, bool isLast)
    {
        CallProgress progress = Find(call);
        if (!isLast && CallRules.CanFailAnywhere(call))
        {
            return null;
        }

        return progress is { HasHappened: false, CanFailLater: true } && CallRules.CanEndWithoutEffect(progress, State)
            ? With(State, call, progress with { HasHappened = true })
            : null;
    }

    private Possibility With(IoasModel after, IoasCall call, CallProgress next)
    {
        var underWay = (CallProgress[])_underWay.Clone();
        underWay[IndexOf(call)] = next;
        return Settled(after, underWay);
    }

    // A call without an effect happens as soon as it can: later it could only be too late. An UNMAP that failed is not one: it
    // may have removed areas first.
    private static Possibility Settled(IoasModel state, CallProgress[] underWay)
    {
        foreach (ref CallProgress progress in underWay.AsSpan())
        {
            if (
                progress is { HasHappened: false, CanFailLater: false }
                && CallRules.CanEndWithoutEffect(progress, state)
            )
            {
                progress = progress with { HasHappened = true };
            }
        }

        return new Possibility(state, underWay);
    }

    private CallProgress Find(IoasCall call) => IndexOf(call) is var at and >= 0 ? _underWay[at] : default;

    // A loop, for these are asked at every step of every search: no closure, no iterator.
    private int IndexOf(IoasCall call)
    {
        for (int i = 0; i < _underWay.Length; i++)
        {
            if (ReferenceEquals(_underWay[i].Call, call))
            {
                return i;
            }
        }

        return -1;
    }
}

/// <summary>How far a call has come.</summary>
/// <param name="Call">The call.</param>
/// <param name="HasHappened">Whether it has taken effect whole.</param>
/// <param name="Removed">Remove: bytes taken out so far.</param>
/// <param name="From">Remove: where it goes on.</param>
internal readonly record struct CallProgress(IoasCall Call, bool HasHappened, ulong Removed, ulong From)
{
    /// <summary>A call that has just begun.</summary>
    public CallProgress(IoasCall call)
        : this(call, HasHappened: false, 0, call.Range.First) { }

    /// <summary>For comparing possibilities.</summary>
    public ulong Hash =>
        unchecked(
            ((ulong)Call.Number << 1) + (HasHappened ? 1u : 0u) + (Removed * 31) + (From * 0x9e37_79b9_7f4a_7c15)
        );

    /// <summary>Whether it is an UNMAP that failed: anywhere on its way.</summary>
    public bool CanFailLater => Call is { Action: IoasAction.Remove, IsFree: false } && Call.Errno != Errno.OK;

    /// <summary>What is left of the range of an UNMAP.</summary>
    public IovaRange Rest => new(From, Call.Range.Last);

    /// <summary>The next instant of a call with an effect.</summary>
    public bool TryStep(IoasModel state, out IoasModel after, out CallProgress next)
    {
        (after, next) = (state, this with { HasHappened = true });
        if (!Call.HasEffect)
        {
            return false;
        }

        switch (Call.Action)
        {
            case IoasAction.Appear:
                after = IoasModel.Empty;
                return !state.Exists;
            case IoasAction.Vanish:
                after = IoasModel.Absent;
                return state.Exists;
            case IoasAction.Insert:
                IoasModel? inserted = state.Insert(new ModelArea(Call.Range, Call.Permissions, Call.MayHaveSeams));
                after = inserted ?? state;
                return inserted is not null;
            default:
                return CallRules.TryRemove(this, state, out after, out next);
        }
    }
}

/// <summary>Which answers are right in which state.</summary>
internal static class CallRules
{
    /// <summary>Whether a call can end now with the answer it got, changing nothing (more).</summary>
    public static bool CanEndWithoutEffect(in CallProgress progress, IoasModel state)
    {
        IoasCall call = progress.Call;
        if (call.IsFree)
        {
            return true;
        }

        return call.Action switch
        {
            IoasAction.Look => LookIsRight(call, state),
            IoasAction.Remove => RemoveCanEnd(progress, state),
            // The id may have become that of another kind of object, which is destroyed here.
            IoasAction.Vanish when call.Errno == Errno.OK => !state.Exists,
            _ when call.Errno == Errno.OK => false,
            IoasAction.Insert => InsertIsRight(call, state),
            IoasAction.Vanish => call.Errno != Errno.ENOENT || !state.Exists || call.MetOthers,
            _ => true,
        };
    }

    /// <summary>Whether an UNMAP that failed may have failed in any state.</summary>
    public static bool CanFailAnywhere(IoasCall call) =>
        call.MetOthers || call.Errno is not (Errno.ENOENT or Errno.EBUSY);

    /// <summary>An UNMAP takes its next area out.</summary>
    public static bool TryRemove(in CallProgress progress, IoasModel state, out IoasModel after, out CallProgress next)
    {
        (after, next) = (state, progress);
        IovaRange rest = progress.Rest;
        if (!state.Exists || state.LowestIn(rest) is not { } lowest)
        {
            return false;
        }

        IovaRange gone = lowest.Range;
        if (rest.Contains(gone))
        {
            after = state.Remove(lowest);
        }
        else if (lowest.MayHaveSeams && progress.Call.Errno == Errno.OK)
        {
            gone = new IovaRange(Math.Max(gone.First, rest.First), Math.Min(gone.Last, rest.Last));
            after = state.Carve(lowest, gone);
        }
        else
        {
            return false;
        }

        // What an UNMAP took before it failed is not in its answer: possibilities that differ in that alone are the same.
        ulong removed = progress.Call.Errno == Errno.OK ? unchecked(progress.Removed + gone.Length) : 1;
        if (progress.Call.Errno == Errno.OK && removed > progress.Call.Length && !progress.Call.Everything)
        {
            return false;
        }

        bool atEnd = gone.Last >= rest.Last;
        next = progress with { Removed = removed, From = atEnd ? rest.Last : gone.Last + 1 };
        if (!atEnd)
        {
            return true;
        }

        // There is nothing behind the last area that it could look for or find in its way: this was its last instant.
        next = next with
        {
            HasHappened = true,
        };
        return progress.Call.Errno switch
        {
            Errno.OK => removed == progress.Call.Length,
            Errno.ENOENT or Errno.EBUSY => false,
            _ => true,
        };
    }

    private static bool RemoveCanEnd(in CallProgress progress, IoasModel state)
    {
        IoasCall call = progress.Call;
        ModelArea? lowest = state.Exists ? state.LowestIn(progress.Rest) : null;
        switch (call.Errno)
        {
            case Errno.OK:
                bool foundSome = progress.Removed != 0 || call.Everything;
                return state.Exists && lowest is null && foundSome && progress.Removed == call.Length;
            case Errno.ENOENT:
                bool foundNone = lowest is null && progress.Removed == 0 && !call.Everything;
                bool cutsOne = lowest is { } area && (area.MayHaveSeams || !progress.Rest.Contains(area.Range));
                return !state.Exists || foundNone || cutsOne || call.MetOthers;
            case Errno.EBUSY:
                return call.MetOthers;
            default:
                return true;
        }
    }

    private static bool InsertIsRight(IoasCall call, IoasModel state) =>
        call.Errno switch
        {
            Errno.EEXIST => state.LowestIn(call.Range) is not null || call.MetOthers,
            _ => true,
        };

    private static bool LookIsRight(IoasCall call, IoasModel state) =>
        call.Errno switch
        {
            Errno.OK => state.Covers(call.Range, call.Permissions),
            Errno.ENOENT => !state.Covers(call.Range, 0) || call.MetOthers,
            Errno.EPERM => state.LacksPermission(call.Range, call.Permissions) || call.MetOthers,
            _ => true,
        };
}
