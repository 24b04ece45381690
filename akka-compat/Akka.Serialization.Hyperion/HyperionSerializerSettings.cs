using Akka.Actor;
using Akka.Configuration;
using Hyperion;

namespace Akka.Serialization;

/// <summary>Lists the types that payloads name by number. The order is part of the format: only ever append.</summary>
public interface IKnownTypesProvider
{
    /// <summary>
    /// The types, always in the same order; called once for each serializer. The provider has a constructor without
    /// parameters or one for the system.
    /// </summary>
    IEnumerable<Type> GetKnownTypes();
}

/// <summary>Knows no type.</summary>
public sealed class NoKnownTypes : IKnownTypesProvider
{
    /// <inheritdoc/>
    public IEnumerable<Type> GetKnownTypes() => [];
}

/// <summary>The settings under akka.actor.serialization-settings.hyperion.</summary>
public sealed class HyperionSerializerSettings
{
    /// <summary>
    /// References and version data are written; no known types, no surrogates of one's own, every name is allowed that
    /// is not unsafe.
    /// </summary>
    public static readonly HyperionSerializerSettings Default = new(true, true, typeof(NoKnownTypes), [], []);

    /// <summary>Whether an object that occurs twice is written once and referred to.</summary>
    public readonly bool PreserveObjectReferences;

    /// <summary>Whether the names of fields are written, so that fields may come and go later.</summary>
    public readonly bool VersionTolerance;

    /// <summary>An <see cref="IKnownTypesProvider"/>; never null.</summary>
    public readonly Type KnownTypesProvider;

    /// <summary>Functions that rewrite the names of types before they are looked up.</summary>
    public readonly IEnumerable<Func<string, string>> PackageNameOverrides;

    /// <summary>Beside the one for actor references and their like, which is always there.</summary>
    public readonly IEnumerable<Surrogate> Surrogates;

    /// <summary>Whether types of the base library that are not plain data are refused when read.</summary>
    public readonly bool DisallowUnsafeType;

    /// <summary>Which types may be read, by name; never null.</summary>
    public readonly ITypeFilter TypeFilter;

    /// <summary>Unsafe types are refused, and every other name is allowed.</summary>
    /// <exception cref="ArgumentException">The provider is not an <see cref="IKnownTypesProvider"/>.</exception>
    public HyperionSerializerSettings(
        bool preserveObjectReferences,
        bool versionTolerance,
        Type knownTypesProvider,
        IEnumerable<Func<string, string>> packageNameOverrides,
        IEnumerable<Surrogate> surrogates
    )
        : this(preserveObjectReferences, versionTolerance, knownTypesProvider, packageNameOverrides, surrogates, true)
    { }

    /// <summary>Every name is allowed that is not unsafe.</summary>
    /// <exception cref="ArgumentException">The provider is not an <see cref="IKnownTypesProvider"/>.</exception>
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

    /// <summary>Null is no provider, no overrides, no surrogates, no filter.</summary>
    /// <exception cref="ArgumentException">The provider is not an <see cref="IKnownTypesProvider"/>.</exception>
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

    /// <summary>Reads a section; allowed-types makes the filter.</summary>
    /// <exception cref="ConfigurationException">
    /// The section is empty, or a type that is named there was not found.
    /// </exception>
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

    /// <summary>A copy with another value.</summary>
    public HyperionSerializerSettings WithPreserveObjectReference(bool preserveObjectReferences) =>
        Copy(preserveObjectReferences: preserveObjectReferences);

    /// <summary>A copy with another value.</summary>
    public HyperionSerializerSettings WithVersionTolerance(bool versionTolerance) =>
        Copy(versionTolerance: versionTolerance);

    /// <summary>A copy with another value; null keeps the present one.</summary>
    public HyperionSerializerSettings WithKnownTypesProvider(Type knownTypesProvider) =>
        Copy(knownTypesProvider: knownTypesProvider);

    /// <summary>A copy with another value; null keeps the present one.</summary>
    public HyperionSerializerSettings WithPackageNameOverrides(
        IEnumerable<Func<string, string>> packageNameOverrides
    ) => Copy(packageNameOverrides: packageNameOverrides);

    /// <summary>A copy with another value; null keeps the present one.</summary>
    public HyperionSerializerSettings WithSurrogates(IEnumerable<Surrogate> surrogates) => Copy(surrogates: surrogates);

    /// <summary>A copy with another value.</summary>
    public HyperionSerializerSettings WithDisallowUnsafeType(bool disallowUnsafeType) =>
        Copy(disallowUnsafeType: disallowUnsafeType);

    /// <summary>A copy with another value; null keeps the present one.</summary>
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
