using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Configuration.Hocon;
using Akka.Util;

namespace Akka.Serialization;

/// <summary>The system and the address that references are written with.</summary>
public sealed class Information(Address address, ActorSystem system) : IEquatable<Information>
{
    /// <summary>Stands in for the address of references that have no host.</summary>
    public Address Address { get; } = address;

    /// <summary>The system that writes or reads.</summary>
    public ActorSystem System { get; } = system;

    /// <summary>Compares both.</summary>
    public bool Equals(Information other) =>
        other is not null && Equals(Address, other.Address) && Equals(System, other.System);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as Information);

    /// <inheritdoc/>
    public override int GetHashCode() => Address?.GetHashCode() ?? 0;

    /// <summary>Compares both.</summary>
    public static bool operator ==(Information left, Information right) => Equals(left, right);

    /// <summary>The negation of <c>==</c>.</summary>
    public static bool operator !=(Information left, Information right) => !Equals(left, right);
}

/// <summary>The serializers of a system and the types they are for.</summary>
public class Serialization
{
    [ThreadStatic]
    private static Information _transport;

    private readonly object _gate = new();
    private readonly Dictionary<int, Serializer> _byId = [];
    private readonly Dictionary<string, Serializer> _byName = new(StringComparer.Ordinal);
    private readonly List<(Type Type, Serializer Serializer)> _bindings = [];
    private System.Collections.Concurrent.ConcurrentDictionary<Type, Serializer> _byType = new();
    private readonly NullSerializer _null;

    /// <summary>
    /// Makes the serializers of the configuration, binds them, and lets the setup of the system override them.
    /// </summary>
    /// <exception cref="ConfigurationException">
    /// A serializer's type was not found, or a binding names no serializer. A type to be bound that was not found is
    /// only a warning.
    /// </exception>
    public Serialization(ExtendedActorSystem system)
    {
        System = system;
        _null = new NullSerializer(system);
        Register("null", _null);
        var config = system.Settings.Config;
        foreach (var (alias, value) in Section(config, "akka.actor.serializers"))
            Register(alias, Make(alias, value.GetString()));
        foreach (var (typeName, value) in Section(config, "akka.actor.serialization-bindings"))
            Bind(typeName, value.GetString());
        var setup = system.Settings.Setup.Get<SerializationSetup>();
        if (!setup.HasValue)
            return;
        foreach (var details in setup.Value.CreateSerializers(system))
        {
            Register(details.Alias, details.Serializer);
            foreach (var type in details.UseFor)
                AddSerializationMap(type, details.Serializer);
        }
    }

    /// <summary>The system whose objects are written.</summary>
    public ExtendedActorSystem System { get; }

    /// <summary>
    /// What has to be stored beside the bytes to read them back: the serializer's own manifest, a type's name, or an
    /// empty text.
    /// </summary>
    public static string ManifestFor(Serializer s, object msg) =>
        s switch
        {
            SerializerWithStringManifest own => own.Manifest(msg),
            { IncludeManifest: true } => msg.GetType().TypeQualifiedName(),
            _ => "",
        };

    /// <summary>What this thread writes references with.</summary>
    /// <exception cref="InvalidOperationException">
    /// The thread is not inside of <see cref="WithTransport{T}(ExtendedActorSystem, Func{T})"/>.
    /// </exception>
    public static Information GetCurrentTransportInformation() =>
        _transport
        ?? throw new InvalidOperationException(
            "CurrentTransportInformation is not set. Use Serialization.WithTransport<T>."
        );

    /// <summary>
    /// Runs code in which references are written with the system's address; for this thread, until the code returns.
    /// </summary>
    public static T WithTransport<T>(ExtendedActorSystem system, Func<T> action) =>
        WithTransport(system, system.Provider.DefaultAddress, action);

    /// <summary>As <see cref="WithTransport{T}(ExtendedActorSystem, Func{T})"/>; the state saves a closure.</summary>
    public static T WithTransport<TState, T>(ExtendedActorSystem system, TState state, Func<TState, T> action) =>
        WithTransport(system, system.Provider.DefaultAddress, () => action(state));

