using System.Collections.Concurrent;
using System.Globalization;
using System.Reflection;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;
using Akka.Persistence.Journal;

namespace Akka.Persistence;

/// <summary>Finds the persistence extension of an actor system.</summary>
public class Persistence : ExtensionIdProvider<PersistenceExtension>
{
    /// <summary>The only one.</summary>
    public static Persistence Instance { get; } = new();

    /// <inheritdoc/>
    public override PersistenceExtension CreateExtension(ExtendedActorSystem system) => new(system);

    /// <summary>The defaults under akka.persistence.</summary>
    public static Config DefaultConfig() =>
        ConfigurationFactory.FromResource("Akka.Persistence.reference.conf", typeof(Persistence).Assembly);
}

/// <summary>The journals and snapshot stores of an actor system, started when first asked for. Thread-safe.</summary>
public class PersistenceExtension : IExtension
{
    private const string JournalFallback = "akka.persistence.journal-plugin-fallback";
    private const string NoSnapshotStore = "akka.persistence.no-snapshot-store";
    private const string SnapshotFallback = "akka.persistence.snapshot-store-plugin-fallback";

    private readonly ExtendedActorSystem _system;
    private readonly ConcurrentDictionary<string, Lazy<Plugin>> _plugins = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, TimeSpan> _recoveryTimeouts = new(StringComparer.Ordinal);
    private readonly Lazy<IStashOverflowStrategy> _overflow;
    private readonly Lazy<string> _defaultJournal;
    private readonly Lazy<string> _defaultSnapshotStore;
    private int _lastInstanceId;

    /// <summary>
    /// Adds the defaults to the system's configuration and starts the journals and stores that are to start by
    /// themselves.
    /// </summary>
    public PersistenceExtension(ExtendedActorSystem system)
    {
        _system = system;
        system.Settings.InjectTopLevelFallback(Persistence.DefaultConfig());
        Settings = new PersistenceSettings(system, system.Settings.Config);
        var config = system.Settings.Config;
        _defaultJournal = new Lazy<string>(() => Chosen("akka.persistence.journal.plugin", "journal"));
        _defaultSnapshotStore = new Lazy<string>(ChosenSnapshotStore);
        _overflow = new Lazy<IStashOverflowStrategy>(() => CreateOverflowStrategy(config));
        RecoveryPermitter = system.SystemActorOf(
            Akka.Persistence.RecoveryPermitter.Props(config.GetInt("akka.persistence.max-concurrent-recoveries", 50)),
            "recoveryPermitter"
        );
        foreach (var path in config.GetStringList("akka.persistence.journal.auto-start-journals") ?? [])
            JournalFor(path);
        foreach (var path in config.GetStringList("akka.persistence.snapshot-store.auto-start-snapshot-stores") ?? [])
            SnapshotStoreFor(path);
    }

    /// <summary>The settings, as they were when the extension was made.</summary>
    public PersistenceSettings Settings { get; }

    /// <summary>
    /// What actors do that choose nothing else; made from akka.persistence.internal-stash-overflow-strategy.
    /// </summary>
    /// <exception cref="ArgumentException">The type that is named there was not found.</exception>
    /// <exception cref="Akka.Configuration.ConfigurationException">It failed to make its strategy.</exception>
    public IStashOverflowStrategy DefaultInternalStashOverflowStrategy => _overflow.Value;

    internal IActorRef RecoveryPermitter { get; }

    /// <summary>The persistence id that an actor's path gives when it chooses none.</summary>
    public string PersistenceId(IActorRef actor) => actor.Path.ToStringWithoutAddress();

    /// <summary>
    /// The adapters of the journal at this configuration path; null or empty for the default. Starts the journal.
    /// </summary>
    public EventAdapters AdaptersFor(string journalPluginId) => JournalPlugin(journalPluginId).Adapters;

    /// <summary>The journal at this configuration path; null or empty for the default.</summary>
    public IActorRef JournalFor(string journalPluginId) => JournalPlugin(journalPluginId).Actor;

    /// <summary>
    /// The snapshot store at this configuration path; null or empty for the default, which saves nothing where none is configured.
    /// </summary>
    public IActorRef SnapshotStoreFor(string snapshotPluginId)
    {
        var path = string.IsNullOrEmpty(snapshotPluginId) ? _defaultSnapshotStore.Value : snapshotPluginId;
        return Start(path, SnapshotFallback).Actor;
    }

