using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Host;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Vocabulary;
using Iommufd.Scenarios.Linearizability;
using Iommufd.Scenarios.Shrink;
using Iommufd.Scenarios.Steps;
using Scope = Iommufd.Scenarios.Language.Expressions.Scope;

namespace Iommufd.Scenarios.Runner;

// ClientActor in parts: this file (life of the client, answers), .Steps (running steps), .Dma (background DMA),
// .Hold (standing still while the invariants are checked), .Faults (going on after an injected fault), .Scripts (operations of several
// requests), .Drill (a step that issues every command).

/// <summary>
/// One client of a scenario: a process with one open /dev/iommu that runs its steps. It never waits: every request is a
/// message, and its answer resumes the fiber that sent it.
/// </summary>
internal sealed partial class ClientActor : ReceiveActor, IWithTimers
{
    private readonly ClientAssignment _own;
    private readonly RunSettings _run;
    private readonly ClientObjects _objects = new();
    private readonly Dictionary<long, Fiber> _fibers = [];
    private readonly Dictionary<long, Fiber> _calls = [];
    private readonly Queue<(Fiber Fiber, object Message)> _memoryCalls = new();
    private readonly ContextHistory? _history;
    private readonly ClientTrace? _trace;
    private Fiber? _closing;
    private ProcessSpec? _process;
    private int _processId;
    private IActorRef _memory = ActorRefs.Nobody;
    private IActorRef _context = ActorRefs.Nobody;
    private int _contextNumber;
    private long _lastTag;
    private long _lastFiber;
    private int _leaked;
    private bool _isOpening = true;
    private bool _isOpen;
    private bool _isStopping;
    private bool _isClosing;
    private bool _isIommufdClosed;
    private bool _usesVfio;
    private bool _hasEnded;

    public ClientActor(ClientAssignment own, RunSettings run)
    {
        (_own, _run) = (own, run);
        _history = run.Histories ? new ContextHistory() : null;
        _trace = run.Trace?.Begin(own);
        Receive<StartClient>(_ => StartProcess());
        Receive<ProcessStarted>(OnProcessStarted);
        Receive<IommufdOpened>(OnOpened);
        Receive<IoctlAnswer>(answer => OnCallAnswer(answer.Tag, answer.Result));
        Receive<DmaDone>(OnDmaDone);
        Receive<MemoryRead>(OnMemoryAnswer);
        Receive<MemoryCounted>(OnMemoryAnswer);
        Receive<BytesCounted>(OnMemoryAnswer);
        Receive<GuestTableEdited>(OnMemoryAnswer);
        Receive<FileOpened>(OnMemoryOrMachineAnswer);
        Receive<MemoryMapped>(OnMemoryAnswer);
        Receive<HostResult>(OnMemoryOrMachineAnswer);
        Receive<GuestMade>(OnMemoryAnswer);
        Receive<IommufdStaysOpen>(_ => OnStaysOpen());
        Receive<IommufdClosed>(OnClosed);
        Receive<ResumeFiber>(resume => Resume(resume.FiberId));
        Receive<BarrierOpen>(open => Resume(open.FiberId));
        Receive<Terminated>(_ => OnContextDied());
        Receive<StopRun>(_ => Stop());
        Receive<HoldClient>(_ => Hold());
        Receive<ReleaseClient>(_ => Release());
    }

    public ITimerScheduler Timers { get; set; } = null!;

    public static Props Props(ClientAssignment own, RunSettings run) =>
        Akka.Actor.Props.Create(() => new ClientActor(own, run));

    private void StartProcess()
    {
        try
        {
            _process = _own.Plan.Process(_own.Scope);
        }
        catch (EvaluationException wrong)
        {
            Break(wrong);
            return;
        }

        _isLimited = !_process.CapIpcLock || _process.RlimitOpenFiles != ulong.MaxValue;
        _run.Machine.Tell(new StartProcess(_process), Self);
    }

    private void OnProcessStarted(ProcessStarted started)
    {
        if (_isOpen)
        {
            OnMachineAnswer(started);
            return;
        }

        (_processId, _memory) = (started.ProcessId, started.Memory);
        if (_isStopping)
        {
            End();
            return;
        }

        _run.Machine.Tell(new OpenIommufd(_processId), Self);
    }

    private void OnOpened(IommufdOpened opened)
    {
        if (opened.Errno != Errno.OK)
        {
            _run.Metrics.AddFailure(new FailedExpectation(null, _process!.Name, "open", "OK", $"{opened.Errno}"));
            End();
            return;
        }

        _context = opened.Context;
        _contextNumber = opened.Number;
        _objects.Iommufd = opened.Descriptor;
        _isOpen = true;
        Context.Watch(_context);
        _isOpening = false;
        _run.Metrics.AddContext();
        if (_isStopping)
        {
            Close();
            return;
        }

        Fiber first = NewFiber(parent: null, _trace?.Main);
        first.Enter(_own.Plan.Steps, _own.Scope);
        Advance(first);
    }

    private Fiber NewFiber(Fiber? parent, FiberTrace? trace)
    {
        var fiber = new Fiber(++_lastFiber, parent) { Trace = trace };
        _fibers.Add(fiber.Id, fiber);
        return fiber;
    }

    private void OnCallAnswer(long tag, IoctlResult result)
    {
        _history?.Answer(tag, result);
        if (_calls.Remove(tag, out Fiber? fiber))
        {
            NoteHits(fiber, tag);
            Answered(fiber, result);
            KickBackgroundDma();
        }
    }

