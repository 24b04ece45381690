using System.Diagnostics;
using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Dispatch;

/// <summary>Something to run.</summary>
public interface IRunnable : IThreadPoolWorkItem
{
    /// <summary>Does the work, once for each time that it was scheduled.</summary>
    void Run();
}

/// <summary>What a dispatcher is made with.</summary>
public interface IDispatcherPrerequisites
{
    /// <summary>The event stream of the system.</summary>
    EventStream EventStream { get; }

    /// <summary>The clock and the timers of the system.</summary>
    IScheduler Scheduler { get; }

    /// <summary>The settings of the system.</summary>
    Settings Settings { get; }

    /// <summary>The mailboxes of the system.</summary>
    Mailboxes Mailboxes { get; }
}

/// <summary>What a dispatcher is made with.</summary>
public sealed class DefaultDispatcherPrerequisites(
    EventStream eventStream,
    IScheduler scheduler,
    Settings settings,
    Mailboxes mailboxes
) : IDispatcherPrerequisites
{
    /// <inheritdoc/>
    public EventStream EventStream => eventStream;

    /// <inheritdoc/>
    public IScheduler Scheduler => scheduler;

    /// <inheritdoc/>
    public Settings Settings => settings;

    /// <inheritdoc/>
    public Mailboxes Mailboxes => mailboxes;
}

/// <summary>Gives actors their turns.</summary>
public abstract class MessageDispatcher
{
    /// <summary>
    /// Messages of a turn when the dispatcher's section does not say; the default configuration says 30.
    /// </summary>
    public const int DefaultThroughput = 100;

    private long _inhabitants;

    /// <summary>
    /// Reads throughput, throughput-deadline-time, shutdown-timeout and id from the configurator's section.
    /// </summary>
    protected MessageDispatcher(MessageDispatcherConfigurator configurator)
    {
        Configurator = configurator;
        var config = configurator.Config;
        Throughput = config.GetInt("throughput", DefaultThroughput);
        Id = config.GetString("id");
        var deadline = config.GetTimeSpan("throughput-deadline-time", TimeSpan.Zero, false);
        ThroughputDeadlineTime = deadline > TimeSpan.Zero ? deadline.Ticks : null;
        ShutdownTimeout = config.GetTimeSpan("shutdown-timeout", TimeSpan.FromSeconds(1), false);
    }

    /// <summary>What made the dispatcher.</summary>
    public MessageDispatcherConfigurator Configurator { get; }

    /// <summary>The event stream of the system.</summary>
    public EventStream EventStream => Configurator.Prerequisites.EventStream;

    /// <summary>The mailboxes of the system.</summary>
    public Mailboxes Mailboxes => Configurator.Prerequisites.Mailboxes;

    /// <summary>The path of its configuration.</summary>
    public string Id { get; protected set; }

    /// <summary>
    /// How long a turn may last before the actor goes to the back of the queue, in ticks of 100 ns; null for any time.
    /// Checked between messages.
    /// </summary>
    public long? ThroughputDeadlineTime { get; protected set; }

    /// <summary>Messages that an actor may handle in one turn.</summary>
    public int Throughput { get; set; }

    /// <summary>How long threads of the dispatcher's own are kept after its last actor.</summary>
    public TimeSpan ShutdownTimeout { get; protected set; }

    /// <summary>How many actors are attached now.</summary>
    protected long Inhabitants => Interlocked.Read(ref _inhabitants);

    internal long? DeadlineTicks => ThroughputDeadlineTime;
    internal long MonotonicTicks => Configurator.Prerequisites.Scheduler.MonotonicClock.Ticks;

    /// <summary>Runs something where actors run.</summary>
    public void Schedule(Action run) => Schedule(new ActionRunnable(run));

    /// <summary>Runs something where actors run.</summary>
    public void Schedule(IRunnable run) => ExecuteTask(run);

    /// <summary>Gets something run, soon, by some thread; in the order of calls for one actor.</summary>
    protected abstract void ExecuteTask(IRunnable run);

    /// <summary>Lets go of threads; called when no actor is left.</summary>
    protected abstract void Shutdown();

    /// <summary>Logs a failure as an error of the dispatcher.</summary>
    protected void ReportFailure(Exception ex)
    {
        var system = (this as IDispatcherOwner)?.Source ?? GetType().Name;
        EventStream.Publish(new Error(ex, system, GetType(), ex.Message));
    }

