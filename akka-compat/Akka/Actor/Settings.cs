using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;

namespace Akka.Actor;

/// <summary>The configuration of a system, read.</summary>
public class Settings
{
    private readonly Config _userConfig;
    private Config _fallback;

    /// <summary>Reads a configuration without setups.</summary>
    public Settings(ActorSystem system, Config config)
        : this(system, config, ActorSystemSetup.Empty) { }

    /// <summary>Puts the configuration before the defaults of akka.conf and reads it.</summary>
    /// <exception cref="Akka.Configuration.ConfigurationException">
    /// The type of the logger for standard output was not found.
    /// </exception>
    public Settings(ActorSystem system, Config config, ActorSystemSetup setup)
    {
        System = system;
        Setup = setup;
        _userConfig = config;
        _fallback = ConfigurationFactory.Default();
        Config = config.SafeWithFallback(_fallback);
        var bootstrap = setup.Get<BootstrapSetup>();
        ProviderSelectionType = bootstrap.HasValue
            ? bootstrap.Value.ActorRefProvider.GetOrElse(ProviderSelection.Local.Instance)
            : ProviderSelection.Local.Instance;
        LogFormatter = DefaultLogMessageFormatter.Instance;
        var filter = setup.Get<LogFilterSetup>();
        LogFilter = filter.HasValue ? filter.Value.CreateEvaluator() : LogFilterEvaluator.NoFilters;
        StdoutLogger = NewStdoutLogger(Config.GetString("akka.stdout-logger-class"));
        StdoutLogger.Filter = LogFilter;
    }

    /// <summary>The system whose settings these are.</summary>
    public ActorSystem System { get; }

    /// <summary>
    /// The user's configuration before all injected defaults. Later fallbacks replace the object, so don't keep it.
    /// </summary>
    public Config Config { get; private set; }

    /// <summary>What the system was created with.</summary>
    public ActorSystemSetup Setup { get; }

    /// <summary>
    /// The provider that the bootstrap setup chose; local by default, and nothing else can be started.
    /// </summary>
    public ProviderSelection ProviderSelectionType { get; }

    /// <summary>Whether the chosen provider is that of a cluster; false in every system that runs here.</summary>
    public bool HasCluster => ProviderSelectionType.HasCluster;

    /// <summary>akka.version: the version of Akka.NET whose configuration the defaults follow.</summary>
    public string ConfigVersion => Config.GetString("akka.version");

    /// <summary>akka.actor.provider. Not looked at: the local provider is the only one.</summary>
    public string ProviderClass => Config.GetString("akka.actor.provider");

    /// <summary>akka.actor.guardian-supervisor-strategy: the configurator of the strategy of /user.</summary>
    public string SupervisorStrategyClass => Config.GetString("akka.actor.guardian-supervisor-strategy");

    /// <summary>
    /// akka.actor.serialize-messages: whether each message is serialized and read back on its way. For tests; slow.
    /// </summary>
    public bool SerializeAllMessages => Config.GetBoolean("akka.actor.serialize-messages");

    /// <summary>
    /// akka.actor.serialize-creators: whether the arguments of props without local scope are checked in the same way.
    /// </summary>
    public bool SerializeAllCreators => Config.GetBoolean("akka.actor.serialize-creators");

    /// <summary>akka.actor.telemetry.enabled. Read by nothing here.</summary>
    public bool EmitActorTelemetry => Config.GetBoolean("akka.actor.telemetry.enabled");

    /// <summary>akka.actor.ask-timeout: how long Ask waits when it is not told; infinite by default.</summary>
    public TimeSpan AskTimeout => Config.GetTimeSpan("akka.actor.ask-timeout", Timeout.InfiniteTimeSpan);

    /// <summary>
    /// akka.actor.creation-timeout. Read by nothing here: actors are created by their own first turn.
    /// </summary>
    public TimeSpan CreationTimeout => Config.GetTimeSpan("akka.actor.creation-timeout");

    /// <summary>
    /// akka.actor.unstarted-push-timeout. Read by nothing here: there are no references that start later.
    /// </summary>
    public TimeSpan UnstartedPushTimeout => Config.GetTimeSpan("akka.actor.unstarted-push-timeout");

    /// <summary>akka.loglevel: the least severe level that loggers get: OFF, ERROR, WARNING, INFO or DEBUG.</summary>
    public string LogLevel => Config.GetString("akka.loglevel");

    /// <summary>
    /// akka.stdout-loglevel: the same for the logger that is there before the others start and after they stop.
    /// </summary>
    public string StdoutLogLevel => Config.GetString("akka.stdout-loglevel");

    /// <summary>The logger of startup and shutdown, of the type named by akka.stdout-logger-class.</summary>
    public MinimalLogger StdoutLogger { get; }

    /// <summary>akka.loggers: the type names of the logger actors.</summary>
    public IList<string> Loggers => Config.GetStringList("akka.loggers");

    /// <summary>akka.loggers-dispatcher: the configuration path of their dispatcher.</summary>
    public string LoggersDispatcher => Config.GetString("akka.loggers-dispatcher");

    /// <summary>akka.logger-startup-timeout: how long the start of a system waits for each logger to answer.</summary>
    public TimeSpan LoggerStartTimeout => Config.GetTimeSpan("akka.logger-startup-timeout");

    /// <summary>akka.logger-async-start. Read by nothing here: the start always waits.</summary>
    public bool LoggerAsyncStart => Config.GetBoolean("akka.logger-async-start");

    /// <summary>akka.log-config-on-start: whether the whole configuration is logged at info level.</summary>
    public bool LogConfigOnStart => Config.GetBoolean("akka.log-config-on-start");

