using Akka.Configuration;
using Akka.Event;

namespace Akka.Actor;

/// <summary>Names the extension.</summary>
public sealed class CoordinatedShutdownExtension : ExtensionIdProvider<CoordinatedShutdown>
{
    /// <inheritdoc/>
    public override CoordinatedShutdown CreateExtension(ExtendedActorSystem system) => new(system);
}

/// <summary>Ends a system in phases; the tasks of a phase run together, a phase waits for those it depends on.</summary>
public sealed class CoordinatedShutdown : IExtension
{
    /// <summary>First: before the service stops taking new connections. All phases may be given tasks.</summary>
    public const string PhaseBeforeServiceUnbind = "before-service-unbind";

    /// <summary>Stop taking new connections.</summary>
    public const string PhaseServiceUnbind = "service-unbind";

    /// <summary>Wait until requests under way are answered.</summary>
    public const string PhaseServiceRequestsDone = "service-requests-done";

    /// <summary>Close what connections are left.</summary>
    public const string PhaseServiceStop = "service-stop";

    /// <summary>Before the phases of a cluster, which run here too when somebody gave them tasks.</summary>
    public const string PhaseBeforeClusterShutdown = "before-cluster-shutdown";

    /// <summary>Of a cluster; no task by itself here. At most 10 s by default.</summary>
    public const string PhaseClusterShardingShutdownRegion = "cluster-sharding-shutdown-region";

    /// <summary>Of a cluster; no task by itself here.</summary>
    public const string PhaseClusterLeave = "cluster-leave";

    /// <summary>Of a cluster; no task by itself here. At most 10 s by default.</summary>
    public const string PhaseClusterExiting = "cluster-exiting";

    /// <summary>Of a cluster; no task by itself here.</summary>
    public const string PhaseClusterExitingDone = "cluster-exiting-done";

    /// <summary>Of a cluster; no task by itself here.</summary>
    public const string PhaseClusterShutdown = "cluster-shutdown";

    /// <summary>The last moment at which actors work; the place for tasks that need them.</summary>
    public const string PhaseBeforeActorSystemTerminate = "before-actor-system-terminate";

    /// <summary>Last: ends the system. At most 10 s by default.</summary>
    public const string PhaseActorSystemTerminate = "actor-system-terminate";

    private static readonly CoordinatedShutdownExtension Id = new();

    private readonly object _gate = new();
    private readonly Dictionary<string, Phase> _phases = new(StringComparer.Ordinal);
    private readonly Dictionary<string, List<(string Name, Func<Task<Done>> Task)>> _tasks = new(
        StringComparer.Ordinal
    );
    private readonly List<string> _order;
    private Task<Done> _run;

    internal CoordinatedShutdown(ExtendedActorSystem system)
    {
        System = system;
        var config = system.Settings.Config.GetConfig("akka.coordinated-shutdown");
        var defaultTimeout = config.GetTimeSpan("default-phase-timeout");
        foreach (var (name, value) in config.GetConfig("phases").AsEnumerable())
        {
            var phase = value.IsObject() ? config.GetConfig("phases." + name) : Config.Empty;
            _phases[name] = new Phase(
                phase.GetTimeSpan("timeout", defaultTimeout),
                phase.GetBoolean("recover", true),
                phase.GetStringList("depends-on").ToArray()
            );
        }
        _order = Sorted();
        if (system.Settings.CoordinatedShutdownTerminateActorSystem)
            AddTask(PhaseActorSystemTerminate, "terminate-system", TerminateSystem);
    }

    /// <summary>The system that is ended.</summary>
    public ExtendedActorSystem System { get; }

    /// <summary>Why, from the first call of <see cref="Run"/> on; null before.</summary>
    public Reason ShutdownReason { get; private set; }

    /// <summary>The timeouts of all phases that have tasks, one after the other: no run takes longer.</summary>
    public TimeSpan TotalTimeout
    {
        get
        {
            lock (_gate)
                return _tasks.Keys.Aggregate(TimeSpan.Zero, (sum, phase) => sum + Timeout(phase));
        }
    }

    /// <summary>The extension of a system; it is made if it is not there.</summary>
    public static CoordinatedShutdown Get(ActorSystem sys) => Id.Apply(sys);

    /// <summary>
    /// Adds a task to a phase; tasks of one phase run at the same time. Any thread. One added to a phase that has begun
    /// does not run.
    /// </summary>
    /// <exception cref="ArgumentException">The phase is not in the configuration, or the name is empty.</exception>
    public void AddTask(string phase, string taskName, Func<Task<Done>> task)
    {
        if (!_phases.ContainsKey(phase))
            throw new ArgumentException(
                $"Unknown phase [{phase}], known phases [{string.Join(",", _phases.Keys)}]. All phases (along with their optional dependencies) must be defined in configuration."
            );
        if (string.IsNullOrEmpty(taskName))
            throw new ArgumentException("Set a task name when adding tasks to the Coordinated Shutdown.");
        lock (_gate)
        {
            if (!_tasks.TryGetValue(phase, out var tasks))
                _tasks[phase] = tasks = [];
            tasks.Add((taskName, task));
        }
    }

