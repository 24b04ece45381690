using System.Text.Json.Nodes;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Sections;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Language.Vocabulary;
using Iommufd.Scenarios.Runner;
using Iommufd.Scenarios.Shrink;

namespace Iommufd.Scenarios.Language;

/// <summary>
/// A scenario as written: read and checked, parameters still open. Immutable. <see cref="Bind"/> gives them values.
/// </summary>
public sealed class ScenarioText
{
    /// <summary>The version of the language that this program reads.</summary>
    public const int LanguageVersion = 1;

    private static readonly NumberField Version = new("iommufd", "The language's version: 1.")
    {
        Minimum = 1,
        Maximum = LanguageVersion,
        IsRequired = true,
    };
    private static readonly TextField TitleField = new("title", "One line: what the scenario shows.")
    {
        IsRequired = true,
    };
    private static readonly TextField DescriptionField = new("description", "More lines for people.");
    private static readonly ParametersField ParametersField = new();
    private static readonly DurationField Deadline = new("deadline", "The run is cut short after this time.");
    private static readonly NumberField CheckEvery = new(
        "check-every",
        "Invariants are checked again and again after so many operations; only at the end when left out."
    )
    {
        Minimum = 1,
    };

    private static readonly IReadOnlyList<Field> Top =
    [
        Version,
        TitleField,
        DescriptionField,
        ParametersField,
        Deadline,
        CheckEvery,
        MachineKeys.Machine,
        ClientKeys.Clients,
        ExpectKeys.Expect,
        RunSchedule.Field,
        ExpectedFailure.Field,
    ];

    private readonly FieldValues _values;

    private ScenarioText(string name, string file, string source, FieldValues values)
    {
        (Name, File, Source, _values) = (name, file, source, values);
    }

    /// <summary>Short name: the file's name without its ending.</summary>
    public string Name { get; }

    /// <summary>The file as the user named it.</summary>
    public string File { get; }

    /// <summary>The whole text, to be kept with the journal.</summary>
    public string Source { get; }

    /// <summary>One line: what the scenario shows.</summary>
    public string Title => _values.Get(TitleField) ?? string.Empty;

    /// <summary>More lines for people; may be empty.</summary>
    public string Description => (_values.Get(DescriptionField) ?? string.Empty).TrimEnd();

    /// <summary>What <c>--set</c> can change.</summary>
    public IReadOnlyList<Parameter> Parameters => _values.Get(ParametersField) ?? [];

    /// <summary>How it failed when it was saved by <c>shrink</c>; null for a scenario that a person wrote.</summary>
    public ExpectedFailure? Failure =>
        _values.Get(ExpectedFailure.Field) is { } values
            ? ExpectedFailure.From(values, Scope.Empty(new SeededRandom(0)))
            : null;

    /// <summary>Reads and checks a text.</summary>
    /// <param name="file">The file as the user named it: for messages and for the scenario's name.</param>
    /// <param name="source">The text.</param>
    /// <exception cref="ScenarioInvalidException">With every mistake in it.</exception>
    public static ScenarioText Read(string file, string source)
    {
        var mistakes = new MistakeCollector(file);
        TreeNode? root = TreeReader.Read(source, mistakes);
        FieldValues? values = null;
        if (root is TreeMapping mapping)
        {
            values = FieldReader.Read(mapping, Top, new ReadContext(mistakes, new ObjectNames()));
        }
        else if (root is not null)
        {
            mistakes.Add(root.At, $"a scenario is a mapping with iommufd, title and clients, not {root.Kind}");
        }

        if (!mistakes.IsEmpty || values is null)
        {
            throw new ScenarioInvalidException(mistakes.InOrder());
        }

        return new ScenarioText(Path.GetFileNameWithoutExtension(file), file, source, values);
    }

    /// <summary>Gives the parameters values and checks everything that depends on them alone.</summary>
    /// <param name="settings">From <c>--set name=value</c>: names and values as written.</param>
    /// <param name="seed">Decides every random choice of the scenario.</param>
    /// <exception cref="ScenarioInvalidException">With every mistake found.</exception>
    public Scenario Bind(IReadOnlyList<KeyValuePair<string, string>> settings, ulong seed)
    {
        var mistakes = new MistakeCollector(File);
        SourcePosition place = _values.PositionOf(ParametersField) ?? SourcePosition.Start;
        Scope parameters = ParameterBinding.Bind(Parameters, settings, place, seed, mistakes);
        if (mistakes.IsEmpty)
        {
            _values.Check(new CheckContext(mistakes, parameters));
        }

        Scenario? scenario = null;
        if (mistakes.IsEmpty)
        {
            scenario = Build(parameters, seed, mistakes);
        }

        return scenario is not null && mistakes.IsEmpty
            ? scenario with
            {
                Settings = [.. settings],
            }
            : throw new ScenarioInvalidException(mistakes.InOrder());
    }

    /// <summary>The JSON schema of the language, for editors.</summary>
    public static JsonObject Schema()
    {
        JsonObject schema = FieldReader.SchemaOf(Top);
        var result = new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "Iommufd scenario",
        };
        foreach (KeyValuePair<string, JsonNode?> part in schema.ToArray())
        {
            schema.Remove(part.Key);
            result[part.Key] = part.Value;
        }

        result["$defs"] = new JsonObject { ["step"] = StepsField.StepSchema() };
        return result;
    }

    private Scenario? Build(Scope parameters, ulong seed, MistakeCollector mistakes)
    {
        try
        {
            FieldValues machine = _values.Get(MachineKeys.Machine) ?? new FieldValues();
            return new Scenario(
                Name,
                File,
                Title,
                Source,
                seed,
                parameters,
                MachinePlan.From(machine, parameters, mistakes),
                [.. (_values.Get(ClientKeys.Clients) ?? []).Select(c => ClientPlan.From(c, parameters))],
                _values.Get(ExpectKeys.Expect) ?? new FieldValues(),
                _values.Get(Deadline) is { } deadline
                    ? TimeSpan.FromTicks((long)(deadline.Evaluate(parameters) / 100))
                    : null,
                _values.Get(CheckEvery) is { } every ? (long)every.Evaluate(parameters) : null
            )
            {
                Failure = Failure,
                Schedule = _values.Get(RunSchedule.Field) is { } schedule ? RunSchedule.From(schedule) : null,
            };
        }
        catch (EvaluationException wrong)
        {
            mistakes.Add(wrong.At, wrong.Message);
            return null;
        }
    }
}
