using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Event;

namespace Akka.Actor;

/// <summary>The configuration of a system, read.</summary>
public class Settings
{
    private readonly Config _userConfig;
    private Config _fallback;

    public Settings(ActorSystem system, Config config)
        : this(system, config, ActorSystemSetup.Empty) { }

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

    public ActorSystem System { get; }
    public Config Config { get; private set; }
    public ActorSystemSetup Setup { get; }
    public ProviderSelection ProviderSelectionType { get; }
    public bool HasCluster => ProviderSelectionType.HasCluster;
    public string ConfigVersion => Config.GetString("akka.version");
    public string ProviderClass => Config.GetString("akka.actor.provider");
    public string SupervisorStrategyClass => Config.GetString("akka.actor.guardian-supervisor-strategy");
    public bool SerializeAllMessages => Config.GetBoolean("akka.actor.serialize-messages");
    public bool SerializeAllCreators => Config.GetBoolean("akka.actor.serialize-creators");
    public bool EmitActorTelemetry => Config.GetBoolean("akka.actor.telemetry.enabled");
    public TimeSpan AskTimeout => Config.GetTimeSpan("akka.actor.ask-timeout", Timeout.InfiniteTimeSpan);
    public TimeSpan CreationTimeout => Config.GetTimeSpan("akka.actor.creation-timeout");
    public TimeSpan UnstartedPushTimeout => Config.GetTimeSpan("akka.actor.unstarted-push-timeout");
    public string LogLevel => Config.GetString("akka.loglevel");
    public string StdoutLogLevel => Config.GetString("akka.stdout-loglevel");
    public MinimalLogger StdoutLogger { get; }
    public IList<string> Loggers => Config.GetStringList("akka.loggers");
    public string LoggersDispatcher => Config.GetString("akka.loggers-dispatcher");
    public TimeSpan LoggerStartTimeout => Config.GetTimeSpan("akka.logger-startup-timeout");
    public bool LoggerAsyncStart => Config.GetBoolean("akka.logger-async-start");
    public bool LogConfigOnStart => Config.GetBoolean("akka.log-config-on-start");
    public ILogMessageFormatter LogFormatter { get; }
    public LogFilterEvaluator LogFilter { get; }
    public bool LogSerializerOverrideOnStart => Config.GetBoolean("akka.log-serializer-override-on-start");

    /// <summary>How many dead letters are logged before logging stops: on is all, off is none.</summary>
    public int LogDeadLetters =>
        Config.GetString("akka.log-dead-letters").ToLowerInvariant() switch
        {
            "on" or "true" or "yes" => int.MaxValue,
            "off" or "false" or "no" => 0,
            _ => Config.GetInt("akka.log-dead-letters"),
        };
    public bool LogDeadLettersDuringShutdown => Config.GetBoolean("akka.log-dead-letters-during-shutdown");
    public TimeSpan LogDeadLettersSuspendDuration =>
        Config.GetString("akka.log-dead-letters-suspend-duration") == "infinite"
            ? Timeout.InfiniteTimeSpan
            : Config.GetTimeSpan("akka.log-dead-letters-suspend-duration");
    public bool AddLoggingReceive => Config.GetBoolean("akka.actor.debug.receive");
    public bool DebugAutoReceive => _debugAutoReceive ??= Config.GetBoolean("akka.actor.debug.autoreceive");
    public bool DebugEventStream => Config.GetBoolean("akka.actor.debug.event-stream");
    public bool DebugUnhandledMessage => Config.GetBoolean("akka.actor.debug.unhandled");
    public bool DebugRouterMisconfiguration => Config.GetBoolean("akka.actor.debug.router-misconfiguration");
    public string Home => Config.GetString("akka.home", "");
    public bool DebugLifecycle => _debugLifecycle ??= Config.GetBoolean("akka.actor.debug.lifecycle");
    public bool DebugTimerScheduler => _debugTimers ??= Config.GetBoolean("akka.actor.debug.log-timers");
    public bool FsmDebugEvent => Config.GetBoolean("akka.actor.debug.fsm");
    public int DefaultVirtualNodesFactor => Config.GetInt("akka.actor.deployment.default.virtual-nodes-factor", 10);
    public string SchedulerClass => Config.GetString("akka.scheduler.implementation");
    public TimeSpan SchedulerShutdownTimeout => Config.GetTimeSpan("akka.scheduler.shutdown-timeout");
    public bool CoordinatedShutdownTerminateActorSystem =>
        Config.GetBoolean("akka.coordinated-shutdown.terminate-actor-system");
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
