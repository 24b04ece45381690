using System.Runtime.ExceptionServices;
using System.Runtime.InteropServices;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Dispatch;
using Akka.Util;

namespace Akka.Simulation;

/// <summary>What is ready to run, who of it runs next, and the loop that runs it.</summary>
internal sealed class SimulationKernel
{
    private const ulong HashSeed = 14695981039346656037;
    private const ulong HashPrime = 1099511628211;

    [ThreadStatic]
    private static SimulationKernel _ambient;

    private readonly object _gate = new();
    private readonly ReadySet _ready;
    private readonly SimulationTaskScheduler _tasks;
    private readonly Dictionary<Type, ulong> _typeHashes = [];
    private Func<bool> _condition;
    private long _limit;
    private long _taken;
    private bool _movesTime;
    private bool _isRunning;

    private SimulationKernel(SimulationSetup setup)
    {
        // Separate streams: how often user code draws must not shift the schedule by itself.
        var schedule = new Xoshiro256(setup.Seed);
        Random = new SeededRandom(new Xoshiro256(schedule.Next()));
        _ready = setup.Strategy switch
        {
            SimulationStrategy.PriorityChanges pct => new PriorityReadySet(schedule, pct),
            SimulationStrategy.Ordered ordered => new OrderedReadySet(ordered),
            _ => new RandomReadySet(schedule),
        };
        if (setup.Turned is { } turned)
            _ready = new RecordedReadySet(_ready, turned);
        Scheduler = new SimulationScheduler(setup.Start, this);
        _tasks = new SimulationTaskScheduler(this);
    }

    internal static SimulationKernel Ambient => _ambient;

    internal SimulationScheduler Scheduler { get; }
    internal SeededRandom Random { get; }
    internal long Steps { get; private set; }
    internal ulong ScheduleHash { get; private set; } = HashSeed;
    internal event Action<string, Type> Stepped;

    internal bool IsReady
    {
        get
        {
            lock (_gate)
                return _ready.Count > 0;
        }
    }

    internal static SimulationKernel For(ActorSystemSetup setups, ActorSystemImpl system)
    {
        var setup = setups.Get<SimulationSetup>();
        return setup.HasValue ? new SimulationKernel(setup.Value) : null;
    }

    /// <summary>Something wants to run. Any thread; one that is not the simulation's makes the run unrepeatable.</summary>
    internal void Add(IReadyWork work)
    {
        lock (_gate)
            _ready.Add(work);
    }

    internal bool RunUntil(Func<bool> condition, long maxSteps)
    {
        Run(maxSteps, condition, movesTime: true);
        return condition();
    }

    internal long RunFor(TimeSpan duration, long maxSteps)
    {
        var end = Scheduler.VirtualNow + duration;
        var reached = false;
        // A timer at the end is what stops the clock there; nothing later can have fired before it.
        Scheduler.At(end, () => reached = true);
        var taken = Run(maxSteps, () => reached, movesTime: true);
        return reached ? taken + Run(maxSteps - taken, null, movesTime: false) : taken;
    }

    /// <summary>Takes steps until the limit, the condition or the end of work.</summary>
    internal long Run(long maxSteps, Func<bool> condition, bool movesTime)
    {
        if (_isRunning)
            throw new InvalidOperationException("A simulation cannot be run from inside one of its own steps.");
        _condition = condition;
        _limit = maxSteps;
        _movesTime = movesTime;
        _taken = 0;
        // Inside a task of our scheduler, what user code awaits or continues with comes back to this loop.
        var loop = new Task(static kernel => ((SimulationKernel)kernel).Loop(), this);
        var context = SynchronizationContext.Current;
        var outerAmbient = _ambient;
        var outerRandom = ThreadLocalRandom.Exchange(Random);
        _ambient = this;
        _isRunning = true;
        SynchronizationContext.SetSynchronizationContext(null);
        try
        {
            loop.RunSynchronously(_tasks);
        }
        finally
        {
            SynchronizationContext.SetSynchronizationContext(context);
            _isRunning = false;
            _ambient = outerAmbient;
            ThreadLocalRandom.Exchange(outerRandom);
            _condition = null;
        }
        if (loop.Exception?.InnerException is { } failure)
            ExceptionDispatchInfo.Throw(failure);
        return _taken;
    }

