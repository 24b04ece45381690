using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Reflection;
using Akka.Actor;
using Akka.Configuration;
using Akka.Event;

namespace Akka.Persistence.Journal;

/// <summary>Turns an event into what the journal stores.</summary>
public interface IWriteEventAdapter
{
    /// <summary>What to store beside the event, so that it can be told what it is; empty for nothing.</summary>
    string Manifest(object evt);

    /// <summary>
    /// What to store for an event. A <see cref="Tagged"/> carries tags. May be called by any number of threads at once.
    /// </summary>
    object ToJournal(object evt);
}

/// <summary>Turns what the journal stores into events: none, one, or several.</summary>
public interface IReadEventAdapter
{
    /// <summary>The events that the stored one stands for, by the manifest that was stored with it.</summary>
    IEventSequence FromJournal(object evt, string manifest);
}

/// <summary>Both directions.</summary>
public interface IEventAdapter : IWriteEventAdapter, IReadEventAdapter;

/// <summary>Changes nothing.</summary>
public sealed class IdentityEventAdapter : IEventAdapter
{
    /// <summary>The only one.</summary>
    public static IdentityEventAdapter Instance { get; } = new();

    private IdentityEventAdapter() { }

    /// <inheritdoc/>
    public string Manifest(object evt) => string.Empty;

    /// <inheritdoc/>
    public object ToJournal(object evt) => evt;

    /// <inheritdoc/>
    public IEventSequence FromJournal(object evt, string manifest) => EventSequence.Single(evt);
}

/// <summary>An event with tags, which journals that know tags store beside it.</summary>
public readonly struct Tagged(object payload, IImmutableSet<string> tags)
{
    /// <summary>The tags become a set.</summary>
    public Tagged(object payload, IEnumerable<string> tags)
        : this(payload, tags.ToImmutableHashSet()) { }

    /// <summary>The event.</summary>
    public object Payload { get; } = payload;

    /// <summary>The tags; each counts once.</summary>
    public IImmutableSet<string> Tags { get; } = tags;
}

/// <summary>The adapters of one journal: for a type the one that is bound to it or to its nearest ancestor.</summary>
public class EventAdapters
{
    private static readonly EventAdapters Identity = new([], [], null);

    private readonly ConcurrentDictionary<Type, IEventAdapter> _map;
    private readonly KeyValuePair<Type, IEventAdapter>[] _bindings;

    /// <summary>The bindings must have derived types before their ancestors. The logger is not used.</summary>
    protected EventAdapters(
        ConcurrentDictionary<Type, IEventAdapter> map,
        IEnumerable<KeyValuePair<Type, IEventAdapter>> bindings,
        ILoggingAdapter log
    )
    {
        _map = map;
        _bindings = [.. bindings];
    }

    /// <summary>True when no type has an adapter.</summary>
    internal bool IsIdentity => _bindings.Length == 0;

    /// <summary>Reads event-adapters and event-adapter-bindings of a journal's configuration.</summary>
    public static EventAdapters Create(ExtendedActorSystem system, Config config)
    {
        var classes = Entries(config, "event-adapters");
        var bindings = Entries(config, "event-adapter-bindings");
        if (bindings.Count == 0)
            return Identity;
        var adapters = new Dictionary<string, IEventAdapter>(StringComparer.Ordinal);
        foreach (var (name, value) in classes)
            adapters[name] = Instantiate(value[0], system);
        var bound = new List<KeyValuePair<Type, IEventAdapter>>();
        foreach (var (typeName, names) in bindings)
        {
            var type =
                Type.GetType(typeName, throwOnError: false)
                ?? throw new ArgumentException($"event-adapter-bindings names type [{typeName}], which was not found.");
            var chosen = names.Select(name =>
                adapters.TryGetValue(name, out var adapter)
                    ? adapter
                    : throw new ArgumentException(
                        $"{typeName} was bound to undefined event-adapter: {name} (bindings: [{string.Join(", ", names)}], known adapters: {string.Join(", ", adapters.Keys)})"
                    )
            );
            bound.Add(new(type, Combined([.. chosen])));
        }
        // Derived types before their ancestors: the first that fits is the nearest.
        var sorted = new List<KeyValuePair<Type, IEventAdapter>>();
        foreach (var entry in bound)
        {
            var at = sorted.FindIndex(other => other.Key.IsAssignableFrom(entry.Key));
            sorted.Insert(at < 0 ? sorted.Count : at, entry);
        }
        return new EventAdapters(new(sorted), sorted, system.Log);
    }

