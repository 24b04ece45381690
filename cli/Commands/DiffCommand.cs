using System.CommandLine;
using System.Text.Json.Nodes;
using Iommufd.Cli.Output;
using Iommufd.Persistence;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd diff</c>: the first event at which two journals differ, and the state difference there.</summary>
internal static class DiffCommand
{
    // More lines of an object than these are counted: what differs is at the beginning.
    private const int LinesShown = 12;

    public static Command Create(Streams streams)
    {
        var first = new Argument<string>("JOURNAL") { Description = "One journal." };
        var second = new Argument<string>("OTHER") { Description = "The other." };
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("diff", "Finds the first event at which two journals differ.")
        {
            first,
            second,
            output,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(first),
                parsed.GetRequiredValue(second),
                ScenarioOptions.IsJson(parsed.GetValue(output)),
                streams
            )
        );
        return command;
    }

    private static int Run(string first, string second, bool isJson, Streams streams)
    {
        using JournalFile one = JournalPlace.ForReading(first);
        using JournalFile other = JournalPlace.ForReading(second);
        Divergence? found = Compare((first, one), (second, other));
        if (isJson)
        {
            streams.WriteJson(Json(found));
        }
        else
        {
            WriteText(found, streams.Out);
        }

        return found is null ? ExitCode.Success : ExitCode.CheckFailed;
    }

    // What is wrong with one journal is said of that one.
    private static Divergence? Compare((string File, JournalFile Journal) one, (string File, JournalFile Journal) other)
    {
        try
        {
            return JournalComparison.Of(one.Journal, other.Journal);
        }
        catch (JournalFormatException wrong)
        {
            JournalPlace.Read(one.File, () => JournalReplay.Run(one.Journal));
            throw JournalPlace.Refused(other.File, wrong);
        }
    }

    private static JsonObject Json(Divergence? found) =>
        new()
        {
            ["equal"] = found is null,
            ["first"] = found is null
                ? null
                : new JsonObject
                {
                    ["stream"] = found.Stream,
                    ["event"] = found.SequenceNr,
                    ["ours"] = found.Ours?.Event.ToString() ?? "nothing",
                    ["theirs"] = found.Theirs?.Event.ToString() ?? "nothing",
                    ["ourRow"] = found.Ours?.Row,
                    ["theirRow"] = found.Theirs?.Row,
                    ["before"] = Lines(found.Before),
                    ["onlyInOurs"] = Lines([.. found.Objects.SelectMany(o => o.OnlyInOurs)]),
                    ["onlyInTheirs"] = Lines([.. found.Objects.SelectMany(o => o.OnlyInTheirs)]),
                    ["objects"] = new JsonArray(
                        [
                            .. found.Objects.Select(o => new JsonObject
                            {
                                ["object"] = o.Name,
                                ["onlyInOurs"] = Lines(o.OnlyInOurs),
                                ["onlyInTheirs"] = Lines(o.OnlyInTheirs),
                            }),
                        ]
                    ),
                    ["streamsThatDiffer"] = found.StreamsThatDiffer,
                },
        };

    private static JsonArray Lines(IReadOnlyList<string> lines) => new([.. lines.Select(l => JsonValue.Create(l))]);

    private static void WriteText(Divergence? found, TextWriter output)
    {
        if (found is null)
        {
            output.WriteLine("the same events");
            return;
        }

        output.WriteLine($"{found.Stream}, event {found.SequenceNr}: all before it are the same");
        output.WriteLine($"- {Side(found.Ours)}");
        output.WriteLine($"+ {Side(found.Theirs)}");
        if (found.Before.Count > 0)
        {
            output.WriteLine("before it:");
            WriteLines(output, "  ", found.Before);
        }

        if (found.Objects.Count > 0)
        {
            output.WriteLine("after it these differ:");
        }

        foreach (ObjectDifference one in found.Objects)
        {
            output.WriteLine($"  {one.Name}");
            WriteLines(output, "  - ", one.OnlyInOurs);
            WriteLines(output, "  + ", one.OnlyInTheirs);
        }

        if (found.StreamsThatDiffer > 1)
        {
            output.WriteLine($"{Figures.Count(found.StreamsThatDiffer)} contexts differ; this is the first");
        }
    }

    private static void WriteLines(TextWriter output, string mark, IReadOnlyList<string> lines)
    {
        foreach (string line in lines.Take(LinesShown))
        {
            output.WriteLine(mark + line);
        }

        if (lines.Count > LinesShown)
        {
            output.WriteLine(
                $"{mark}… and {Figures.Count(lines.Count - LinesShown)} more lines (--output json has all)"
            );
        }
    }

    private static string Side(ComparedEvent? side) =>
        side is null
            ? "no more events"
            : $"{EventSentence.Of(side.Event)} ({side.Event.GetType().Name}, event {side.Row} of the file)";
}
