using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Tree;

namespace Iommufd.Scenarios.Language.Vocabulary;

/// <summary>A number: an expression whose value lies in a range.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public class NumberField(string name, string summary) : Field<Expression>(name, summary)
{
    /// <summary>The smallest allowed value.</summary>
    public Int128 Minimum { get; init; }

    /// <summary>The largest allowed value.</summary>
    public Int128 Maximum { get; init; } = ulong.MaxValue;

    /// <inheritdoc/>
    public override string Expects => "a number";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context) =>
        node is TreeScalar { IsEmpty: false } scalar
            ? ExpressionParser.Parse(scalar.Text, scalar.TextAt, context.Names, context.Mistakes)
            : Wrong(node, context);

    /// <inheritdoc/>
    public override void Check(object value, CheckContext context)
    {
        var expression = (Expression)value;
        if (context.TryEvaluate(expression) is { } number && Complaint(number) is { } complaint)
        {
            context.Mistakes.Add(expression.At, complaint);
        }
    }

    /// <summary>The value in a scope.</summary>
    /// <exception cref="EvaluationException">It cannot be computed, or is out of range.</exception>
    public Int128 Evaluate(Expression expression, Scope scope)
    {
        Int128 number = expression.Evaluate(scope);
        return Complaint(number) is { } complaint ? throw new EvaluationException(expression.At, complaint) : number;
    }

    /// <inheritdoc/>
    public override JsonObject Schema() => new() { ["type"] = new JsonArray("integer", "string", "boolean") };

    private string? Complaint(Int128 number)
    {
        if (number < Minimum)
        {
            return $"'{Name}' is {number}, and must be at least {Minimum}";
        }

        return number > Maximum ? $"'{Name}' is {number}, and must be at most {Maximum}" : null;
    }
}

/// <summary>A length of time: <c>250ms</c>, <c>2s</c>, <c>5min</c>; a bare number has no meaning.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public sealed class DurationField(string name, string summary) : NumberField(name, summary)
{
    /// <inheritdoc/>
    public override string Expects => "a duration such as 250ms or 5s";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context)
    {
        object? read = base.Read(node, context);
        if (read is Literal { Unit: not LiteralUnit.Time } bare && bare.Value > 0)
        {
            context.Mistakes.Add(bare.At, $"'{Name}' needs a unit of time: {bare.Value}ms or {bare.Value}s");
            return null;
        }

        return read;
    }
}

/// <summary>Yes or no: <c>true</c>, <c>false</c>, or an expression that is not 0.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public sealed class FlagField(string name, string summary) : NumberField(name, summary)
{
    /// <inheritdoc/>
    public override string Expects => "true or false";
}

/// <summary>The name of a loop's index; it can be used inside.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public sealed class IndexField(string name, string summary) : Field<string>(name, summary)
{
    /// <inheritdoc/>
    public override string Expects => "a name for the index";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context)
    {
        if (node is not TreeScalar scalar || !IsName(scalar.Text))
        {
            context.Mistakes.Add(node.At, $"'{Name}' is a name: a letter, then letters, digits and '_'");
            return null;
        }

        if (context.Names.Numbers.Contains(scalar.Text) || context.Names.Texts.Contains(scalar.Text))
        {
            context.Mistakes.Add(scalar.At, $"'{scalar.Text}' is a name already; choose another for the index");
            return null;
        }

        context.Names = context.Names.With(scalar.Text);
        return scalar.Text;
    }

    /// <inheritdoc/>
    public override JsonObject Schema() => new() { ["type"] = "string" };

    /// <summary>Whether a word can be the name of a number.</summary>
    public static bool IsName(string word) =>
        word.Length > 0
        && (char.IsAsciiLetter(word[0]) || word[0] == '_')
        && word.All(c => char.IsAsciiLetterOrDigit(c) || c == '_')
        && !Call.Arity.ContainsKey(word)
        && word is not ("true" or "false");
}