    internal static T WithTransport<T>(ExtendedActorSystem system, Address address, Func<T> action)
    {
        var before = _transport;
        _transport = new Information(address, system);
        try
        {
            return action();
        }
        finally
        {
            _transport = before;
        }
    }

    /// <summary>Adds a serializer by name and by its identifier, in place of one that has either. Any thread.</summary>
    public void AddSerializer(string name, Serializer serializer) => Register(name, serializer);

    /// <summary>
    /// Binds a type and what can be assigned to it, in place of the type's present serializer. Any thread.
    /// </summary>
    public void AddSerializationMap(Type type, Serializer serializer)
    {
        lock (_gate)
        {
            _bindings.RemoveAll(b => b.Type == type);
            _bindings.Add((type, serializer));
            _byType = new();
        }
    }

    /// <summary>The bytes of an object. Any thread.</summary>
    /// <exception cref="System.Runtime.Serialization.SerializationException">
    /// No serializer is bound to its type.
    /// </exception>
    public byte[] Serialize(object o) => WithTransport(System, () => FindSerializerFor(o).ToBinary(o));

    /// <summary>The object that bytes stand for; serializers that write no type need none.</summary>
    public object Deserialize(byte[] bytes, int serializerId, Type type) =>
        WithTransport(System, () => ById(serializerId).FromBinary(bytes, type));

    /// <summary>As <see cref="Deserialize(byte[], int, Type)"/>, by what <see cref="ManifestFor"/> gave.</summary>
    /// <exception cref="System.Runtime.Serialization.SerializationException">
    /// The identifier or the manifest is not known.
    /// </exception>
    public object Deserialize(byte[] bytes, int serializerId, string manifest)
    {
        var serializer = ById(serializerId);
        return WithTransport(
            System,
            () =>
            {
                if (serializer is SerializerWithStringManifest own)
                    return own.FromBinary(bytes, manifest);
                if (string.IsNullOrEmpty(manifest))
                    return serializer.FromBinary(bytes, null);
                var type =
                    Type.GetType(manifest)
                    ?? throw new SerializationException(
                        $"Cannot find manifest class [{manifest}] for serializer with id [{serializerId}]."
                    );
                return serializer.FromBinary(bytes, type);
            }
        );
    }

    /// <summary>The serializer for an object's type; that of null for null.</summary>
    public Serializer FindSerializerFor(object obj, string defaultSerializerName = null) =>
        obj is null ? _null : FindSerializerForType(obj.GetType(), defaultSerializerName);

    /// <summary>The serializer bound to the most specific type that the object's type is assignable to.</summary>
    public Serializer FindSerializerForType(Type objectType, string defaultSerializerName = null)
    {
        var cache = _byType;
        if (cache.TryGetValue(objectType, out var found))
            return found;
        lock (_gate)
        {
            Type best = null;
            foreach (var (type, serializer) in _bindings)
            {
                if (!type.IsAssignableFrom(objectType) || (best is not null && !best.IsAssignableFrom(type)))
                    continue;
                if (type == typeof(object) && defaultSerializerName is not null)
                    continue;
                best = type;
                found = serializer;
            }
            if (found is null && defaultSerializerName is not null)
                _byName.TryGetValue(defaultSerializerName, out found);
            if (found is null)
                throw new SerializationException($"Serializer not found for type {objectType.Name}");
            cache[objectType] = found;
            return found;
        }
    }

    /// <inheritdoc cref="IActorRefProvider.ResolveActorRef(string)"/>
    public IActorRef DeserializeActorRef(string path) => System.Provider.ResolveActorRef(path);

    /// <summary>The path to be written for a reference, with its uid; an empty text for no sender.</summary>
    public static string SerializedActorPath(IActorRef actorRef)
    {
        if (Equals(actorRef, ActorRefs.NoSender))
            return string.Empty;
        return _transport is { Address: { } address }
            ? actorRef.Path.ToSerializationFormatWithAddress(address)
            : actorRef.Path.ToSerializationFormat();
    }

