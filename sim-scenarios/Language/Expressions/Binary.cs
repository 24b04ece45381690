namespace Iommufd.Scenarios.Language.Expressions;

/// <summary>Two values and an operator. <c>&amp;&amp;</c> and <c>||</c> compute their right side only when needed.</summary>
/// <param name="At">The operator.</param>
/// <param name="Operator">As written.</param>
/// <param name="Left">Left value.</param>
/// <param name="Right">Right value.</param>
public sealed record Binary(SourcePosition At, string Operator, Expression Left, Expression Right) : Expression(At)
{
    /// <summary>How tightly each operator binds; higher is tighter. All group from the left.</summary>
    internal static readonly IReadOnlyDictionary<string, int> Precedence = new Dictionary<string, int>(
        StringComparer.Ordinal
    )
    {
        ["||"] = 1,
        ["&&"] = 2,
        ["=="] = 3,
        ["!="] = 3,
        ["<"] = 4,
        ["<="] = 4,
        [">"] = 4,
        [">="] = 4,
        ["<<"] = 5,
        [">>"] = 5,
        ["+"] = 6,
        ["-"] = 6,
        ["*"] = 7,
        ["/"] = 7,
        ["%"] = 7,
    };

    /// <inheritdoc/>
    public override bool IsConstant => Left.IsConstant && Right.IsConstant;

    /// <inheritdoc/>
    public override bool DrawsRandom => Left.DrawsRandom || Right.DrawsRandom;

    /// <inheritdoc/>
    public override Int128 Evaluate(Scope scope)
    {
        Int128 left = Left.Evaluate(scope);
        switch (Operator)
        {
            case "&&":
                return left != 0 && Right.Evaluate(scope) != 0 ? 1 : 0;
            case "||":
                return left != 0 || Right.Evaluate(scope) != 0 ? 1 : 0;
        }

        Int128 right = Right.Evaluate(scope);
        try
        {
            return Apply(left, right);
        }
        catch (OverflowException)
        {
            throw new EvaluationException(At, $"{left} {Operator} {right} does not fit in 128 bits");
        }
    }

    private Int128 Apply(Int128 left, Int128 right) =>
        checked(
            Operator switch
            {
                "+" => left + right,
                "-" => left - right,
                "*" => left * right,
                "/" when right == 0 => throw new EvaluationException(At, "division by zero"),
                "/" => left / right,
                "%" when right == 0 => throw new EvaluationException(At, "remainder of a division by zero"),
                "%" => left % right,
                "<<" => left * Power(right),
                ">>" => left / Power(right),
                "==" => left == right ? 1 : 0,
                "!=" => left != right ? 1 : 0,
                "<" => left < right ? 1 : 0,
                "<=" => left <= right ? 1 : 0,
                ">" => left > right ? 1 : 0,
                ">=" => left >= right ? 1 : 0,
                _ => throw new EvaluationException(At, $"'{Operator}' is not an operator"),
            }
        );

    private Int128 Power(Int128 bits) =>
        bits >= 0 && bits < 127
            ? Int128.One << (int)bits
            : throw new EvaluationException(At, $"a shift by {bits}: 0 to 126 bits are possible");
}

/// <summary>A function of the language.</summary>
/// <param name="At">Its name.</param>
/// <param name="Name">One of <see cref="Arity"/>.</param>
/// <param name="Arguments">As many as <see cref="Arity"/> says.</param>
public sealed record Call(SourcePosition At, string Name, IReadOnlyList<Expression> Arguments) : Expression(At)
{
    /// <summary>The functions and how many arguments each takes.</summary>
    public static readonly IReadOnlyDictionary<string, int> Arity = new Dictionary<string, int>(StringComparer.Ordinal)
    {
        ["min"] = 2,
        ["max"] = 2,
        ["roundUp"] = 2,
        ["roundDown"] = 2,
        ["random"] = 2,
    };

    /// <inheritdoc/>
    public override bool IsConstant => !DrawsRandom && Arguments.All(a => a.IsConstant);

    /// <inheritdoc/>
    public override bool DrawsRandom =>
        string.Equals(Name, "random", StringComparison.Ordinal) || Arguments.Any(a => a.DrawsRandom);

    /// <inheritdoc/>
    public override Int128 Evaluate(Scope scope)
    {
        Int128 a = Arguments[0].Evaluate(scope);
        Int128 b = Arguments[1].Evaluate(scope);
        switch (Name)
        {
            case "min":
                return Int128.Min(a, b);
            case "max":
                return Int128.Max(a, b);
            case "random":
                return b >= a ? scope.Random.Between(a, b) : throw Wrong($"random({a}, {b}) has no number to choose");
            default:
                Int128 below = b > 0 ? a - (((a % b) + b) % b) : throw Wrong($"{Name}: cannot round to {b}");
                bool up = string.Equals(Name, "roundUp", StringComparison.Ordinal) && below != a;
                return up ? below + b : below;
        }
    }

    private EvaluationException Wrong(string message) => new(At, message);
}
