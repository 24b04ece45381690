using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Iommufd.Cli.Output;
using Iommufd.Persistence;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd inspect</c>: objects, areas, page tables and pins of a journal's contexts at a point of time.</summary>
internal static class InspectCommand
{
    public static Command Create(Streams streams)
    {
        var journal = new Argument<string>("JOURNAL") { Description = "A journal that a run wrote." };
        var at = new Option<long?>("--at")
        {
            Description = "The state after this event of the file.",
            HelpName = "SEQ",
        };
        var target = new Option<uint?>("--object") { Description = "Only the object with this id.", HelpName = "ID" };
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("inspect", "Prints objects, areas, page tables and pins at a point of time.")
        {
            journal,
            at,
            target,
            output,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(journal),
                parsed.GetValue(at),
                parsed.GetValue(target),
                ScenarioOptions.IsJson(parsed.GetValue(output)),
                streams
            )
        );
        return command;
    }

    private static int Run(string file, long? at, uint? target, bool isJson, Streams streams)
    {
        RestoredJournal replay = RestoredJournal.Of(file, at);
        if (isJson)
        {
            streams.WriteJson(
                new JsonObject
                {
                    ["events"] = replay.Events,
                    ["run"] = RunOrigin.Json(replay.Run),
                    ["state"] = new JsonObject { ["digest"] = replay.Digest },
                    ["contexts"] = new JsonArray([.. replay.Contexts.Select(c => Json(c, target))]),
                }
            );
            return ExitCode.Success;
        }

        RunOrigin.Write(replay.Run, streams.Out);
        foreach (ReplayedContext context in replay.Contexts)
        {
            string state = context.ClosedWith is null ? "open" : "closed";
            streams.Out.WriteLine(
                $"iommufd-{context.Number}: {state}, {context.Applied} events, digest {context.Digest:x16}"
            );
            foreach (string line in LinesOf(context, target))
            {
                streams.Out.WriteLine($"  {line}");
            }
        }

        return ExitCode.Success;
    }

    private static JsonObject Json(ReplayedContext context, uint? target) =>
        new()
        {
            ["context"] = context.Number,
            ["open"] = context.ClosedWith is null,
            ["events"] = context.Applied,
            ["digest"] = $"{context.Digest:x16}",
            ["lines"] = new JsonArray([.. LinesOf(context, target).Select(l => JsonValue.Create(l))]),
        };

    // A closed context has nothing left to describe. An object's lines follow its heading, "KindObject ID users N".
    private static IEnumerable<string> LinesOf(ReplayedContext context, uint? target)
    {
        if (context.ClosedWith is not null)
        {
            yield break;
        }

        bool isWanted = target is null;
        foreach (string line in context.Describe(withText: true).Lines)
        {
            string[] words = line.Split(' ');
            if (target is { } id && words.Length > 2 && words[0].EndsWith("Object", StringComparison.Ordinal))
            {
                isWanted = string.Equals(words[1], id.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal);
            }

            if (isWanted)
            {
                yield return line;
            }
        }
    }
}
