using System.Text.Json.Nodes;
using Iommufd.Messages;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Language.Sections;

/// <summary>The keys below the scenario's <c>expect</c>.</summary>
internal static class ExpectKeys
{
    public static readonly ComparisonField Total = new("total", "Operations that ran.");
    public static readonly ComparisonField Failed = new("failed", "Operations that ended with an errno.");
    public static readonly ErrnoCountsField ByErrno = new();
    public static readonly ComparisonField Translations = new("translations", "IOVAs translated for DMA.");
    public static readonly ComparisonField Faults = new("faults", "DMA accesses that an IOMMU refused.");
    public static readonly ComparisonField Violations = new("violations", "DMA accesses that a check found wrong.");
    public static readonly ComparisonField Checked = new("checked", "Invariants checked.");
    public static readonly ComparisonField Violated = new("violated", "Invariants that did not hold.");

    public static readonly ObjectField Operations = new(
        "operations",
        "Ioctls and driver calls.",
        Total,
        Failed,
        ByErrno
    );
    public static readonly ObjectField Dma = new("dma", "What devices did.", Translations, Faults, Violations);
    public static readonly ObjectField Invariants = new(
        "invariants",
        "Checks of the simulator itself.",
        Checked,
        Violated
    );
    public static readonly ComparisonField Pins = new("pins", "Pages still pinned after every client has closed.");
    public static readonly ComparisonField Leaked = new("leaked", "Objects that closing could not destroy.");

    public static readonly ObjectField Expect = new(
        "expect",
        "What must hold when every client has ended.",
        Operations,
        Dma,
        Invariants,
        Pins,
        Leaked
    );
}

/// <summary>How many operations ended with an errno.</summary>
/// <param name="Errno">The errno.</param>
/// <param name="Count">How many.</param>
public sealed record ErrnoCount(Errno Errno, Comparison Count);

/// <summary>Reads <c>byErrno</c>.</summary>
internal sealed class ErrnoCountsField()
    : Field<IReadOnlyList<ErrnoCount>>("byErrno", "How many ended with each errno.")
{
    public override string Expects => "a mapping of errnos to numbers";

    public override object? Read(TreeNode node, ReadContext context)
    {
        if (node is not TreeMapping mapping)
        {
            return Wrong(node, context);
        }

        var counts = new List<ErrnoCount>();
        foreach (TreeEntry entry in mapping.Entries)
        {
            string word = entry.Key.Text;
            if (!Enum.GetNames<Errno>().Contains(word))
            {
                string hint = NearestWord.Hint(word, Enum.GetNames<Errno>());
                context.Mistakes.Add(entry.Key.At, $"unknown errno '{word}'{hint}");
            }
            else if (Comparison.Read(entry.Value, word, context) is { } count)
            {
                counts.Add(new ErrnoCount(Enum.Parse<Errno>(word), count));
            }
        }

        return counts;
    }

    public override void Check(object value, CheckContext context)
    {
        foreach (ErrnoCount count in (IReadOnlyList<ErrnoCount>)value)
        {
            count.Count.Check(context);
        }
    }

    public override JsonObject Schema() =>
        new()
        {
            ["type"] = "object",
            ["propertyNames"] = new JsonObject
            {
                ["enum"] = new JsonArray([.. Enum.GetNames<Errno>().Select(n => JsonValue.Create(n))]),
            },
            ["additionalProperties"] = Comparison.Schema(),
        };
}
