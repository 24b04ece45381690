namespace Iommufd.Scenarios.Language.Expressions;

/// <summary>
/// The names an expression can see and their values, innermost first. Immutable: a loop makes a child for each turn.
/// </summary>
public sealed class Scope
{
    private readonly Scope? _outer;
    private readonly string _name;
    private readonly Int128 _value;
    private readonly string? _text;

    private Scope(Scope? outer, string name, Int128 value, string? text, SeededRandom random)
    {
        (_outer, _name, _value, _text, Random) = (outer, name, value, text, random);
    }

    /// <summary>What <c>random(a, b)</c> draws from.</summary>
    public SeededRandom Random { get; }

    /// <summary>A scope without names.</summary>
    public static Scope Empty(SeededRandom random) => new(null, string.Empty, 0, null, random);

    /// <summary>This scope with one more number.</summary>
    public Scope With(string name, Int128 value) => new(this, name, value, null, Random);

    /// <summary>This scope with one more text.</summary>
    public Scope With(string name, string text) => new(this, name, 0, text, Random);

    /// <summary>The same names, drawing from another generator from here on.</summary>
    public Scope Drawing(SeededRandom random) => new(this, string.Empty, 0, null, random);

    /// <summary>A number by name; false when the name is unknown or stands for a text.</summary>
    public bool TryNumber(string name, out Int128 value)
    {
        Scope? found = Find(name);
        value = found?._value ?? 0;
        return found is { _text: null };
    }

    /// <summary>A text by name; false when the name is unknown or stands for a number.</summary>
    public bool TryText(string name, out string text)
    {
        text = Find(name)?._text ?? string.Empty;
        return Find(name)?._text is not null;
    }

    private Scope? Find(string name)
    {
        for (Scope? scope = this; scope is not null; scope = scope._outer)
        {
            if (string.Equals(scope._name, name, StringComparison.Ordinal) && name.Length > 0)
            {
                return scope;
            }
        }

        return null;
    }
}
