using System.Text;
using Iommufd.Scenarios.Language.Vocabulary;
using Iommufd.Scenarios.Steps;

namespace Iommufd.Scenarios.Language;

/// <summary>The reference of all steps as Markdown, made of what the parser knows.</summary>
public static class ScenarioReference
{
    /// <summary>One section for each step.</summary>
    public static string Steps()
    {
        var text = new StringBuilder();
        foreach (StepKind kind in StepVocabulary.All)
        {
            text.Append("### `").Append(kind.Name).Append("`\n\n").Append(kind.Summary).Append('\n');
            if (kind.Shorthand is { } shorthand)
            {
                string sample = kind.Fields.Count == 0 ? "mapping" : $"value of `{shorthand.Name}`";
                text.Append("Short form: `- ").Append(kind.Name).Append(": …` with the ").Append(sample).Append(".\n");
            }

            if (kind.Outputs.Count > 0)
            {
                text.Append("Outputs for `expect`: ")
                    .AppendJoin(", ", kind.Outputs.Select(o => $"`{o}`"))
                    .Append(".\n");
            }

            text.Append('\n');
            if (kind.Fields.Count == 0)
            {
                continue;
            }

            text.Append("| key | value | |\n| --- | --- | --- |\n");
            foreach (Field field in kind.Fields)
            {
                string name = field.IsRequired ? $"**`{field.Name}`**" : $"`{field.Name}`";
                string value = field.Expects.Replace("|", "\\|", StringComparison.Ordinal);
                text.Append("| ")
                    .Append(name)
                    .Append(" | ")
                    .Append(value)
                    .Append(" | ")
                    .Append(field.Summary)
                    .Append(" |\n");
            }

            text.Append('\n');
        }

        return text.ToString();
    }
}
