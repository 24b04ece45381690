using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Steps;

namespace Iommufd.Scenarios.Language.Vocabulary;

/// <summary>A list of steps that run one after another.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public sealed class StepsField(string name, string summary) : Field<IReadOnlyList<Step>>(name, summary)
{
    private const string ExpectKey = "expect";
    private const string SaveKey = "save";

    /// <inheritdoc/>
    public override string Expects => "a list of steps";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context)
    {
        if (node is not TreeList list)
        {
            return Wrong(node, context);
        }

        ReadContext inner = context.Inner();
        return (IReadOnlyList<Step>)[.. list.Items.Select(i => ReadStep(i, inner)).OfType<Step>()];
    }

    /// <inheritdoc/>
    public override void Check(object value, CheckContext context)
    {
        foreach (Step step in (IReadOnlyList<Step>)value)
        {
            step.Values.Check(context);
            step.Expect?.Check(context);
        }
    }

    /// <inheritdoc/>
    public override JsonObject Schema() =>
        new()
        {
            ["type"] = "array",
            ["items"] = new JsonObject { ["$ref"] = "#/$defs/step" },
        };

    /// <summary>The JSON schema of any step.</summary>
    internal static JsonObject StepSchema()
    {
        var properties = new JsonObject();
        foreach (StepKind kind in StepVocabulary.All)
        {
            JsonObject schema = kind.Schema();
            schema["description"] = kind.Summary;
            properties[kind.Name] = schema;
        }

        properties[ExpectKey] = StepExpectation.Schema();
        properties[SaveKey] = SavedOutput.Schema();
        var keyed = new JsonObject
        {
            ["type"] = "object",
            ["additionalProperties"] = false,
            ["minProperties"] = 1,
            ["maxProperties"] = 3,
            ["properties"] = properties,
        };
        string[] bare = [.. StepVocabulary.All.Where(k => !k.Fields.Any(f => f.IsRequired)).Select(k => k.Name)];
        var word = new JsonObject { ["enum"] = new JsonArray([.. bare.Select(b => JsonValue.Create(b))]) };
        return new JsonObject { ["anyOf"] = new JsonArray(word, keyed) };
    }

    private static Step? ReadStep(TreeNode node, ReadContext context)
    {
        // "- close" is a step without keys.
        if (node is TreeScalar { IsEmpty: false } word && StepVocabulary.Find(word.Text) is { } bare)
        {
            return Finish(bare, word.At, new TreeScalar(word.At, string.Empty, IsQuoted: false), null, null, context);
        }

        if (node is not TreeMapping mapping)
        {
            string text = node is TreeScalar scalar
                ? $"unknown step '{scalar.Text}'"
                : $"a step is a mapping, not {node.Kind}";
            string hint = node is TreeScalar wrong ? NearestWord.Hint(wrong.Text, StepVocabulary.Words) : string.Empty;
            context.Mistakes.Add(node.At, text + hint);
            return null;
        }

        TreeEntry? chosen = null;
        TreeEntry? expect = null;
        TreeEntry? save = null;
        foreach (TreeEntry entry in mapping.Entries)
        {
            if (string.Equals(entry.Key.Text, ExpectKey, StringComparison.Ordinal))
            {
                expect = entry;
            }
            else if (string.Equals(entry.Key.Text, SaveKey, StringComparison.Ordinal))
            {
                save = entry;
            }
            else if (StepVocabulary.Find(entry.Key.Text) is null)
            {
                string hint = NearestWord.Hint(entry.Key.Text, [.. StepVocabulary.Words, ExpectKey, SaveKey]);
                context.Mistakes.Add(entry.Key.At, $"unknown step '{entry.Key.Text}'{hint}");
            }
            else if (chosen is not null)
            {
                context.Mistakes.Add(
                    entry.Key.At,
                    $"this step is '{chosen.Key.Text}' already: start '{entry.Key.Text}' with a dash of its own"
                );
            }
            else
            {
                chosen = entry;
            }
        }

        if (chosen is null)
        {
            if ((expect ?? save) is { } alone && mapping.Entries.Count == 1)
            {
                context.Mistakes.Add(
                    alone.Key.At,
                    $"'{alone.Key.Text}' belongs to a step: write it below the step's key"
                );
            }

            return null;
        }

        return Finish(StepVocabulary.Find(chosen.Key.Text)!, chosen.Key.At, chosen.Value, expect, save, context);
    }

    private static Step? Finish(
        StepKind kind,
        SourcePosition at,
        TreeNode keys,
        TreeEntry? expect,
        TreeEntry? save,
        ReadContext context
    )
    {
        // What a loop's index or a 'let' inside names must not leak, but a 'let' of this list must reach the next step.
        ReadContext own = context.Inner();
        FieldValues? values = kind.ReadFields(keys, own);
        if (kind is LetStep)
        {
            context.Names = own.Names;
        }

        StepExpectation? expectation = null;
        if (expect is not null && !kind.HasOutcome)
        {
            context.Mistakes.Add(
                expect.Key.At,
                $"'{kind.Name}' has no outcome of its own: put 'expect' on the steps inside"
            );
        }
        else if (expect is not null)
        {
            expectation = StepExpectation.Read(expect.Value, kind.Outputs, context);
        }

        IReadOnlyList<SavedOutput> saves = save is null ? [] : SavedOutput.Read(save.Value, kind.Outputs, context);
        return values is null ? null : new Step(at, kind, values, expectation, saves);
    }
}

/// <summary>New names for numbers: <c>let: {base: 4K * i}</c>. Each can use the ones before it.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public sealed class LetField(string name, string summary) : Field<IReadOnlyList<LetBinding>>(name, summary)
{
    /// <inheritdoc/>
    public override string Expects => "a mapping of names to numbers";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context)
    {
        if (node is not TreeMapping mapping)
        {
            return Wrong(node, context);
        }

        var bindings = new List<LetBinding>();
        foreach (TreeEntry entry in mapping.Entries)
        {
            if (!IndexField.IsName(entry.Key.Text))
            {
                context.Mistakes.Add(
                    entry.Key.At,
                    $"'{entry.Key.Text}' is not a name: a letter, then letters, digits and '_'"
                );
                continue;
            }

            if (new NumberField(entry.Key.Text, Summary).Read(entry.Value, context) is Expression value)
            {
                bindings.Add(new LetBinding(entry.Key.Text, value));
            }

            context.Names = context.Names.With(entry.Key.Text);
        }

        return bindings;
    }

    /// <inheritdoc/>
    public override JsonObject Schema() =>
        new()
        {
            ["type"] = "object",
            ["additionalProperties"] = new JsonObject { ["type"] = new JsonArray("integer", "string", "boolean") },
        };
}

/// <summary>One name of a <c>let</c>.</summary>
/// <param name="Name">The name.</param>
/// <param name="Value">Computed once, when the step runs.</param>
public sealed record LetBinding(string Name, Expression Value);