    // One at a time: an answer may have to wait for devices, and says nothing of what it answers.
    private void AskMemory(Fiber fiber, object message)
    {
        _memoryCalls.Enqueue((fiber, message));
        if (_memoryCalls.Count == 1)
        {
            _memory.Tell(message, Self);
        }
    }

    private void OnMemoryAnswer(object answer)
    {
        if (_memoryCalls.TryDequeue(out (Fiber Fiber, object Message) call))
        {
            if (_memoryCalls.TryPeek(out (Fiber Fiber, object Message) next))
            {
                _memory.Tell(next.Message, Self);
            }

            Answered(call.Fiber, answer);
        }
    }

    // The step that closed the descriptor is over, but VFIO devices hold the iommufd open.
    private void OnStaysOpen()
    {
        _isIommufdClosed = true;
        if (_closing is { } fiber)
        {
            _closing = null;
            Answered(fiber, new IommufdClosed(0));
        }
    }

    private void OnClosed(IommufdClosed closed)
    {
        _leaked += closed.Leaked;
        _run.Metrics.AddCrashes(_process!.Name, closed.Crashes);
        _run.Metrics.AddClosedContext();
        _isOpen = false;
        Context.Unwatch(_context);
        if (_closing is { } fiber)
        {
            _closing = null;
            Answered(fiber, closed);
        }
        else if (_isClosing)
        {
            End();
        }
    }

    // The context stopped without having been closed: a bug. Whoever waits for it gets an errno, so that the run ends.
    private void OnContextDied()
    {
        _isOpen = false;
        _history?.Close();
        _run.Metrics.AddFailure(
            new FailedExpectation(
                null,
                _process!.Name,
                "context",
                "it lives until it is closed",
                "it stopped by itself"
            )
        );
        foreach (Fiber fiber in _calls.OrderBy(c => c.Key).Select(c => c.Value).ToArray())
        {
            bool waits =
                fiber.Drill is not null
                || fiber.Waiting?.Step.Kind is CommandKind
                || fiber.Script is { Pending: CommandRequest };
            if (waits)
            {
                Answered(fiber, IoctlResult.Fail(Errno.ENODEV));
            }
        }

        if (_closing is { } closing)
        {
            _closing = null;
            Answered(closing, new IommufdClosed(0));
        }

        Stop();
    }

    private void Stop()
    {
        _isStopping = true;
        if (_context.IsNobody())
        {
            // Between two answers of the machine: the next one finds out.
            return;
        }

        foreach (Fiber fiber in _fibers.Values.OrderBy(f => f.Id).ToArray())
        {
            // A fiber in a pause, at a barrier or before its next step has nobody to wait for.
            fiber.Abandon();
            fiber.Script?.IsStopped = true;
            if (fiber.Waiting is null && fiber.RunningBranches == 0 && _fibers.ContainsKey(fiber.Id))
            {
                Advance(fiber);
            }
        }
    }

    private void Close()
    {
        if (_isDead)
        {
            // The context was closed when the client died.
            return;
        }

        if (_isHeld)
        {
            _isCloseParked = true;
        }
        else if (_backgrounds.Count > 0)
        {
            StopAllDma();
        }
        else if (_isOpen && !_isClosing)
        {
            _isClosing = true;
            _history?.Close();
            CloseVfio();
            if (!_isIommufdClosed)
            {
                _context.Tell(new CloseIommufd(), Self);
            }
        }
        else if (!_isOpen)
        {
            CloseVfio();
            End();
        }
    }

    private void CloseVfio()
    {
        if (_usesVfio)
        {
            _usesVfio = false;
            _run.Machine.Tell(new CloseVfioDescriptors(_processId), Self);
        }
    }

    private void End()
    {
        if (!_hasEnded)
        {
            _hasEnded = true;
            if (_history is not null)
            {
                _history.Close();
                _run.Metrics.AddHistory(Self.Path.Name, _history);
            }

            Context.Parent.Tell(new ClientEnded(_leaked, _isDead), Self);
            Context.Stop(Self);
        }
    }

    private void Break(EvaluationException wrong)
    {
        if (wrong is NotYetKnownException && _isDisturbed)
        {
            _run.Metrics.AddSkipped();
            return;
        }

        Context.Parent.Tell(new ScenarioBroken(wrong.At, wrong.Message), Self);
        if (_process is null)
        {
            End();
        }
        else
        {
            Stop();
        }
    }
}

/// <summary>Which client of which kind an actor is.</summary>
/// <param name="Plan">The kind.</param>
/// <param name="Scope">The names it sees.</param>
internal sealed record ClientAssignment(ClientPlan Plan, Scope Scope);

/// <summary>What every client of a run shares.</summary>
/// <param name="Machine">The simulated machine.</param>
/// <param name="Metrics">What is counted.</param>
/// <param name="CheckEvery">Operations between checks of the invariants; null for none on the way.</param>
/// <param name="Faults">The run's faults; null where nothing fails.</param>
internal sealed record RunSettings(IActorRef Machine, RunMetrics Metrics, long? CheckEvery, FaultSession? Faults)
{
    /// <summary>Whether calls and answers are checked for linearizability.</summary>
    public bool Histories { get; init; }

    /// <summary>Devices with background DMA that an answered call sets going again.</summary>
    public int DmaKicks { get; init; } = 16;

    /// <summary>Blocks that background DMA transfers at most each time that it is set going; null for as many as its step says.</summary>
    public long? DmaBlocks { get; init; }

    /// <summary>Records what every client does; null for nobody. Under a seed alone.</summary>
    public RunTrace? Trace { get; init; }

    /// <summary>Where the run writes its own events; null without a journal.</summary>
    public RunJournaling? Journal { get; init; }
}
