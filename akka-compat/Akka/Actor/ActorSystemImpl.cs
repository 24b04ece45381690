using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Akka.Actor;

/// <summary>The one implementation of an actor system.</summary>
public sealed partial class ActorSystemImpl : ExtendedActorSystem
{
    private readonly TaskCompletionSource _terminated;
    private readonly Stack<Action> _onTermination = new();
    private readonly object _gate = new();
    private LocalActorRefProvider _provider;
    private long _nextUid;
    private int _nextLogger;
    private bool _isAborting;
    private bool _hasEnded;

    private ActorSystemImpl(string name, Config config, ActorSystemSetup setup)
    {
        if (!IsValidName(name))
            throw new ArgumentException(
                $"Invalid ActorSystem name [{name}], must contain only word characters (i.e. [a-zA-Z0-9] plus non-leading '-' and '_')",
                nameof(name)
            );
        ArgumentNullException.ThrowIfNull(config);
        Name = name;
        Settings = new Settings(this, config, setup);
        if (Settings.ProviderSelectionType is not ProviderSelection.Local)
            throw new NotSupportedException("Only the local actor provider is supported.");
        EventStream = new EventStream(Settings.DebugEventStream);
        EventStream.StartStdoutLogger(Settings);
        Log = new BusLogging(EventStream, "ActorSystem(" + name + ")", typeof(ActorSystem), Settings.LogFormatter);
        ActorPipelineResolver = new ActorProducerPipelineResolver();
        Simulation = Akka.Simulation.SimulationKernel.For(setup, this);
        Scheduler = Simulation?.Scheduler ?? NewScheduler();
        // Under simulation the shutdown ends in the step that ends the system. On the pool it would wait for a thread to be
        // free, and threads that run one simulation after the other never are: every ended system would be kept.
        _terminated = new TaskCompletionSource(
            Simulation is null ? TaskCreationOptions.RunContinuationsAsynchronously : TaskCreationOptions.None
        );
        StartTime = Scheduler.MonotonicClock;
        Mailboxes = new Mailboxes(this);
        Dispatchers = new Dispatchers(
            this,
            new DefaultDispatcherPrerequisites(EventStream, Scheduler, Settings, Mailboxes),
            Log
        );
        Selections = new SelectionFactory(this);
    }

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override Settings Settings { get; }

    /// <inheritdoc/>
    public override Serialization.Serialization Serialization => _serialization;

    /// <inheritdoc/>
    public override EventStream EventStream { get; }

    /// <inheritdoc/>
    public override IActorRef DeadLetters => _provider.DeadLetters;

    /// <inheritdoc/>
    public override IActorRef IgnoreRef => _provider.IgnoreRef;

    /// <inheritdoc/>
    public override Dispatchers Dispatchers { get; }

    /// <inheritdoc/>
    public override Mailboxes Mailboxes { get; }

    /// <inheritdoc/>
    public override IScheduler Scheduler { get; }

    /// <inheritdoc/>
    public override ILoggingAdapter Log { get; }

    /// <inheritdoc/>
    public override Task WhenTerminated => _terminated.Task;

    /// <inheritdoc/>
    public override IActorRefProvider Provider => _provider;

    /// <inheritdoc/>
    public override IInternalActorRef Guardian => _provider.Guardian;

    /// <inheritdoc/>
    public override IInternalActorRef LookupRoot => _provider.RootGuardian;

    /// <inheritdoc/>
    public override IInternalActorRef SystemGuardian => _provider.SystemGuardian;

    /// <inheritdoc/>
    public override ActorProducerPipelineResolver ActorPipelineResolver { get; }
    internal Akka.Simulation.SimulationKernel Simulation { get; }
    internal SelectionFactory Selections { get; }
    internal bool VerifiesSerialization { get; private set; }
    internal bool VerifiesCreators { get; private set; }
    internal bool IsAborting => _isAborting;

    private Serialization.Serialization _serialization;

    internal static ActorSystemImpl CreateAndStart(string name, Config config, ActorSystemSetup setup)
    {
        var system = new ActorSystemImpl(name, config, setup);
        try
        {
            system.Start();
        }
        catch
        {
            (system.Scheduler as IDisposable)?.Dispose();
            throw;
        }
        return system;
    }

