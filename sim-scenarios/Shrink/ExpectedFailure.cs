using System.Globalization;
using System.Text;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Shrink;

/// <summary>The failure that a shrunk scenario was saved with: the key <c>failure</c>.</summary>
/// <param name="Check">The check that failed.</param>
/// <param name="What">What was found.</param>
/// <param name="Seed">The seed under which it did.</param>
public sealed record ExpectedFailure(string Check, string What, ulong Seed)
{
    private const int MaxWhat = 400;

    private static readonly TextField CheckField = new("check", "The check that failed.") { IsRequired = true };
    private static readonly TextField WhatField = new("what", "What was found.");
    private static readonly NumberField SeedField = new("seed", "The seed under which it did.") { IsRequired = true };

    /// <summary>The key.</summary>
    public static ObjectField Field { get; } =
        new(
            "failure",
            "How a run of this scenario failed when it was saved, by 'iommufd shrink'.",
            CheckField,
            WhatField,
            SeedField
        );

    /// <summary>Reads the key's values.</summary>
    internal static ExpectedFailure From(FieldValues values, Language.Expressions.Scope scope) =>
        new(
            values.Get(CheckField)!,
            values.Get(WhatField) ?? string.Empty,
            (ulong)SeedField.Evaluate(values.Get(SeedField)!, scope)
        );

    /// <summary>The key as a scenario has it.</summary>
    public static string ToText(string check, string what, ulong seed)
    {
        string shown = what.Length > MaxWhat ? what[..MaxWhat] + "…" : what;
        TreeMapping values = TreeWriter.Mapping(
            new TreeEntry(TreeWriter.Scalar("check"), TreeWriter.Scalar(check)),
            new TreeEntry(TreeWriter.Scalar("what"), new TreeScalar(default, shown, IsQuoted: true)),
            new TreeEntry(TreeWriter.Scalar("seed"), TreeWriter.Scalar(seed.ToString(CultureInfo.InvariantCulture)))
        );
        return TreeWriter.Write(TreeWriter.Mapping(TreeWriter.Entry("failure", values)));
    }

    /// <summary>A plan of single strikes as a fault plan file.</summary>
    public static string ToText(FaultPlan plan)
    {
        ArgumentNullException.ThrowIfNull(plan);
        var text = new StringBuilder();
        text.Append("# The faults that a shrunk scenario needs, each by how often its point was reached in the run.\n");
        text.Append("faults: 1\ntitle: ").Append(plan.Title).Append("\nrules:\n");
        foreach (FaultRule rule in plan.Rules)
        {
            text.Append(
                CultureInfo.InvariantCulture,
                $"  - {{point: {rule.Points[0].Name}, nth: [{string.Join(", ", rule.Nth)}]}}\n"
            );
        }

        return text.ToString();
    }
}
