using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Tree;

namespace Iommufd.Scenarios.Language.Vocabulary;

/// <summary>What a number must be: <c>0</c>, <c>at least 1</c>, <c>1..5</c>, <c>not 0</c>.</summary>
/// <param name="At">Where it stands.</param>
/// <param name="Text">As written.</param>
/// <param name="First">The smallest allowed value; null for none.</param>
/// <param name="Last">The largest allowed value; null for none.</param>
/// <param name="IsNegated">Whether the values between are the forbidden ones.</param>
public sealed record Comparison(
    SourcePosition At,
    string Text,
    Expression? First,
    Expression? Last,
    bool IsNegated = false
)
{
    private static readonly (string Prefix, bool First, bool Last, bool Strict, bool Negated)[] Forms =
    [
        ("at least ", true, false, false, false),
        ("at most ", false, true, false, false),
        ("above ", true, false, true, false),
        ("below ", false, true, true, false),
        ("not ", true, true, false, true),
        (">=", true, false, false, false),
        ("<=", false, true, false, false),
        ("!=", true, true, false, true),
        (">", true, false, true, false),
        ("<", false, true, true, false),
        ("==", true, true, false, false),
    ];

    /// <summary>Reads a comparison; null after a mistake.</summary>
    public static Comparison? Read(TreeNode node, string name, ReadContext context)
    {
        if (node is not TreeScalar { IsEmpty: false } scalar)
        {
            context.Mistakes.Add(
                node.At,
                $"'{name}' is a number or a comparison such as 'at least 1', not {node.Kind}"
            );
            return null;
        }

        string text = scalar.Text;
        foreach ((string prefix, bool first, bool last, bool strict, bool negated) in Forms)
        {
            if (text.StartsWith(prefix, StringComparison.Ordinal))
            {
                Expression? bound = Parse(text[prefix.Length..], prefix.Length);
                return bound is null
                    ? null
                    : new Comparison(
                        scalar.At,
                        text,
                        first ? Moved(bound, strict ? 1 : 0) : null,
                        last ? Moved(bound, strict ? -1 : 0) : null,
                        negated
                    );
            }
        }

        int dots = text.IndexOf("..", StringComparison.Ordinal);
        Expression? low = Parse(dots < 0 ? text : text[..dots], 0);
        Expression? high = dots < 0 ? low : Parse(text[(dots + 2)..], dots + 2);
        return low is null || high is null ? null : new Comparison(scalar.At, text, low, high);

        Expression? Parse(string part, int offset) =>
            ExpressionParser.Parse(part, scalar.TextAt.Plus(offset), context.Names, context.Mistakes);
    }

    /// <summary>Whether a number is as it must be.</summary>
    public bool Holds(Int128 actual, Scope scope)
    {
        bool between =
            (First is null || actual >= First.Evaluate(scope)) && (Last is null || actual <= Last.Evaluate(scope));
        return between != IsNegated;
    }

    /// <summary>Notes mistakes that show once the parameters are known.</summary>
    public void Check(CheckContext context)
    {
        _ = First is null ? null : context.TryEvaluate(First);
        _ = Last is null || ReferenceEquals(First, Last) ? null : context.TryEvaluate(Last);
    }

    /// <summary>The JSON schema of a comparison.</summary>
    public static JsonObject Schema() => new() { ["type"] = new JsonArray("integer", "string", "boolean") };

    private static Expression Moved(Expression bound, int by) =>
        by == 0 ? bound : new Binary(bound.At, "+", bound, new Literal(bound.At, by));
}

/// <summary>A key whose value is a comparison.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public sealed class ComparisonField(string name, string summary) : Field<Comparison>(name, summary)
{
    /// <inheritdoc/>
    public override string Expects => "a number or a comparison such as 'at least 1'";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context) => Comparison.Read(node, Name, context);

    /// <inheritdoc/>
    public override void Check(object value, CheckContext context) => ((Comparison)value).Check(context);

    /// <inheritdoc/>
    public override JsonObject Schema() => Comparison.Schema();
}
