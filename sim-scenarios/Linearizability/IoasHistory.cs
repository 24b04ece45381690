using System.Runtime.InteropServices;
using System.Text;
using Iommufd.Messages;

namespace Iommufd.Scenarios.Linearizability;

/// <summary>
/// The history of one IOAS, checked as it grows: is there an order of the calls, each at an instant between call and answer, in which
/// the sequential model gives the answers that were given? All states that are possible after the answers so far are kept and carried
/// on, so nothing has to be read twice and a history may be as long as it likes. Used by one actor.
/// </summary>
/// <remarks>
/// The search is Wing and Gong's with Lowe's shortcut: calls that do not have to have happened yet are left for later. Two more keep it
/// small: a call without an effect happens as soon as it can, and only calls that share IOVAs, directly or through others, with the one
/// that was answered are tried before it.
/// </remarks>
/// <param name="id">The IOAS's id.</param>
internal sealed class IoasHistory(uint id)
{
    /// <summary>Steps tried for one answer before the history is given up as undecided.</summary>
    private const int Budget = 50_000;

    /// <summary>Calls and answers that wait for the answer of an older call, before the history is given up.</summary>
    private const int MaxWaiting = 20_000;

    /// <summary>Calls kept for a counterexample.</summary>
    private const int MaxWindow = 400;

    /// <summary>Possibilities for which a search leaves room to the next one.</summary>
    private const int KeptRoom = 1000;

    private readonly Queue<(IoasCall Call, bool IsAnswer)> _waiting = new();
    private readonly List<IoasCall> _unanswered = [];
    private readonly List<IoasCall> _underWay = [];
    private readonly List<IoasCall> _window = [];

    // Of one search, kept for the next: there is one for nearly every answer.
    private readonly HashSet<(ulong, ulong)> _seen = [];
    private readonly HashSet<(ulong, ulong)> _kept = [];
    private readonly Stack<Possibility> _open = [];
    private readonly List<IoasCall> _connected = [];
    private readonly List<IoasCall> _unconnected = [];
    private List<Possibility> _possible = [Possibility.Of(IoasModel.Absent)];
    private IoasModel? _windowStart = IoasModel.Absent;

    /// <summary>The IOAS's id.</summary>
    public uint Id { get; } = id;

    /// <summary>Answers found right.</summary>
    public long Checked { get; private set; }

    /// <summary>Whether nothing more is checked: a search was too large, or something happened that the model does not know.</summary>
    public bool IsGivenUp { get; private set; }

    /// <summary>The counterexample; null while there is none.</summary>
    public string? Violation { get; private set; }

    /// <summary>A call is made.</summary>
    public void Make(IoasCall call)
    {
        if (IsGivenUp)
        {
            return;
        }

        foreach (IoasCall other in _unanswered)
        {
            if (other.Disturbs)
            {
                call.Meet(other);
            }

            if (call.Disturbs)
            {
                other.Meet(call);
            }
        }

        _unanswered.Add(call);
        _waiting.Enqueue((call, IsAnswer: false));
    }

    /// <summary>A call is answered; <see cref="IoasCall.Answer"/> was called.</summary>
    public void Answered(IoasCall call)
    {
        if (IsGivenUp)
        {
            return;
        }

        _unanswered.Remove(call);
        _waiting.Enqueue((call, IsAnswer: true));
        Advance();
    }

    /// <summary>Something happens to the IOAS that the model does not know.</summary>
    public void GiveUp()
    {
        IsGivenUp = true;
        _waiting.Clear();
        _unanswered.Clear();
        _underWay.Clear();
        _window.Clear();
        _possible = [];
        ClearSearch();
    }

    private void ClearSearch()
    {
        _open.Clear();
        _kept.Clear();
        bool wasLarge = _seen.Count > KeptRoom;
        _seen.Clear();
        if (wasLarge)
        {
            // Emptying a set costs what its room is.
            _seen.TrimExcess();
            _kept.TrimExcess();
            _open.TrimExcess();
        }
    }

    // Everything up to the oldest call that has no answer yet: before that its effect is not known.
    private void Advance()
    {
        while (!IsGivenUp && _waiting.TryPeek(out (IoasCall Call, bool IsAnswer) next) && next.Call.IsAnswered)
        {
            _waiting.Dequeue();
            if (next.IsAnswer)
            {
                End(next.Call);
            }
            else
            {
                Begin(next.Call);
            }
        }

        if (_waiting.Count > MaxWaiting)
        {
            GiveUp();
        }
    }

    private void Begin(IoasCall call)
    {
        if (_underWay.Count == 0 && _possible.Count == 1)
        {
            // Quiet, and only one state is possible: a counterexample need not look further back.
            _windowStart = _possible[0].State;
            _window.Clear();
        }

        if (_window.Count < MaxWindow)
        {
            _window.Add(call);
        }
        else
        {
            _windowStart = null;
        }

        _underWay.Add(call);
        for (int i = 0; i < _possible.Count; i++)
        {
            _possible[i] = _possible[i].Begin(call);
        }
    }

    private void End(IoasCall call)
    {
        if (Search(call) is not { } after)
        {
            GiveUp();
            return;
        }

        if (LeavesADoubt(call, after))
        {
            GiveUp();
            return;
        }

        if (after.Count == 0)
        {
            Violation = new Counterexample(Id, call, _window, _windowStart, _possible).ToString();
            GiveUp();
            return;
        }

        _possible = after;
        _underWay.Remove(call);
        Checked++;
    }

