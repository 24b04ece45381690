using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Iommufd.Cli.Output;
using Iommufd.Messages.Events;
using Iommufd.Persistence;
using Iommufd.Scenarios.Runner;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd resume</c>: goes on with a run that was killed.</summary>
internal static class ResumeCommand
{
    public static Command Create(Streams streams)
    {
        var journal = new Argument<string>("JOURNAL") { Description = "The journal of a run that was killed." };
        var report = new Option<string?>("--report")
        {
            Description = "Writes a report with plots: one HTML file without outside resources.",
            HelpName = "FILE.html",
        };
        var deadline = new Option<string?>("--deadline")
        {
            Description = "Cuts the run short after this time: 500ms, 30s, 5min.",
            HelpName = "T",
        };
        Option<string?> replies = ScenarioOptions.ReplyLog();
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("resume", "Goes on with a run that was killed, on its own journal.")
        {
            journal,
            report,
            deadline,
            replies,
            output,
        };
        command.SetAction(
            (parsed, stop) =>
                RunAsync(
                    new RunRequest(
                        string.Empty,
                        null,
                        parsed.GetRequiredValue(journal),
                        Durability.Group,
                        parsed.GetValue(report),
                        [],
                        ScenarioOptions.Duration("--deadline", parsed.GetValue(deadline)),
                        ScenarioOptions.IsJson(parsed.GetValue(output))
                    )
                    {
                        ReplyLog = parsed.GetValue(replies),
                    },
                    streams,
                    stop
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(RunRequest request, Streams streams, CancellationToken stop)
    {
        string file = request.Journal!;
        if (!File.Exists(file))
        {
            throw new BadInputException(file, "there is no such journal");
        }

        using JournalLock held = JournalLock.Take(file);
        RunResumption resumption = JournalPlace.Using(file, RunResumption.Of);
        JournaledRun run = resumption.Run;
        request = request with
        {
            Scenario = RunOrigin.ScenarioOf(run),
            Seed = run.Started.IsSeeded ? run.Started.Seed : null,
            Settings = run.Settings,
        };
        if (run.Finished is not null)
        {
            return WriteFinished(run, request, streams);
        }

        await streams.Error.WriteLineAsync($"{file}: {resumption.Describe()}").ConfigureAwait(false);
        using ReplyLog? replies = JournalPlace.OpenReplyLog(request.ReplyLog);
        using SimulatedRunHost host = resumption.Host(file, replies);
        try
        {
            RunOptions options = resumption.Options(host, request.Deadline);
            return await RunCommand
                .ExecuteAsync(resumption.Scenario, options, request, streams, stop)
                .ConfigureAwait(false);
        }
        catch (RunAbandonedException abandoned)
        {
            await streams
                .Error.WriteLineAsync(
                    $"{file}: {abandoned.Message}, before the run had come to where it was killed; the journal is as it was"
                )
                .ConfigureAwait(false);
            return ExitCode.CutShort;
        }
        catch (JournalDivergedException diverged)
        {
            await streams.Error.WriteLineAsync($"{file}: {RunResumption.Explain(run, diverged)}").ConfigureAwait(false);
            return ExitCode.CheckFailed;
        }
    }

    // Resuming twice does no harm: what has ended stays as it is.
    private static int WriteFinished(JournaledRun run, RunRequest request, Streams streams)
    {
        RunFinished finished = run.Finished!;
        bool isCutShort = finished.StopReason.Length > 0;
        string digest = finished.Digest.ToString("x16", CultureInfo.InvariantCulture);
        if (request.IsJson)
        {
            streams.WriteJson(
                new JsonObject
                {
                    ["scenario"] = Path.GetFileNameWithoutExtension(request.Scenario),
                    ["seed"] = request.Seed,
                    ["hadEnded"] = true,
                    ["stopReason"] = isCutShort ? finished.StopReason : null,
                    ["journal"] = new JsonObject { ["path"] = request.Journal },
                    ["state"] = new JsonObject { ["digest"] = digest },
                }
            );
        }
        else
        {
            string how = isCutShort ? $"was cut short in order: {finished.StopReason}" : "has ended";
            streams.Out.WriteLine($"{request.Journal}: the run {how}; there is nothing to go on with");
            streams.Out.WriteLine($"state digest {digest}");
        }

        return isCutShort ? ExitCode.CutShort : ExitCode.Success;
    }
}
