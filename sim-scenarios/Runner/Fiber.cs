using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Vocabulary;
using Iommufd.Scenarios.Shrink;
using Iommufd.Scenarios.Steps;

namespace Iommufd.Scenarios.Runner;

/// <summary>
/// One line of execution in a client: the client itself, or a branch of a <c>parallel</c>. A stack of frames, and at
/// most one step that waits for its answer. Used by the client's actor alone.
/// </summary>
internal sealed class Fiber(long id, Fiber? parent)
{
    private readonly Stack<Frame> _frames = new();

    public long Id { get; } = id;

    /// <summary>The fiber whose <c>parallel</c> started this one.</summary>
    public Fiber? Parent { get; } = parent;

    /// <summary>Where what it does is recorded; null for nowhere.</summary>
    public FiberTrace? Trace { get; init; }

    /// <summary>Branches that have not ended.</summary>
    public int RunningBranches { get; set; }

    /// <summary>The operation that waits for its answer.</summary>
    public StepScope? Waiting { get; set; }

    /// <summary>The drill that it runs; null for none.</summary>
    public IEnumerator<Drill.DrillAction>? Drill { get; set; }

    /// <summary>Whether it stands still between two commands of its drill.</summary>
    public bool IsHeldInDrill { get; set; }

    /// <summary>Errnos that faults explain which struck the step that waits.</summary>
    public HashSet<Messages.Errno> Explained { get; } = [];

    /// <summary>When it was sent, in nanoseconds of the run's clock.</summary>
    public long SentAt { get; set; }

    /// <summary>The innermost list of steps, or null at the end.</summary>
    public Frame? Top => _frames.Count > 0 ? _frames.Peek() : null;

    public void Enter(IReadOnlyList<Step> steps, Scope scope) => _frames.Push(new Frame(steps, scope, null));

    public void EnterLoop(IReadOnlyList<Step> steps, Scope scope, Int128 times, string? index)
    {
        if (times > 0)
        {
            _frames.Push(new Frame(steps, scope, new Loop(scope, times, index)));
        }
    }

    /// <summary>The next step, in its scope; null at the end of the fiber.</summary>
    public Step? Next(out Scope scope)
    {
        while (_frames.TryPeek(out Frame? frame))
        {
            if (frame.TryNext(out Step? step))
            {
                scope = frame.Scope;
                return step;
            }

            _frames.Pop();
        }

        scope = null!;
        return null;
    }

    /// <summary>The rest of an operation that takes several requests; null for any other.</summary>
    public StepScript? Script { get; set; }

    /// <summary>Leaves the innermost loop, or everything.</summary>
    public void LeaveLoop()
    {
        while (_frames.TryPop(out Frame? frame) && !frame.IsLoop) { }
    }

    /// <summary>Gives up everything that was still to do.</summary>
    public void Abandon() => _frames.Clear();
}

/// <summary>A list of steps that is being run.</summary>
internal sealed class Frame(IReadOnlyList<Step> steps, Scope scope, Loop? loop)
{
    private int _next;
    private Int128 _turn;

    /// <summary>Whether the list repeats.</summary>
    public bool IsLoop => loop is not null;

    /// <summary>The names that the next step sees; a <c>let</c> adds to it.</summary>
    public Scope Scope { get; set; } = loop?.ScopeOf(0) ?? scope;

    public bool TryNext(out Step? step)
    {
        if (_next == steps.Count && loop is not null && steps.Count > 0 && _turn + 1 < loop.Times)
        {
            _turn++;
            _next = 0;
            Scope = loop.ScopeOf(_turn);
        }

        step = _next < steps.Count ? steps[_next++] : null;
        return step is not null;
    }
}

/// <summary>How often a frame repeats, and under which names.</summary>
internal sealed record Loop(Scope Outer, Int128 Times, string? Index)
{
    public Scope ScopeOf(Int128 turn) => Index is null ? Outer : Outer.With(Index, turn);
}