    /// <summary>Gives a mailbox its turn, soon.</summary>
    internal virtual void Execute(Mailbox mailbox) => ExecuteTask(mailbox);

    /// <summary>Gives a mailbox whose turn is over another one, after all others that wait.</summary>
    internal virtual void ExecuteAgain(Mailbox mailbox) => Execute(mailbox);

    /// <summary>Puts a user message into an actor's mailbox. Any thread. Tell goes to the mailbox without it.</summary>
    public virtual void Dispatch(ActorCell cell, Envelope envelope) =>
        cell.Mailbox.Post(envelope.Message, envelope.Sender);

    /// <summary>Puts a message of the runtime into an actor's mailbox. Any thread. The runtime does so without it.</summary>
    public virtual void SystemDispatch(ActorCell cell, SystemMessage message) => cell.SendSystemMessage(message);

    /// <summary>Counts an actor in, at its creation.</summary>
    public virtual void Attach(ActorCell cell) => Interlocked.Increment(ref _inhabitants);

    /// <summary>Counts an actor out, at its end.</summary>
    public virtual void Detach(ActorCell cell) => Interlocked.Decrement(ref _inhabitants);

    private sealed class ActionRunnable(Action action) : IRunnable
    {
        /// <inheritdoc/>
        public void Run() => action();

        /// <inheritdoc/>
        public void Execute() => action();
    }
}

/// <summary>A dispatcher that names itself in what it reports.</summary>
internal interface IDispatcherOwner
{
    string Source { get; }
}

/// <summary>Makes a dispatcher from its configuration.</summary>
public abstract class MessageDispatcherConfigurator
{
    /// <summary>
    /// The section has the defaults filled in. A configurator that the runtime makes by reflection must have this
    /// constructor.
    /// </summary>
    protected MessageDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
    {
        Config = config;
        Prerequisites = prerequisites;
    }

    /// <summary>The section of the dispatcher, with the defaults filled in.</summary>
    public Config Config { get; }

    /// <summary>What its dispatchers may use of the system.</summary>
    public IDispatcherPrerequisites Prerequisites { get; }

    /// <summary>The dispatcher; a new one for each actor if it is to have its own.</summary>
    public abstract MessageDispatcher Dispatcher();
}

/// <summary>Runs mailboxes on the thread pool.</summary>
internal sealed class ThreadPoolDispatcher(MessageDispatcherConfigurator configurator) : MessageDispatcher(configurator)
{
    /// <summary>Whether an actor that is woken by another may follow it on the same thread.</summary>
    internal bool HandsOver => DeadlineTicks is null;

    internal override void Execute(Mailbox mailbox)
    {
        if (HandsOver)
            PoolWorker.Schedule(mailbox);
        else
            PoolWorker.ScheduleInQueue(mailbox);
    }

    internal override void ExecuteAgain(Mailbox mailbox) => PoolWorker.ScheduleInQueue(mailbox);

    protected override void ExecuteTask(IRunnable run) => ThreadPool.UnsafeQueueUserWorkItem(run, preferLocal: true);

    protected override void Shutdown() { }
}

internal sealed class ThreadPoolDispatcherConfigurator : MessageDispatcherConfigurator
{
    private readonly ThreadPoolDispatcher _instance;

    /// <summary>Called by the runtime.</summary>
    public ThreadPoolDispatcherConfigurator(Config config, IDispatcherPrerequisites prerequisites)
        : base(config, prerequisites)
    {
        _instance = new ThreadPoolDispatcher(this);
    }

    public override MessageDispatcher Dispatcher() => _instance;
}

/// <summary>The dispatchers of a system by the path of their configuration.</summary>
public sealed class Dispatchers
{
    /// <summary>Of actors that ask for no other.</summary>
    public const string DefaultDispatcherId = "akka.actor.default-dispatcher";

    /// <summary>For actors that block their threads. Runs on the thread pool here, with a throughput of 1.</summary>
    public const string DefaultBlockingDispatcherId = "akka.actor.default-blocking-io-dispatcher";

    /// <summary>Runs actors on the synchronization context that was current when the dispatcher was made.</summary>
    public const string SynchronizedDispatcherId = "akka.actor.synchronized-dispatcher";
    internal const string InternalDispatcherId = "akka.actor.internal-dispatcher";

    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, MessageDispatcherConfigurator> _known =
        new(StringComparer.Ordinal);
    private readonly ActorSystem _system;
    private MessageDispatcher _default;

