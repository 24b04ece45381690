using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Actors.Protocol;
using Iommufd.Messages;
using Iommufd.Messages.Events;
using Iommufd.Messages.Host;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Expressions;

namespace Iommufd.Scenarios.Runner;

/// <summary>
/// Runs a scenario: builds the machine, starts the clients, opens barriers, checks invariants, and says when all is over.
/// </summary>
internal sealed partial class RunActor : ReceiveActor
{
    // How many devices are added before the first answer is awaited.
    private const int DevicesInFlight = 1024;

    private readonly Scenario _scenario;
    private readonly RunSettings _settings;
    private readonly Action<RunEnd> _ended;
    private readonly IEnumerator<DeviceSpec> _devices;
    private readonly Queue<string> _adding = new();
    private readonly Dictionary<string, List<(IActorRef Client, long FiberId)>> _barriers = new(StringComparer.Ordinal);
    private readonly Dictionary<IActorRef, (ClientQueue Queue, long Number)> _clients = [];
    private readonly List<ClientQueue> _queues = [];
    private readonly HashSet<IActorRef> _notHeld = [];
    private int _leaked;
    private bool _isCheckUnderWay;
    private bool _isLastCheck;
    private bool _hasLostClient;
    private string? _stopReason;
    private Mistake? _broken;

    public RunActor(Scenario scenario, RunSettings settings, Action<RunEnd> ended)
    {
        (_scenario, _settings, _ended) = (scenario, settings, ended);
        _devices = scenario.Machine.Devices().GetEnumerator();
        Receive<StartRun>(_ => Begin());
        Receive<RunRecorded>(OnRecorded);
        Receive<InterruptedContextClosed>(_ => OnInterruptedClosed());
        Receive<HostResult>(OnAdded);
        Receive<ClientEnded>(ended => OnClientEnded(ended));
        Receive<AtBarrier>(OnBarrier);
        Receive<CheckDue>(_ => Check());
        Receive<ClientHeld>(_ => OnHeld(Sender));
        Receive<InvariantReport>(OnChecked);
        Receive<StateDigest>(OnDigest);
        Receive<ScenarioBroken>(OnBroken);
        Receive<StopRun>(stop => Stop(stop.Reason));
    }

    public static Props Props(Scenario scenario, RunSettings settings, Action<RunEnd> ended) =>
        Akka.Actor.Props.Create(() => new RunActor(scenario, settings, ended));

    private void BuildMachine()
    {
        foreach (IommuSpec unit in _scenario.Machine.Units)
        {
            _adding.Enqueue($"IOMMU unit {unit.Index}");
            _settings.Machine.Tell(new AddIommu(unit), Self);
        }

        AddDevices();
    }

    private void AddDevices()
    {
        try
        {
            while (_stopReason is null && _adding.Count < DevicesInFlight && _devices.MoveNext())
            {
                _adding.Enqueue($"device '{_devices.Current.Name}'");
                _settings.Machine.Tell(new AddDevice(_devices.Current), Self);
            }
        }
        catch (EvaluationException wrong)
        {
            OnBroken(new ScenarioBroken(wrong.At, wrong.Message));
        }
    }

    private void OnAdded(HostResult result)
    {
        string what = _adding.Dequeue();
        _settings.Metrics.AddProgress();
        if (result.Errno != Errno.OK)
        {
            OnBroken(new ScenarioBroken(SourcePosition.Start, $"the machine refuses {what}: {result.Errno}"));
        }

        AddDevices();
        if (_adding.Count == 0)
        {
            StartClients();
        }
    }

    private void StartClients()
    {
        _settings.Metrics.EndPhase("machine");
        long number = 0;
        foreach (ClientPlan plan in _scenario.Clients)
        {
            _queues.Add(new ClientQueue(plan, number));
            number += plan.Count;
        }

        FillUp();
        FinishIfIdle();
    }

    private void FillUp()
    {
        foreach (ClientQueue queue in _queues)
        {
            FillUp(queue);
        }
    }

    private void FillUp(ClientQueue queue)
    {
        while (queue.Running < queue.Plan.AtOnce && StartNext(queue)) { }
    }

    private bool StartNext(ClientQueue queue)
    {
        if (_stopReason is not null || _isCheckUnderWay || queue.Started == queue.Plan.Count)
        {
            return false;
        }

        long own = queue.Started++;
        if (Unfinished?.Run.FinishedClients.Contains(queue.FirstNumber + own) == true)
        {
            return true;
        }

        SeededRandom random = SeededRandom.For(_scenario.Seed, (ulong)(queue.FirstNumber + own));
        var assignment = new ClientAssignment(queue.Plan, queue.Plan.ScopeOf(own, _scenario.Parameters, random));
        IActorRef client = Context.ActorOf(
            ClientActor.Props(assignment, _settings),
            $"client-{queue.FirstNumber + own}"
        );
        _clients.Add(client, (queue, queue.FirstNumber + own));
        _settings.Metrics.AddStartedClient();
        queue.Running++;
        client.Tell(new StartClient(), Self);
        return true;
    }

