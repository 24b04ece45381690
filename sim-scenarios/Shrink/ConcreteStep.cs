using System.Globalization;
using Iommufd.Messages;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Language.Vocabulary;
using Iommufd.Scenarios.Steps;
using Scope = Iommufd.Scenarios.Language.Expressions.Scope;

namespace Iommufd.Scenarios.Shrink;

/// <summary>Writes a step down as it ran: every expression, name and random draw replaced by its value.</summary>
internal static class ConcreteStep
{
    /// <summary>An operation that is about to be sent.</summary>
    /// <exception cref="NotSupportedException">A key holds something that cannot be written down.</exception>
    public static TreeNode Of(StepScope scope)
    {
        var keys = new List<TreeEntry>();
        foreach ((Field field, object value) in scope.Step.Values.All)
        {
            keys.Add(TreeWriter.Entry(field.Name, ValueOf(scope, field, value)));
        }

        return Step(scope.Step, keys, scope.Numbers);
    }

    /// <summary>A step that only orders others: a barrier or a pause.</summary>
    public static TreeNode Of(Step step, Scope scope) => Of(new StepScope(step, scope, new ClientObjects()));

    /// <summary>A number as scenarios write it: 4K rather than 4096.</summary>
    public static string Number(Int128 value)
    {
        (Int128 unit, string suffix)[] units = [(1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")];
        foreach ((Int128 unit, string suffix) in units)
        {
            if (value >= unit && value % unit == 0 && value / unit < 1 << 20)
            {
                return $"{value / unit}{suffix}";
            }
        }

        return value > uint.MaxValue
            ? string.Create(CultureInfo.InvariantCulture, $"0x{(UInt128)value:x}")
            : value.ToString(CultureInfo.InvariantCulture);
    }

    /// <summary>A comparison with its bounds computed.</summary>
    public static TreeNode Comparison(Comparison comparison, Scope scope)
    {
        string? first = comparison.First is { } low ? Number(low.Evaluate(scope)) : null;
        string? last = comparison.Last is { } high ? Number(high.Evaluate(scope)) : null;
        string text = (first, last) switch
        {
            (null, null) => comparison.Text,
            (_, null) => $"at least {first}",
            (null, _) => $"at most {last}",
            _ when comparison.IsNegated => $"not {first}",
            _ when string.Equals(first, last, StringComparison.Ordinal) => first,
            _ => $"{first}..{last}",
        };
        return TreeWriter.Scalar(text);
    }

    private static TreeNode Step(Step step, IReadOnlyList<TreeEntry> keys, Scope scope)
    {
        TreeScalar word = TreeWriter.Scalar(step.Kind.Name);
        if (keys.Count == 0 && step.Expect is null)
        {
            return word;
        }

        // The short form where it says everything: a list of keys is no easier to read.
        TreeNode value =
            keys is [var only] && string.Equals(only.Key.Text, step.Kind.Shorthand?.Name, StringComparison.Ordinal)
                ? only.Value
                : TreeWriter.Mapping(keys);
        var entries = new List<TreeEntry> { new(word, keys.Count == 0 ? TreeWriter.Scalar(string.Empty) : value) };
        if (step.Expect is { } expect)
        {
            entries.Add(TreeWriter.Entry("expect", Expectation(expect, scope)));
        }

        return TreeWriter.Mapping(entries);
    }

    private static TreeNode ValueOf(StepScope scope, Field field, object value) =>
        (field, value) switch
        {
            (DurationField time, Expression) => TreeWriter.Scalar($"{scope.Number(time)}ns"),
            (FlagField flag, Expression) => TreeWriter.Scalar(scope.Number(flag) != 0 ? "true" : "false"),
            (NumberField number, Expression) => TreeWriter.Scalar(Number(scope.Number(number))),
            (NameField name, Template) => TreeWriter.Scalar(scope.Text(name)!),
            (ChoiceField choice, Template) => TreeWriter.Scalar(scope.Word(choice, string.Empty)),
            (_, string text) => TreeWriter.Scalar(text),
            (_, IReadOnlyList<string> words) => TreeWriter.List([.. words.Select(TreeWriter.Scalar)]),
            (_, RangeExpression range) => Range(range.Evaluate(scope.Numbers)),
            (_, IReadOnlyList<RangeExpression> ranges) => TreeWriter.List(
                [.. ranges.Select(r => Range(r.Evaluate(scope.Numbers)))]
            ),
            _ => throw new NotSupportedException($"'{field.Name}' of '{scope.Step.Kind.Name}' cannot be written down"),
        };

    /// <summary>A range as scenarios write it.</summary>
    public static TreeScalar Range(IovaRange range) =>
        TreeWriter.Scalar(string.Create(CultureInfo.InvariantCulture, $"0x{range.First:x}..0x{range.Last:x}"));

    private static TreeNode Expectation(StepExpectation expect, Scope scope)
    {
        TreeNode errnos = expect.Errnos switch
        {
            null => TreeWriter.Scalar("any"),
            [var one] => TreeWriter.Scalar($"{one}"),
            var several => TreeWriter.List([.. several.Select(e => TreeWriter.Scalar($"{e}"))]),
        };
        if (expect.Outputs.Count == 0)
        {
            return errnos;
        }

        var keys = expect.Outputs.Select(o => TreeWriter.Entry(o.Output, Comparison(o.Value, scope))).ToList();
        if (expect.Errnos is not [Errno.OK])
        {
            keys.Insert(0, TreeWriter.Entry("errno", errnos));
        }

        return TreeWriter.Mapping(keys);
    }
}
