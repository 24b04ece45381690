using System.CommandLine;
using System.Globalization;
using Iommufd.Cli.Output;
using Iommufd.Scenarios;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Reports;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd soak</c>: runs many seeds.</summary>
internal static class SoakCommand
{
    private const ulong MostSeeds = 1ul << 48;

    public static Command Create(Streams streams)
    {
        var scenario = new Argument<string>("SCENARIO")
        {
            Description = "A scenario file, a shipped scenario's name, or all: every shipped scenario with each seed.",
        };
        var seeds = new Option<string?>("--seeds")
        {
            Description = "The seeds to run, both included.",
            HelpName = "A..B",
        };
        var duration = new Option<string?>("--duration")
        {
            Description = "Runs seeds from 1 on for this long: 30s, 5min, 8h.",
            HelpName = "T",
        };
        var jobs = new Option<int>("--jobs")
        {
            Description = "Runs at the same time; as many as there are cores when left out.",
            HelpName = "N",
            DefaultValueFactory = _ => Environment.ProcessorCount,
        };
        var stopOnFailure = new Option<bool>("--stop-on-failure") { Description = "Ends with the first failure." };
        var summary = new Option<string?>("--summary")
        {
            Description = "Writes the JSON object to a file as well.",
            HelpName = "FILE.json",
        };
        var report = new Option<string?>("--report")
        {
            Description = "Writes a report: one HTML file without outside resources.",
            HelpName = "FILE.html",
        };
        var state = new Option<string?>("--state")
        {
            Description = "Keeps progress in a file; a soak that was killed goes on from it.",
            HelpName = "FILE",
        };
        var shard = new Option<string?>("--shard")
        {
            Description =
                "Runs one part of the soak: part I, from 0, of N. In a Slurm array or a Kubernetes Indexed Job the number of the part is "
                + "known: --shard /N, or nothing in a Slurm array.",
            HelpName = "I/N",
        };
        var nth = new Option<bool>("--nth")
        {
            Description = "Fails the 1st, 2nd, 3rd ... fault point of every operation, one run each, to exhaustion.",
        };
        Option<long> dmaBlocks = ScenarioOptions.DmaBlocks(SoakRequest.UsualDmaBlocks);
        Option<string?> faults = ScenarioOptions.Faults();
        Option<string[]> set = ScenarioOptions.Set();
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("soak", "Runs many seeds of a scenario and checks everything in each.")
        {
            scenario,
            seeds,
            duration,
            faults,
            shard,
            nth,
            jobs,
            stopOnFailure,
            set,
            dmaBlocks,
            summary,
            report,
            state,
            output,
        };
        command.SetAction(
            (parsed, stop) =>
            {
                (ulong first, ulong last) = Seeds(parsed.GetValue(seeds));
                TimeSpan? time = ScenarioOptions.Duration("--duration", parsed.GetValue(duration));
                bool isNth = parsed.GetValue(nth);
                if (time is null && parsed.GetValue(seeds) is null && !isNth)
                {
                    throw new BadInputException("--seeds", "say how long: --seeds A..B or --duration T");
                }

                var request = new SoakRequest
                {
                    Scenarios = Scenarios(parsed.GetRequiredValue(scenario)),
                    FirstSeed = first,
                    LastSeed = last,
                    Duration = time,
                    Faults = parsed.GetValue(faults) is { } plan ? ShippedFaultPlans.Open(plan) : null,
                    Jobs = parsed.GetValue(jobs),
                    StopOnFailure = parsed.GetValue(stopOnFailure),
                    Settings = ScenarioOptions.Settings(parsed.GetValue(set)),
                    DmaBlocks = ScenarioOptions.Blocks(parsed.GetValue(dmaBlocks)),
                    StateFile = parsed.GetValue(state),
                    Shard = ShardOption.Of(parsed.GetValue(shard), Environment.GetEnvironmentVariable),
                };
                if (isNth && !request.Shard.IsWhole)
                {
                    throw new BadInputException(
                        "--shard",
                        "nth mode is not split: each run decides what the next one fails"
                    );
                }

                var files = new SoakFiles(parsed.GetValue(summary), parsed.GetValue(report));
                bool isJson = ScenarioOptions.IsJson(parsed.GetValue(output));
                return isNth
                    ? RunNthAsync(request, files, isJson, streams, stop)
                    : RunAsync(request, files, isJson, streams, stop);
            }
        );
        return command;
    }

