using System.Collections.Immutable;
using System.Security;

namespace Hyperion;

/// <summary>Decides which types a payload may name.</summary>
public interface ITypeFilter
{
    /// <summary>True when the type of this name ("Ns.Type, Assembly") may be read.</summary>
    bool IsAllowed(string typeName);
}

/// <summary>An allow-list of exact names.</summary>
public sealed class TypeFilter : ITypeFilter
{
    internal TypeFilter(IEnumerable<string> names) => FilteredTypes = names.ToImmutableHashSet(StringComparer.Ordinal);

    /// <summary>The names that are allowed.</summary>
    public ImmutableHashSet<string> FilteredTypes { get; }

    /// <inheritdoc/>
    public bool IsAllowed(string typeName) => FilteredTypes.Contains(typeName);
}

/// <summary>Allows every name.</summary>
public sealed class DisabledTypeFilter : ITypeFilter
{
    /// <summary>The instance.</summary>
    public static readonly DisabledTypeFilter Instance = new();

    private DisabledTypeFilter() { }

    /// <inheritdoc/>
    public bool IsAllowed(string typeName) => true;
}

/// <summary>Collects an allow-list.</summary>
public class TypeFilterBuilder
{
    private readonly List<string> _names = [];

    /// <summary>An empty list.</summary>
    public static TypeFilterBuilder Create() => new();

    /// <summary>Allows a type.</summary>
    public TypeFilterBuilder Include<T>() => Include(typeof(T));

    /// <summary>Allows a type.</summary>
    public TypeFilterBuilder Include(Type type)
    {
        _names.Add(TypeNames.ShortName(type));
        return this;
    }

    internal TypeFilterBuilder Include(string name)
    {
        _names.Add(name);
        return this;
    }

    /// <summary>The filter.</summary>
    public TypeFilter Build() => new(_names);
}

/// <summary>A payload names a type that must never be read.</summary>
public class EvilDeserializationException(string message, string typeString) : SecurityException(message)
{
    /// <summary>The name in the payload.</summary>
    public string BadTypeString { get; } = typeString;
}

/// <summary>A payload names a type that the reader's allow-list does not contain.</summary>
public class UserEvilDeserializationException(string message, string typeString)
    : EvilDeserializationException(message, typeString);

/// <summary>Values of a type cannot be serialized.</summary>
public class UnsupportedTypeException(Type t, string msg) : Exception(msg)
{
    /// <summary>The type.</summary>
    public Type Type = t;
}
