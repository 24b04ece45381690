using System.Globalization;
using System.Text.Json.Nodes;
using Iommufd.Core.Faults;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Faults;

/// <summary>Reads <c>point</c>: names of fault points, or all of an area with <c>pin.*</c>, or <c>*</c>.</summary>
internal sealed class PointsField()
    : Field<IReadOnlyList<FaultPoint>>("point", "A fault point, a list of them, or all of an area: pin.*")
{
    private static readonly string[] Words = [.. FaultPoints.All.Select(p => p.Name)];

    public override string Expects => "a fault point or a list of them";

    public override object? Read(TreeNode node, ReadContext context)
    {
        IReadOnlyList<TreeNode> items = node is TreeList list ? list.Items : [node];
        var points = new List<FaultPoint>();
        foreach (TreeNode item in items)
        {
            if (item is not TreeScalar { IsEmpty: false } scalar)
            {
                return Wrong(item, context);
            }

            FaultPoint[] found = [.. Named(scalar.Text)];
            if (found.Length == 0)
            {
                string hint = NearestWord.Hint(scalar.Text, Words);
                context.Mistakes.Add(
                    scalar.At,
                    $"unknown fault point '{scalar.Text}'{hint}; iommufd faults lists them"
                );
                return null;
            }

            points.AddRange(found.Except(points));
        }

        return (IReadOnlyList<FaultPoint>)points;
    }

    public override JsonObject Schema() =>
        new()
        {
            ["anyOf"] = new JsonArray(
                new JsonObject { ["type"] = "string" },
                new JsonObject
                {
                    ["type"] = "array",
                    ["items"] = new JsonObject { ["type"] = "string" },
                }
            ),
        };

    private static IEnumerable<FaultPoint> Named(string pattern) =>
        pattern.EndsWith('*')
            ? FaultPoints.All.Where(p => p.Name.StartsWith(pattern[..^1], StringComparison.Ordinal))
            : FaultPoints.All.Where(p => string.Equals(p.Name, pattern, StringComparison.Ordinal));
}

/// <summary>A probability as read.</summary>
/// <param name="Value">0 to 1.</param>
internal sealed record Probability(double Value);

/// <summary>Reads <c>probability</c>: <c>2%</c>, <c>0.02</c> or <c>1/50</c>.</summary>
internal sealed class ProbabilityField()
    : Field<Probability>("probability", "How likely a fault is each time: 2%, 0.02 or 1/50; always when left out.")
{
    public override string Expects => "a probability such as 2%, 0.02 or 1/50";

    public override object? Read(TreeNode node, ReadContext context)
    {
        if (node is not TreeScalar { IsEmpty: false } scalar || ValueOf(scalar.Text) is not { } value)
        {
            return Wrong(node, context);
        }

        if (value is >= 0 and <= 1)
        {
            return new Probability(value);
        }

        context.Mistakes.Add(node.At, $"'{Name}' is {scalar.Text}, and must be between 0 and 1 (100%)");
        return null;
    }

    public override JsonObject Schema() => new() { ["type"] = new JsonArray("number", "string") };

    private static double? ValueOf(string text)
    {
        if (text.EndsWith('%'))
        {
            return Parsed(text[..^1]) / 100;
        }

        int slash = text.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? Parsed(text)
            : Parsed(text[(slash + 1)..]) is { } below and not 0 ? Parsed(text[..slash]) / below
            : null;
    }

    private static double? Parsed(string text) =>
        double.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double value)
            ? value
            : null;
}

/// <summary>Reads a number or a list of numbers.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
internal sealed class NumberListField(string name, string summary) : Field<IReadOnlyList<Expression>>(name, summary)
{
    private readonly NumberField _one = new(name, summary) { Minimum = 1, Maximum = int.MaxValue };

    public override string Expects => "a number or a list of numbers";

    public override object? Read(TreeNode node, ReadContext context)
    {
        IReadOnlyList<TreeNode> items = node is TreeList list ? list.Items : [node];
        return (IReadOnlyList<Expression>)[.. items.Select(i => _one.Read(i, context)).OfType<Expression>()];
    }

    public override void Check(object value, CheckContext context)
    {
        foreach (Expression one in (IReadOnlyList<Expression>)value)
        {
            _one.Check(one, context);
        }
    }

    public override JsonObject Schema() =>
        new()
        {
            ["anyOf"] = new JsonArray(_one.Schema(), new JsonObject { ["type"] = "array", ["items"] = _one.Schema() }),
        };
}

/// <summary>Reads a name or a list of names.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
internal sealed class NamesField(string name, string summary) : Field<IReadOnlyList<string>>(name, summary)
{
    public override string Expects => "a name or a list of names";

    public override object? Read(TreeNode node, ReadContext context)
    {
        IReadOnlyList<TreeNode> items = node is TreeList list ? list.Items : [node];
        var names = new List<string>();
        foreach (TreeNode item in items)
        {
            if (item is not TreeScalar { IsEmpty: false } scalar)
            {
                return Wrong(item, context);
            }

            names.Add(scalar.Text);
        }

        return (IReadOnlyList<string>)names;
    }

    public override JsonObject Schema() =>
        new()
        {
            ["anyOf"] = new JsonArray(
                new JsonObject { ["type"] = "string" },
                new JsonObject
                {
                    ["type"] = "array",
                    ["items"] = new JsonObject { ["type"] = "string" },
                }
            ),
        };
}
