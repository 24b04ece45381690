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

/// <summary>
/// Keeps a participant's state and its unanswered steps apart from the actor that runs it: an actor that dies in the middle of
/// a step is restarted, finds the step here, and does it or answers it, exactly once and in order.
/// </summary>
public sealed class ParticipantCell(Participant name, IFlowParticipant state, IStepHook? hook)
{
    private const int MaxAttempts = 3;

    // A participant rarely has more than one step before it: the queue comes with the second.
    private (FlowStep Step, object ReplyTo) _first;
    private Queue<(FlowStep Step, object ReplyTo)>? _more;
    private (int Context, ulong Flow, int Step) _lastDone;
    private FlowResponse? _lastResponse;
    private int _attempts;

    /// <summary>Who this is.</summary>
    public Participant Name { get; } = name;

    /// <summary>The state.</summary>
    public IFlowParticipant State { get; } = state;

    /// <summary>Whether steps wait.</summary>
    public bool HasPending => _first.Step is not null;

    /// <summary>Times a step had to be done again because the actor died in it.</summary>
    public int Retries { get; private set; }

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
    /// Does the oldest step. Where this throws, the step stays and is done again by the next call; a step that fails three times is
    /// answered with EIO.
    /// </summary>
    /// <returns>The step, who wants the answer, and the answer.</returns>
    public (FlowStep Step, object ReplyTo, FlowResponse Response) DoNext()
    {
        var (step, replyTo) = _first;
        var response = Do(step);
        _first = _more is not null && _more.TryDequeue(out var next) ? next : default;
        _attempts = 0;
        return (step, replyTo, response);
    }

    private FlowResponse Do(FlowStep step)
    {
        var key = (step.Context, step.Flow, step.Step);
        if (_attempts++ >= MaxAttempts)
        {
            return _lastDone == key ? _lastResponse! : FlowResponse.Fail(Errno.EIO);
        }

        Retries += _attempts > 1 ? 1 : 0;
        hook?.Before(Name, step);
        if (_lastResponse is null || _lastDone != key)
        {
            _lastResponse = State.Handle(step.Request);
            _lastDone = key;
        }

        hook?.After(Name, step);
        return _lastResponse;
    }
}
