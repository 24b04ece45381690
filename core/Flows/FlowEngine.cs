using Iommufd.Core.Context;
using Iommufd.Core.Faults;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Where a context's participants live: actors, or plain objects in the sequential model.</summary>
public interface IParticipantHost
{
    /// <summary>A participant comes into being.</summary>
    void Open(Participant participant, IFlowParticipant state);

    /// <summary>A participant has done its last step.</summary>
    void Close(Participant participant);

    /// <summary>Carries a step to a participant. The answer comes through <see cref="FlowEngine.Deliver"/>, now or later.</summary>
    void Send(Participant to, FlowStep step);

    /// <summary>The answer of a participant that gives it at once; null where the question has to be sent.</summary>
    FlowResponse? AnswerAtOnce(Participant to, FlowRequest request) => null;

    /// <summary>A change is decided though its flow goes on: its event takes its place in the journal now.</summary>
    void Committed(ContextEvent change);

    /// <summary>A flow is over: its event wants to be made durable, then its result may leave.</summary>
    void Completed(Flow flow);
}

/// <summary>The state of a participant: does what a step asks, completely, before it returns.</summary>
public interface IFlowParticipant
{
    /// <summary>Does one step.</summary>
    FlowResponse Handle(FlowRequest request);
}

/// <summary>
/// Runs a context's flows: starts them, resumes them when answers arrive or locks are granted. Single-threaded, in the
/// context. It survives a restart of the context's actor.
/// </summary>
public sealed class FlowEngine(int context, IParticipantHost initialHost)
{
    private readonly Dictionary<ulong, Flow> _running = [];
    private readonly Queue<Flow> _ready = new();
    private readonly List<string> _crashes = [];
    private ulong _nextFlow = 1;
    private Flow? _advancing;
    private bool _pumping;

    /// <summary>Where the participants are; set anew when the context's actor was restarted.</summary>
    public IParticipantHost Host { get; set; } = initialHost;

    /// <summary>Decides whether something fails; null where nothing does.</summary>
    public IFaultSource? Faults { get; set; }

    /// <summary>Flows that ended in an exception: bugs of ours.</summary>
    public IReadOnlyList<string> Crashes => _crashes;

    /// <summary>Flows that have not completed.</summary>
    public int RunningCount => _running.Count;

    /// <summary>Flows that have not completed, oldest first.</summary>
    public IEnumerable<Flow> Running => _running.Values.OrderBy(f => f.Id);

    /// <summary>Running flows that have pinned pages.</summary>
    internal int PinningCount { get; set; }

    /// <summary>The running flows but one, in no order that matters.</summary>
    internal IEnumerable<Flow> Others(Flow one) => _running.Values.Where(f => !ReferenceEquals(f, one));

    /// <summary>Starts a flow and runs it as far as it goes.</summary>
    public void Start(Flow flow)
    {
        flow.Id = _nextFlow++;
        _running.Add(flow.Id, flow);
        Faults?.Begun(context, flow.Id, flow.Operation, flow.Tag);
        _ready.Enqueue(flow);
        Pump();
    }

    /// <summary>An answer arrived. One for a flow that is gone, or that was given already, is dropped.</summary>
    public void Deliver(FlowReply reply)
    {
        if (!_running.TryGetValue(reply.Flow, out var flow) || flow.Waiting is not { } wait)
        {
            return;
        }

        // Steps of one wait are numbered in a row.
        var index = wait.AskCount > 0 ? reply.Step - wait.Ask(0).Step : -1;
        if (index >= 0 && index < wait.AskCount && wait.Ask(index) is { Response: null } ask)
        {
            ask.Response = reply.Response;
            wait.Outstanding--;

            // The flow that is being advanced finds its answers itself.
            if (wait.Outstanding == 0 && !ReferenceEquals(flow, _advancing))
            {
                _ready.Enqueue(flow);
            }
        }

        Pump();
    }

    /// <summary>Resumes what can be resumed; called again after a restart.</summary>
    public void Pump()
    {
        if (_pumping)
        {
            return;
        }

        _pumping = true;
        try
        {
            while (_ready.TryDequeue(out var flow))
            {
                _advancing = flow;
                Advance(flow);
            }
        }
        finally
        {
            _advancing = null;
            _pumping = false;
        }
    }

    /// <summary>A lock that every other flow that uses an object holds shared until it ends: who wants it exclusively waits for them.</summary>
    internal FlowLock LockOfUsers(Flow waiting, ContextObject what)
    {
        var users = new FlowLock();
        foreach (var flow in _running.Values)
        {
            if (!ReferenceEquals(flow, waiting) && flow.Uses(what))
            {
                users.TryAcquire(flow, exclusive: false);
            }
        }

        return users;
    }

    /// <summary>Gives an event its place in the journal before its flow is over.</summary>
    internal void Commit(ContextEvent change) => Host.Committed(change);

    /// <summary>Sends a request that wants no answer.</summary>
    internal void Tell(Flow flow, Participant to, FlowRequest request)
    {
        var step = flow.TakeStep();
        if (Host.AnswerAtOnce(to, request) is null)
        {
            Host.Send(to, new FlowStep(context, flow.Id, step, request, WantsReply: false));
        }
    }

    /// <summary>A flow released a lock.</summary>
    internal void Released(Flow flow, FlowLock flowLock, bool exclusive) => flowLock.Release(flow, exclusive, _ready);

    // A bug in a flow must not take its client's answer, its locks or the whole context with it: the command ends with EIO, and the
    // next check of the invariants reports it.
    private bool TryMoveNext(Flow flow, out FlowWait? wait)
    {
        try
        {
            if (Faults is not null && flow.FailsAtOnce())
            {
                wait = null;
                return false;
            }

            if (flow.MoveNext(out wait))
            {
                Send(flow, wait!);
                return true;
            }

            return false;
        }
        catch (Exception bug) when (bug is not OutOfMemoryException)
        {
            _crashes.Add($"{flow.Name}: {bug.GetType().Name}: {bug.Message}");
            flow.Crash();
            wait = null;
            return false;
        }
    }

    private void Send(Flow flow, FlowWait wait)
    {
        flow.Waiting = wait;
        for (var i = 0; i < wait.AskCount; i++)
        {
            var ask = wait.Ask(i);
            ask.Step = flow.TakeStep();
            if (Host.AnswerAtOnce(ask.To, ask.Request) is { } response)
            {
                ask.Response = response;
                wait.Outstanding--;
                continue;
            }

            Host.Send(ask.To, new FlowStep(context, flow.Id, ask.Step, ask.Request, WantsReply: true));
        }
    }

    private void Advance(Flow flow)
    {
        while (TryMoveNext(flow, out var wait))
        {
            if (wait!.Lock is { } flowLock)
            {
                if (!flowLock.TryAcquire(flow, wait.Exclusive))
                {
                    Faults?.Saw(Sights.FlowQueued);
                    return;
                }

                continue;
            }

            if (wait.Outstanding > 0)
            {
                return;
            }

            // The sequential model answers at once: the flow goes on right here.
        }

        flow.Waiting = null;
        _running.Remove(flow.Id);
        flow.Finish(_ready);
        Faults?.Ended(context, flow.Id);
        Host.Completed(flow);
    }
}
