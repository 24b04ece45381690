using System.Text.Json.Nodes;
using Iommufd.Core.Faults;
using Iommufd.Messages.Flows;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Tree;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Faults;

/// <summary>Reads fault plans as written; mistakes are reported the way those of scenarios are. The language is in docs/faults.md.</summary>
public static class FaultPlanText
{
    /// <summary>The version of the language that this program reads.</summary>
    public const int LanguageVersion = 1;

    private static readonly NumberField Version = new("faults", "The language's version: 1.")
    {
        Minimum = 1,
        Maximum = LanguageVersion,
        IsRequired = true,
    };
    private static readonly TextField Title = new("title", "One line: what the plan is for.") { IsRequired = true };
    private static readonly TextField Description = new("description", "More lines for people.");
    private static readonly PointsField Points = new() { IsRequired = true };
    private static readonly ProbabilityField Probability = new();
    private static readonly NumberListField Nth = new("nth", "Which times that the points are reached, from 1.");
    private static readonly RangeField Window = new("window", "Operations of the run, by number from 1: FIRST..LAST.");
    private static readonly WordsField Operations = new(
        "operations",
        "Words of operations: map, unmap, attach ...",
        [.. OperationWords.All]
    );
    private static readonly NumberListField Contexts = new("contexts", "Numbers of contexts.");
    private static readonly WordsField Objects = new("objects", "Kinds of objects.", [.. KindWords().Keys]);
    private static readonly NamesField Devices = new("devices", "Names of devices; * stands for any rest.");
    private static readonly NumberField Burst = new("burst", "Times in a row that it strikes once it does.")
    {
        Minimum = 1,
        Maximum = 1_000_000,
    };
    private static readonly NumberField AtMost = new("at-most", "Strikes in all.") { Minimum = 1 };

    private static readonly ObjectField Rule = new(
        "rules",
        "When faults strike; a fault strikes when any rule wants it.",
        Points,
        Probability,
        Nth,
        Window,
        Operations,
        Contexts,
        Objects,
        Devices,
        Burst,
        AtMost
    );
    private static readonly ListField<FieldValues> Rules = new(Rule) { IsRequired = true };

    // A plan has no parameters and draws nothing: its numbers are what is written.
    private static readonly Scope NoNames = Scope.Empty(new SeededRandom(0));

    private static readonly IReadOnlyList<Field> Top = [Version, Title, Description, Rules];

    /// <summary>The keys of a plan and of its rules, for the reference.</summary>
    public static IEnumerable<Field> Keys => [.. Top, .. Rule.Fields];

    /// <summary>The JSON schema of the language, for editors.</summary>
    public static JsonObject Schema()
    {
        JsonObject schema = FieldReader.SchemaOf(Top);
        schema["$schema"] = "https://json-schema.org/draft/2020-12/schema";
        schema["title"] = "Iommufd fault plan";
        return schema;
    }

    /// <summary>Reads and checks a plan.</summary>
    /// <param name="name">What <c>--faults</c> was given.</param>
    /// <param name="file">The file as the user named it: for messages.</param>
    /// <param name="source">The text.</param>
    /// <exception cref="ScenarioInvalidException">With every mistake in it.</exception>
    public static FaultPlan Read(string name, string file, string source)
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
            mistakes.Add(root.At, $"a fault plan is a mapping with faults, title and rules, not {root.Kind}");
        }

        if (mistakes.IsEmpty)
        {
            values?.Check(new CheckContext(mistakes, NoNames));
        }

        if (values is null || !mistakes.IsEmpty)
        {
            throw new ScenarioInvalidException(mistakes.InOrder());
        }

        return new FaultPlan(name, values.Get(Title)!, [.. values.Get(Rules)!.Select(RuleOf)]);
    }

    private static FaultRule RuleOf(FieldValues values) =>
        new(values.Get(Points)!)
        {
            Probability = values.Get(Probability)?.Value ?? 1,
            Nth = [.. (values.Get(Nth) ?? []).Select(n => (ulong)n.Evaluate(NoNames))],
            Window = values.Get(Window)?.Evaluate(NoNames) is { } window
                ? ((long)Math.Min(window.First, long.MaxValue), (long)Math.Min(window.Last, long.MaxValue))
                : null,
            Operations = values.Get(Operations) ?? [],
            Contexts = [.. (values.Get(Contexts) ?? []).Select(n => (int)n.Evaluate(NoNames))],
            Objects = [.. (values.Get(Objects) ?? []).Select(w => KindWords()[w])],
            Devices = values.Get(Devices) ?? [],
            Burst = (int)Number(values, Burst, 1),
            AtMost = (long)Number(values, AtMost, long.MaxValue),
        };

    private static Int128 Number(FieldValues values, NumberField field, Int128 otherwise) =>
        values.Get(field) is { } e ? field.Evaluate(e, NoNames) : otherwise;

    private static SortedDictionary<string, ParticipantKind> KindWords()
    {
        var words = new SortedDictionary<string, ParticipantKind>(StringComparer.Ordinal);
        foreach (ParticipantKind kind in Enum.GetValues<ParticipantKind>())
        {
            words[kind.ToString().ToLowerInvariant()] = kind;
        }

        return words;
    }
}
