using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>A point around a step where a test or a fault plan may strike.</summary>
public interface IStepHook
{
    /// <summary>Before the step has done anything. May throw: the actor then dies here.</summary>
    void Before(Participant participant, FlowStep step);

    /// <summary>After the step is done, before it is answered. May throw: the actor then dies here.</summary>
    void After(Participant participant, FlowStep step);
}

/// <summary>What looks on while the participants of a host work.</summary>
/// <param name="Hook">Strikes around steps; null for none.</param>
/// <param name="Faults">Decides whether steps fail; null where nothing does.</param>
/// <param name="Wrap">Puts something in front of a state, which then sees every step first; null for nothing.</param>
/// <param name="Sampler">Checks states after some steps; null for never.</param>
public record CellWatchers(
    IStepHook? Hook = null,
    IFaultSource? Faults = null,
    Func<Participant, IFlowParticipant, IFlowParticipant>? Wrap = null,
    IStateSampler? Sampler = null
);

/// <summary>
/// Keeps a participant's state and its unanswered steps apart from the actor that runs it: an actor that dies in the middle of
/// a step is restarted, finds the step here, and does it or answers it, exactly once and in order.
/// </summary>
/// <param name="name">Who it is.</param>
/// <param name="state">Its state.</param>
/// <param name="around">What looks on while it works; shared by the cells of a host.</param>
public class ParticipantCell(Participant name, IFlowParticipant state, CellWatchers around)
{
    private const int MaxAttempts = 3;
    private const int BugsKept = 4;

    // A participant rarely has more than one step before it: the queue comes with the second.
    private (FlowStep Step, object ReplyTo) _first;
    private Queue<(FlowStep Step, object ReplyTo)>? _more;
    private Mishaps? _mishaps = around.Wrap?.Invoke(name, state) is { } wrapped ? new() { Wrapped = wrapped } : null;
    private FlowResponse? _lastResponse;
    private int _attempts;
    private bool _isDone;
    private bool _isPoisoned;

    /// <summary>Who this is.</summary>
    public Participant Name { get; } = name;

    /// <summary>The state.</summary>
    public IFlowParticipant State { get; } = state;

    /// <summary>What looks on while it works.</summary>
    protected CellWatchers Around => around;

    private IFaultSource? Faults => around.Faults;

    /// <summary>Whether steps wait.</summary>
    public bool HasPending => _first.Step is not null;

    /// <summary>Times a step had to be done again because the actor died in it.</summary>
    public int Retries => _mishaps?.Retries ?? 0;

    /// <summary>Takes a step in.</summary>
    public void Add(FlowStep step, object replyTo)
    {
        if (_first.Step is null)
        {
            _first = (step, replyTo);
        }
        else
        {
            (_more ??= new()).Enqueue((step, replyTo));
        }
    }

    /// <summary>
    /// Does the oldest step. It stays the oldest until <see cref="Answered"/>: where this throws, or the actor dies before that, it is
    /// done or answered again by the next call. A step that fails three times is answered with EIO.
    /// </summary>
    /// <returns>The step, who wants the answer, and the answer.</returns>
    public (FlowStep Step, object ReplyTo, FlowResponse Response) DoNext()
    {
        var (step, replyTo) = _first;
        var response = Do(step);
        CrashAt(FaultPoints.ActorCrashInside, step);
        return (step, replyTo, response);
    }

    /// <summary>The answer to the oldest step has been sent, or is certain to be sent: it is over.</summary>
    public void Answered()
    {
        CrashAt(FaultPoints.ActorCrashAfter, _first.Step);
        _first = _more is not null && _more.TryDequeue(out var next) ? next : default;
        _isDone = false;
        _lastResponse = null;
        _attempts = 0;
        _isPoisoned = false;
    }

    private FlowResponse Do(FlowStep step)
    {
        if (_attempts++ >= MaxAttempts)
        {
            return _isDone ? _lastResponse! : FlowResponse.Fail(Errno.EIO);
        }

        if (_attempts > 1)
        {
            (_mishaps ??= new()).Retries++;
            Faults?.Saw(Sights.StepRetried);
        }

        around.Hook?.Before(Name, step);
        if (!_isDone)
        {
            if (Faults is not null)
            {
                CrashBefore(step);
            }

            _lastResponse = Handle(step);
            _isDone = true;
        }

        if (around.Sampler is { } sampler && sampler.IsDue())
        {
            // Most of what a participant checks by itself holds between any two steps; of a memory, less.
            FlowRequest check = State is MemoryState ? CheckInFlight.Instance : CheckState.Instance;
            sampler.Found(Name, (StateChecked)State.Handle(check));
        }

        around.Hook?.After(Name, step);
        return _lastResponse!;
    }

    // A step that throws is a bug of ours: whoever asked may not even look at the EIO, so the next check of the invariants says it.
    private FlowResponse Handle(FlowStep step)
    {
        FlowResponse response;
        try
        {
            response = FaultGate.Handle(Name, State, _mishaps?.Wrapped ?? State, step, Faults);
        }
        catch (Exception bug) when (bug is not (OutOfMemoryException or InjectedCrashException))
        {
            var bugs = (_mishaps ??= new()).Bugs;
            if (bugs.Count < BugsKept)
            {
                bugs.Add($"{step.Request.GetType().Name}: {bug.GetType().Name}: {bug.Message}");
            }

            throw;
        }

        return _mishaps is { Bugs.Count: > 0 } && response is StateChecked found
            ? found with
            {
                Broken = [.. found.Broken, .. _mishaps.Bugs],
            }
            : response;
    }

    private void CrashBefore(FlowStep step)
    {
        if (_attempts == 1 && FaultGate.CanRefuse(step))
        {
            _isPoisoned = Faults!.ShouldFail(FaultPoints.ActorPoisoned, SiteOf(step));
        }

        if (_isPoisoned)
        {
            throw new InjectedCrashException(FaultPoints.ActorPoisoned);
        }

        CrashAt(FaultPoints.ActorCrashBefore, step);
    }

    // Not at the last attempt: only a poisoned step may be given up.
    private void CrashAt(FaultPoint point, FlowStep step)
    {
        if (Faults is { } faults && _attempts < MaxAttempts && faults.ShouldFail(point, SiteOf(step)))
        {
            throw new InjectedCrashException(point);
        }
    }

    private FaultSite SiteOf(FlowStep step) => FaultGate.SiteOf(Name, State, step);

    // What the cells of a run without tests and faults never have.
    private sealed class Mishaps
    {
        public IFlowParticipant? Wrapped { get; init; }

        public List<string> Bugs { get; } = [];

        public int Retries { get; set; }
    }
}
