using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Flows;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

/// <summary>
/// /user/machine: the simulated host. Builds what clients ask for (units, devices, processes) and opens contexts; its children are
/// the hardware and the memories.
/// </summary>
public sealed partial class MachineActor : UntypedActor
{
    private readonly HostMachine _machine;
    private readonly HostOptions _options;
    private readonly DeviceDirectory _devices;
    private readonly SortedDictionary<int, IActorRef> _memories = [];
    private readonly SortedDictionary<int, IActorRef> _contexts = [];
    private readonly SortedDictionary<(int To, int From, ulong Flow, int Step), IActorRef> _asked = [];
    private readonly SortedDictionary<int, ulong> _ended = [];
    private readonly SharedDescriptors _shared;
    private readonly HardwareBus _bus;
    private int _nextContext;

    /// <summary>Makes the machine's actor.</summary>
    public MachineActor(HostMachine machine, HostOptions options, DeviceDirectory devices)
    {
        _machine = machine;
        _options = options;
        _devices = devices;
        _shared = new SharedDescriptors(machine, (process, route) => Follow(route, 0, process, Nobody.Instance));
        _bus = new HardwareBus(machine, options.Faults, options.MakeEngine ?? PhysicalDeviceActor.MakeEngine);
        foreach (var (number, digest) in options.EarlierContexts)
        {
            _ended.Add(number, digest);
            _nextContext = Math.Max(_nextContext, number);
        }
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => ParticipantSupervision.Strategy();

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case AddIommu add:
                var added = _machine.AddIommu(add.Spec);
                if (added == Errno.OK)
                {
                    Context.ActorOf(Props.Create(() => new IommuActor(add.Spec)), $"iommu-{add.Spec.Index}");
                }

                Sender.Tell(new HostResult(added));
                break;
            case AddDevice add:
                var known = _machine.AddDevice(add.Spec);
                if (known == Errno.OK)
                {
                    MakeDevice(add.Spec.Name);
                }

                Sender.Tell(new HostResult(known));
                break;
            case StartProcess start:
                Sender.Tell(Start(_machine.StartProcess(start.Spec)));
                break;
            case StartChild start:
                Sender.Tell(Start(_machine.StartProcess(start.Spec, _machine.Process(start.Parent))));
                break;
            case ForkProcess fork:
                Fork(fork);
                break;
            case OpenIommufd open:
                Open(open);
                break;
            case IoctlRequest call:
                Call(call);
                break;
            case CloseVfioDescriptors ended:
                CloseVfio(ended.ProcessId);
                break;
            case RunDma run when _devices.Find(run.Device) is { } device:
                device.Forward(run);
                break;
            case RunDma run:
                Sender.Tell(new DmaDone(run.Tag, Errno.ENODEV, default));
                break;
            case ContextStep step when _contexts.TryGetValue(step.To, out var context):
                _asked.Add((step.To, step.Step.Context, step.Step.Flow, step.Step.Step), Sender);
                context.Tell(step.Step, Self);
                break;
            case ContextStep step:
                Sender.Tell(new FlowReply(step.Step.Flow, step.Step.Step, FlowResponse.Done));
                break;
            case ContextStepDone done:
                AnswerStep((done.Number, done.Context, done.Flow, done.Step));
                break;
            case CheckInvariants check:
                Collect(check, Sender);
                break;
            case QueryDigest query:
                CollectDigest(query, Sender);
                break;
            case ContextEnded ended:
                Forget(ended);
                break;
            default:
                if (_shared.Answer(message) is { } answer)
                {
                    Sender.Tell(answer);
                }
                else
                {
                    Unhandled(message);
                }

                break;
        }
    }

    private void Forget(ContextEnded ended)
    {
        _ended[ended.Number] = ended.Digest;
        _contexts.Remove(ended.Number);
        _options.Contexts.TryRemove(ended.Number, out _);
        foreach (var waiting in _asked.Keys.Where(a => a.To == ended.Number).ToArray())
        {
            AnswerStep(waiting);
        }
    }

    // A context that was closed has nothing left of what it was asked about.
    private void AnswerStep((int To, int From, ulong Flow, int Step) asked)
    {
        if (_asked.Remove(asked, out var asker))
        {
            asker.Tell(new FlowReply(asked.Flow, asked.Step, FlowResponse.Done));
        }
    }

    private void MakeDevice(string name)
    {
        var hardware = Props.CreateBy(new PhysicalDevice(name, _bus));
        _devices.Add(name, Context.ActorOf(hardware, string.Concat("device-", name)));
    }

    // The parent's memory copies itself: only there nothing changes its mappings meanwhile.
    private void Fork(ForkProcess fork)
    {
        var parent = _machine.Process(fork.Parent);
        var memory = parent.Memory;
        var limit =
            memory.RlimitMemlockPages == ulong.MaxValue ? ulong.MaxValue : memory.RlimitMemlockPages * HostPage.Size;
        var spec = new ProcessSpec(fork.Name, limit, memory.CapIpcLock, memory.CapSysResource, memory.RlimitOpenFiles);
        var child = _machine.StartProcess(spec, parent);
        _memories[(int)fork.Parent].Tell(new CopyInto(child.Memory, Sender, Start(child)));
    }

    private ProcessStarted Start(Caller caller)
    {
        var id = (int)caller.ProcessId;
        var cell = new ParticipantCell(
            new Participant(ParticipantKind.Memory, caller.ProcessId),
            new MemoryState(caller.Memory, other => _machine.Process((uint)other).Memory),
            new CellWatchers(_options.StepHook, _options.Faults, _options.Wrap, _options.Sampler)
        );
        var machine = _machine;
        var devices = _devices;
        var guests = new GuestBook();
        var memory = Context.ActorOf(
            Props.Create(() => new MemoryActor(cell, caller.Descriptors, machine, devices, guests)),
            $"memory-{id}"
        );
        _memories.Add(id, memory);
        _options.Memories[id] = memory;
        return new ProcessStarted(id, memory);
    }

    private void Open(OpenIommufd open)
    {
        if (_machine.FindProcess((uint)open.ProcessId) is not { } caller)
        {
            Sender.Tell(new IommufdOpened(Errno.ENOENT, 0, Nobody.Instance));
            return;
        }

        var descriptor = caller.Open(new IommufdDescriptor(_nextContext + 1));
        if (descriptor == DescriptorTable.None)
        {
            Sender.Tell(new IommufdOpened(Errno.EMFILE, 0, Nobody.Instance));
            return;
        }

        var number = ++_nextContext;
        var machine = Self;
        var room = new ContextRoom(number, _machine, _options, _devices, machine, (uint)open.ProcessId)
        {
            AsContainer = open.AsContainer,
        };
        var context = Context.System.ActorOf(Props.Create(() => new ContextActor(room)), $"iommufd-{number}");
        _contexts.Add(number, context);
        _options.Contexts[number] = context;
        Sender.Tell(new IommufdOpened(Errno.OK, number, context, descriptor));
    }

    // The collectors ask everybody and answer when all have: short-lived actors, so that the machine keeps no state of it.
    private void Collect(CheckInvariants check, IActorRef replyTo)
    {
        IActorRef[] contexts = [.. _contexts.Values];
        IActorRef[] memories = [.. _memories.Values];
        var machine = _machine;
        Context.ActorOf(Props.Create(() => new InvariantCollector(check, machine, contexts, memories, replyTo)));
    }

    private void CollectDigest(QueryDigest query, IActorRef replyTo)
    {
        var open = new SortedDictionary<int, IActorRef>(_contexts);
        var ended = new SortedDictionary<int, ulong>(_ended);
        Context.ActorOf(Props.Create(() => new DigestCollector(query, open, ended, replyTo)));
    }
}

/// <summary>Client → machine: starts a process that shares its parent's descriptors. Answered by ProcessStarted.</summary>
/// <param name="Spec">What it is.</param>
/// <param name="Parent">The parent's number.</param>
public sealed record StartChild(ProcessSpec Spec, uint Parent);

/// <summary>Context → machine: a step for another context. Answered by FlowReply, also when that context is closed.</summary>
/// <param name="To">The other context's number.</param>
/// <param name="Step">The step.</param>
internal sealed record ContextStep(int To, FlowStep Step);

/// <summary>Context → machine: it has done a step of another context's flow.</summary>
/// <param name="Number">Its number.</param>
/// <param name="Context">The other context's number.</param>
/// <param name="Flow">That one's flow.</param>
/// <param name="Step">The step in it.</param>
internal sealed record ContextStepDone(int Number, int Context, ulong Flow, int Step);