    private static List<(string Key, IList<string> Value)> Entries(Config config, string path)
    {
        var section = config.HasPath(path) ? config.GetConfig(path) : null;
        if (section is null || section.IsEmpty)
            return [];
        return
        [
            .. section
                .AsEnumerable()
                .Select(pair =>
                    (pair.Key.Trim('"'), pair.Value.IsArray() ? pair.Value.GetStringList() : [pair.Value.GetString()])
                ),
        ];
    }

    private static IEventAdapter Combined(IEventAdapter[] adapters) =>
        adapters.Length == 1 ? adapters[0] : new CombinedReadEventAdapter(adapters);

    private static IEventAdapter Instantiate(string className, ExtendedActorSystem system)
    {
        var type =
            Type.GetType(className, throwOnError: false)
            ?? throw new ArgumentException($"event-adapters names class [{className}], which was not found.");
        var takesSystem = type.GetConstructor([typeof(ExtendedActorSystem)]) is not null;
        object instance;
        try
        {
            instance = takesSystem ? Activator.CreateInstance(type, system) : Activator.CreateInstance(type);
        }
        catch (TargetInvocationException e) when (e.InnerException is not null)
        {
            throw new ArgumentException($"Event adapter [{className}] failed to start.", e.InnerException);
        }
        return instance switch
        {
            IEventAdapter both => both,
            IWriteEventAdapter write => new WriteOnly(write),
            IReadEventAdapter read => new ReadOnly(read),
            _ => throw new ArgumentException(
                $"[{className}] does not implement any EventAdapter interface: IEventAdapter, IWriteEventAdapter or IReadEventAdapter."
            ),
        };
    }

    /// <summary>
    /// The adapter for a type: that of the nearest type it can be assigned to, or one that changes nothing. Any thread.
    /// </summary>
    public IEventAdapter Get<T>() => Get(typeof(T));

    /// <summary>
    /// The adapter for a type: that of the nearest type it can be assigned to, or one that changes nothing. Any thread.
    /// </summary>
    public virtual IEventAdapter Get(Type type)
    {
        if (_bindings.Length == 0)
            return IdentityEventAdapter.Instance;
        if (_map.TryGetValue(type, out var adapter))
            return adapter;
        foreach (var (bound, candidate) in _bindings)
        {
            if (bound.IsAssignableFrom(type))
                return _map[type] = candidate;
        }
        return _map[type] = IdentityEventAdapter.Instance;
    }

    private sealed class WriteOnly(IWriteEventAdapter adapter) : IEventAdapter
    {
        /// <inheritdoc/>
        public string Manifest(object evt) => adapter.Manifest(evt);

        /// <inheritdoc/>
        public object ToJournal(object evt) => adapter.ToJournal(evt);

        /// <inheritdoc/>
        public IEventSequence FromJournal(object evt, string manifest) => EventSequence.Single(evt);
    }

    private sealed class ReadOnly(IReadEventAdapter adapter) : IEventAdapter
    {
        /// <inheritdoc/>
        public string Manifest(object evt) => string.Empty;

        /// <inheritdoc/>
        public object ToJournal(object evt) => evt;

        /// <inheritdoc/>
        public IEventSequence FromJournal(object evt, string manifest) => adapter.FromJournal(evt, manifest);
    }

    /// <summary>Several adapters for one type: only for reading, their events one after the other.</summary>
    private sealed class CombinedReadEventAdapter(IEventAdapter[] adapters) : IEventAdapter
    {
        private static Exception Refusal() =>
            new IllegalActorStateException(
                "Several event adapters are bound to one type: such a binding can only read. Bind one adapter for writing."
            );

        /// <summary>
        /// Refuses with an <see cref="IllegalActorStateException"/>: which of the adapters would it be?
        /// </summary>
        public string Manifest(object evt) => throw Refusal();

        /// <summary>
        /// Refuses with an <see cref="IllegalActorStateException"/>: which of the adapters would it be?
        /// </summary>
        public object ToJournal(object evt) => throw Refusal();

        /// <inheritdoc/>
        public IEventSequence FromJournal(object evt, string manifest) =>
            EventSequence.Create(adapters.SelectMany(a => a.FromJournal(evt, manifest).Events));
    }
}