    // An UNMAP that failed at an area that may be several may have taken the first of them.
    private static bool LeavesADoubt(IoasCall call, List<Possibility> after) =>
        call is { Action: IoasAction.Remove, IsFree: false }
        && call.Errno != Errno.OK
        && after.Exists(p =>
            (p.State.LowestIn(call.Range) is { MayHaveSeams: true } low && !call.Range.Contains(low.Range))
            || (
                p.State.LowestIn(new IovaRange(call.Range.Last, call.Range.Last)) is { MayHaveSeams: true } high
                && !call.Range.Contains(high.Range)
            )
        );

    // Every possibility in which the call has happened; null where there are too many to look at.
    private List<Possibility>? Search(IoasCall call)
    {
        if (_possible.Count == 1 && (_underWay.Count == 1 || _possible[0].HasHappened(call)))
        {
            return SearchAlone(call);
        }

        var after = new List<Possibility>();
        ClearSearch();
        foreach (Possibility possible in _possible)
        {
            _open.Push(possible);
        }

        List<IoasCall>? connected = null;
        int tried = 0;
        while (_open.TryPop(out Possibility? possibility))
        {
            if (possibility.HasHappened(call))
            {
                Possibility rest = possibility.Forget(call);
                if (_kept.Add(rest.Key))
                {
                    after.Add(rest);
                }

                continue;
            }

            connected ??= Connected(call);
            foreach (IoasCall other in connected)
            {
                if (possibility.Step(other) is { } next && _seen.Add(next.Key))
                {
                    _open.Push(next);
                }

                if (possibility.GiveUp(other, ReferenceEquals(other, call)) is { } ended && _seen.Add(ended.Key))
                {
                    _open.Push(ended);
                }
            }

            tried += connected.Count;
            if (tried > Budget)
            {
                return null;
            }
        }

        return after;
    }

    // Nothing else is under way, or the call has happened already: there is no choice, except where an UNMAP that failed gave up.
    private List<Possibility> SearchAlone(IoasCall call)
    {
        var after = new List<Possibility>();
        for (Possibility? at = _possible[0]; at is not null; at = at.Step(call))
        {
            if (at.HasHappened(call))
            {
                after.Add(at.Forget(call));
                break;
            }

            if (at.GiveUp(call, isLast: true) is { } ended)
            {
                after.Add(ended.Forget(call));
            }
        }

        return after;
    }

    private List<IoasCall> Connected(IoasCall call)
    {
        _connected.Clear();
        _connected.Add(call);
        _unconnected.Clear();
        foreach (IoasCall other in _underWay)
        {
            if (!ReferenceEquals(other, call))
            {
                _unconnected.Add(other);
            }
        }

        for (int i = 0; i < _connected.Count && _unconnected.Count > 0; i++)
        {
            int left = 0;
            foreach (IoasCall other in CollectionsMarshal.AsSpan(_unconnected))
            {
                if (_connected[i].Touches(other))
                {
                    _connected.Add(other);
                }
                else
                {
                    _unconnected[left++] = other;
                }
            }

            _unconnected.RemoveRange(left, _unconnected.Count - left);
        }

        _connected.RemoveAll(static c => !c.HasEffect);
        return _connected;
    }
}

/// <summary>Why a history is not linearizable: the calls concerned, since the state was last known for sure.</summary>
internal sealed class Counterexample(
    uint ioas,
    IoasCall wrong,
    IReadOnlyList<IoasCall> window,
    IoasModel? start,
    IReadOnlyList<Possibility> possible
)
{
    private const int MaxAreas = 12;
    private const int MaxStates = 4;

    /// <inheritdoc/>
    public override string ToString()
    {
        List<IoasCall> concerned = Concerned();
        var text = new StringBuilder();
        text.Append(
            FormattableString.Invariant($"no order of these calls on IOAS {ioas} gives the answer of the last one")
        );
        if (start is not null)
        {
            text.Append("\n  before: ").Append(Show(start));
        }

        foreach (IoasCall call in concerned)
        {
            text.Append("\n  ").Append(call);
        }

        text.Append("\n  ").Append(wrong);
        foreach (Possibility state in possible.Take(MaxStates))
        {
            text.Append("\n  possible then: ").Append(Show(state.State));
        }

        return text.ToString();
    }

    // A call that shares no IOVA with the wrong one, directly or through others, has nothing to do with it.
    private List<IoasCall> Concerned()
    {
        var connected = new List<IoasCall> { wrong };
        var left = window.Where(c => !ReferenceEquals(c, wrong) && c.HasEffect).ToList();
        for (int i = 0; i < connected.Count; i++)
        {
            IoasCall from = connected[i];
            connected.AddRange(left.Where(from.Touches));
            left.RemoveAll(from.Touches);
        }

        connected.RemoveAt(0);
        return [.. connected.OrderBy(c => c.MadeAt)];
    }

    private string Show(IoasModel state)
    {
        if (!state.Exists)
        {
            return "no such IOAS";
        }

        ModelArea[] near = [.. state.Areas.Where(a => a.Range.Overlaps(wrong.Range)).Take(MaxAreas + 1)];
        string areas = string.Join(", ", near.Take(MaxAreas).Select(a => $"{a.Range}"));
        return near.Length == 0 ? "no area there" : areas + (near.Length > MaxAreas ? ", …" : string.Empty);
    }
}
