// A context in three files: ContextActor takes messages in and runs flows, ContextActor.Participants carries their steps to other
// actors, ContextActor.Journal holds results back until their events are durable.
using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

/// <summary>
/// /user/iommufd-N: one open /dev/iommu. Turns commands into flows and runs them; several run at the same time. What must run alone
/// (a check, a digest, the close) waits for the running ones to end while new ones are held back.
/// </summary>
public sealed partial class ContextActor : UntypedActor, IParticipantHost
{
    private readonly ContextRoom _room;

    /// <summary>Makes the actor of a context.</summary>
    public ContextActor(ContextRoom room) => _room = room;

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => ParticipantSupervision.Strategy();

    /// <inheritdoc/>
    protected override void PreStart()
    {
        _room.Core.Engine.Host = this;
        OpenJournal();
        Record(new ContextOpened(EventTypes.Version, _room.Number, _room.OpenedBy));
        if (_room.AsContainer)
        {
            See(_room.Machine.Process(_room.OpenedBy));
            _room.Core.ChargeProcess = true;
            Record(new AccountingModeSet(true));
        }
    }

    /// <inheritdoc/>
    protected override void PreRestart(Exception reason, object message)
    {
        // Participants, flows and the message being handled are in the room.
    }

    /// <inheritdoc/>
    protected override void PostRestart(Exception reason)
    {
        _room.Core.Engine.Host = this;
        Self.Tell(Continue.Instance);
    }

    /// <inheritdoc/>
    protected override void OnReceive(object message)
    {
        if (message is CrashContext)
        {
            throw new InvalidOperationException("the context's actor was told to crash");
        }

        if (message is not Continue)
        {
            _room.Inbox.Enqueue((message, Sender));
            CrashIfStruck(message);
        }

        while (_room.Inbox.TryPeek(out var next))
        {
            // Taken out first: a message that kills the actor every time must not be handled for ever.
            _room.Inbox.Dequeue();
            Handle(next.Message, next.Sender);
        }

        _room.Core.Engine.Pump();
        CloseIfLetGo();
        RunAloneIfIdle();
    }

    // The last VFIO device that held the iommufd open is unbound.
    private void CloseIfLetGo()
    {
        if (_room is { ClosedBy: { } closer, Closing: false, Core.VfioDevices: 0 })
        {
            _room.ClosedBy = null;
            Close(new CloseIommufd(), closer);
        }
    }

    private void CrashIfStruck(object message)
    {
        if (_room.Options.Faults is not { } faults || message is not (FlowReply or IoctlRequest))
        {
            return;
        }

        var word = message is IoctlRequest request ? OperationWords.Of(request.Command) : null;
        var site = new FaultSite(_room.Number, (message as FlowReply)?.Flow ?? 0, Operation: word);
        if (faults.ShouldFail(FaultPoints.ContextCrash, site))
        {
            throw new InjectedCrashException(FaultPoints.ContextCrash);
        }
    }

    private void Handle(object message, IActorRef sender)
    {
        switch (message)
        {
            case FlowReply reply:
                _room.Core.Engine.Deliver(reply);
                break;
            case FlowStep when _room.RunsAlone:
                _room.Held.Enqueue((message, sender));
                break;
            case FlowStep { Request: ClearImports clear } step:
                var revoker = _room.Machine.Process(clear.Process);
                See(revoker);
                _room.Core.Engine.Start(
                    new ClearImportsFlow(_room.Core, revoker, (Dmabuf)clear.Buffer, clear.Revoked)
                    {
                        Question = step,
                        ReplyTo = sender,
                    }
                );
                break;
            case IoctlRequest request when _room.Closing || IsBehindDescriptor(request.Command):
                sender.Tell(new IoctlAnswer(request.Tag, IoctlResult.Fail(Errno.EBADF)));
                break;
            case IoctlRequest when _room.RunsAlone || _room.Alone.Count > 0:
                _room.Held.Enqueue((message, sender));
                break;
            case IoctlRequest { Command: RequestPages or ReportDmaFault } request:
                // From a device, which waits for each of them.
                Start(request, sender, null);
                break;
            case IoctlRequest request:
                Admit(request, sender, CallsOf(request.ProcessId));
                break;
            case CloseIommufd close:
                Close(close, sender);
                break;
            case CheckInvariants or QueryDigest:
                _room.Alone.Enqueue((message, sender));
                break;
            default:
                if (!OnJournal(message))
                {
                    Unhandled(message);
                }

                break;
        }
    }

    // While only VFIO devices hold the iommufd open there is no descriptor for its own ioctls.
    private bool IsBehindDescriptor(IoctlCommand command) =>
        _room.ClosedBy is not null && command is not (DriverCommand or VfioDeviceCommand);

