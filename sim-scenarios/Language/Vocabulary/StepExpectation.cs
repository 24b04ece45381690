using System.Text.Json.Nodes;
using Iommufd.Messages;
using Iommufd.Scenarios.Language.Tree;

namespace Iommufd.Scenarios.Language.Vocabulary;

/// <summary>How a step must end.</summary>
/// <param name="At">Where it stands.</param>
/// <param name="Errnos">The allowed errnos; null for any.</param>
/// <param name="Outputs">What the outputs must be, when the step succeeds.</param>
public sealed record StepExpectation(
    SourcePosition At,
    IReadOnlyList<Errno>? Errnos,
    IReadOnlyList<(string Output, Comparison Value)> Outputs
)
{
    private const string ErrnoKey = "errno";
    private const string Any = "any";

    /// <summary>The words for errnos.</summary>
    public static readonly IReadOnlyList<string> Words = [.. Enum.GetNames<Errno>(), Any];

    /// <summary>Reads <c>EEXIST</c>, <c>[OK, EBUSY]</c>, <c>any</c> or a mapping with errno and outputs.</summary>
    public static StepExpectation? Read(TreeNode node, IReadOnlyList<string> outputs, ReadContext context)
    {
        if (node is not TreeMapping mapping)
        {
            return new StepExpectation(node.At, ReadErrnos(node, context.Mistakes), []);
        }

        IReadOnlyList<Errno>? errnos = [Errno.OK];
        var values = new List<(string, Comparison)>();
        foreach (TreeEntry entry in mapping.Entries)
        {
            string key = entry.Key.Text;
            if (string.Equals(key, ErrnoKey, StringComparison.Ordinal))
            {
                errnos = ReadErrnos(entry.Value, context.Mistakes);
            }
            else if (!outputs.Contains(key))
            {
                string hint = NearestWord.Hint(key, [ErrnoKey, .. outputs]);
                context.Mistakes.Add(entry.Key.At, $"this step has no output '{key}'{hint}");
            }
            else if (Comparison.Read(entry.Value, key, context) is { } comparison)
            {
                values.Add((key, comparison));
            }
        }

        return new StepExpectation(node.At, errnos, values);
    }

    /// <summary>Whether an errno is allowed.</summary>
    public bool Allows(Errno errno) => Errnos is null || Errnos.Contains(errno);

    /// <summary>What is expected, for messages.</summary>
    public string Expected => Errnos is null ? Any : string.Join(" or ", Errnos);

    /// <summary>Notes mistakes that show once the parameters are known.</summary>
    public void Check(CheckContext context)
    {
        foreach ((_, Comparison value) in Outputs)
        {
            value.Check(context);
        }
    }

    /// <summary>The JSON schema of an expectation.</summary>
    public static JsonObject Schema()
    {
        JsonObject Word() => new() { ["enum"] = new JsonArray([.. Words.Select(w => JsonValue.Create(w))]) };
        JsonObject Errnos() =>
            new() { ["anyOf"] = new JsonArray(Word(), new JsonObject { ["type"] = "array", ["items"] = Word() }) };
        JsonObject full = new()
        {
            ["type"] = "object",
            ["properties"] = new JsonObject { [ErrnoKey] = Errnos() },
            ["additionalProperties"] = Comparison.Schema(),
        };
        return new JsonObject
        {
            ["description"] = "How the step must end: an errno, a list of them, any, or a mapping with outputs.",
            ["anyOf"] = new JsonArray(Errnos(), full),
        };
    }

    private static IReadOnlyList<Errno>? ReadErrnos(TreeNode node, MistakeCollector mistakes)
    {
        IReadOnlyList<TreeNode> items = node is TreeList list ? list.Items : [node];
        var errnos = new List<Errno>();
        foreach (TreeNode item in items)
        {
            string word = item is TreeScalar scalar ? scalar.Text : string.Empty;
            if (string.Equals(word, Any, StringComparison.Ordinal))
            {
                return null;
            }

            if (Words.Contains(word))
            {
                errnos.Add(Enum.Parse<Errno>(word));
            }
            else
            {
                string what = item is TreeScalar ? $"unknown errno '{word}'" : $"an errno is a word, not {item.Kind}";
                mistakes.Add(item.At, what + NearestWord.Hint(word, Words));
            }
        }

        return errnos;
    }
}