    private static IReadOnlyList<(string Name, ScenarioText Text)> Scenarios(string named) =>
        named is "all" && !File.Exists(named)
            ? [.. ShippedScenarios.Names.Select(n => (n, ShippedScenarios.Read(n)))]
            : [(named, ShippedScenarios.Open(named))];

    private static (ulong First, ulong Last) Seeds(string? text)
    {
        if (text is null)
        {
            return (1, MostSeeds);
        }

        string[] ends = text.Split("..");
        if (
            ends.Length == 2
            && ulong.TryParse(ends[0], NumberStyles.None, CultureInfo.InvariantCulture, out ulong first)
            && ulong.TryParse(ends[1], NumberStyles.None, CultureInfo.InvariantCulture, out ulong last)
            && first <= last
            && last - first < MostSeeds
        )
        {
            return (first, last);
        }

        throw new BadInputException("--seeds", $"'{text}' is not a range of seeds such as 1..2000");
    }

    private static async Task<int> RunAsync(
        SoakRequest request,
        SoakFiles files,
        bool isJson,
        Streams streams,
        CancellationToken stop
    )
    {
        SoakOutcome outcome;
        try
        {
            outcome = await SoakProgressView.ShowAsync(request, streams, stop).ConfigureAwait(false);
        }
        catch (SoakStateException wrong)
        {
            throw new BadInputException(wrong.File, wrong.Message);
        }

        string json = streams.Format(SoakJson.Of(request.Subject, outcome));
        await WriteAsync(files.Summary, json).ConfigureAwait(false);
        await WriteAsync(files.Report, SoakHtml.Of(request.Subject, outcome)).ConfigureAwait(false);
        if (isJson)
        {
            await streams.Out.WriteLineAsync(json).ConfigureAwait(false);
        }
        else
        {
            SoakText.Write(request.Subject, outcome, streams);
        }

        return outcome.Totals.Failures.Count > 0 ? ExitCode.CheckFailed
            : outcome.IsComplete ? ExitCode.Success
            : ExitCode.CutShort;
    }

    private static async Task<int> RunNthAsync(
        SoakRequest request,
        SoakFiles files,
        bool isJson,
        Streams streams,
        CancellationToken stop
    )
    {
        if (request.Scenarios.Count != 1 || request.Faults is not null)
        {
            throw new BadInputException("--nth", "takes one scenario and no --faults: it makes a plan for each run");
        }

        NthOutcome outcome = await SoakProgressView
            .ShowAsync(new NthRunner(request), streams, stop)
            .ConfigureAwait(false);
        string json = streams.Format(SoakJson.Of(request.Subject, outcome));
        await WriteAsync(files.Summary, json).ConfigureAwait(false);
        var soak = new SoakOutcome(outcome.Totals, outcome.Totals.Runs, outcome.Elapsed, outcome.IsComplete);
        await WriteAsync(files.Report, SoakHtml.Of(request.Subject, soak)).ConfigureAwait(false);
        if (isJson)
        {
            await streams.Out.WriteLineAsync(json).ConfigureAwait(false);
        }
        else
        {
            SoakText.Write(request.Subject, soak, streams);
            SoakText.Write(outcome, streams);
        }

        return outcome.Totals.Failures.Count > 0 ? ExitCode.CheckFailed
            : outcome.IsComplete ? ExitCode.Success
            : ExitCode.CutShort;
    }

    internal static async Task WriteAsync(string? file, string text)
    {
        if (file is null)
        {
            return;
        }

        try
        {
            await File.WriteAllTextAsync(file, text).ConfigureAwait(false);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(file, $"cannot be written: {unwritable.Message}");
        }
    }

    private sealed record SoakFiles(string? Summary, string? Report);
}
