using System.CommandLine;

namespace Iommufd.Cli.Commands;

/// <summary>Arguments and options that several commands share.</summary>
internal static class ScenarioOptions
{
    public static Argument<string> Scenario() =>
        new("SCENARIO") { Description = "A scenario file, or the name of a shipped scenario (see: iommufd list)." };

    public static Option<string[]> Set() =>
        new("--set")
        {
            Description = "Sets a parameter of the scenario; may be given several times.",
            HelpName = "name=value",
            Arity = ArgumentArity.OneOrMore,
            AllowMultipleArgumentsPerToken = false,
        };

    public static Option<string> Output()
    {
        var option = new Option<string>("--output")
        {
            Description = "text, or json: one object on standard output.",
            DefaultValueFactory = _ => "text",
        };
        option.AcceptOnlyFromAmong("text", "json");
        return option;
    }

    /// <summary>Splits name=value pairs.</summary>
    /// <exception cref="BadInputException">A pair has no '=' or no name.</exception>
    public static IReadOnlyList<KeyValuePair<string, string>> Settings(string[]? pairs)
    {
        var settings = new List<KeyValuePair<string, string>>();
        foreach (string pair in pairs ?? [])
        {
            int equals = pair.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
            {
                throw new BadInputException("--set", $"'{pair}' is not name=value");
            }

            settings.Add(KeyValuePair.Create(pair[..equals].Trim(), pair[(equals + 1)..].Trim()));
        }

        return settings;
    }
}