    private void OnClientEnded(ClientEnded ended)
    {
        if (!_clients.Remove(Sender, out (ClientQueue Queue, long Number) client))
        {
            return;
        }

        ClientQueue queue = client.Queue;
        if (_stopReason is null)
        {
            Record(new ClientFinished(client.Number));
        }

        _leaked += ended.Leaked;
        _settings.Metrics.AddEndedClient();
        if (ended.Died)
        {
            OpenBarriers();
        }

        queue.Running--;
        OnHeld(Sender);
        FillUp(queue);
        FinishIfIdle();
    }

    private void FinishIfIdle()
    {
        if (_clients.Count == 0 && !_isCheckUnderWay)
        {
            _settings.Metrics.EndPhase("clients");

            // The last check is of the state that is left: nothing may be.
            Check();
        }
    }

    // Every client stands still while the invariants are checked, so that those between contexts and memories hold too.
    private void Check()
    {
        if (_isCheckUnderWay)
        {
            return;
        }

        _isCheckUnderWay = true;
        _isLastCheck = _clients.Count == 0;
        _notHeld.UnionWith(_clients.Keys);
        foreach (IActorRef client in Context.GetChildren())
        {
            client.Tell(new HoldClient(), Self);
        }

        AskIfAllHeld();
    }

    private void OnHeld(IActorRef client)
    {
        if (_notHeld.Remove(client))
        {
            AskIfAllHeld();
        }
    }

    private void AskIfAllHeld()
    {
        if (_notHeld.Count == 0)
        {
            _settings.Machine.Tell(new CheckInvariants(IsQuiet: true), Self);
        }
    }

    private void OnChecked(InvariantReport report)
    {
        _settings.Metrics.AddInvariants(report);
        _isCheckUnderWay = false;
        foreach (IActorRef client in Context.GetChildren())
        {
            client.Tell(new ReleaseClient(), Self);
        }

        FillUp();
        if (_clients.Count > 0)
        {
            return;
        }

        if (_isLastCheck)
        {
            _settings.Machine.Tell(new QueryDigest(WithText: false), Self);
        }
        else
        {
            Check();
        }
    }

    private void OnDigest(StateDigest digest)
    {
        Finish(new RunEnd($"{digest.Digest:x16}", 0, _leaked, _stopReason, _broken));
    }

    private void OnBarrier(AtBarrier arrival)
    {
        if (HasOpenedBefore(arrival))
        {
            Sender.Tell(new BarrierOpen(arrival.FiberId), Self);
            return;
        }

        if (!_barriers.TryGetValue(arrival.Meeting, out var waiting))
        {
            _barriers[arrival.Meeting] = waiting = [];
        }

        waiting.Add((Sender, arrival.FiberId));
        if (waiting.Count < arrival.Parties && !_hasLostClient)
        {
            return;
        }

        _barriers.Remove(arrival.Meeting);
        _settings.Metrics.EndPhase(arrival.Meeting);
        Record(new BarrierOpened(arrival.Meeting));
        foreach ((IActorRef client, long fiberId) in waiting)
        {
            client.Tell(new BarrierOpen(fiberId), Self);
        }
    }

    // Nobody knows for how many parties of a barrier a dead client would have stood: from now on nobody waits.
    private void OpenBarriers()
    {
        _hasLostClient = true;
        foreach ((IActorRef client, long fiberId) in _barriers.Values.SelectMany(w => w))
        {
            client.Tell(new BarrierOpen(fiberId), Self);
        }

        _barriers.Clear();
    }

    private void OnBroken(ScenarioBroken broken)
    {
        _broken ??= new Mistake(_scenario.File, broken.At, broken.Message);
        Stop(broken.Message);
    }

    private void Stop(string reason)
    {
        if (_stopReason is null)
        {
            Record(new RunStopping(reason));
        }

        _stopReason ??= reason;
        foreach (IActorRef client in Context.GetChildren())
        {
            client.Tell(new StopRun(reason), Self);
        }
    }

    private sealed class ClientQueue(ClientPlan plan, long firstNumber)
    {
        public ClientPlan Plan { get; } = plan;

        public long FirstNumber { get; } = firstNumber;

        public long Started { get; set; }

        public long Running { get; set; }
    }
}

/// <summary>How a run ended.</summary>
/// <param name="Digest">The digest of the state that is left.</param>
/// <param name="Pins">Pages that are still pinned.</param>
/// <param name="Leaked">Objects that closing could not destroy.</param>
/// <param name="StopReason">Why it was cut short; null when it was not.</param>
/// <param name="Broken">What the scenario asked for and cannot be computed; null for nothing.</param>
internal sealed record RunEnd(string Digest, long Pins, int Leaked, string? StopReason, Mistake? Broken)
{
    /// <summary>Whether the journal was lost: contexts were left as they were.</summary>
    public bool IsLost { get; init; }
}
