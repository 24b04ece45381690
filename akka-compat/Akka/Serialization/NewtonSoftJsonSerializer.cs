using System.Globalization;
using System.Runtime.Serialization;
using System.Text;
using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Util;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

namespace Akka.Serialization;

/// <summary>How <see cref="NewtonSoftJsonSerializer"/> writes.</summary>
public sealed class NewtonSoftJsonSerializerSettings
{
    /// <summary>Types are written, equal references are written once, strings are built in reused buffers.</summary>
    public static readonly NewtonSoftJsonSerializerSettings Default = new(true, true, [], true, 2048, 32768);

    /// <summary>The sizes are in characters and kept for compatibility: buffers are never reused here.</summary>
    public NewtonSoftJsonSerializerSettings(
        bool encodeTypeNames,
        bool preserveObjectReferences,
        IEnumerable<Type> converters,
        bool usePooledStringBuilder,
        int stringBuilderMinSize,
        int stringBuilderMaxSize
    )
    {
        ArgumentNullException.ThrowIfNull(converters);
        EncodeTypeNames = encodeTypeNames;
        PreserveObjectReferences = preserveObjectReferences;
        Converters = converters.ToArray();
        UsePooledStringBuilder = usePooledStringBuilder;
        StringBuilderMinSize = stringBuilderMinSize;
        StringBuilderMaxSize = stringBuilderMaxSize;
    }

    /// <summary>Whether objects carry the name of their type ($type).</summary>
    public bool EncodeTypeNames { get; }

    /// <summary>Whether an object that occurs twice is written once ($id, $ref).</summary>
    public bool PreserveObjectReferences { get; }

    /// <summary>Types of further converters; each has a constructor without parameters or one for the system.</summary>
    public IEnumerable<Type> Converters { get; }

    /// <summary>In characters; read from the configuration and not used.</summary>
    public int StringBuilderMinSize { get; }

    /// <summary>In characters; read from the configuration and not used.</summary>
    public int StringBuilderMaxSize { get; }

    /// <summary>Read from the configuration and not used.</summary>
    public bool UsePooledStringBuilder { get; }

    /// <summary>Reads the section akka.actor.serialization-settings.json.</summary>
    public static NewtonSoftJsonSerializerSettings Create(Config config)
    {
        if (config is null)
            throw new ConfigurationException("The settings of the JSON serializer are missing.");
        return new NewtonSoftJsonSerializerSettings(
            config.GetBoolean("encode-type-names", true),
            config.GetBoolean("preserve-object-references", true),
            config.GetStringList("converters", []).Select(ConverterType),
            config.GetBoolean("use-pooled-string-builder", true),
            config.GetInt("pooled-string-builder-minsize", 2048),
            config.GetInt("pooled-string-builder-maxsize", 32768)
        );
    }

    private static Type ConverterType(string name)
    {
        var type =
            Type.GetType(name)
            ?? throw new ConfigurationException($"The converter type '{name}' of the JSON serializer was not found.");
        return typeof(JsonConverter).IsAssignableFrom(type)
            ? type
            : throw new ArgumentException($"Type {type} doesn't inherit from a {typeof(JsonConverter)}.");
    }
}

/// <summary>Changes the JSON library's settings when a system is created.</summary>
public sealed class NewtonSoftJsonSerializerSetup : Setup
{
    private NewtonSoftJsonSerializerSetup(Action<JsonSerializerSettings> settings)
    {
        ApplySettings = settings;
    }

    /// <summary>Called with the settings before they are used.</summary>
    public Action<JsonSerializerSettings> ApplySettings { get; }

    /// <summary>Makes the setup.</summary>
    public static NewtonSoftJsonSerializerSetup Create(Action<JsonSerializerSettings> settings) => new(settings);
}

/// <summary>
/// The serializer of everything that has no other (id 1): JSON with the names of types inside. Actor references and other
/// surrogated objects are written as their surrogates; int, float and decimal keep their type as {"$":"I42"}.
/// </summary>
public class NewtonSoftJsonSerializer : Serializer
{
    private readonly NewtonSoftJsonSerializerSettings _own;

    private readonly Lock _making = new();

    /// <summary>Made when something is first written or read: most systems never do, and need not load the library.</summary>
    private JsonSerializerSettings _settings;

    private JsonSerializer _serializer;

    /// <summary>With the default settings.</summary>
    public NewtonSoftJsonSerializer(ExtendedActorSystem system)
        : this(system, NewtonSoftJsonSerializerSettings.Default) { }

    /// <summary>With the settings of a section.</summary>
    public NewtonSoftJsonSerializer(ExtendedActorSystem system, Config config)
        : this(system, NewtonSoftJsonSerializerSettings.Create(config)) { }

    /// <summary>
    /// With the given settings, which a <see cref="NewtonSoftJsonSerializerSetup"/> of the system may change.
    /// </summary>
    public NewtonSoftJsonSerializer(ExtendedActorSystem system, NewtonSoftJsonSerializerSettings settings)
        : base(system)
    {
        _own = settings;
    }

    /// <summary>What the JSON library works with.</summary>
    public JsonSerializerSettings Settings
    {
        get
        {
            lock (_making)
                return _settings ??= MakeSettings();
        }
    }

    private JsonSerializer Json =>
        Volatile.Read(ref _serializer)
        ?? Interlocked.CompareExchange(ref _serializer, JsonSerializer.Create(Settings), null)
        ?? _serializer;

    /// <summary>The JSON library's serializer.</summary>
    public object Serializer => Json;

    /// <inheritdoc/>
    public override int Identifier => 1;

    /// <inheritdoc/>
    public override bool IncludeManifest => false;

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj)
    {
        using var text = new StringWriter(CultureInfo.InvariantCulture);
        using (var writer = new JsonTextWriter(text) { Formatting = Formatting.None })
            Json.Serialize(writer, obj);
        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, Type type)
    {
        using var reader = new JsonTextReader(new StringReader(Encoding.UTF8.GetString(bytes)));
        return JsonSurrogates.Restored(Json.Deserialize(reader, type), type, system);
    }

    private JsonSerializerSettings MakeSettings()
    {
        var settings = new JsonSerializerSettings
        {
            PreserveReferencesHandling = _own.PreserveObjectReferences
                ? PreserveReferencesHandling.Objects
                : PreserveReferencesHandling.None,
            TypeNameHandling = _own.EncodeTypeNames ? TypeNameHandling.All : TypeNameHandling.None,
            NullValueHandling = NullValueHandling.Ignore,
            DefaultValueHandling = DefaultValueHandling.Ignore,
            MissingMemberHandling = MissingMemberHandling.Ignore,
            // A default value that a constructor shares must not be filled with what is read.
            ObjectCreationHandling = ObjectCreationHandling.Replace,
            ConstructorHandling = ConstructorHandling.AllowNonPublicDefaultConstructor,
            ContractResolver = new PrivateSetters(),
            SerializationBinder = new PlainTypesOnly(),
        };
        var setup = system?.Settings.Setup.Get<NewtonSoftJsonSerializerSetup>();
        if (setup is { HasValue: true })
            setup.Value.Value.ApplySettings(settings);
        settings.Converters.Add(new JsonSurrogates(system));
        settings.Converters.Add(new PlainExceptions());
        foreach (var type in _own.Converters)
        {
            settings.Converters.Add(
                (JsonConverter)(
                    type.GetConstructor([typeof(ExtendedActorSystem)]) is null
                        ? Activator.CreateInstance(type)
                        : Activator.CreateInstance(type, system)
                )
            );
        }
        return settings;
    }
}
