using System.CommandLine;
using System.Globalization;
using System.Text.Json.Nodes;
using Iommufd.Cli.Output;
using Iommufd.Scenarios;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Shrink;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd shrink</c>: makes a small scenario of a failing run.</summary>
internal static class ShrinkCommand
{
    private static readonly TimeSpan DefaultDeadline = TimeSpan.FromMinutes(5);

    public static Command Create(Streams streams)
    {
        Argument<string> scenario = ScenarioOptions.Scenario();
        var seed = new Option<ulong>("--seed")
        {
            Description = "The seed under which the scenario fails.",
            Required = true,
        };
        var faults = new Option<string?>("--faults")
        {
            Description = "The fault plan that it fails with: a file, the name of a shipped plan, or nth:OPERATION:K.",
            HelpName = "PLAN",
        };
        var file = new Option<string?>("--out")
        {
            Description = "Where the small scenario goes; SCENARIO.shrunk.yaml when left out.",
            HelpName = "FILE",
        };
        var deadline = new Option<string?>("--deadline")
        {
            Description = "The search is cut short after this time, with the best it has: 30s, 5min (the default).",
            HelpName = "T",
        };
        Option<long> dmaBlocks = ScenarioOptions.DmaBlocks(usual: 0);
        Option<string[]> set = ScenarioOptions.Set();
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("shrink", "Reduces a failing run to a minimal scenario that fails in the same way.")
        {
            scenario,
            seed,
            faults,
            file,
            set,
            dmaBlocks,
            deadline,
            output,
        };
        command.SetAction(
            async (parsed, stop) =>
            {
                string name = parsed.GetRequiredValue(scenario);
                string? plan = parsed.GetValue(faults);
                var run = new SeedRun(
                    ShippedScenarios.Open(name),
                    parsed.GetValue(seed),
                    plan is null ? null : ShippedFaultPlans.Open(plan)
                )
                {
                    Scenario = name,
                    Settings = ScenarioOptions.Settings(parsed.GetValue(set)),
                    DmaBlocks = ScenarioOptions.Blocks(parsed.GetValue(dmaBlocks)),
                };
                TimeSpan limit = ScenarioOptions.Duration("--deadline", parsed.GetValue(deadline)) ?? DefaultDeadline;
                string target = parsed.GetValue(file) ?? $"{run.Text.Name}.shrunk.yaml";
                bool isJson = ScenarioOptions.IsJson(parsed.GetValue(output));
                return await ShrinkAsync(run, limit, target, isJson, streams, stop).ConfigureAwait(false);
            }
        );
        return command;
    }

    private static async Task<int> ShrinkAsync(
        SeedRun run,
        TimeSpan limit,
        string target,
        bool isJson,
        Streams streams,
        CancellationToken stop
    )
    {
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(stop);
        cut.CancelAfter(limit);
        var shrinker = new Shrinker(run, new ShrinkLimits(), run: null, cut.Token);
        ShrinkResult? result;
        try
        {
            result = await shrinker.ShrinkAsync().ConfigureAwait(false);
        }
        catch (NotSupportedException impossible)
        {
            await streams
                .Error.WriteLineAsync($"iommufd: cannot shrink this run: {impossible.Message}")
                .ConfigureAwait(false);
            return ExitCode.CheckFailed;
        }

        if (result is null)
        {
            throw new BadInputException(
                run.Scenario,
                FormattableString.Invariant(
                    $"the run does not fail, so there is nothing to shrink; it was: {run.Replay}{Hint(run)}"
                )
            );
        }

        string replay = await SaveAsync(run, result, target).ConfigureAwait(false);
        if (isJson)
        {
            streams.WriteJson(Json(run, result, target, replay));
        }
        else
        {
            Write(result, target, replay, streams);
        }

        return result.IsWhole ? ExitCode.Success : ExitCode.CutShort;
    }

    private static string Hint(SeedRun run) =>
        run.DmaBlocks is null
            ? FormattableString.Invariant($" (a soak's runs have --dma-blocks {SoakRequest.UsualDmaBlocks})")
            : string.Empty;

    private static async Task<string> SaveAsync(SeedRun run, ShrinkResult result, string target)
    {
        string replay = string.Create(CultureInfo.InvariantCulture, $"iommufd run {target} --seed {result.Seed}");
        if (run.DmaBlocks is { } blocks)
        {
            replay += string.Create(CultureInfo.InvariantCulture, $" --dma-blocks {blocks}");
        }

        // As the search ran it: a journal in a file has messages of its own, and the schedule counts them.
        replay += " --durability ram";
        try
        {
            if (result.Faults is { } faults)
            {
                string plan = Path.ChangeExtension(target, null) + ".faults.yaml";
                await File.WriteAllTextAsync(plan, ExpectedFailure.ToText(faults)).ConfigureAwait(false);
                replay += $" --faults {plan}";
            }

            string head =
                $"# Made by 'iommufd shrink' of a run of {result.StepsBefore} steps. It fails, and is expected to:\n# {replay}\n";
            await File.WriteAllTextAsync(target, head + result.Text).ConfigureAwait(false);
        }
        catch (Exception unwritable) when (unwritable is IOException or UnauthorizedAccessException)
        {
            throw new BadInputException(target, $"the scenario cannot be written: {unwritable.Message}");
        }

        return replay;
    }

    private static void Write(ShrinkResult result, string target, string replay, Streams streams)
    {
        TextWriter text = streams.Out;
        text.WriteLine(
            $"{result.StepsBefore} steps -> {result.StepsAfter}, after {result.Runs} runs{(result.IsWhole ? string.Empty : " (cut short: less may be possible)")}"
        );
        text.WriteLine($"fails     {result.Failure}: {result.What}");
        text.WriteLine(
            $"schedule  {result.FailingSeeds} of {result.TriedSeeds} other seeds fail the same way; {Turns(result)}"
        );
        text.WriteLine(
            result.Faults is { } faults
                ? $"faults    {string.Join(", ", faults.Rules.Select(r => $"{r.Points[0].Name} the {r.Nth[0]}. time"))}"
                : "faults    none needed"
        );
        text.WriteLine($"saved     {target}");
        text.WriteLine($"replay    {replay}");
    }

    private static string Turns(ShrinkResult result) =>
        result.Schedule switch
        {
            null => "the seed decides the order of the steps",
            { Turns.Count: 0 } => "it fails with every step in order",
            { Turns: var turns } => $"turns out of order {result.TurnsBefore} -> {turns.Count}",
        };

    private static JsonObject Json(SeedRun run, ShrinkResult result, string target, string replay) =>
        new()
        {
            ["scenario"] = run.Scenario,
            ["seed"] = result.Seed,
            ["check"] = result.Failure.Check,
            ["what"] = result.What,
            ["stepsBefore"] = result.StepsBefore,
            ["steps"] = result.StepsAfter,
            ["faults"] = result.Faults?.Rules.Count ?? 0,
            ["runs"] = result.Runs,
            ["failingSeeds"] = result.FailingSeeds,
            ["triedSeeds"] = result.TriedSeeds,
            ["turnsBefore"] = result.TurnsBefore,
            ["turns"] = result.Schedule?.Turns.Count,
            ["complete"] = result.IsWhole,
            ["file"] = target,
            ["replay"] = replay,
        };
}
