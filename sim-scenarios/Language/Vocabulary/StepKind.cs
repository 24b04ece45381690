using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language.Tree;

namespace Iommufd.Scenarios.Language.Vocabulary;

/// <summary>What a step can be: an ioctl, a driver call, a loop. One instance each, shared by all steps of its kind.</summary>
public abstract class StepKind
{
    /// <summary>The word in a scenario.</summary>
    public abstract string Name { get; }

    /// <summary>One line for the reference.</summary>
    public abstract string Summary { get; }

    /// <summary>The keys, in the order in which they are read.</summary>
    public abstract IReadOnlyList<Field> Fields { get; }

    /// <summary>The field that a value without keys stands for (<c>- close-ioas: ram</c>), or null.</summary>
    public virtual Field? Shorthand => null;

    /// <summary>What an <c>expect</c> behind the step can compare; empty for steps that only order other steps.</summary>
    public virtual IReadOnlyList<string> Outputs => [];

    /// <summary>Whether the step does something that ends with an errno, so that <c>expect</c> has a meaning.</summary>
    public virtual bool HasOutcome => false;

    /// <summary>Checks what no single field can: keys that exclude or need each other.</summary>
    protected virtual void CheckTogether(FieldValues values, SourcePosition at, MistakeCollector mistakes) { }

    /// <summary>Reads the keys of a step; null after a mistake that leaves nothing to check.</summary>
    internal FieldValues? ReadFields(TreeNode node, ReadContext context)
    {
        FieldValues? values = node switch
        {
            TreeMapping mapping when Fields.Count > 0 => FieldReader.Read(mapping, Fields, context),
            TreeScalar { IsEmpty: true } when !Fields.Any(f => f.IsRequired) => new FieldValues(),
            _ => ReadShorthand(node, context),
        };
        if (values is not null)
        {
            CheckTogether(values, node.At, context.Mistakes);
        }

        return values;
    }

    /// <summary>The JSON schema of the step's value.</summary>
    internal JsonObject Schema()
    {
        if (Fields.Count == 0 && Shorthand is not null)
        {
            return Shorthand.Schema();
        }

        JsonObject full = FieldReader.SchemaOf(Fields);
        if (Shorthand is null && Fields.Any(f => f.IsRequired))
        {
            return full;
        }

        var forms = new JsonArray(full);
        if (Shorthand is not null)
        {
            forms.Add((JsonNode)Shorthand.Schema());
        }

        if (!Fields.Any(f => f.IsRequired))
        {
            forms.Add((JsonNode)new JsonObject { ["type"] = "null" });
        }

        return new JsonObject { ["anyOf"] = forms };
    }

    /// <summary>Notes a mistake unless exactly one way of saying it is used: one key, or a pair of keys together.</summary>
    protected static void RequireOneOf(
        FieldValues values,
        SourcePosition at,
        MistakeCollector mistakes,
        params Field[][] ways
    )
    {
        int used = ways.Count(way => way.Any(values.Has));
        string words = string.Join(", or ", ways.Select(w => string.Join(" and ", w.Select(f => $"'{f.Name}'"))));
        if (used != 1)
        {
            mistakes.Add(at, used == 0 ? $"{words} is missing" : $"either {words}: not both");
            return;
        }

        Field[] chosen = ways.First(way => way.Any(values.Has));
        foreach (Field missing in chosen.Where(f => !values.Has(f)))
        {
            mistakes.Add(at, $"'{missing.Name}' is missing: {missing.Summary}");
        }
    }

    private FieldValues? ReadShorthand(TreeNode node, ReadContext context)
    {
        if (Shorthand is null)
        {
            context.Mistakes.Add(
                node.At,
                $"'{Name}' is a mapping with {string.Join(", ", Fields.Select(f => f.Name))}, not {node.Kind}"
            );
            return null;
        }

        var values = new FieldValues();
        if (Shorthand.Read(node, context) is { } value)
        {
            values.Set(Shorthand, value, node.At);
        }

        foreach (Field missing in Fields.Where(f => f.IsRequired && !ReferenceEquals(f, Shorthand)))
        {
            context.Mistakes.Add(node.At, $"'{missing.Name}' is missing: {missing.Summary}");
        }

        return values;
    }
}

/// <summary>One step of a client.</summary>
/// <param name="At">Where it stands.</param>
/// <param name="Kind">What it does.</param>
/// <param name="Values">Its keys.</param>
/// <param name="Expect">How it must end; null for success.</param>
/// <param name="Saves">Outputs that get a name for the steps that follow in the same list.</param>
public sealed record Step(
    SourcePosition At,
    StepKind Kind,
    FieldValues Values,
    StepExpectation? Expect,
    IReadOnlyList<SavedOutput> Saves
);
