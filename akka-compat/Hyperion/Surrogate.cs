namespace Hyperion;

/// <summary>A type whose values are written as values of another, and turned back when read.</summary>
public class Surrogate
{
    /// <summary>The type that is replaced; with its derived types.</summary>
    public Type From { get; protected set; } = typeof(void);

    /// <summary>The type that is written.</summary>
    public Type To { get; protected set; } = typeof(void);

    /// <summary>Turns what was read back.</summary>
    public Func<object, object> FromSurrogate { get; protected set; } = static value => value;

    /// <summary>Turns a value into what is written.</summary>
    public Func<object, object> ToSurrogate { get; protected set; } = static value => value;

    /// <summary>A surrogate from two functions.</summary>
    public static Surrogate Create<TSource, TSurrogate>(
        Func<TSource, TSurrogate> toSurrogate,
        Func<TSurrogate, TSource> fromSurrogate
    ) => new Surrogate<TSource, TSurrogate>(toSurrogate, fromSurrogate);

    /// <summary>True when values of the type are replaced.</summary>
    public bool IsSurrogateFor(Type type) => From.IsAssignableFrom(type);
}

/// <inheritdoc/>
public class Surrogate<TSource, TSurrogate> : Surrogate
{
    /// <summary>A surrogate from two functions.</summary>
    public Surrogate(Func<TSource, TSurrogate> toSurrogate, Func<TSurrogate, TSource> fromSurrogate)
    {
        From = typeof(TSource);
        To = typeof(TSurrogate);
        ToSurrogate = value => toSurrogate((TSource)value)!;
        FromSurrogate = value => fromSurrogate((TSurrogate)value)!;
    }
}

/// <summary>Leaves a field out of payloads.</summary>
[AttributeUsage(AttributeTargets.Field)]
public sealed class IgnoreAttribute : Attribute;
