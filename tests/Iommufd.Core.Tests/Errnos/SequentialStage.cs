using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Participants;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Errnos;

/// <summary>A stage without actors. It can hold steps back, so that a command is met in the middle of another.</summary>
public sealed class SequentialStage : ErrnoStage, IParticipantHost
{
    private readonly SequentialContext _context;
    private int? _iommufd;
    private readonly List<(Participant To, FlowStep Step)> _held = [];
    private readonly Dictionary<Flow, Action<Flow>> _started = [];

    public SequentialStage()
    {
        _context = new SequentialContext(Machine, 1);
        _context.Core.Engine.Host = this;
    }

    public override HostMachine Machine { get; } = new();

    /// <summary>What changed so far.</summary>
    public IReadOnlyList<ContextEvent> Events => _context.Events;

    /// <summary>Which steps are held back.</summary>
    public Func<FlowRequest, bool> Holds { get; set; } = _ => false;

    /// <summary>Answers in the place of a participant; null lets it answer itself.</summary>
    public Func<FlowRequest, FlowResponse?> AnswersFor { get; set; } = _ => null;

    private IParticipantHost Real => _context;

    public override int Iommufd => _iommufd ??= Client.Open(new IommufdDescriptor(1));

    public override IoctlResult Run(Caller caller, IoctlCommand command)
    {
        var route = VfioCalls.Has(command)
            ? VfioCalls.Route(Machine, caller, command)
            : new VfioRoute(null, 1, command);
        var result = route.Result ?? _context.Execute(caller, route.Command!);
        Assert.True(
            ErrnoTable.Has(ErrnoTable.NameOf(command), result.Errno),
            $"{command} ended with {result.Errno}, which is not in the table"
        );
        return result;
    }

    /// <summary>The context.</summary>
    public ContextCore Core => _context.Core;

    /// <summary>Flows that ended after they were started with steps held back, in that order.</summary>
    public List<Flow> Completed { get; } = [];

    /// <summary>Starts a command that will not end before its held steps are let go.</summary>
    public void StartHeld(IoctlCommand command, Func<FlowRequest, bool> holds)
    {
        Holds = holds;
        Start(command, _ => { });
        Assert.NotEmpty(_held);
        Holds = _ => false;
    }

    /// <summary>Starts a command that may have to wait for one that is held.</summary>
    public void Start(IoctlCommand command, Action<Flow> ended)
    {
        var flow = CommandFlows.Create(_context.Core, Client, command);
        _started[flow] = ended;
        _context.Core.Engine.Start(flow);
    }

    /// <summary>Lets all held steps go.</summary>
    public void LetGo()
    {
        foreach (var (to, step) in _held.ToArray())
        {
            _held.Remove((to, step));
            Real.Send(to, step);
        }
    }

    public override ulong Digest()
    {
        var flow = new DescribeContextFlow(_context.Core, Client, withText: false);
        _context.Run(flow);
        return flow.Digest;
    }

    public override void End()
    {
        AnswersFor = _ => null;
        LetGo();
        CloseCdevs();
        var check = (CheckContextFlow)_context.Run(new CheckContextFlow(_context.Core, Client));
        Assert.Empty(check.Broken);
        Assert.Equal(0, _context.Close(Client));
        Assert.Equal(0L, (long)Machine.Physical.TotalPins);
        Assert.Equal(0, Machine.User.LockedPages);
    }

    public override void Dispose() { }

    protected override Caller StartProcess(ProcessSpec spec, Caller? parent) => Machine.StartProcess(spec, parent);

    protected override void AddHardware(IReadOnlyList<IommuSpec> units, IReadOnlyList<DeviceSpec> devices)
    {
        Assert.All(units, u => Assert.Equal(Messages.Errno.OK, Machine.AddIommu(u)));
        Assert.All(devices, d => Assert.Equal(Messages.Errno.OK, Machine.AddDevice(d)));
    }

    void IParticipantHost.Open(Participant participant, IFlowParticipant state) => Real.Open(participant, state);

    void IParticipantHost.Close(Participant participant) => Real.Close(participant);

    void IParticipantHost.Send(Participant to, FlowStep step)
    {
        if (Holds(step.Request))
        {
            _held.Add((to, step));
        }
        else if (AnswersFor(step.Request) is { } answer)
        {
            _context.Core.Engine.Deliver(new FlowReply(step.Flow, step.Step, answer));
        }
        else
        {
            Real.Send(to, step);
        }
    }

    void IParticipantHost.Committed(ContextEvent change) => Real.Committed(change);

    void IParticipantHost.Completed(Flow flow)
    {
        Real.Completed(flow);
        if (_started.Remove(flow, out var ended))
        {
            Completed.Add(flow);
            ended(flow);
        }
    }
}
