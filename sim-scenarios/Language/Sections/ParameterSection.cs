using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Language.Sections;

/// <summary>A parameter that <c>--set</c> can change.</summary>
/// <param name="At">Where it is declared.</param>
/// <param name="Name">Its name.</param>
/// <param name="Summary">For people, or empty.</param>
/// <param name="Number">The default of a number; may use the parameters before it. Null for a word.</param>
/// <param name="Word">The default of a word; null for a number.</param>
/// <param name="Minimum">The smallest allowed number.</param>
/// <param name="Maximum">The largest allowed number.</param>
/// <param name="Choices">The allowed words; empty for any.</param>
public sealed record Parameter(
    SourcePosition At,
    string Name,
    string Summary,
    Expression? Number,
    string? Word,
    Expression? Minimum,
    Expression? Maximum,
    IReadOnlyList<string> Choices
);

/// <summary>Reads <c>parameters</c>: names with a default alone, or with a description and limits.</summary>
public sealed class ParametersField()
    : Field<IReadOnlyList<Parameter>>("parameters", "What --set can change, with defaults.")
{
    private static readonly TextField Description = new("description", "What it changes.");
    private static readonly NumberField Minimum = new("min", "The smallest value.");
    private static readonly NumberField Maximum = new("max", "The largest value.");
    private static readonly ListField<string> Choices = new(new TextField("choices", "The words it can be."));
    private static readonly ValueField Default = new();

    /// <inheritdoc/>
    public override string Expects => "a mapping of names to defaults";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context)
    {
        if (node is not TreeMapping mapping)
        {
            return Wrong(node, context);
        }

        var parameters = new List<Parameter>();
        foreach (TreeEntry entry in mapping.Entries)
        {
            string name = entry.Key.Text;
            if (!IndexField.IsName(name))
            {
                context.Mistakes.Add(entry.Key.At, $"'{name}' is not a name: a letter, then letters, digits and '_'");
                continue;
            }

            Parameter? parameter = ReadOne(entry.Key, entry.Value, context);
            if (parameter is not null)
            {
                parameters.Add(parameter);
            }

            // Known even after a mistake: its uses are not mistakes too.
            context.Names = parameter?.Word is not null
                ? new KnownNames(context.Names.Numbers, [.. context.Names.Texts, name])
                : context.Names.With(name);
        }

        return parameters;
    }

    /// <inheritdoc/>
    public override JsonObject Schema()
    {
        JsonObject Value() => new() { ["type"] = new JsonArray("integer", "string", "boolean") };
        JsonObject full = FieldReader.SchemaOf([Description, Default, Minimum, Maximum, Choices]);
        return new JsonObject
        {
            ["type"] = "object",
            ["additionalProperties"] = new JsonObject { ["anyOf"] = new JsonArray(Value(), full) },
        };
    }

    private static Parameter? ReadOne(TreeScalar key, TreeNode node, ReadContext context)
    {
        FieldValues values;
        if (node is TreeMapping mapping)
        {
            values = FieldReader.Read(mapping, [Description, Default, Minimum, Maximum, Choices], context);
        }
        else
        {
            values = new FieldValues();
            if (Default.Read(node, context) is { } alone)
            {
                values.Set(Default, alone, node.At);
            }
        }

        if (values.Get(Default) is not { } value)
        {
            return null;
        }

        IReadOnlyList<string> choices = values.Get(Choices) ?? [];
        if (value.Word is not null && choices.Count > 0 && !choices.Contains(value.Word))
        {
            context.Mistakes.Add(
                key.At,
                $"the default '{value.Word}' is not one of the choices{NearestWord.Hint(value.Word, choices)}"
            );
        }

        return new Parameter(
            key.At,
            key.Text,
            values.Get(Description) ?? string.Empty,
            value.Number,
            value.Word,
            values.Get(Minimum),
            values.Get(Maximum),
            choices
        );
    }

    private sealed record Value(Expression? Number, string? Word);

    // A plain word that is no known name is a word; everything else is an expression.
    private sealed class ValueField() : Field<Value>("default", "The value without --set.")
    {
        public override string Expects => "a number or a word";

        public override object? Read(TreeNode node, ReadContext context)
        {
            if (node is not TreeScalar scalar || scalar.IsEmpty)
            {
                return Wrong(node, context);
            }

            bool isWord =
                scalar.IsQuoted
                || (
                    scalar.Text.Length > 0
                    && char.IsAsciiLetter(scalar.Text[0])
                    && scalar.Text is not ("true" or "false")
                    && scalar.Text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_')
                    && !context.Names.Numbers.Contains(scalar.Text)
                );
            if (isWord)
            {
                return new Value(null, scalar.Text);
            }

            Expression? number = ExpressionParser.Parse(scalar.Text, scalar.TextAt, context.Names, context.Mistakes);
            return number is null ? null : new Value(number, null);
        }

        public override JsonObject Schema() => new() { ["type"] = new JsonArray("integer", "string", "boolean") };
    }
}
