using System.CommandLine;
using Iommufd.Cli.Output;
using Iommufd.Persistence;
using Iommufd.Scenarios;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Reports;
using Iommufd.Scenarios.Runner;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd run</c>: runs a scenario.</summary>
internal static class RunCommand
{
    public static Command Create(Streams streams)
    {
        Argument<string> scenario = ScenarioOptions.Scenario();
        var seed = new Option<ulong?>("--seed")
        {
            Description = "Runs on the deterministic scheduler: the same seed gives the same journal.",
        };
        var journal = new Option<string?>("--journal") { Description = "Where the journal goes.", HelpName = "FILE" };
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
        var durability = new Option<string>("--durability")
        {
            Description =
                "What a reply waits for: strict, its own synced transaction; group, a shared one; memory, nothing; "
                + "ram, a journal that lives as long as the run, as soak uses.",
            DefaultValueFactory = _ => "group",
        };
        durability.AcceptOnlyFromAmong("strict", "group", "memory", "ram");
        var profile = new Option<bool>("--profile")
        {
            Description = "Prints time and allocations by kind of actor and flow step.",
        };
        var otlp = new Option<string?>("--otlp")
        {
            Description = "Sends the run's metrics to an OpenTelemetry collector, by OTLP over gRPC.",
            HelpName = "URL",
        };
        Option<long> dmaBlocks = ScenarioOptions.DmaBlocks(usual: 0);
        Option<string?> faults = ScenarioOptions.Faults();
        Option<string?> replies = ScenarioOptions.ReplyLog();
        Option<string[]> set = ScenarioOptions.Set();
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("run", "Runs a scenario: a file, or the name of a shipped one.")
        {
            scenario,
            seed,
            journal,
            durability,
            report,
            faults,
            set,
            dmaBlocks,
            deadline,
            replies,
            profile,
            otlp,
            output,
        };
        command.SetAction(
            (parsed, stop) =>
                RunAsync(
                    new RunRequest(
                        parsed.GetRequiredValue(scenario),
                        parsed.GetValue(seed),
                        parsed.GetValue(journal),
                        Enum.Parse<Durability>(parsed.GetValue(durability)!, ignoreCase: true),
                        parsed.GetValue(report),
                        ScenarioOptions.Settings(parsed.GetValue(set)),
                        ScenarioOptions.Duration("--deadline", parsed.GetValue(deadline)),
                        ScenarioOptions.IsJson(parsed.GetValue(output))
                    )
                    {
                        ReplyLog = parsed.GetValue(replies),
                        Faults = parsed.GetValue(faults),
                        DmaBlocks = ScenarioOptions.Blocks(parsed.GetValue(dmaBlocks)),
                        Profile = parsed.GetValue(profile) ? new RunProfile() : null,
                        Otlp = parsed.GetValue(otlp),
                    },
                    streams,
                    stop
                )
        );
        return command;
    }

    private static async Task<int> RunAsync(RunRequest request, Streams streams, CancellationToken stop)
    {
        if (request is { DmaBlocks: not null, Durability: not Durability.Ram })
        {
            throw new BadInputException("--dma-blocks", "only with --durability ram: no journal records it");
        }

        ScenarioText text = ShippedScenarios.Open(request.Scenario);
        Scenario scenario = text.Bind(request.Settings, request.Seed ?? 1);
        FaultSession? faults = request.Faults is { } plan
            ? new FaultSession(ShippedFaultPlans.Open(plan), request.Seed ?? 1)
            : null;
        if (request.Durability is Durability.Memory or Durability.Ram)
        {
            IRunHost fleeting =
                request.Durability == Durability.Ram
                    ? new SoakRunHost(
                        faults ?? new FaultSession(FaultPlan.Nothing, request.Seed ?? 1),
                        configure: o => o with { StepHook = request.Profile }
                    )
                    {
                        DmaBlocks = request.DmaBlocks,
                    }
                    : new SimulatedRunHost(null, request.Durability, faults) { Profile = request.Profile };
            var unjournaled = new RunOptions(request.Seed, request.Deadline, fleeting) { Faults = faults };
            return await ExecuteAsync(scenario, unjournaled, request, streams, stop).ConfigureAwait(false);
        }

        string journal = JournalPlace.ForWriting(request.Journal, scenario.Name);
        using JournalLock held = JournalLock.Take(journal);
        using ReplyLog? replies = JournalPlace.OpenReplyLog(request.ReplyLog);
        using var host = new SimulatedRunHost(journal, request.Durability, faults)
        {
            Witnesses = replies is null ? [] : [replies],
            Profile = request.Profile,
        };
        var options = new RunOptions(request.Seed, request.Deadline, host)
        {
            Faults = faults,
            Recorded = request.Faults is null ? [] : ShippedFaultPlans.ForJournal(request.Faults),
        };
        return await ExecuteAsync(scenario, options, request with { Journal = journal }, streams, stop)
            .ConfigureAwait(false);
    }

