using System.CommandLine;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Expressions;

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

    public static Option<string?> Faults() =>
        new("--faults")
        {
            Description = "Injects faults: a plan file, or the name of a shipped plan (see: iommufd faults).",
            HelpName = "PLAN",
        };

    /// <param name="usual">What holds when it is left out; 0 for as many as the scenario says.</param>
    public static Option<long> DmaBlocks(long usual) =>
        new("--dma-blocks")
        {
            Description =
                "Background DMA transfers at most so many blocks each time that it is set going: more runs in the same time, each with "
                + "less DMA. 0: as many as the scenario says.",
            HelpName = "N",
            DefaultValueFactory = _ => usual,
        };

    /// <summary>The blocks of an option's value; null for as many as the scenario says.</summary>
    /// <exception cref="BadInputException">Not a number of blocks.</exception>
    public static long? Blocks(long dmaBlocks) =>
        dmaBlocks switch
        {
            < 0 => throw new BadInputException("--dma-blocks", $"'{dmaBlocks}': 0 or more"),
            0 => null,
            _ => dmaBlocks,
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

    public static Option<string?> ReplyLog() =>
        new("--ack-log")
        {
            Description =
                "Writes down every reply when it leaves: stream, last event, hash of the stream up to it, tag, errno.",
            HelpName = "FILE",
        };

    /// <summary>Whether <c>--output json</c> was given.</summary>
    public static bool IsJson(string? output) => string.Equals(output, "json", StringComparison.Ordinal);

    /// <summary>Reads a duration as scenarios write it.</summary>
    /// <exception cref="BadInputException">It is none.</exception>
    public static TimeSpan? Duration(string option, string? text)
    {
        if (text is null)
        {
            return null;
        }

        var mistakes = new MistakeCollector(option);
        Expression? read = ExpressionParser.Parse(text, SourcePosition.Start, KnownNames.None, mistakes);
        return read is Literal { Unit: LiteralUnit.Time } time && time.Value > 0 && time.Value <= long.MaxValue
            ? TimeSpan.FromTicks((long)(time.Value / 100))
            : throw new BadInputException(option, $"'{text}' is not a duration such as 500ms, 30s or 5min");
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