    /// <summary>Fills the templates of log messages; always the default formatter.</summary>
    public ILogMessageFormatter LogFormatter { get; }

    /// <summary>
    /// Which log events the default logger leaves out, and the one of startup; from the log filter setup, else none.
    /// </summary>
    public LogFilterEvaluator LogFilter { get; }

    /// <summary>akka.log-serializer-override-on-start. Read by nothing here.</summary>
    public bool LogSerializerOverrideOnStart => Config.GetBoolean("akka.log-serializer-override-on-start");

    /// <summary>How many dead letters are logged before logging stops: on is all, off is none.</summary>
    public int LogDeadLetters =>
        Config.GetString("akka.log-dead-letters").ToLowerInvariant() switch
        {
            "on" or "true" or "yes" => int.MaxValue,
            "off" or "false" or "no" => 0,
            _ => Config.GetInt("akka.log-dead-letters"),
        };

    /// <summary>
    /// akka.log-dead-letters-during-shutdown: false silences their log from the first step of the termination.
    /// </summary>
    public bool LogDeadLettersDuringShutdown => Config.GetBoolean("akka.log-dead-letters-during-shutdown");

    /// <summary>
    /// akka.log-dead-letters-suspend-duration: the pause after <see cref="LogDeadLetters"/> entries; infinite ends it
    /// for good.
    /// </summary>
    public TimeSpan LogDeadLettersSuspendDuration =>
        Config.GetString("akka.log-dead-letters-suspend-duration") == "infinite"
            ? Timeout.InfiniteTimeSpan
            : Config.GetTimeSpan("akka.log-dead-letters-suspend-duration");

    /// <summary>
    /// akka.actor.debug.receive: whether actors marked by <see cref="ILogReceive"/> log what they handle.
    /// </summary>
    public bool AddLoggingReceive => Config.GetBoolean("akka.actor.debug.receive");

    /// <summary>
    /// akka.actor.debug.autoreceive: whether messages that the runtime itself handles are logged. Read once.
    /// </summary>
    public bool DebugAutoReceive => _debugAutoReceive ??= Config.GetBoolean("akka.actor.debug.autoreceive");

    /// <summary>akka.actor.debug.event-stream: whether subscriptions of the event stream are logged.</summary>
    public bool DebugEventStream => Config.GetBoolean("akka.actor.debug.event-stream");

    /// <summary>akka.actor.debug.unhandled: whether unhandled messages are logged.</summary>
    public bool DebugUnhandledMessage => Config.GetBoolean("akka.actor.debug.unhandled");

    /// <summary>akka.actor.debug.router-misconfiguration. Read by nothing here: there are no routers.</summary>
    public bool DebugRouterMisconfiguration => Config.GetBoolean("akka.actor.debug.router-misconfiguration");

    /// <summary>akka.home. Read by nothing here.</summary>
    public string Home => Config.GetString("akka.home", "");

    /// <summary>
    /// akka.actor.debug.lifecycle: whether starts, stops, restarts and watches are logged. Read once.
    /// </summary>
    public bool DebugLifecycle => _debugLifecycle ??= Config.GetBoolean("akka.actor.debug.lifecycle");

    /// <summary>
    /// akka.actor.debug.log-timers: whether the timers of actors are logged when they start and stop. Read once.
    /// </summary>
    public bool DebugTimerScheduler => _debugTimers ??= Config.GetBoolean("akka.actor.debug.log-timers");

    /// <summary>akka.actor.debug.fsm. Read by nothing here: there is no FSM.</summary>
    public bool FsmDebugEvent => Config.GetBoolean("akka.actor.debug.fsm");

    /// <summary>The virtual nodes of a consistent-hashing router. Read by nothing here.</summary>
    public int DefaultVirtualNodesFactor => Config.GetInt("akka.actor.deployment.default.virtual-nodes-factor", 10);

    /// <summary>
    /// akka.scheduler.implementation: the type of the scheduler. Not looked at on a simulated system.
    /// </summary>
    public string SchedulerClass => Config.GetString("akka.scheduler.implementation");

    /// <summary>akka.scheduler.shutdown-timeout. Read by nothing here: the scheduler stops at once.</summary>
    public TimeSpan SchedulerShutdownTimeout => Config.GetTimeSpan("akka.scheduler.shutdown-timeout");

    /// <summary>akka.coordinated-shutdown.terminate-actor-system: whether the last phase ends the system.</summary>
    public bool CoordinatedShutdownTerminateActorSystem =>
        Config.GetBoolean("akka.coordinated-shutdown.terminate-actor-system");

    /// <summary>akka.coordinated-shutdown.run-by-actor-system-terminate: whether Terminate runs the phases.</summary>
    public bool CoordinatedShutdownRunByActorSystemTerminate =>
        Config.GetBoolean("akka.coordinated-shutdown.run-by-actor-system-terminate");

    private bool? _debugAutoReceive;
    private bool? _debugTimers;
    private bool? _debugLifecycle;

    /// <summary>Puts a configuration behind the user's and before what was injected earlier.</summary>
    public void InjectTopLevelFallback(Config config)
    {
        _fallback = config.SafeWithFallback(_fallback);
        Config = _userConfig.SafeWithFallback(_fallback);
    }

    /// <inheritdoc/>
    public override string ToString() => Config.ToString();

    private static MinimalLogger NewStdoutLogger(string name)
    {
        if (string.IsNullOrWhiteSpace(name) || name == typeof(StandardOutLogger).FullName)
            return new StandardOutLogger();
        var type =
            Type.GetType(name)
            ?? throw new ConfigurationException($"Could not load type of {name} for standard out logger.");
        return (MinimalLogger)Activator.CreateInstance(type);
    }
}
