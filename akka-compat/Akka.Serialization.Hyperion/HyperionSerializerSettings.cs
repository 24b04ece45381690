using Akka.Actor;
using Akka.Configuration;
using Hyperion;

namespace Akka.Serialization;

/// <summary>Lists the types that payloads name by number. The order is part of the format: only ever append.</summary>
public interface IKnownTypesProvider
{
    IEnumerable<Type> GetKnownTypes();
}

/// <summary>Knows no type.</summary>
public sealed class NoKnownTypes : IKnownTypesProvider
{
    public IEnumerable<Type> GetKnownTypes() => [];
}

/// <summary>The settings under akka.actor.serialization-settings.hyperion.</summary>
public sealed class HyperionSerializerSettings
{
    public static readonly HyperionSerializerSettings Default = new(true, true, typeof(NoKnownTypes), [], []);

    public readonly bool PreserveObjectReferences;
    public readonly bool VersionTolerance;
    public readonly Type KnownTypesProvider;
    public readonly IEnumerable<Func<string, string>> PackageNameOverrides;
    public readonly IEnumerable<Surrogate> Surrogates;
    public readonly bool DisallowUnsafeType;
    public readonly ITypeFilter TypeFilter;

    public HyperionSerializerSettings(
        bool preserveObjectReferences,
        bool versionTolerance,
        Type knownTypesProvider,
        IEnumerable<Func<string, string>> packageNameOverrides,
        IEnumerable<Surrogate> surrogates
    )
        : this(preserveObjectReferences, versionTolerance, knownTypesProvider, packageNameOverrides, surrogates, true)
    { }

    public HyperionSerializerSettings(
        bool preserveObjectReferences,
        bool versionTolerance,
        Type knownTypesProvider,
        IEnumerable<Func<string, string>> packageNameOverrides,
        IEnumerable<Surrogate> surrogates,
        bool disallowUnsafeType
    )
        : this(
            preserveObjectReferences,
            versionTolerance,
            knownTypesProvider,
            packageNameOverrides,
            surrogates,
            disallowUnsafeType,
            DisabledTypeFilter.Instance
        ) { }

    public HyperionSerializerSettings(
        bool preserveObjectReferences,
        bool versionTolerance,
        Type knownTypesProvider,
        IEnumerable<Func<string, string>> packageNameOverrides,
        IEnumerable<Surrogate> surrogates,
        bool disallowUnsafeType,
        ITypeFilter typeFilter
    )
    {
        var provider = knownTypesProvider ?? typeof(NoKnownTypes);
        if (!typeof(IKnownTypesProvider).IsAssignableFrom(provider))
            throw new ArgumentException(
                $"Known types provider must implement an interface {typeof(IKnownTypesProvider).FullName}"
            );
        PreserveObjectReferences = preserveObjectReferences;
        VersionTolerance = versionTolerance;
        KnownTypesProvider = provider;
        PackageNameOverrides = packageNameOverrides ?? [];
        Surrogates = surrogates ?? [];
        DisallowUnsafeType = disallowUnsafeType;
        TypeFilter = typeFilter ?? DisabledTypeFilter.Instance;
    }

    public static HyperionSerializerSettings Create(Config config)
    {
        if (config.IsNullOrEmpty())
            throw ConfigurationException.NullOrEmptyConfig<HyperionSerializerSettings>();
        return new HyperionSerializerSettings(
            config.GetBoolean("preserve-object-references", true),
            config.GetBoolean("version-tolerance", true),
            NamedType(config.GetString("known-types-provider"), "known-types-provider") ?? typeof(NoKnownTypes),
            OverridesOf(config),
            SurrogatesOf(config),
            config.GetBoolean("disallow-unsafe-type", true),
            FilterOf(config)
        );
    }

    private static Type NamedType(string name, string key) =>
        string.IsNullOrEmpty(name) || name.StartsWith("Akka.Serialization.NoKnownTypes", StringComparison.Ordinal)
            ? null
            : Type.GetType(name, throwOnError: false)
                ?? throw new ConfigurationException($"[{key}] names type [{name}], which was not found.");