    /// <summary>Looks up nothing yet. The logger is not used.</summary>
    public Dispatchers(ActorSystem system, IDispatcherPrerequisites prerequisites, ILoggingAdapter logger)
    {
        _system = system;
        Prerequisites = prerequisites;
    }

    /// <summary>What dispatchers are made with.</summary>
    public IDispatcherPrerequisites Prerequisites { get; }

    /// <summary>The dispatcher of <see cref="DefaultDispatcherId"/>.</summary>
    public MessageDispatcher DefaultGlobalDispatcher => _default ??= Lookup(DefaultDispatcherId);

    /// <summary>The section of <see cref="DefaultDispatcherId"/>.</summary>
    public Config DefaultDispatcherConfig => GetConfig(_system.Settings.Config, DefaultDispatcherId);

    /// <summary>The section of a dispatcher, with its id and the defaults filled in.</summary>
    public static Config GetConfig(Config config, string id, int depth = 0)
    {
        var own = config.GetConfig(id) ?? Config.Empty;
        var simple = id[(id.LastIndexOf('.') + 1)..];
        return own.WithFallback(ConfigurationFactory.ParseString($"id = \"{id}\", name = \"{simple}\""))
            .WithFallback(config.GetConfig(DefaultDispatcherId) ?? Config.Empty);
    }

    /// <summary>The dispatcher of a path; an unknown one is a <see cref="ConfigurationException"/>.</summary>
    public MessageDispatcher Lookup(string dispatcherName) =>
        _known.GetOrAdd(string.IsNullOrEmpty(dispatcherName) ? DefaultDispatcherId : dispatcherName, Make).Dispatcher();

    /// <summary>Whether a path is configured or registered.</summary>
    public bool HasDispatcher(string id) => _known.ContainsKey(id) || _system.Settings.Config.HasPath(id);

    /// <summary>Adds a dispatcher by code; false when the id is taken.</summary>
    public bool RegisterConfigurator(string id, MessageDispatcherConfigurator configurator) =>
        _known.TryAdd(id, configurator);

    private MessageDispatcherConfigurator Make(string id)
    {
        var all = _system.Settings.Config;
        if (!all.HasPath(id))
            throw new ConfigurationException($"Dispatcher {id} not configured.");
        if (all.GetString(id) is { } alias && all.GetValue(id).IsString())
            return _known.GetOrAdd(alias, Make);
        var config = GetConfig(all, id);
        var type = config.GetString("type", "Dispatcher");
        if (((ActorSystemImpl)_system).Simulation is { } simulation && !IsOnCallersThread(type))
            return new Simulation.SimulationDispatcherConfigurator(config, Prerequisites, simulation);
        switch (type)
        {
            case "Dispatcher":
                return ByExecutor(config);
            case "TaskDispatcher":
                return new ThreadPoolDispatcherConfigurator(config, Prerequisites);
            case "ForkJoinDispatcher":
                return new ForkJoinDispatcherConfigurator(config, Prerequisites);
            case "PinnedDispatcher":
                return new PinnedDispatcherConfigurator(config, Prerequisites);
            case "SynchronizedDispatcher":
                return new ContextDispatcherConfigurator(config, Prerequisites);
            case null:
                throw new ConfigurationException($"Could not resolve dispatcher for path {id}. type is null");
            default:
                var resolved =
                    Type.GetType(type)
                    ?? throw new ConfigurationException($"Could not resolve dispatcher type {type} for path {id}");
                return (MessageDispatcherConfigurator)Activator.CreateInstance(resolved, config, Prerequisites);
        }
    }

    /// <summary>Whatever is not known by name gets the thread pool, as the default executor does.</summary>
    private MessageDispatcherConfigurator ByExecutor(Config config) =>
        config.GetString("executor", "default-executor") switch
        {
            "fork-join-executor" => new ForkJoinDispatcherConfigurator(config, Prerequisites),
            "current-context-executor" => new ContextDispatcherConfigurator(config, Prerequisites),
            _ => new ThreadPoolDispatcherConfigurator(config, Prerequisites),
        };

    private static bool IsOnCallersThread(string type) =>
        type?.Contains("CallingThreadDispatcher", StringComparison.Ordinal) ?? false;
}
