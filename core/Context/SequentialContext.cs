using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Core.Participants;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Context;

/// <summary>
/// A context without actors: every step is done at once, in the caller's thread. It is the reference that concurrent histories are
/// compared with, what a journal is replayed into, and the quickest way to use iommufd's rules from a test. Not thread-safe.
/// </summary>
public sealed partial class SequentialContext : IParticipantHost
{
    private readonly Dictionary<ulong, IFlowParticipant> _participants = [];
    private readonly HostMachine _machine;
    private readonly List<Flow> _completed = [];
    private bool _isClosed;

    /// <summary>Opens a context on a machine.</summary>
    public SequentialContext(HostMachine machine, int number)
    {
        _machine = machine;
        Core = new ContextCore(number, machine, this);
        machine.Sequential[number] = this;
    }

    /// <summary>The context.</summary>
    public ContextCore Core { get; }

    /// <summary>The machine it was opened on.</summary>
    public HostMachine Machine => _machine;

    /// <summary>Every change so far, in order, if they are kept.</summary>
    public List<ContextEvent> Events { get; } = [];

    /// <summary>Whether <see cref="Events"/> is filled; a replay of a long journal has no use for it.</summary>
    public bool KeepsEvents
    {
        get => Core.NotesPins;
        set => Core.NotesPins = value;
    }

    /// <summary>The participants, by kind and id.</summary>
    public IEnumerable<KeyValuePair<(ParticipantKind Kind, uint Id), IFlowParticipant>> Participants =>
        _participants
            .OrderBy(p => p.Key)
            .Select(p => KeyValuePair.Create(((ParticipantKind)(p.Key >> 32), (uint)p.Key), p.Value));

    /// <summary>Carries out one command.</summary>
    public IoctlResult Execute(Caller caller, IoctlCommand command)
    {
        var result = Run(CommandFlows.Create(Core, caller, command)).Result;
        if (Core is { IsDescriptorClosed: true, VfioDevices: 0 })
        {
            Close(caller);
        }

        return result;
    }

    /// <summary>
    /// The last descriptor is closed; how many objects were left: all of them where a VFIO device is bound, whose close closes the
    /// context then, or where one maps the context's own descriptor, which keeps it open for ever as in the kernel.
    /// </summary>
    public int Close(Caller caller)
    {
        caller.Descriptors.CloseAll(d => d.IommufdContext == Core.Number);
        Core.IsDescriptorClosed = true;
        if (_isClosed || Core.VfioDevices > 0 || Core.PageSets.HoldContextOpen)
        {
            return Core.Objects.Count;
        }

        _isClosed = true;
        var close = new CloseFlow(Core, caller);
        Run(close);
        _machine.Sequential.TryRemove(KeyValuePair.Create(Core.Number, this));
        return close.Leaked;
    }

    /// <summary>Runs a flow to its end.</summary>
    public Flow Run(Flow flow)
    {
        _completed.Clear();
        Core.Engine.Start(flow);
        Invariant.Holds(_completed.Contains(flow), "a flow of the sequential model never waits");
        if (Core.Engine.Crashes.Count > 0)
        {
            throw new InvariantBrokenException(string.Join("; ", Core.Engine.Crashes));
        }

        if (KeepsEvents)
        {
            Events.AddRange(flow.Journalled);
        }

        return flow;
    }

    /// <inheritdoc/>
    void IParticipantHost.Open(Participant participant, IFlowParticipant state) =>
        _participants.Add(KeyOf(participant.Kind, participant.Id), state);

    /// <inheritdoc/>
    void IParticipantHost.Close(Participant participant)
    {
        if (_participants.Remove(KeyOf(participant.Kind, participant.Id), out var state))
        {
            (state as IDisposable)?.Dispose();
        }
    }

    /// <inheritdoc/>
    void IParticipantHost.Send(Participant to, FlowStep step)
    {
        var response = to.Kind == ParticipantKind.Context ? Other(to, step) : Handle(to, step);
        if (step.WantsReply)
        {
            Core.Engine.Deliver(new FlowReply(step.Flow, step.Step, response));
        }
    }

    // Where nothing is made to fail nobody looks at how a question comes. The other context's answer is no participant's.
    FlowResponse? IParticipantHost.AnswerAtOnce(Participant to, FlowRequest request) =>
        Core.Faults is null && to.Kind != ParticipantKind.Context ? Find(to).Handle(request) : null;

    /// <inheritdoc/>
    void IParticipantHost.Committed(ContextEvent change)
    {
        if (KeepsEvents)
        {
            Events.Add(change);
        }
    }

    /// <inheritdoc/>
    void IParticipantHost.Completed(Flow flow) => _completed.Add(flow);

    private FlowResponse Other(Participant to, FlowStep step)
    {
        var clear = (ClearImports)step.Request;
        if (_machine.Sequential.TryGetValue((int)to.Id, out var other))
        {
            var caller = _machine.Process(clear.Process);
            other.Run(new ClearImportsFlow(other.Core, caller, (Dmabuf)clear.Buffer, clear.Revoked));
        }

        return FlowResponse.Done;
    }

    private FlowResponse Handle(Participant to, FlowStep step)
    {
        var state = Find(to);
        return FaultGate.Handle(to, state, state, step, Core.Faults);
    }

    private static ulong KeyOf(ParticipantKind kind, uint id) => ((ulong)kind << 32) | id;

    private IFlowParticipant Find(Participant participant)
    {
        var key = KeyOf(participant.Kind, participant.Id);
        if (!_participants.TryGetValue(key, out var found) && participant.Kind == ParticipantKind.Memory)
        {
            found = new MemoryState(_machine.Process(participant.Id).Memory, id => _machine.Process((uint)id).Memory);
            _participants.Add(key, found);
        }

        return found ?? throw new InvariantBrokenException($"{participant.Kind} {participant.Id} is there");
    }
}
