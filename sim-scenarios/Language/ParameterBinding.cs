using Iommufd.Scenarios.Language.Expressions;
using Iommufd.Scenarios.Language.Sections;

namespace Iommufd.Scenarios.Language;

/// <summary>Gives parameters their values: from <c>--set</c>, else from their defaults.</summary>
internal static class ParameterBinding
{
    public static Scope Bind(
        IReadOnlyList<Parameter> parameters,
        IReadOnlyList<KeyValuePair<string, string>> settings,
        SourcePosition place,
        ulong seed,
        MistakeCollector mistakes
    )
    {
        string[] names = [.. parameters.Select(p => p.Name)];
        foreach (KeyValuePair<string, string> setting in settings)
        {
            if (!names.Contains(setting.Key))
            {
                string hint = names.Length == 0 ? ": it has none" : NearestWord.Hint(setting.Key, names);
                mistakes.Add(place, $"--set {setting.Key}: the scenario has no parameter '{setting.Key}'{hint}");
            }
        }

        Scope scope = Scope.Empty(SeededRandom.For(seed, ulong.MaxValue));
        foreach (Parameter parameter in parameters)
        {
            int index = settings.ToList().FindLastIndex(s => s.Key == parameter.Name);
            string? set = index < 0 ? null : settings[index].Value;
            scope = parameter.Word is null
                ? scope.With(parameter.Name, Number(parameter, set, scope, mistakes))
                : scope.With(parameter.Name, Word(parameter, set, mistakes));
        }

        return scope;
    }

    private static Int128 Number(Parameter parameter, string? set, Scope scope, MistakeCollector mistakes)
    {
        string where = set is null ? $"'{parameter.Name}'" : $"--set {parameter.Name}={set}:";
        try
        {
            Expression? expression = parameter.Number;
            if (set is not null)
            {
                // Mistakes in a value of the command line are shown at the parameter they are for.
                var own = new MistakeCollector(mistakes.File);
                expression = ExpressionParser.Parse(set, SourcePosition.Start, KnownNames.None, own);
                foreach (Mistake mistake in own.InOrder())
                {
                    mistakes.Add(parameter.At, $"{where} {mistake.Message}");
                }
            }

            Int128 value = expression?.Evaluate(scope) ?? 0;
            if (expression is not null && parameter.Minimum is { } minimum && value < minimum.Evaluate(scope))
            {
                mistakes.Add(parameter.At, $"{where} is {value}, and must be at least {minimum.Evaluate(scope)}");
            }

            if (expression is not null && parameter.Maximum is { } maximum && value > maximum.Evaluate(scope))
            {
                mistakes.Add(parameter.At, $"{where} is {value}, and must be at most {maximum.Evaluate(scope)}");
            }

            return value;
        }
        catch (EvaluationException wrong)
        {
            mistakes.Add(set is null ? wrong.At : parameter.At, $"{where} {wrong.Message}");
            return 0;
        }
    }

    private static string Word(Parameter parameter, string? set, MistakeCollector mistakes)
    {
        if (set is not null && parameter.Choices.Count > 0 && !parameter.Choices.Contains(set))
        {
            string hint = NearestWord.Hint(set, parameter.Choices);
            mistakes.Add(parameter.At, $"--set {parameter.Name}={set}: not one of the choices{hint}");
        }

        return set ?? parameter.Word ?? string.Empty;
    }
}
