using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Tree;

namespace Iommufd.Scenarios.Language.Vocabulary;

/// <summary>Free text.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public sealed class TextField(string name, string summary) : Field<string>(name, summary)
{
    /// <inheritdoc/>
    public override string Expects => "text";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context) =>
        node is TreeScalar { IsEmpty: false } scalar ? scalar.Text : Wrong(node, context);

    /// <inheritdoc/>
    public override JsonObject Schema() => new() { ["type"] = "string" };
}

/// <summary>One word of a list, possibly through a parameter (<c>$format</c>).</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
/// <param name="words">The valid words.</param>
public sealed class ChoiceField(string name, string summary, params string[] words) : Field<Template>(name, summary)
{
    /// <summary>The valid words.</summary>
    public IReadOnlyList<string> Words { get; } = words;

    /// <inheritdoc/>
    public override string Expects => $"one of {string.Join(", ", Words)}";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context)
    {
        if (node is not TreeScalar { IsEmpty: false } scalar)
        {
            return Wrong(node, context);
        }

        Template? word = Template.Parse(scalar.Text, scalar.TextAt, context.Names, context.Mistakes);
        if (word is { IsConstant: true } && !Words.Contains(word.Text))
        {
            context.Mistakes.Add(scalar.At, Complaint(word.Text));
            return null;
        }

        return word;
    }

    /// <inheritdoc/>
    public override void Check(object value, CheckContext context)
    {
        try
        {
            Resolve((Template)value, context.Parameters);
        }
        catch (NotYetKnownException)
        {
            // Depends on an index: checked when the step runs.
        }
        catch (EvaluationException wrong)
        {
            context.Mistakes.Add(wrong.At, wrong.Message);
        }
    }

    /// <summary>The word in a scope.</summary>
    /// <exception cref="EvaluationException">The parameter's word is not one of the list.</exception>
    public string Resolve(Template template, Scope scope)
    {
        string word = template.Render(scope);
        return Words.Contains(word) ? word : throw new EvaluationException(template.At, Complaint(word));
    }

    /// <inheritdoc/>
    public override JsonObject Schema() =>
        new()
        {
            ["anyOf"] = new JsonArray(
                new JsonObject { ["enum"] = new JsonArray([.. Words.Select(w => JsonValue.Create(w))]) },
                new JsonObject { ["type"] = "string", ["pattern"] = "\\$" }
            ),
        };

    private string Complaint(string word) => $"unknown {Name} '{word}'{NearestWord.Hint(word, Words)}";
}

/// <summary>Any number of the words of a list: <c>read</c>, <c>[read, write]</c>.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
/// <param name="words">The valid words.</param>
public sealed class WordsField(string name, string summary, params string[] words)
    : Field<IReadOnlyList<string>>(name, summary)
{
    /// <inheritdoc/>
    public override string Expects => $"a list of {string.Join(", ", words)}";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context)
    {
        IReadOnlyList<TreeNode> items = node is TreeList list ? list.Items : [node];
        var read = new List<string>();
        foreach (TreeNode item in items)
        {
            if (item is not TreeScalar { IsEmpty: false } scalar)
            {
                return Wrong(item, context);
            }

            if (!words.Contains(scalar.Text))
            {
                context.Mistakes.Add(
                    scalar.At,
                    $"unknown {Name} '{scalar.Text}'{NearestWord.Hint(scalar.Text, words)}"
                );
                return null;
            }

            read.Add(scalar.Text);
        }

        return read;
    }

    /// <inheritdoc/>
    public override JsonObject Schema()
    {
        JsonObject One() => new() { ["enum"] = new JsonArray([.. words.Select(w => JsonValue.Create(w))]) };
        return new JsonObject
        {
            ["anyOf"] = new JsonArray(One(), new JsonObject { ["type"] = "array", ["items"] = One() }),
        };
    }
}

/// <summary>A name with computed parts that gives or uses an object, or a device of the machine.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public abstract class NameField(string name, string summary) : Field<Template>(name, summary)
{
    /// <inheritdoc/>
    public override string Expects => "a name";

    /// <inheritdoc/>
    public override object? Read(TreeNode node, ReadContext context)
    {
        if (node is not TreeScalar { IsEmpty: false } scalar)
        {
            return Wrong(node, context);
        }

        Template? template = Template.Parse(scalar.Text, scalar.TextAt, context.Names, context.Mistakes);
        if (template is not null)
        {
            Note(template, context);
        }

        return template;
    }

    /// <inheritdoc/>
    public override JsonObject Schema() => new() { ["type"] = new JsonArray("string", "integer") };

    /// <summary>Notes what the name is for.</summary>
    protected abstract void Note(Template name, ReadContext context);
}

/// <summary>Gives an object its name.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
/// <param name="kind">What is named.</param>
public sealed class GivenNameField(string name, string summary, ObjectKind kind) : NameField(name, summary)
{
    /// <inheritdoc/>
    protected override void Note(Template name, ReadContext context) => context.Objects.Give(kind, name);
}

/// <summary>Uses an object by its name.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
/// <param name="kinds">What it may be.</param>
public sealed class UsedNameField(string name, string summary, params ObjectKind[] kinds) : NameField(name, summary)
{
    /// <inheritdoc/>
    protected override void Note(Template name, ReadContext context) => context.Objects.Use(kinds, name);
}

/// <summary>Uses a physical device of the machine.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public sealed class MachineDeviceField(string name, string summary) : NameField(name, summary)
{
    /// <inheritdoc/>
    protected override void Note(Template name, ReadContext context) => context.Objects.UseMachineDevice(name);
}

/// <summary>A name that nothing else refers to, or whose uses are collected elsewhere.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public sealed class PlainNameField(string name, string summary) : NameField(name, summary)
{
    /// <inheritdoc/>
    protected override void Note(Template name, ReadContext context) { }
}