    /// <summary>Runs a scenario that is ready, shows what came of it, and turns it into an exit code.</summary>
    public static async Task<int> ExecuteAsync(
        Scenario scenario,
        RunOptions options,
        RunRequest request,
        Streams streams,
        CancellationToken stop
    )
    {
        RunReport report;
        using OtlpExport? export = OtlpExport.Start(request.Otlp);
        try
        {
            report = await RunProgress
                .ShowAsync(scenario, streams, started => ScenarioRunner.RunAsync(scenario, options, started, stop))
                .ConfigureAwait(false);
        }
        catch (RunStalledException stalled)
        {
            await streams.Error.WriteLineAsync($"iommufd: internal error: {stalled.Message}").ConfigureAwait(false);
            string seed = request.Seed is { } chosen
                ? $"seed {chosen}"
                : "no seed (try some: with one, the same happens again)";
            await streams
                .Error.WriteLineAsync(
                    $"This is a bug of the simulator. Please report it with {seed} and {request.Journal ?? "no journal"}"
                )
                .ConfigureAwait(false);
            return ExitCode.InternalError;
        }

        if (report.StopReason is { } reason && report.IsJournalLost)
        {
            await streams.Error.WriteLineAsync($"iommufd: the run was cut short: {reason}").ConfigureAwait(false);
        }

        if (request.Report is { } file)
        {
            await WriteReportAsync(file, report).ConfigureAwait(false);
        }

        if (request.IsJson)
        {
            streams.WriteJson(ProfileOutput.AddTo(RunJson.Of(report), request.Profile));
        }
        else
        {
            RunText.Write(report, request, streams);
            ProfileOutput.Write(request.Profile, streams);
        }

        return report.StopReason is not null ? ExitCode.CutShort
            : report.Ok ? ExitCode.Success
            : ExitCode.CheckFailed;
    }

    private static async Task WriteReportAsync(string file, RunReport report)
    {
        try
        {
            await File.WriteAllTextAsync(file, HtmlReport.Of(report)).ConfigureAwait(false);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(file, $"the report cannot be written: {unwritable.Message}");
        }
    }
}

/// <summary>What <c>run</c> was asked for.</summary>
internal sealed record RunRequest(
    string Scenario,
    ulong? Seed,
    string? Journal,
    Durability Durability,
    string? Report,
    IReadOnlyList<KeyValuePair<string, string>> Settings,
    TimeSpan? Deadline,
    bool IsJson
)
{
    /// <summary>Where replies are written down; null for nowhere.</summary>
    public string? ReplyLog { get; init; }

    /// <summary>The fault plan; null for none.</summary>
    public string? Faults { get; init; }

    /// <summary>Blocks of background DMA at a time, for a journal in RAM; null for the scenario's own.</summary>
    public long? DmaBlocks { get; init; }

    /// <summary>Measures every step; null for not wanted.</summary>
    public RunProfile? Profile { get; init; }

    /// <summary>The collector that gets the run's metrics; null for none.</summary>
    public string? Otlp { get; init; }
}
