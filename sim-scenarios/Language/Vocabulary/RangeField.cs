using System.Text.Json.Nodes;
using Iommufd.Messages;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Tree;

namespace Iommufd.Scenarios.Language.Vocabulary;

/// <summary>A range of addresses as written; both ends belong to it.</summary>
/// <param name="First">The first address.</param>
/// <param name="Last">The last address.</param>
public sealed record RangeExpression(Expression First, Expression Last)
{
    /// <summary>The range in a scope.</summary>
    /// <exception cref="EvaluationException">It cannot be computed, is upside down or passes 2^64 - 1.</exception>
    public IovaRange Evaluate(Scope scope)
    {
        Int128 first = First.Evaluate(scope);
        Int128 last = Last.Evaluate(scope);
        if (first < 0 || last > ulong.MaxValue)
        {
            throw new EvaluationException(First.At, $"the range {first}..{last} is not within 0..2^64-1");
        }

        return last >= first
            ? new IovaRange((ulong)first, (ulong)last)
            : throw new EvaluationException(Last.At, $"the range ends at {last}, before its start {first}");
    }
}

/// <summary>A range of addresses, <c>0xfee00000..0xfeefffff</c>; both ends belong to it.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public sealed class RangeField(string name, string summary) : Field<RangeExpression>(name, summary)
{
    /// <inheritdoc/>
    public override string Expects => "a range FIRST..LAST";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context)
    {
        if (node is not TreeScalar { IsEmpty: false } scalar)
        {
            return Wrong(node, context);
        }

        int dots = scalar.Text.IndexOf("..", StringComparison.Ordinal);
        if (dots < 0)
        {
            context.Mistakes.Add(scalar.At, $"'{scalar.Text}' is not a range: FIRST..LAST, both included");
            return null;
        }

        Expression? first = Part(scalar.Text[..dots], scalar.TextAt, context);
        Expression? last = Part(scalar.Text[(dots + 2)..], scalar.TextAt.Plus(dots + 2), context);
        return first is null || last is null ? null : new RangeExpression(first, last);
    }

    /// <inheritdoc/>
    public override void Check(object value, CheckContext context)
    {
        var range = (RangeExpression)value;
        if (context.TryEvaluate(range.First) is null || context.TryEvaluate(range.Last) is null)
        {
            return;
        }

        try
        {
            range.Evaluate(context.Parameters);
        }
        catch (EvaluationException wrong)
        {
            context.Mistakes.Add(wrong.At, wrong.Message);
        }
    }

    /// <inheritdoc/>
    public override JsonObject Schema() => new() { ["type"] = "string", ["pattern"] = "\\.\\." };

    private static Expression? Part(string text, SourcePosition at, ReadContext context) =>
        ExpressionParser.Parse(text, at, context.Names, context.Mistakes);
}
