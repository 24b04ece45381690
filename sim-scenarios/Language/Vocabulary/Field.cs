using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Tree;

namespace Iommufd.Scenarios.Language.Vocabulary;

// The language is data: every key of a scenario is a Field that knows how to read its value, how to check it and how to
// describe itself as JSON schema. Objects, lists and steps are made of fields; the reader, the schema and the reference
// in the documentation all come from here.

/// <summary>One key of the scenario language.</summary>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public abstract class Field(string name, string summary)
{
    /// <summary>The key as written in a scenario.</summary>
    public string Name { get; } = name;

    /// <summary>One line for the reference and for editors.</summary>
    public string Summary { get; } = summary;

    /// <summary>Whether leaving it out is a mistake.</summary>
    public bool IsRequired { get; init; }

    /// <summary>How a value looks, for messages and the reference: "a number", "a list of steps".</summary>
    public abstract string Expects { get; }

    /// <summary>Reads a value; null after a mistake, which is noted in <paramref name="context"/>.</summary>
    public abstract object? Read(TreeNode node, ReadContext context);

    /// <summary>Checks what can be checked once the parameters have values; notes mistakes.</summary>
    public virtual void Check(object value, CheckContext context) { }

    /// <summary>The JSON schema of a value.</summary>
    public abstract JsonObject Schema();

    /// <summary>Notes that a value is of the wrong shape.</summary>
    protected object? Wrong(TreeNode node, ReadContext context)
    {
        context.Mistakes.Add(node.At, $"'{Name}' is {Expects}, not {node.Kind}");
        return null;
    }
}

/// <summary>A key whose values are of one type.</summary>
/// <typeparam name="T">What reading gives.</typeparam>
/// <param name="name">The key.</param>
/// <param name="summary">One line for the reference.</param>
public abstract class Field<T>(string name, string summary) : Field(name, summary)
    where T : class;

/// <summary>What reading needs to know where it stands.</summary>
public sealed class ReadContext(MistakeCollector mistakes, ObjectNames objects)
{
    /// <summary>Where mistakes are noted.</summary>
    public MistakeCollector Mistakes { get; } = mistakes;

    /// <summary>The objects that this client names.</summary>
    public ObjectNames Objects { get; private init; } = objects;

    /// <summary>The numbers and words that can be used from here on.</summary>
    public KnownNames Names { get; set; } = KnownNames.None;

    /// <summary>A context whose new names do not reach the outside.</summary>
    public ReadContext Inner() => new(Mistakes, Objects) { Names = Names };

    /// <summary>A context for another client: the same names of numbers, objects of its own.</summary>
    public ReadContext ForClient() => new(Mistakes, Objects.ForClient()) { Names = Names };
}

/// <summary>What checking with known parameters needs.</summary>
/// <param name="Mistakes">Where mistakes are noted.</param>
/// <param name="Parameters">The parameters' values; loop indices are not known yet.</param>
public sealed record CheckContext(MistakeCollector Mistakes, Scope Parameters)
{
    /// <summary>The value of an expression if it depends on parameters alone; null, when not or after a mistake.</summary>
    public Int128? TryEvaluate(Expression expression)
    {
        try
        {
            return expression.Evaluate(Parameters);
        }
        catch (NotYetKnownException)
        {
            return null;
        }
        catch (EvaluationException wrong)
        {
            Mistakes.Add(wrong.At, wrong.Message);
            return null;
        }
    }
}

/// <summary>The values read for a set of fields.</summary>
public sealed class FieldValues
{
    private readonly List<(Field Field, object Value, SourcePosition At)> _values = [];

    /// <summary>The fields that have a value, in the order of the vocabulary.</summary>
    public IEnumerable<(Field Field, object Value)> All => _values.Select(v => (v.Field, v.Value));

    /// <summary>The value of a field, or null when it was left out.</summary>
    public T? Get<T>(Field<T> field)
        where T : class
    {
        foreach ((Field candidate, object value, _) in _values)
        {
            if (ReferenceEquals(candidate, field))
            {
                return (T)value;
            }
        }

        return null;
    }

    /// <summary>Whether a field has a value.</summary>
    public bool Has(Field field) => _values.Exists(v => ReferenceEquals(v.Field, field));

    /// <summary>Where the value of a field stands; null when it was left out.</summary>
    public SourcePosition? PositionOf(Field field)
    {
        int index = _values.FindIndex(v => ReferenceEquals(v.Field, field));
        return index < 0 ? null : _values[index].At;
    }

    /// <summary>Notes a value.</summary>
    internal void Set(Field field, object value, SourcePosition at) => _values.Add((field, value, at));

    /// <summary>Checks every value.</summary>
    internal void Check(CheckContext context)
    {
        foreach ((Field field, object value, _) in _values)
        {
            field.Check(value, context);
        }
    }
}