    private void Close(CloseIommufd message, IActorRef sender)
    {
        var core = _room.Core;
        var opener = _room.Machine.Process(_room.OpenedBy);
        opener.Descriptors.CloseAll(d => d.IommufdContext == _room.Number);
        core.IsDescriptorClosed = true;
        if (core.VfioDevices > 0)
        {
            _room.ClosedBy = sender;
            sender.Tell(new IommufdStaysOpen(core.VfioDevices));
            return;
        }

        _room.Closing = true;
        if (core.PageSets.HoldContextOpen)
        {
            // As in the kernel: a page set on the context's own descriptor holds the file that would have to be released.
            sender.Tell(new IommufdClosed(core.Objects.Count));
            return;
        }

        if (core.Engine.RunningCount > 0)
        {
            _room.Options.Faults?.Saw(Sights.ClosedUnderLoad);
        }

        _room.Alone.Enqueue((message, sender));
    }

    private CallLine CallsOf(int process)
    {
        var (last, calls) = _room.LastCalls;
        if (calls is not null && last == process)
        {
            return calls;
        }

        if (!_room.Calls.TryGetValue(process, out calls))
        {
            calls = new CallLine();
            _room.Calls.Add(process, calls);
        }

        _room.LastCalls = (process, calls);
        return calls;
    }

    private void Admit(IoctlRequest request, IActorRef sender, CallLine calls)
    {
        if (calls.TryBegin(_room.Options.CallsAtOnce))
        {
            Start(request, sender, calls);
        }
        else if (!calls.TryWait(request, sender, _room.Options.CallsInLine))
        {
            sender.Tell(new IoctlAnswer(request.Tag, IoctlResult.Fail(Errno.EAGAIN)));
        }
    }

    private void GoOnWith(CallLine calls)
    {
        if (calls.Ended(out var next, out var sender))
        {
            Start(next!, sender!, calls);
        }
    }

    private void Start(IoctlRequest request, IActorRef sender, CallLine? calls)
    {
        if (_room.Machine.FindProcess((uint)request.ProcessId) is not { } caller)
        {
            sender.Tell(new IoctlAnswer(request.Tag, IoctlResult.Fail(Errno.EBADF)));
            if (calls is not null)
            {
                GoOnWith(calls);
            }

            return;
        }

        See(caller);
        var flow =
            _room.Options.MakeFlow?.Invoke(_room.Core, caller, request.Command)
            ?? CommandFlows.Create(_room.Core, caller, request.Command);
        flow.Tag = request.Tag;
        flow.ReplyTo = sender;
        flow.Account = calls;
        _room.Core.Engine.Start(flow);
    }

    // Again when a limit or a capability has changed: it decides how pages mapped from now on are charged.
    private void See(Caller caller)
    {
        var memory = caller.Memory;
        var limit =
            memory.RlimitMemlockPages == ulong.MaxValue ? ulong.MaxValue : memory.RlimitMemlockPages * HostPage.Size;

        // Nearly every call comes from the process that called before.
        var known = _room.LastSeen;
        if (known?.ProcessId != caller.ProcessId)
        {
            known = _room.SeenProcesses.GetValueOrDefault(caller.ProcessId);
        }

        if (
            known is null
            || known.RlimitMemlock != limit
            || known.CapIpcLock != memory.CapIpcLock
            || known.CapSysResource != memory.CapSysResource
        )
        {
            known = new ProcessSeen(caller.ProcessId, limit, memory.CapIpcLock, memory.CapSysResource);
            _room.SeenProcesses[caller.ProcessId] = known;
            Record(known);
        }

        _room.LastSeen = known;
    }

    private void RunAloneIfIdle()
    {
        while (!_room.RunsAlone && _room.Core.Engine.RunningCount == 0 && _room.Alone.TryDequeue(out var next))
        {
            _room.RunsAlone = true;
            var caller = _room.Machine.Process(_room.OpenedBy);
            Flow flow = next.Message switch
            {
                CheckInvariants => new CheckContextFlow(_room.Core, caller),
                QueryDigest query => new DescribeContextFlow(_room.Core, caller, query.WithText),
                _ => new DescribeContextFlow(_room.Core, caller, withText: false) { ThenClose = true },
            };
            flow.ReplyTo = next.Sender;
            _room.Core.Engine.Start(flow);
        }
    }

    private void EndAlone()
    {
        _room.RunsAlone = false;
        while (_room.Alone.Count == 0 && _room.Held.TryDequeue(out var held))
        {
            _room.Inbox.Enqueue(held);
        }

        if (_room.Inbox.Count > 0 || _room.Alone.Count > 0)
        {
            Self.Tell(Continue.Instance);
        }
    }

    private sealed class Continue
    {
        public static readonly Continue Instance = new();
    }
}

/// <summary>Fault plan or test → context: die here. The room survives.</summary>
public sealed record CrashContext;
