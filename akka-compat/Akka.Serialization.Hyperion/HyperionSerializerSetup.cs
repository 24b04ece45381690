using Akka.Actor.Setup;
using Hyperion;

namespace Akka.Serialization;

/// <summary>Settings of the serializer in code; what is null is left to the configuration.</summary>
public class HyperionSerializerSetup : Setup
{
    /// <summary>Leaves everything to the configuration.</summary>
    public static readonly HyperionSerializerSetup Empty = new(null, null, null, null, null, null, null);

    private HyperionSerializerSetup(
        bool? preserveObjectReferences,
        bool? versionTolerance,
        Type knownTypesProvider,
        IEnumerable<Func<string, string>> packageNameOverrides,
        IEnumerable<Surrogate> surrogates,
        bool? disallowUnsafeType,
        ITypeFilter typeFilter
    )
    {
        PreserveObjectReferences = preserveObjectReferences;
        VersionTolerance = versionTolerance;
        KnownTypesProvider = knownTypesProvider;
        PackageNameOverrides = packageNameOverrides;
        Surrogates = surrogates;
        DisallowUnsafeType = disallowUnsafeType;
        TypeFilter = typeFilter;
    }

    /// <inheritdoc cref="HyperionSerializerSettings.PreserveObjectReferences"/>
    public bool? PreserveObjectReferences { get; }

    /// <inheritdoc cref="HyperionSerializerSettings.VersionTolerance"/>
    public bool? VersionTolerance { get; }

    /// <inheritdoc cref="HyperionSerializerSettings.KnownTypesProvider"/>
    public Type KnownTypesProvider { get; }

    /// <inheritdoc cref="HyperionSerializerSettings.PackageNameOverrides"/>
    public IEnumerable<Func<string, string>> PackageNameOverrides { get; }

    /// <inheritdoc cref="HyperionSerializerSettings.Surrogates"/>
    public IEnumerable<Surrogate> Surrogates { get; }

    /// <inheritdoc cref="HyperionSerializerSettings.DisallowUnsafeType"/>
    public bool? DisallowUnsafeType { get; }

    /// <inheritdoc cref="HyperionSerializerSettings.TypeFilter"/>
    public ITypeFilter TypeFilter { get; }

    /// <summary>Says what is given; the rest, and what is null, is left to the configuration.</summary>
    public static HyperionSerializerSetup Create(
        bool preserveObjectReferences,
        bool versionTolerance,
        Type knownTypesProvider
    ) => new(preserveObjectReferences, versionTolerance, knownTypesProvider, null, null, null, null);

    /// <summary>Says what is given; the rest, and what is null, is left to the configuration.</summary>
    public static HyperionSerializerSetup Create(
        bool preserveObjectReferences,
        bool versionTolerance,
        Type knownTypesProvider,
        IEnumerable<Func<string, string>> packageNameOverrides
    ) => new(preserveObjectReferences, versionTolerance, knownTypesProvider, packageNameOverrides, null, null, null);

    /// <summary>Says what is given; the rest, and what is null, is left to the configuration.</summary>
    public static HyperionSerializerSetup Create(
        bool preserveObjectReferences,
        bool versionTolerance,
        Type knownTypesProvider,
        IEnumerable<Func<string, string>> packageNameOverrides,
        IEnumerable<Surrogate> surrogates
    ) =>
        new(
            preserveObjectReferences,
            versionTolerance,
            knownTypesProvider,
            packageNameOverrides,
            surrogates,
            null,
            null
        );

    /// <summary>Says what is given; the rest, and what is null, is left to the configuration.</summary>
    public static HyperionSerializerSetup Create(
        bool preserveObjectReferences,
        bool versionTolerance,
        Type knownTypesProvider,
        IEnumerable<Func<string, string>> packageNameOverrides,
        IEnumerable<Surrogate> surrogates,
        bool disallowUnsafeType
    ) =>
        new(
            preserveObjectReferences,
            versionTolerance,
            knownTypesProvider,
            packageNameOverrides,
            surrogates,
            disallowUnsafeType,
            null
        );

    /// <summary>Says what is given; the rest, and what is null, is left to the configuration.</summary>
    public static HyperionSerializerSetup Create(
        bool preserveObjectReferences,
        bool versionTolerance,
        Type knownTypesProvider,
        IEnumerable<Func<string, string>> packageNameOverrides,
        IEnumerable<Surrogate> surrogates,
        bool disallowUnsafeType,
        ITypeFilter typeFilter
    ) =>
        new(
            preserveObjectReferences,
            versionTolerance,
            knownTypesProvider,
            packageNameOverrides,
            surrogates,
            disallowUnsafeType,
            typeFilter
        );

    /// <summary>A copy with another value.</summary>
    public HyperionSerializerSetup WithPreserveObjectReference(bool preserveObjectReference) =>
        Copy(preserveObjectReferences: preserveObjectReference);

    /// <summary>A copy with another value.</summary>
    public HyperionSerializerSetup WithVersionTolerance(bool versionTolerance) =>
        Copy(versionTolerance: versionTolerance);

    /// <summary>
    /// A copy with an <see cref="IKnownTypesProvider"/>; another type makes the serializer fail to start.
    /// </summary>
    public HyperionSerializerSetup WithKnownTypeProvider<T>() => WithKnownTypeProvider(typeof(T));

    /// <summary>
    /// A copy with an <see cref="IKnownTypesProvider"/>; another type makes the serializer fail to start.
    /// </summary>
    public HyperionSerializerSetup WithKnownTypeProvider(Type knownTypeProvider) =>
        Copy(knownTypesProvider: knownTypeProvider);

    /// <summary>A copy with another value; null keeps the present one.</summary>
    public HyperionSerializerSetup WithPackageNameOverrides(IEnumerable<Func<string, string>> packageNameOverrides) =>
        Copy(packageNameOverrides: packageNameOverrides);

    /// <summary>A copy with another value; null keeps the present one.</summary>
    public HyperionSerializerSetup WithSurrogates(IEnumerable<Surrogate> surrogates) => Copy(surrogates: surrogates);

    /// <summary>A copy with another value.</summary>
    public HyperionSerializerSetup WithDisallowUnsafeType(bool disallowUnsafeType) =>
        Copy(disallowUnsafeType: disallowUnsafeType);

    /// <summary>A copy with another value; null keeps the present one.</summary>
    public HyperionSerializerSetup WithTypeFilter(ITypeFilter typeFilter) => Copy(typeFilter: typeFilter);

    private HyperionSerializerSetup Copy(
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
}