    internal object RoundTrip(object message)
    {
        var serializer = FindSerializerFor(message);
        var bytes = WithTransport(System, () => serializer.ToBinary(message));
        return serializer is SerializerWithStringManifest own
            ? WithTransport(System, () => own.FromBinary(bytes, own.Manifest(message)))
            : WithTransport(System, () => serializer.FromBinary(bytes, message.GetType()));
    }

    private Serializer ById(int id)
    {
        lock (_gate)
        {
            return _byId.TryGetValue(id, out var found)
                ? found
                : throw new SerializationException(
                    $"Cannot find serializer with id [{id}] (class [NoSerializerName]). The most probable reason is that the configuration entry 'akka.actor.serializers' is not in sync between the two systems."
                );
        }
    }

    private void Register(string name, Serializer serializer)
    {
        lock (_gate)
        {
            _byId[serializer.Identifier] = serializer;
            _byName[name] = serializer;
        }
    }

    private Serializer Make(string alias, string typeName)
    {
        var type =
            Type.GetType(typeName)
            ?? throw new ConfigurationException(
                $"The type name for serializer '{alias}' did not resolve to an actual Type: '{typeName}'"
            );
        var config = System.Settings.Config.GetConfig("akka.actor.serialization-settings." + alias);
        return config is not null && type.GetConstructor([typeof(ExtendedActorSystem), typeof(Config)]) is not null
            ? (Serializer)Activator.CreateInstance(type, System, config)
            : (Serializer)Activator.CreateInstance(type, System);
    }

    private void Bind(string typeName, string alias)
    {
        var type = Type.GetType(typeName);
        if (type is null)
        {
            System.EventStream.Publish(
                new Event.Warning(
                    nameof(Serialization),
                    GetType(),
                    $"The type name for message/serializer binding '{alias}' did not resolve to an actual Type: '{typeName}'"
                )
            );
            return;
        }
        if (!_byName.TryGetValue(alias, out var serializer))
            throw new ConfigurationException($"Serialization binding to non existing serializer: '{alias}'");
        AddSerializationMap(type, serializer);
    }

    private static IEnumerable<KeyValuePair<string, HoconValue>> Section(Config config, string path) =>
        config.GetConfig(path)?.AsEnumerable() ?? [];
}

/// <summary>A serializer, its alias and the types that it is for.</summary>
public sealed class SerializerDetails
{
    private SerializerDetails(
        string alias,
        Serializer serializer,
        global::System.Collections.Immutable.ImmutableHashSet<Type> useFor
    )
    {
        Alias = alias;
        Serializer = serializer;
        UseFor = useFor;
    }

    /// <summary>The name in the configuration's stead.</summary>
    public string Alias { get; }

    /// <summary>The serializer.</summary>
    public Serializer Serializer { get; }

    /// <summary>The types that are bound to it, with all that can be assigned to them.</summary>
    public global::System.Collections.Immutable.ImmutableHashSet<Type> UseFor { get; }

    /// <summary>Nothing is checked.</summary>
    public static SerializerDetails Create(
        string alias,
        Serializer serializer,
        global::System.Collections.Immutable.ImmutableHashSet<Type> useFor
    ) => new(alias, serializer, useFor);
}

/// <summary>Serializers that a system is created with.</summary>
public sealed class SerializationSetup : Setup
{
    private SerializationSetup(
        Func<ExtendedActorSystem, global::System.Collections.Immutable.ImmutableHashSet<SerializerDetails>> create
    )
    {
        CreateSerializers = create;
    }

    /// <summary>Makes the serializers; called once, when the system starts.</summary>
    public Func<
        ExtendedActorSystem,
        global::System.Collections.Immutable.ImmutableHashSet<SerializerDetails>
    > CreateSerializers { get; }

    /// <summary>The function is called once, when the system starts.</summary>
    public static SerializationSetup Create(
        Func<
            ExtendedActorSystem,
            global::System.Collections.Immutable.ImmutableHashSet<SerializerDetails>
        > createSerializers
    ) => new(createSerializers);
}