    private void Start()
    {
        _provider = new LocalActorRefProvider(this);
        _provider.Init();
        _serialization = new Serialization.Serialization(this);
        VerifiesCreators = Settings.SerializeAllCreators;
        EventStream.StartUnsubscriber(this);
        EventStream.StartDefaultLoggers(this);
        VerifiesSerialization = Settings.SerializeAllMessages;
        if (Settings.LogDeadLetters > 0)
            SystemActorOf(Props.Create<DeadLetterListener>(), "deadLetterListener");
        if (Settings.DebugUnhandledMessage)
            EventStream.Subscribe(
                SystemActorOf(Props.Create<UnhandledMessageForwarder>(), "UnhandledMessageForwarder"),
                typeof(UnhandledMessage)
            );
        if (Settings.LogConfigOnStart)
            Log.Log(LogLevel.InfoLevel, null, Settings.ToString());
        LoadExtensions();
        _ = CoordinatedShutdown.Get(this);
    }

    internal long NextUid() => Interlocked.Increment(ref _nextUid);

    internal int NextLoggerNumber() => Interlocked.Increment(ref _nextLogger);

    internal ActorProducerPipeline PipelineOf(Type actorType) => ActorPipelineResolver.PipelineOf(actorType);

    internal int StashCapacityOf(Props props) =>
        props.Deploy.StashCapacity is not Deploy.NoStashSize and var own
            ? own
            : Mailboxes.StashCapacity(props.Deploy.Dispatcher, props.Deploy.Mailbox);

    /// <summary>Props with what the configuration's deployment section says about their path.</summary>
    internal Props Deployed(Props props, ActorPath path)
    {
        if (!HasDeployments || path.Depth < 2)
            return props;
        var name = "/" + string.Join('/', path.Elements.Skip(1));
        foreach (var (key, value) in _deployments)
        {
            if (!string.Equals(key, name, StringComparison.Ordinal) || !value.IsObject())
                continue;
            var config = new Config(new Configuration.Hocon.HoconRoot(value));
            if (config.GetString("dispatcher") is { Length: > 0 } dispatcher)
                props = props.WithDispatcher(dispatcher);
            if (config.GetString("mailbox") is { Length: > 0 } mailbox)
                props = props.WithMailbox(mailbox);
            if (config.HasPath("stash-capacity"))
                props = props.WithStashCapacity(config.GetInt("stash-capacity", Deploy.NoStashSize));
        }
        return props;
    }

    private KeyValuePair<string, Configuration.Hocon.HoconValue>[] _deployments;

    /// <summary>Whether the configuration says anything about the deployment of actors.</summary>
    internal bool HasDeployments
    {
        get
        {
            _deployments ??= Settings.Config.GetConfig("akka.actor.deployment")?.AsEnumerable().ToArray() ?? [];
            return _deployments.Length > 0;
        }
    }

    internal LocalActorRef NewLocalActor(Props props, IInternalActorRef parent, string name, long uid) =>
        new(this, props, DispatcherOf(props), parent, name, uid);

    internal MessageDispatcher DispatcherOf(Props props) =>
        props.Deploy.Dispatcher is null
            ? Dispatchers.DefaultGlobalDispatcher
            : Dispatchers.Lookup(props.Deploy.Dispatcher);

    internal void InitLocalActor(LocalActorRef actor, Props props = null)
    {
        var cell = actor.Cell;
        var type = Mailboxes.GetMailboxType(props ?? cell.Props, cell.Dispatcher.Configurator.Config);
        cell.Init(type.Create(actor, this));
    }

    internal object RoundTrip(object message) =>
        message is INoSerializationVerificationNeeded or AllDeadLetters ? message : _serialization.RoundTrip(message);

    internal void VerifyCreator(Props props)
    {
        foreach (var argument in props.Arguments)
        {
            if (argument is not null and not INoSerializationVerificationNeeded)
                _serialization.RoundTrip(argument);
        }
    }

    /// <summary>Waits for a task on the thread of a caller; under simulation, by running it.</summary>
    internal bool Await(Task task, TimeSpan timeout)
    {
        if (Simulation is { } simulation)
            return simulation.RunUntil(() => task.IsCompleted, long.MaxValue);
        return task.Wait(timeout);
    }

    /// <inheritdoc/>
    public override IActorRef ActorOf(Props props, string name = null) => _provider.Guardian.Cell.ActorOf(props, name);

