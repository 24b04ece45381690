using System.CommandLine;
using System.Text.Json.Nodes;
using Iommufd.Cli.Output;
using Iommufd.Persistence;
using Iommufd.Scenarios.Runner;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd reexecute</c>: runs what a journal recorded again and compares every event.</summary>
internal static class ReexecuteCommand
{
    public static Command Create(Streams streams)
    {
        var journal = new Argument<string>("JOURNAL") { Description = "A journal that a run wrote." };
        var through = new Option<string?>("--through")
        {
            Description =
                "actors: the whole run under its seed; model: the commands of each context, in the sequential model. "
                + "Left out: actors for a seeded run, else model.",
        };
        through.AcceptOnlyFromAmong("actors", "model");
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("reexecute", "Runs the recorded commands again and compares the events.")
        {
            journal,
            through,
            output,
        };
        command.SetAction(
            (parsed, stop) =>
                RunAsync(
                    parsed.GetRequiredValue(journal),
                    parsed.GetValue(through),
                    ScenarioOptions.IsJson(parsed.GetValue(output)),
                    streams,
                    stop
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(
        string file,
        string? through,
        bool isJson,
        Streams streams,
        CancellationToken stop
    )
    {
        RunResumption? resumption = JournalPlace.Using(file, j => j.ReadRun() is null ? null : RunResumption.Of(j));
        bool isRepeatable = resumption is { Run.IsRepeatable: true } && ActorRuntime.CanRepeat;
        if (through is "actors" && !isRepeatable)
        {
            throw new BadInputException(
                file,
                "only a seeded run that was not stopped can be executed again on the actors: use --through model"
            );
        }

        bool isActors = isRepeatable && through is not "model";
        ReexecutionReport report;
        try
        {
            report = isActors
                ? await RunReexecution.RunAsync(file, resumption!, stop).ConfigureAwait(false)
                : JournalPlace.Using(file, j => ModelReexecution.Run(j, stop));
        }
        catch (OperationCanceledException)
        {
            return ExitCode.CutShort;
        }

        Write(report, isActors ? "actors" : "model", isJson, streams);
        return report.Ok ? ExitCode.Success : ExitCode.CheckFailed;
    }

    private static void Write(ReexecutionReport report, string through, bool isJson, Streams streams)
    {
        if (isJson)
        {
            streams.WriteJson(
                new JsonObject
                {
                    ["through"] = through,
                    ["equal"] = report.Ok,
                    ["compared"] = report.Compared,
                    ["applied"] = report.Applied,
                    ["first"] = report.First is { } first
                        ? new JsonObject
                        {
                            ["stream"] = first.Stream,
                            ["event"] = first.SequenceNr,
                            ["recorded"] = EventText.Of(first.Recorded),
                            ["found"] = EventText.Of(first.Found),
                        }
                        : null,
                    ["refusal"] = report.Refusal,
                }
            );
            return;
        }

        streams.Out.WriteLine(
            $"{Figures.Count(report.Compared)} events compared through the {through}"
                + (report.Applied > 0 ? $", {Figures.Count(report.Applied)} only applied" : string.Empty)
        );
        if (report.First is { } difference)
        {
            streams.Out.WriteLine($"{difference.Stream}, event {difference.SequenceNr}:");
            streams.Out.WriteLine($"- {EventText.Of(difference.Recorded)}");
            streams.Out.WriteLine($"+ {EventText.Of(difference.Found)}");
        }
        else
        {
            streams.Out.WriteLine(report.Refusal ?? "the same events");
        }
    }
}