    internal bool IsRunningHere => _isRunning && ReferenceEquals(_ambient, this);

    private void Loop()
    {
        while (_taken < _limit && !(_condition?.Invoke() ?? false) && TakeStep())
            _taken++;
    }

    private bool TakeStep()
    {
        IReadyWork next = null;
        lock (_gate)
        {
            if (_ready.Count > 0)
                next = _ready.Take(Steps);
        }
        if (next is not null)
        {
            Steps++;
            var outcome = next.RunOne();
            if (next is Mailbox { IsClosed: true })
                Forget(next);
            Mix(next, outcome);
            return true;
        }
        if (!_movesTime || !Scheduler.TryTakeNext(out var timer, out var moved))
            return false;
        Steps++;
        Mix((ulong)moved.Ticks);
        Stepped?.Invoke("/timer", null);
        timer.Fire();
        return true;
    }

    private void Forget(IReadyWork work)
    {
        lock (_gate)
            _ready.Forget(work);
    }

    private void Mix(IReadyWork work, object outcome)
    {
        // The number says which actor of the system it is, the name that it is the same one in another run; the names above it were
        // mixed with its parents' steps. Whole paths at every step cost a twentieth of a run.
        if (work.Path is { } path)
        {
            Mix((ulong)path.Uid);
            Mix(path.Name);
        }
        var type = outcome?.GetType();
        if (type is not null)
            Mix(HashOf(type));
        Stepped?.Invoke(work.Name, type);
    }

    // Four characters at a time.
    private void Mix(ReadOnlySpan<char> name)
    {
        var words = MemoryMarshal.Cast<char, ulong>(name);
        foreach (var word in words)
            Mix(word);
        foreach (var c in name[(words.Length * (sizeof(ulong) / sizeof(char)))..])
            Mix(c);
    }

    private void Mix(ulong value) => ScheduleHash = (ScheduleHash ^ value) * HashPrime;

    private ulong HashOf(Type type)
    {
        if (_typeHashes.TryGetValue(type, out var hash))
            return hash;
        hash = HashSeed;
        foreach (var c in type.FullName ?? type.Name)
            hash = (hash ^ c) * HashPrime;
        return _typeHashes[type] = hash;
    }
}

/// <summary>Something that can take one step.</summary>
internal interface IReadyWork
{
    /// <summary>Whose step it is; null for a continuation outside of actors.</summary>
    ActorPath Path { get; }

    /// <summary>The path as traces and schedules show it.</summary>
    string Name => Path?.ToStringWithoutAddress() ?? "/task";

    /// <summary>Takes the step; returns the message that was handled, if any.</summary>
    object RunOne();
}

/// <summary>Work outside of actors: a continuation, or a runnable of a dispatcher.</summary>
internal sealed class ReadyAction(Action action) : IReadyWork
{
    /// <inheritdoc/>
    public ActorPath Path => null;

    /// <inheritdoc/>
    public object RunOne()
    {
        action();
        return null;
    }
}

/// <summary>Brings continuations of tasks back into the simulation.</summary>
internal sealed class SimulationTaskScheduler(SimulationKernel kernel) : TaskScheduler
{
    public override int MaximumConcurrencyLevel => 1;

    protected override void QueueTask(Task task) => kernel.Add(new ReadyAction(() => TryExecuteTask(task)));

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && kernel.IsRunningHere && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => [];
}

/// <summary>Puts mailboxes with work into the simulation instead of on threads.</summary>
internal sealed class SimulationDispatcher(MessageDispatcherConfigurator configurator, SimulationKernel kernel)
    : MessageDispatcher(configurator)
{
    internal override void Execute(Mailbox mailbox) => kernel.Add(mailbox);

    protected override void ExecuteTask(IRunnable run) => kernel.Add(new ReadyAction(run.Run));

    protected override void Shutdown() { }
}

internal sealed class SimulationDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly SimulationDispatcher _instance;

    internal SimulationDispatcherConfigurator(
        Configuration.Config config,
        IDispatcherPrerequisites prerequisites,
        SimulationKernel kernel
    )
        : base(config, prerequisites)
    {
        _instance = new SimulationDispatcher(this, kernel);
    }

    public override MessageDispatcher Dispatcher() => _instance;
}
