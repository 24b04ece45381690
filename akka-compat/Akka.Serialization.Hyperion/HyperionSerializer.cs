using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Util;
using Hyperion;

namespace Akka.Serialization;

/// <summary>Serializes any of our types in Hyperion's wire format. Thread-safe.</summary>
public class HyperionSerializer : Serializer
{
    private const string ConfigPath = "akka.actor.serialization-settings.hyperion";

    /// <summary>What is in force: the given settings with what the setup of the system says differently.</summary>
    public readonly HyperionSerializerSettings Settings;

    private readonly global::Hyperion.Serializer _serializer;

    /// <summary>Reads akka.actor.serialization-settings.hyperion.</summary>
    /// <exception cref="Akka.Configuration.ConfigurationException">
    /// A type that is named there was not found.
    /// </exception>
    public HyperionSerializer(ExtendedActorSystem system)
        : this(system, system.Settings.Config.GetConfig(ConfigPath)) { }

    /// <summary>Reads a section; what it leaves out has its default.</summary>
    /// <exception cref="Akka.Configuration.ConfigurationException">
    /// A type that is named there was not found.
    /// </exception>
    public HyperionSerializer(ExtendedActorSystem system, Config config)
        : this(system, HyperionSerializerSettings.Create(config.SafeWithFallback(Defaults))) { }

    /// <summary>A setup of the system has precedence over the settings.</summary>
    public HyperionSerializer(ExtendedActorSystem system, HyperionSerializerSettings settings)
        : base(system)
    {
        var setup = system.Settings.Setup.Get<HyperionSerializerSetup>();
        Settings = setup.HasValue ? settings.With(setup.Value) : settings;
        // References to actors are written as what they know to turn themselves into.
        var references = Surrogate.Create<ISurrogated, ISurrogate>(
            from => from.ToSurrogate(system),
            to => to.FromSurrogate(system)
        );
        _serializer = new global::Hyperion.Serializer(
            new SerializerOptions(
                Settings.VersionTolerance,
                Settings.PreserveObjectReferences,
                Settings.Surrogates.Append(references),
                KnownTypesOf(Settings.KnownTypesProvider, system),
                Settings.PackageNameOverrides,
                Settings.DisallowUnsafeType,
                Settings.TypeFilter
            )
        );
    }

    /// <inheritdoc/>
    public override int Identifier => -5;

    /// <inheritdoc/>
    public override bool IncludeManifest => false;

    private static Config Defaults => DefaultConfiguration().GetConfig(ConfigPath);

    /// <summary>The serializer, bound to everything, with its default settings.</summary>
    public static Config DefaultConfiguration() =>
        ConfigurationFactory.ParseString(
            """
            akka.actor {
              serializers.hyperion = "Akka.Serialization.HyperionSerializer, Akka.Serialization.Hyperion"
              serialization-bindings {
                "System.Object" = hyperion
              }
              serialization-identifiers {
                "Akka.Serialization.HyperionSerializer, Akka.Serialization.Hyperion" = -5
              }
              serialization-settings.hyperion {
                preserve-object-references = true
                version-tolerance = true
                known-types-provider = "Akka.Serialization.NoKnownTypes, Akka.Serialization.Hyperion"
                disallow-unsafe-type = true
                allowed-types = []
                surrogates = []
                cross-platform-package-name-overrides {
                  netfx = []
                  netcore = []
                  net = []
                }
              }
            }
            """
        );

    private static IEnumerable<Type> KnownTypesOf(Type provider, ExtendedActorSystem system)
    {
        var takesSystem = provider.GetConstructor([typeof(ExtendedActorSystem)]) is not null;
        var instance = takesSystem ? Activator.CreateInstance(provider, system) : Activator.CreateInstance(provider);
        return ((IKnownTypesProvider)instance).GetKnownTypes();
    }

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => _serializer.ToBytes(obj);

    /// <exception cref="SerializationException">The bytes are damaged, or name a type that must not be read.</exception>
    public override object FromBinary(byte[] bytes, Type type)
    {
        try
        {
            return _serializer.FromBytes(bytes);
        }
        catch (EvilDeserializationException e)
        {
            throw new SerializationException(
                $"Failed to deserialize instance of type {type?.ToString() ?? "(unknown)"}. {e.Message}",
                e
            );
        }
    }
}