    /// <summary>How long a phase may take before the next one begins.</summary>
    /// <exception cref="ArgumentException">The phase is not in the configuration.</exception>
    public TimeSpan Timeout(string phase) =>
        _phases.TryGetValue(phase, out var found)
            ? found.Timeout
            : throw new ArgumentException($"Unknown phase [{phase}]. All phases must be defined in configuration.");

    /// <summary>Runs all phases, or those from one on. A second call gets the task of the first.</summary>
    public Task<Done> Run(Reason reason, string fromPhase = null)
    {
        lock (_gate)
        {
            if (_run is not null)
                return _run;
            ShutdownReason = reason;
            var phases =
                fromPhase is null ? _order
                : _order.Contains(fromPhase) ? _order[_order.IndexOf(fromPhase)..]
                : throw new ArgumentException($"Unknown phase [{fromPhase}]");
            return _run = RunPhases(phases);
        }
    }

    private async Task<Done> RunPhases(List<string> phases)
    {
        foreach (var name in phases)
        {
            List<(string Name, Func<Task<Done>> Task)> tasks;
            lock (_gate)
                tasks = _tasks.TryGetValue(name, out var found) ? [.. found] : [];
            if (tasks.Count > 0)
                await RunPhase(name, _phases[name], tasks).ConfigureAwait(false);
        }
        return Done.Instance;
    }

    private async Task RunPhase(string name, Phase phase, List<(string Name, Func<Task<Done>> Task)> tasks)
    {
        var all = Task.WhenAll(tasks.Select(t => RunTask(name, phase, t.Name, t.Task)));
        var late = new TaskCompletionSource();
        var timer = new Cancelable(System.Scheduler);
        System.Scheduler.Advanced.ScheduleOnce(phase.Timeout, () => late.TrySetResult(), timer);
        if (await Task.WhenAny(all, late.Task).ConfigureAwait(false) == all)
        {
            timer.Cancel();
            await all.ConfigureAwait(false);
            return;
        }
        var text = $"Coordinated shutdown phase [{name}] timed out after {phase.Timeout}";
        if (!phase.Recover)
            throw new TimeoutException(text);
        System.Log.Warning(text);
    }

    private async Task RunTask(string phaseName, Phase phase, string name, Func<Task<Done>> task)
    {
        try
        {
            await task().ConfigureAwait(false);
        }
        catch (Exception e) when (phase.Recover)
        {
            System.Log.Warning($"Task [{name}] failed in phase [{phaseName}]: {e.Message}");
        }
    }

    private Task<Done> TerminateSystem()
    {
        ((ActorSystemImpl)System).FinalTerminate();
        // Not awaited: inside a simulation an await that came from outside of it goes on on the pool.
        return System.WhenTerminated.ContinueWith(
            static _ => Done.Instance,
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
    }

    private List<string> Sorted()
    {
        var sorted = new List<string>();
        var open = new HashSet<string>(StringComparer.Ordinal);
        foreach (var name in _phases.Keys)
            Visit(name);
        return sorted;

        void Visit(string name)
        {
            if (sorted.Contains(name))
                return;
            if (!open.Add(name))
                throw new ArgumentException(
                    $"Cycle detected in graph of phases. It must be a DAG. phase [{name}] depends transitively on itself."
                );
            foreach (var before in _phases.TryGetValue(name, out var phase) ? phase.DependsOn : [])
                Visit(before);
            sorted.Add(name);
        }
    }

    private sealed record Phase(TimeSpan Timeout, bool Recover, string[] DependsOn);

    /// <summary>Why a system ends.</summary>
    public class Reason
    {
        /// <summary>For reasons of one's own.</summary>
        protected Reason() { }

        /// <inheritdoc/>
        public override string ToString() => GetType().Name;
    }

    /// <summary>Nobody said why.</summary>
    public class UnknownReason : Reason
    {
        /// <summary>The only one.</summary>
        public static readonly Reason Instance = new UnknownReason();
    }

    /// <summary>Terminate was called.</summary>
    public class ActorSystemTerminateReason : Reason
    {
        /// <summary>The only one.</summary>
        public static readonly Reason Instance = new ActorSystemTerminateReason();
    }

    /// <summary>The process ends.</summary>
    public class ClrExitReason : Reason
    {
        /// <summary>The only one.</summary>
        public static readonly Reason Instance = new ClrExitReason();
    }

    /// <summary>A cluster removed this node. Never here.</summary>
    public class ClusterDowningReason : Reason
    {
        /// <summary>The only one.</summary>
        public static readonly Reason Instance = new ClusterDowningReason();
    }

    /// <summary>This node left its cluster. Never here.</summary>
    public class ClusterLeavingReason : Reason
    {
        /// <summary>The only one.</summary>
        public static readonly Reason Instance = new ClusterLeavingReason();
    }

    /// <summary>This node found no cluster. Never here.</summary>
    public class ClusterJoinUnsuccessfulReason : Reason
    {
        /// <summary>The only one.</summary>
        public static readonly Reason Instance = new ClusterJoinUnsuccessfulReason();
    }
}
