using System.Globalization;
using System.Numerics;
using System.Runtime.CompilerServices;

namespace Iommufd.Scenarios.Language.Expressions;

/// <summary>A name with computed parts: <c>nic-$vm-$(port + 1)</c>. Immutable.</summary>
public sealed class Template
{
    // Names such as d-17 that clients have alike are made once, up to this number.
    private const int MostNumbered = 1024;

    private readonly IReadOnlyList<object> _parts;
    private readonly bool _isNumbered;
    private string?[] _numbered = [];

    private Template(SourcePosition at, string text, IReadOnlyList<object> parts)
    {
        (At, Text, _parts) = (at, text, parts);
        IsConstant = parts.All(p => p is string);
        _isNumbered = parts is [string, Expression];
    }

    /// <summary>Where it stands.</summary>
    public SourcePosition At { get; }

    /// <summary>As written.</summary>
    public string Text { get; }

    /// <summary>Whether it has no computed part.</summary>
    public bool IsConstant { get; }

    /// <summary>Whether rendering it twice can give two names.</summary>
    public bool DrawsRandom => _parts.Any(p => p is Expression { DrawsRandom: true });

    /// <summary>Parses a name; null after a mistake.</summary>
    public static Template? Parse(string text, SourcePosition at, KnownNames names, MistakeCollector mistakes)
    {
        var parts = new List<object>();
        bool good = true;
        int next = 0;
        while (next < text.Length)
        {
            int dollar = text.IndexOf('$', next);
            if (dollar < 0)
            {
                parts.Add(text[next..]);
                break;
            }

            if (dollar > next)
            {
                parts.Add(text[next..dollar]);
            }

            next = dollar + 1;
            (int from, int to) = Computed(text, ref next);
            if (from == to)
            {
                mistakes.Add(
                    at.Plus(dollar),
                    "'$' is followed by a name or by an expression in parentheses: $vm, $(vm + 1)"
                );
                return null;
            }

            object? part = ParsePart(text[from..to], at.Plus(from), names, mistakes);
            good &= part is not null;
            parts.Add(part ?? string.Empty);
        }

        return good ? new Template(at, text, parts) : null;
    }

    /// <summary>The name in a scope.</summary>
    /// <exception cref="EvaluationException">A part cannot be computed.</exception>
    public string Render(Scope scope)
    {
        if (IsConstant)
        {
            return Text;
        }

        if (_isNumbered)
        {
            Int128 number = ((Expression)_parts[1]).Evaluate(scope);
            return number >= 0 && number < MostNumbered
                ? Numbered((int)number)
                : string.Create(CultureInfo.InvariantCulture, $"{(string)_parts[0]}{number}");
        }

        var name = new DefaultInterpolatedStringHandler(
            0,
            _parts.Count,
            CultureInfo.InvariantCulture,
            stackalloc char[128]
        );
        for (int i = 0; i < _parts.Count; i++)
        {
            switch (_parts[i])
            {
                case Expression number:
                    name.AppendFormatted(number.Evaluate(scope));
                    break;
                case WordPart word:
                    name.AppendLiteral(scope.TryText(word.Name, out string text) ? text : word.Name);
                    break;
                default:
                    name.AppendLiteral((string)_parts[i]);
                    break;
            }
        }

        return name.ToStringAndClear();
    }

    // Any thread: whoever loses a race loses a text that the next one makes again.
    private string Numbered(int number)
    {
        string?[] known = Volatile.Read(ref _numbered);
        if (number >= known.Length)
        {
            Array.Resize(ref known, (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(16, number + 1)));
            Volatile.Write(ref _numbered, known);
        }

        return known[number] ??= FormattableString.Invariant($"{(string)_parts[0]}{number}");
    }

    /// <summary>Whether this name and another can ever be the same: computed parts stand for anything.</summary>
    public bool CanEqual(Template other) => Overlap(Skeleton(), other.Skeleton());

    /// <inheritdoc/>
    public override string ToString() => Text;

    // Where the computed part after a dollar sign begins and ends; next moves behind it. Empty when there is none.
    private static (int From, int To) Computed(string text, ref int next)
    {
        int from = next;
        if (next < text.Length && text[next] == '(')
        {
            int depth = 0;
            for (; next < text.Length; next++)
            {
                depth += text[next] switch
                {
                    '(' => 1,
                    ')' => -1,
                    _ => 0,
                };
                if (depth == 0)
                {
                    next++;
                    return (from + 1, next - 1);
                }
            }

            return (from, from);
        }

        while (next < text.Length && (char.IsAsciiLetterOrDigit(text[next]) || text[next] == '_'))
        {
            next++;
        }

        return (from, next);
    }

    private static object? ParsePart(string text, SourcePosition at, KnownNames names, MistakeCollector mistakes)
    {
        string word = text.Trim();
        return names.Texts.Contains(word) ? new WordPart(word) : ExpressionParser.Parse(text, at, names, mistakes);
    }

    // '\0' stands for a computed part.
    private string Skeleton() => string.Concat(_parts.Select(p => p as string ?? "\0"));

    private static bool Overlap(string a, string b)
    {
        // reach[i, j]: the first i characters of a and the first j of b have a common text.
        var reach = new bool[a.Length + 1, b.Length + 1];
        reach[0, 0] = true;
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                bool anyA = i > 0 && a[i - 1] == '\0';
                bool anyB = j > 0 && b[j - 1] == '\0';
                bool same = i > 0 && j > 0 && a[i - 1] == b[j - 1];
                reach[i, j] |=
                    (anyA && reach[i - 1, j])
                    || (anyB && reach[i, j - 1])
                    || (anyA && j > 0 && reach[i, j - 1])
                    || (anyB && i > 0 && reach[i - 1, j])
                    || (same && reach[i - 1, j - 1]);
            }
        }

        return reach[a.Length, b.Length];
    }

    private sealed record WordPart(string Name);
}
