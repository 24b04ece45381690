using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Iommufd.Cli.Output;
using Iommufd.Persistence;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd inspect</c>: objects, areas, page tables and pins of a journal's contexts at a point of time.</summary>
internal static class InspectCommand
{
    // More closed contexts than these are counted, not listed.
    private const int ClosedShown = 16;

    public static Command Create(Streams streams)
    {
        var journal = new Argument<string>("JOURNAL") { Description = "A journal that a run wrote." };
        var at = new Option<string?>("--at")
        {
            Description = "The state after this event of the file; or after each of several: 1000,2000,3000.",
            HelpName = "SEQ[,SEQ…]",
        };
        var context = new Option<int?>("--context") { Description = "Only the context iommufd-N.", HelpName = "N" };
        var target = new Option<uint?>("--object") { Description = "Only the object with this id.", HelpName = "ID" };
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("inspect", "Prints objects, areas, page tables and pins at a point of time.")
        {
            journal,
            at,
            context,
            target,
            output,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetRequiredValue(journal),
                parsed.GetValue(at),
                parsed.GetValue(context),
                parsed.GetValue(target),
                ScenarioOptions.IsJson(parsed.GetValue(output)),
                streams
            )
        );
        return command;
    }

    private static int Run(string file, string? at, int? context, uint? target, bool isJson, Streams streams)
    {
        long?[] points = Points(at);
        return JournalPlace.Read(
            file,
            () =>
            {
                using IndexedJournal journal = IndexedJournal.Open(file);
                JournaledRun? run = journal.ReadRun();
                if (isJson)
                {
                    streams.WriteJson(Json(journal, run, points, context, target));
                }
                else
                {
                    RunOrigin.Write(run, streams.Out);
                    foreach (long? point in points)
                    {
                        if (points.Length > 1)
                        {
                            streams.Out.WriteLine($"after event {Figures.Count(point!.Value)} of the file:");
                        }

                        WriteText(journal.At(point, context), target, streams.Out);
                    }
                }

                return ExitCode.Success;
            }
        );
    }

    private static long?[] Points(string? at)
    {
        if (at is null)
        {
            return [null];
        }

        string[] words = at.Split(',');
        var points = new long?[words.Length];
        for (var i = 0; i < words.Length; i++)
        {
            points[i] = long.TryParse(words[i], NumberStyles.None, CultureInfo.InvariantCulture, out long point)
                ? point
                : throw new BadInputException(
                    "--at",
                    $"'{words[i]}' is not the number of an event: write one, as in --at 1000, or several, as in --at 1000,2000"
                );
        }

        return points;
    }

    // One point is the object itself; several are a list in it. "milliseconds" is what restoring took, "opening" what reading the
    // index took (or making it), "total" all since the program began.
    private static JsonObject Json(
        IndexedJournal journal,
        JournaledRun? run,
        long?[] points,
        int? context,
        uint? target
    )
    {
        var json = new JsonObject();
        if (points.Length == 1)
        {
            json = Json(journal.At(points[0], context), target);
        }
        else
        {
            var list = new JsonArray();
            foreach (long? point in points)
            {
                JsonObject one = Json(journal.At(point, context), target);
                one.Insert(0, "at", point);
                list.Add((JsonNode)one);
            }

            json["points"] = list;
        }

        json["opening"] = Milliseconds(journal.OpenedIn);
        json["total"] = Milliseconds(Program.Clock.Elapsed);
        json["run"] = RunOrigin.Json(run);
        return json;
    }

    private static double Milliseconds(TimeSpan time) => Math.Round(time.TotalMilliseconds, 1);

    private static JsonObject Json(PointInTime then, uint? target) =>
        new()
        {
            ["events"] = then.Events,
            ["state"] = new JsonObject { ["digest"] = then.Digest is { } digest ? $"{digest:x16}" : null },
            ["applied"] = then.Applied,
            ["index"] = then.IndexWasBuilt ? "built" : "read",
            ["milliseconds"] = Milliseconds(then.Elapsed),
            ["closedContexts"] = then.Contexts.Count(c => c.State is null),
            ["contexts"] = new JsonArray([.. Listed(then).Select(c => Json(c, target))]),
        };

    // Of a fleet's thousands of closed contexts there is nothing to say but how many.
    private static IEnumerable<ContextThen> Listed(PointInTime then) =>
        then.Contexts.Count(c => c.State is null) <= ClosedShown
            ? then.Contexts
            : then.Contexts.Where(c => c.State is not null);

    private static JsonObject Json(ContextThen context, uint? target) =>
        new()
        {
            ["context"] = context.Number,
            ["open"] = context.State is not null,
            ["events"] = context.Events,
            ["digest"] = $"{context.Digest:x16}",
            ["lines"] = new JsonArray([.. LinesOf(context, target).Select(l => JsonValue.Create(l))]),
        };

    private static void WriteText(PointInTime then, uint? target, TextWriter output)
    {
        foreach (ContextThen context in Listed(then))
        {
            string state = context.State is null ? "closed" : "open";
            output.WriteLine(
                $"iommufd-{context.Number}: {state}, {context.Events} events, digest {context.Digest:x16}"
            );
            foreach (string line in LinesOf(context, target))
            {
                output.WriteLine($"  {line}");
            }
        }

        int left = then.Contexts.Count - Listed(then).Count();
        if (left > 0)
        {
            output.WriteLine($"{Figures.Count(left)} more contexts are closed");
        }
    }

    // A closed context has nothing left to describe. An object's lines follow its heading, "KindObject ID users N".
    private static IEnumerable<string> LinesOf(ContextThen context, uint? target)
    {
        if (context.State is null)
        {
            yield break;
        }

        bool isWanted = target is null;
        foreach (string line in context.State.Describe(withText: true).Lines)
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
