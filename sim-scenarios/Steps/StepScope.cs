using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Steps;

/// <summary>
/// What one run of a step sees: its keys, the numbers in scope and the client's objects. A key that draws random numbers
/// is computed once, so that request and answer mean the same. Used by the client's actor alone.
/// </summary>
/// <param name="step">The step.</param>
/// <param name="numbers">Parameters, indices and <c>let</c>s.</param>
/// <param name="objects">The client's objects.</param>
public sealed class StepScope(Step step, Scope numbers, ClientObjects objects)
{
    private Dictionary<Field, object>? _drawn;

    /// <summary>The step.</summary>
    public Step Step { get; } = step;

    /// <summary>Parameters, indices and <c>let</c>s.</summary>
    public Scope Numbers { get; } = numbers;

    /// <summary>The client's objects.</summary>
    public ClientObjects Objects { get; } = objects;

    /// <summary>Whether a key was written.</summary>
    public bool Has(Field field) => Step.Values.Has(field);

    /// <summary>A number, or <paramref name="otherwise"/> when the key was left out.</summary>
    public ulong Number(NumberField field, ulong otherwise = 0)
    {
        if (Step.Values.Get(field) is not { } expression)
        {
            return otherwise;
        }

        return expression.DrawsRandom ? DrawnNumber(field, expression) : (ulong)field.Evaluate(expression, Numbers);
    }

    /// <summary>A yes or no, or <paramref name="otherwise"/> when the key was left out.</summary>
    public bool Flag(FlagField field, bool otherwise = false) => Has(field) ? Number(field) != 0 : otherwise;

    /// <summary>A word, or <paramref name="otherwise"/> when the key was left out.</summary>
    public string Word(ChoiceField field, string otherwise) =>
        Step.Values.Get(field) is { } word ? field.Resolve(word, Numbers) : otherwise;

    /// <summary>The words of a list, or <paramref name="otherwise"/> when the key was left out.</summary>
    public IReadOnlyList<string> Words(WordsField field, params string[] otherwise) =>
        Step.Values.Get(field) ?? otherwise;

    /// <summary>A name with its parts computed; null when the key was left out.</summary>
    public string? Text(NameField field)
    {
        Template? template = Step.Values.Get(field);
        return template is { DrawsRandom: true } ? DrawnText(field, template) : template?.Render(Numbers);
    }

    /// <summary>The object that a key names.</summary>
    /// <exception cref="MissingObjectException">There is none.</exception>
    public T Object<T>(NameField field, ObjectKind kind)
        where T : ClientObject
    {
        string name = Text(field) ?? string.Empty;
        return Objects.TryFind(name, out T? found) ? found : throw new MissingObjectException(name, kind);
    }

    /// <summary>Names what the step made, if the step gives a name.</summary>
    public void Give(NameField field, ClientObject made)
    {
        if (Text(field) is { } name)
        {
            Objects.Name(name, made);
        }
    }

    // Apart: what these capture would be allocated for every key, drawn or not.
    private ulong DrawnNumber(NumberField field, Expression expression) =>
        (ulong)Drawn(field, () => (ulong)field.Evaluate(expression, Numbers));

    private string DrawnText(NameField field, Template template) =>
        (string)Drawn(field, () => template.Render(Numbers));

    private object Drawn(Field field, Func<object> draw)
    {
        _drawn ??= [];
        if (!_drawn.TryGetValue(field, out object? value))
        {
            value = draw();
            _drawn[field] = value;
        }

        return value;
    }
}