    private static List<Func<string, string>> OverridesOf(Config config)
    {
        var overrides = new List<Func<string, string>>();
        var section = config.GetConfig("cross-platform-package-name-overrides");
        if (section.IsNullOrEmpty())
            return overrides;
        var own = section.GetValue("net");
        foreach (var entry in own?.IsArray() == true ? own.GetArray() : [])
        {
            var map = entry.GetObject();
            var fingerprint = map.GetKey("fingerprint").GetString();
            var from = map.GetKey("rename-from").GetString();
            var to = map.GetKey("rename-to").GetString();
            overrides.Add(name =>
                name.Contains(fingerprint, StringComparison.Ordinal)
                    ? name.Replace(from, to, StringComparison.Ordinal)
                    : name
            );
        }
        return overrides;
    }

    private static List<Surrogate> SurrogatesOf(Config config) =>
        [
            .. (config.GetStringList("surrogates") ?? []).Select(name =>
                (Surrogate)Activator.CreateInstance(NamedType(name, "surrogates"))
            ),
        ];

    private static ITypeFilter FilterOf(Config config)
    {
        var names = config.GetStringList("allowed-types");
        if (names is null || names.Count == 0)
            return DisabledTypeFilter.Instance;
        var builder = TypeFilterBuilder.Create();
        foreach (var name in names)
            builder.Include(
                Type.GetType(name, throwOnError: false)
                    ?? throw new ConfigurationException($"[allowed-types] names type [{name}], which was not found.")
            );
        return builder.Build();
    }

    public HyperionSerializerSettings WithPreserveObjectReference(bool preserveObjectReferences) =>
        Copy(preserveObjectReferences: preserveObjectReferences);

    public HyperionSerializerSettings WithVersionTolerance(bool versionTolerance) =>
        Copy(versionTolerance: versionTolerance);

    public HyperionSerializerSettings WithKnownTypesProvider(Type knownTypesProvider) =>
        Copy(knownTypesProvider: knownTypesProvider);

    public HyperionSerializerSettings WithPackageNameOverrides(
        IEnumerable<Func<string, string>> packageNameOverrides
    ) => Copy(packageNameOverrides: packageNameOverrides);

    public HyperionSerializerSettings WithSurrogates(IEnumerable<Surrogate> surrogates) => Copy(surrogates: surrogates);

    public HyperionSerializerSettings WithDisallowUnsafeType(bool disallowUnsafeType) =>
        Copy(disallowUnsafeType: disallowUnsafeType);

    public HyperionSerializerSettings WithTypeFilter(ITypeFilter typeFilter) => Copy(typeFilter: typeFilter);

    private HyperionSerializerSettings Copy(
        bool? preserveObjectReferences = null,
        bool? versionTolerance = null,
        Type knownTypesProvider = null,
        IEnumerable<Func<string, string>> packageNameOverrides = null,
        IEnumerable<Surrogate> surrogates = null,
        bool? disallowUnsafeType = null,
        ITypeFilter typeFilter = null
    ) =>
        new(
            preserveObjectReferences ?? PreserveObjectReferences,
            versionTolerance ?? VersionTolerance,
            knownTypesProvider ?? KnownTypesProvider,
            packageNameOverrides ?? PackageNameOverrides,
            surrogates ?? Surrogates,
            disallowUnsafeType ?? DisallowUnsafeType,
            typeFilter ?? TypeFilter
        );

    /// <summary>These settings with what the setup of an actor system says differently.</summary>
    internal HyperionSerializerSettings With(HyperionSerializerSetup setup) =>
        Copy(
            setup.PreserveObjectReferences,
            setup.VersionTolerance,
            setup.KnownTypesProvider,
            setup.PackageNameOverrides,
            setup.Surrogates,
            setup.DisallowUnsafeType,
            setup.TypeFilter
        );
}
