using System.Globalization;

namespace Iommufd.Scenarios.Language.Expressions;

/// <summary>What a token of an expression is.</summary>
internal enum TokenKind
{
    /// <summary>The end of the text.</summary>
    End,

    /// <summary>A number with or without a unit.</summary>
    Number,

    /// <summary>A name.</summary>
    Name,

    /// <summary>An operator or punctuation.</summary>
    Symbol,
}

/// <summary>A token and where it begins.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="At">Where.</param>
/// <param name="Text">As written.</param>
/// <param name="Value">A number's value in base units.</param>
/// <param name="Unit">A number's kind of unit.</param>
internal readonly record struct Token(
    TokenKind Kind,
    SourcePosition At,
    string Text,
    Int128 Value = default,
    LiteralUnit Unit = LiteralUnit.None
);

/// <summary>Cuts the text of an expression into tokens.</summary>
/// <param name="text">The expression.</param>
/// <param name="start">Where it begins in the scenario.</param>
internal sealed class Tokenizer(string text, SourcePosition start)
{
    private static readonly Dictionary<string, (Int128 Factor, LiteralUnit Unit)> Units = new(StringComparer.Ordinal)
    {
        ["K"] = (1 << 10, LiteralUnit.Bytes),
        ["M"] = (1 << 20, LiteralUnit.Bytes),
        ["G"] = (1 << 30, LiteralUnit.Bytes),
        ["T"] = (1L << 40, LiteralUnit.Bytes),
        ["P"] = (1L << 50, LiteralUnit.Bytes),
        ["E"] = (1L << 60, LiteralUnit.Bytes),
        ["ns"] = (1, LiteralUnit.Time),
        ["us"] = (1_000, LiteralUnit.Time),
        ["ms"] = (1_000_000, LiteralUnit.Time),
        ["s"] = (1_000_000_000, LiteralUnit.Time),
        ["min"] = (60_000_000_000, LiteralUnit.Time),
        ["h"] = (3_600_000_000_000, LiteralUnit.Time),
    };

    private static readonly string[] Symbols =
    [
        "..",
        "<<",
        ">>",
        "<=",
        ">=",
        "==",
        "!=",
        "&&",
        "||",
        "<",
        ">",
        "+",
        "-",
        "*",
        "/",
        "%",
        "(",
        ")",
        ",",
        "?",
        ":",
        "!",
    ];

    private int _next;

    private SourcePosition Here => start.Plus(_next);

    /// <summary>The next token.</summary>
    /// <exception cref="EvaluationException">A character or unit without meaning.</exception>
    public Token Read()
    {
        while (_next < text.Length && char.IsWhiteSpace(text[_next]))
        {
            _next++;
        }

        if (_next == text.Length)
        {
            return new Token(TokenKind.End, Here, string.Empty);
        }

        char first = text[_next];
        if (char.IsAsciiDigit(first))
        {
            return ReadNumber();
        }

        if (char.IsAsciiLetter(first) || first == '_')
        {
            return ReadName();
        }

        foreach (string symbol in Symbols)
        {
            if (string.CompareOrdinal(text, _next, symbol, 0, symbol.Length) == 0)
            {
                var token = new Token(TokenKind.Symbol, Here, symbol);
                _next += symbol.Length;
                return token;
            }
        }

        throw new EvaluationException(Here, $"'{first}' has no meaning in an expression");
    }

    private Token ReadName()
    {
        SourcePosition at = Here;
        string word = Take(c => char.IsAsciiLetterOrDigit(c) || c == '_');
        return new Token(TokenKind.Name, at, word);
    }

    private Token ReadNumber()
    {
        SourcePosition at = Here;
        bool hex = text.AsSpan(_next).StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        if (hex)
        {
            _next += 2;
        }

        string digits = Take(c => (hex ? char.IsAsciiHexDigit(c) : char.IsAsciiDigit(c)) || c == '_')
            .Replace("_", "", StringComparison.Ordinal);
        NumberStyles style = hex ? NumberStyles.AllowHexSpecifier : NumberStyles.None;
        if (!UInt128.TryParse(digits, style, CultureInfo.InvariantCulture, out UInt128 value) || value > ulong.MaxValue)
        {
            throw new EvaluationException(
                at,
                digits.Length == 0 ? "a number needs digits" : "the number passes 2^64 - 1"
            );
        }

        SourcePosition unitAt = Here;
        string suffix = Take(char.IsAsciiLetter);
        if (suffix.Length == 0)
        {
            return new Token(TokenKind.Number, at, digits, (Int128)value);
        }

        string unit = suffix.EndsWith("iB", StringComparison.Ordinal) ? suffix[..^2] : suffix;
        if (!Units.TryGetValue(unit, out (Int128 Factor, LiteralUnit Unit) known))
        {
            string hint = NearestWord.Hint(suffix, Units.Keys);
            throw new EvaluationException(unitAt, $"unknown unit '{suffix}'{hint}");
        }

        return new Token(TokenKind.Number, at, digits + suffix, (Int128)value * known.Factor, known.Unit);
    }

    private string Take(Func<char, bool> belongs)
    {
        int from = _next;
        while (_next < text.Length && belongs(text[_next]))
        {
            _next++;
        }

        return text[from.._next];
    }
}