    /// <inheritdoc/>
    public override IActorRef SystemActorOf(Props props, string name = null) =>
        _provider.SystemGuardian.Cell.MakeChild(props, name, isSystemService: true);

    /// <inheritdoc/>
    public override IActorRef SystemActorOf<TActor>(string name = null) => SystemActorOf(Props.Create<TActor>(), name);

    /// <inheritdoc/>
    public override ActorSelection ActorSelection(ActorPath actorPath) => Selections.ByPath(actorPath);

    /// <inheritdoc/>
    public override ActorSelection ActorSelection(string actorPath) => Selections.FromRoot(actorPath);

    /// <inheritdoc/>
    public override void Stop(IActorRef actor)
    {
        var path = actor.Path;
        var parent = path.Parent;
        // Through the guardian's own mailbox, so that it knows whom it waits for.
        if (parent == _provider.Guardian.Path)
            _provider.Guardian.Tell(new StopChild(actor), ActorRefs.NoSender);
        else if (parent == _provider.SystemGuardian.Path)
            _provider.SystemGuardian.Tell(new StopChild(actor), ActorRefs.NoSender);
        else
            ((IInternalActorRef)actor).Stop();
    }

    /// <inheritdoc/>
    public override void RegisterOnTermination(Action code)
    {
        lock (_gate)
        {
            if (_hasEnded)
                throw new InvalidOperationException("ActorSystem already terminated.");
            _onTermination.Push(code);
        }
    }

    /// <inheritdoc/>
    public override Task Terminate()
    {
        if (Settings.CoordinatedShutdownRunByActorSystemTerminate)
            _ = CoordinatedShutdown.Get(this).Run(CoordinatedShutdown.ActorSystemTerminateReason.Instance);
        else
            FinalTerminate();
        return WhenTerminated;
    }

    /// <summary>Stops the guardians; the rest follows from their deaths.</summary>
    internal void FinalTerminate()
    {
        EventStream.Publish(new Event.Debug($"ActorSystem({Name})", typeof(ActorSystem), "System shutdown initiated"));
        if (!Settings.LogDeadLettersDuringShutdown)
            EventStream.Publish(DeadLetterListener.Silence.Instance);
        _provider.Guardian.Stop();
    }

    /// <inheritdoc/>
    public override void Abort()
    {
        _isAborting = true;
        FinalTerminate();
    }

    /// <summary>The last actor is gone.</summary>
    internal void Terminated()
    {
        lock (_gate)
        {
            while (_onTermination.TryPop(out var code))
            {
                try
                {
                    code();
                }
                catch (Exception e)
                {
                    Log.Log(LogLevel.ErrorLevel, e, "A termination callback failed.");
                }
            }
            (Scheduler as IDisposable)?.Dispose();
            _hasEnded = true;
        }

        // Not under the lock: under simulation those who wait go on inside this call.
        _terminated.TrySetResult();
    }

    /// <inheritdoc/>
    public override string PrintTree()
    {
        var text = new System.Text.StringBuilder();
        Print(_provider.RootGuardian, 0);
        return text.ToString();

        void Print(LocalActorRef actor, int indent)
        {
            text.Append(' ', indent * 4).Append(actor.Path.ToStringWithoutAddress()).Append('\n');
            foreach (var child in actor.Cell.ChildrenRefs.Cast<LocalActorRef>())
                Print(child, indent + 1);
        }
    }

    private IScheduler NewScheduler()
    {
        var name = Settings.SchedulerClass;
        var config = Settings.Config.GetConfig("akka.scheduler");
        var log = Logging.GetLogger(EventStream, this);
        if (name == typeof(HashedWheelTimerScheduler).FullName)
            return new HashedWheelTimerScheduler(config, log);
        var type = Type.GetType(name) ?? throw new ConfigurationException($"The scheduler type {name} was not found.");
        return (IScheduler)Activator.CreateInstance(type, config, log);
    }

    private static bool IsValidName(string name) =>
        !string.IsNullOrEmpty(name)
        && char.IsAsciiLetterOrDigit(name[0])
        && name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
}

/// <summary>Asks a guardian to stop one of its children.</summary>
internal sealed record StopChild(IActorRef Child) : INoSerializationVerificationNeeded;