    private Plugin JournalPlugin(string journalPluginId) =>
        Start(string.IsNullOrEmpty(journalPluginId) ? _defaultJournal.Value : journalPluginId, JournalFallback);

    internal int NextInstanceId() => Interlocked.Increment(ref _lastInstanceId);

    /// <summary>Names a writer; no randomness, so that a simulated run repeats.</summary>
    internal string WriterGuidOf(int instanceId) =>
        string.Create(CultureInfo.InvariantCulture, $"{_system.StartTime.Ticks:x}-{instanceId:x}");

    internal int StashCapacityOf(Props props) =>
        props?.Deploy is { StashCapacity: > 0 } deploy ? deploy.StashCapacity : -1;

    internal TimeSpan RecoveryTimeoutOf(string journalPluginId)
    {
        var path = string.IsNullOrEmpty(journalPluginId) ? _defaultJournal.Value : journalPluginId;
        return _recoveryTimeouts.GetOrAdd(
            path,
            p => ConfigOf(p, JournalFallback).GetTimeSpan("recovery-event-timeout", TimeSpan.FromSeconds(30))
        );
    }

    private string Chosen(string key, string what)
    {
        var path = _system.Settings.Config.GetString(key);
        return string.IsNullOrEmpty(path)
            ? throw new ArgumentException($"Default {what} plugin is not configured: set [{key}]")
            : path;
    }

    private string ChosenSnapshotStore()
    {
        var path = _system.Settings.Config.GetString("akka.persistence.snapshot-store.plugin");
        if (!string.IsNullOrEmpty(path))
            return path;
        _system.Log.Warning(
            "No snapshot store is chosen: snapshots will not be saved. [akka.persistence.snapshot-store.plugin] chooses one."
        );
        return NoSnapshotStore;
    }

    private Config ConfigOf(string path, string fallback)
    {
        var config = _system.Settings.Config;
        if (!config.HasPath(path))
            throw new ArgumentException($"Persistence config is missing plugin config path for: {path}");
        return config.GetConfig(path).WithFallback(config.GetConfig(fallback));
    }

    private Plugin Start(string path, string fallback) =>
        _plugins.GetOrAdd(path, p => new Lazy<Plugin>(() => CreatePlugin(p, fallback))).Value;

    private Plugin CreatePlugin(string path, string fallback)
    {
        var config = ConfigOf(path, fallback);
        var className = config.GetString("class");
        if (string.IsNullOrEmpty(className))
            throw new ArgumentException($"Plugin class name must be defined in config property [{path}.class]");
        var type =
            Type.GetType(className, throwOnError: false)
            ?? throw new ArgumentException(
                $"Plugin class [{className}] of config property [{path}.class] was not found: is its assembly referenced?"
            );
        var dispatcher = config.GetString("plugin-dispatcher");
        var adapters = EventAdapters.Create(_system, config);
        var takesConfig = type.GetConstructor([typeof(Config)]) is not null;
        var props = takesConfig ? new Props(type, [config]) : new Props(type);
        if (!string.IsNullOrEmpty(dispatcher))
            props = props.WithDispatcher(dispatcher);
        return new Plugin(_system.SystemActorOf(props, path), adapters, config);
    }

    /// <summary>The adapters of the journal whose actor this is: system actors of plugins are named after their path.</summary>
    internal EventAdapters AdaptersOf(string pluginActorName) =>
        _plugins.TryGetValue(pluginActorName, out var plugin) && plugin.IsValueCreated
            ? plugin.Value.Adapters
            : AdaptersFor(pluginActorName);

    private IStashOverflowStrategy CreateOverflowStrategy(Config config)
    {
        var name = config.GetString("akka.persistence.internal-stash-overflow-strategy");
        var type =
            Type.GetType(name ?? string.Empty, throwOnError: false)
            ?? throw new ArgumentException(
                $"[akka.persistence.internal-stash-overflow-strategy] names [{name}], which was not found."
            );
        try
        {
            return ((IStashOverflowStrategyConfigurator)Activator.CreateInstance(type)).Create(config);
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            throw new ConfigurationException(
                $"[{name}] failed to create its stash overflow strategy.",
                e.InnerException
            );
        }
    }

    private sealed record Plugin(IActorRef Actor, EventAdapters Adapters, Config Config);
}
