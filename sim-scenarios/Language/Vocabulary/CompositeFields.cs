using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language.Tree;

namespace Iommufd.Scenarios.Language.Vocabulary;

/// <summary>A mapping with known keys.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
/// <param name="fields">The keys inside, in the order in which they are read.</param>
public sealed class ObjectField(string name, string summary, params Field[] fields) : Field<FieldValues>(name, summary)
{
    /// <summary>The keys inside.</summary>
    public IReadOnlyList<Field> Fields { get; } = fields;

    /// <inheritdoc/>
    public override string Expects => $"a mapping with {string.Join(", ", Fields.Select(f => f.Name))}";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context) =>
        node is TreeMapping mapping ? FieldReader.Read(mapping, Fields, context.Inner()) : Wrong(node, context);

    /// <inheritdoc/>
    public override void Check(object value, CheckContext context) => ((FieldValues)value).Check(context);

    /// <inheritdoc/>
    public override JsonObject Schema() => FieldReader.SchemaOf(Fields);
}

/// <summary>A list of values of one kind.</summary>
/// <typeparam name="T">What an item is.</typeparam>
/// <param name="item">How an item is read; its name is the list's.</param>
public sealed class ListField<T>(Field<T> item) : Field<IReadOnlyList<T>>(item.Name, item.Summary)
    where T : class
{
    /// <summary>How an item is read.</summary>
    public Field<T> Item { get; } = item;

    /// <inheritdoc/>
    public override string Expects => "a list";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context)
    {
        if (node is not TreeList list)
        {
            return Wrong(node, context);
        }

        // A list with mistakes in some items is still a list: what the good ones say is needed to check the rest.
        return (IReadOnlyList<T>)[.. list.Items.Select(i => Item.Read(i, context)).OfType<T>()];
    }

    /// <inheritdoc/>
    public override void Check(object value, CheckContext context)
    {
        foreach (T one in (IReadOnlyList<T>)value)
        {
            Item.Check(one, context);
        }
    }

    /// <inheritdoc/>
    public override JsonObject Schema() => new() { ["type"] = "array", ["items"] = Item.Schema() };
}

/// <summary>Reads mappings with known keys: every unknown, missing and ill-shaped one is noted.</summary>
internal static class FieldReader
{
    /// <summary>Reads what is there; <paramref name="others"/> are keys that the caller reads itself.</summary>
    public static FieldValues Read(
        TreeMapping mapping,
        IReadOnlyList<Field> fields,
        ReadContext context,
        params string[] others
    )
    {
        var values = new FieldValues();
        foreach (Field field in fields)
        {
            TreeNode? node = mapping.Find(field.Name);
            if (node is not null && field.Read(node, context) is { } value)
            {
                values.Set(field, value, node.At);
            }
            else if (node is null && field.IsRequired)
            {
                context.Mistakes.Add(mapping.At, $"'{field.Name}' is missing: {field.Summary}");
            }
        }

        string[] known = [.. fields.Select(f => f.Name), .. others];
        foreach (TreeEntry entry in mapping.Entries)
        {
            if (!known.Contains(entry.Key.Text))
            {
                string hint = NearestWord.Hint(entry.Key.Text, known);
                context.Mistakes.Add(entry.Key.At, $"unknown key '{entry.Key.Text}'{hint}");
            }
        }

        return values;
    }

    /// <summary>The JSON schema of such a mapping.</summary>
    public static JsonObject SchemaOf(IReadOnlyList<Field> fields)
    {
        var properties = new JsonObject();
        foreach (Field field in fields)
        {
            JsonObject schema = field.Schema();
            schema["description"] = field.Summary;
            properties[field.Name] = schema;
        }

        var result = new JsonObject
        {
            ["type"] = "object",
            ["additionalProperties"] = false,
            ["properties"] = properties,
        };
        string[] required = [.. fields.Where(f => f.IsRequired).Select(f => f.Name)];
        if (required.Length > 0)
        {
            result["required"] = new JsonArray([.. required.Select(r => JsonValue.Create(r))]);
        }

        return result;
    }
}
