using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language.Tree;

namespace Iommufd.Scenarios.Language.Vocabulary;

/// <summary>An output of a step that gets a name: <c>save: {dirty: left}</c>.</summary>
/// <param name="Output">The output.</param>
/// <param name="Name">The name; 0 where the step ended without that output.</param>
public sealed record SavedOutput(string Output, string Name)
{
    /// <summary>An output that every step has: the number of the errno it ended with, 0 for success.</summary>
    public const string Errno = "errno";

    /// <summary>The value of a name whose step ended without the output.</summary>
    public const int Missing = 0;

    /// <summary>Reads the mapping below <c>save</c>; the names are known from here on.</summary>
    public static IReadOnlyList<SavedOutput> Read(TreeNode node, IReadOnlyList<string> outputs, ReadContext context)
    {
        if (node is not TreeMapping mapping)
        {
            context.Mistakes.Add(node.At, $"'save' is a mapping of outputs to names, not {node.Kind}");
            return [];
        }

        var saved = new List<SavedOutput>();
        foreach (TreeEntry entry in mapping.Entries)
        {
            if (entry.Key.Text is not Errno && !outputs.Contains(entry.Key.Text))
            {
                string hint = NearestWord.Hint(entry.Key.Text, [Errno, .. outputs]);
                context.Mistakes.Add(entry.Key.At, $"this step has no output '{entry.Key.Text}'{hint}");
                continue;
            }

            if (entry.Value is not TreeScalar name || !IndexField.IsName(name.Text))
            {
                context.Mistakes.Add(
                    entry.Value.At,
                    $"'{entry.Key.Text}' is saved under a name: a letter, then letters, digits and '_'"
                );
                continue;
            }

            saved.Add(new SavedOutput(entry.Key.Text, name.Text));
            context.Names = context.Names.With(name.Text);
        }

        return saved;
    }

    /// <summary>The JSON schema of the mapping.</summary>
    public static JsonObject Schema() =>
        new()
        {
            ["description"] = "Names for outputs, for the steps that follow in the same list.",
            ["type"] = "object",
            ["additionalProperties"] = new JsonObject { ["type"] = "string" },
        };
}
