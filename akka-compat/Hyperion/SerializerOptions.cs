using System.Collections.Frozen;
using System.Reflection;

namespace Hyperion;

/// <summary>What a <see cref="Serializer"/> does; immutable.</summary>
public class SerializerOptions
{
    /// <summary>No version data, no references, no known types, no filter; runtime types outside the supported set are refused.</summary>
    public static readonly SerializerOptions Default = new();

    private readonly Surrogate[] _surrogates;
    private readonly Type[] _knownTypes;
    private readonly FrozenDictionary<Type, int> _knownIndex;

    /// <summary>Creates options; a null collection means none.</summary>
    public SerializerOptions(
        bool versionTolerance = false,
        bool preserveObjectReferences = false,
        IEnumerable<Surrogate>? surrogates = null,
        IEnumerable<Type>? knownTypes = null,
        IEnumerable<Func<string, string>>? packageNameOverrides = null,
        bool disallowUnsafeTypes = true,
        ITypeFilter? typeFilter = null
    )
    {
        ToleratesVersions = versionTolerance;
        PreservesReferences = preserveObjectReferences;
        _surrogates = surrogates?.ToArray() ?? [];
        _knownTypes = knownTypes?.ToArray() ?? [];
        PackageNameOverrides = packageNameOverrides?.ToArray() ?? [];
        RefusesUnsafeTypes = disallowUnsafeTypes;
        Filter = typeFilter ?? DisabledTypeFilter.Instance;
        if (_knownTypes.Length > ushort.MaxValue)
        {
            throw new ArgumentException($"At most {ushort.MaxValue} types can be known.", nameof(knownTypes));
        }

        var index = new Dictionary<Type, int>();
        for (var i = 0; i < _knownTypes.Length; i++)
        {
            if (!index.TryAdd(_knownTypes[i], i))
            {
                throw new ArgumentException(
                    $"{_knownTypes[i]} is in the list of known types twice; its place in the list is part of the format.",
                    nameof(knownTypes)
                );
            }
        }

        _knownIndex = index.ToFrozenDictionary();
    }

    internal bool ToleratesVersions { get; }

    internal bool PreservesReferences { get; }

    internal bool RefusesUnsafeTypes { get; }

    internal ITypeFilter Filter { get; }

    internal IReadOnlyList<Func<string, string>> PackageNameOverrides { get; }

    internal IReadOnlyList<Type> KnownTypes => _knownTypes;

    internal int KnownIndex(Type type) => _knownIndex.TryGetValue(type, out var index) ? index : -1;

    internal Surrogate? SurrogateFor(Type type) => Array.Find(_surrogates, s => s.IsSurrogateFor(type));

    internal Surrogate? SurrogateTo(Type type) => Array.Find(_surrogates, s => s.To.IsAssignableFrom(type));

    /// <summary>Stores field names, so that fields may be added and removed later.</summary>
    public SerializerOptions WithVersionTolerance(bool versionTolerance) => Copy(versionTolerance: versionTolerance);

    /// <summary>Writes equal objects once and refers to them afterwards.</summary>
    public SerializerOptions WithPreserveObjectReferences(bool preserveObjectReferences) =>
        Copy(preserveObjectReferences: preserveObjectReferences);

    /// <summary>Replaces values of some types by stand-ins.</summary>
    public SerializerOptions WithSurrogates(IEnumerable<Surrogate> surrogates) => Copy(surrogates: surrogates);

    /// <summary>Writes these types as their position in the list; the order is part of the format.</summary>
    public SerializerOptions WithKnownTypes(IEnumerable<Type> knownTypes) => Copy(knownTypes: knownTypes);

    /// <summary>Rewrites type names before they are looked up.</summary>
    public SerializerOptions WithPackageNameOverrides(IEnumerable<Func<string, string>> packageNameOverrides) =>
        Copy(packageNameOverrides: packageNameOverrides);

    /// <summary>Refuses to read types of the runtime outside the supported set.</summary>
    public SerializerOptions WithDisallowUnsafeType(bool disallowUnsafeType) =>
        Copy(disallowUnsafeTypes: disallowUnsafeType);

    /// <summary>Reads only types that the filter allows by name.</summary>
    public SerializerOptions WithTypeFilter(ITypeFilter typeFilter) => Copy(typeFilter: typeFilter);

    private SerializerOptions Copy(
        bool? versionTolerance = null,
        bool? preserveObjectReferences = null,
        IEnumerable<Surrogate>? surrogates = null,
        IEnumerable<Type>? knownTypes = null,
        IEnumerable<Func<string, string>>? packageNameOverrides = null,
        bool? disallowUnsafeTypes = null,
        ITypeFilter? typeFilter = null
    ) =>
        new(
            versionTolerance ?? ToleratesVersions,
            preserveObjectReferences ?? PreservesReferences,
            surrogates ?? _surrogates,
            knownTypes ?? _knownTypes,
            packageNameOverrides ?? PackageNameOverrides,
            disallowUnsafeTypes ?? RefusesUnsafeTypes,
            typeFilter ?? Filter
        );
}
