using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Runner;

namespace Iommufd.Scenarios.Soak;

/// <summary>Runs one seed in this process: one thread, virtual time, journal in memory. Several may run at the same time.</summary>
public static class SeedRunner
{
    /// <summary>Runs a seed to its end. Failures of any kind are in the result; nothing is thrown but for bad input.</summary>
    /// <param name="run">What.</param>
    /// <param name="stop">Asks the run to stop in order.</param>
    /// <exception cref="Language.ScenarioInvalidException">The scenario cannot be computed.</exception>
    public static async Task<SeedOutcome> RunAsync(SeedRun run, CancellationToken stop)
    {
        ArgumentNullException.ThrowIfNull(run);
        Scenario scenario = run.Text.Bind(run.Settings, run.Seed);
        var faults = new FaultSession(run.Faults ?? FaultPlan.Nothing, run.Seed);
        FaultSession? asked = run.Faults is null ? null : faults;
        var host = new SoakRunHost(asked, run.Journal, run.Configure)
        {
            DmaBlocks = run.DmaBlocks,
            MeasuresMemory = false,
        };
        var options = new RunOptions(run.Seed, null, host)
        {
            Faults = asked,
            Trace = run.Trace,
            Turns = run.Turns,
        };
        RunReport? report = null;
        (string Check, string What)? failed;
        try
        {
            report = await ScenarioRunner.RunAsync(scenario, options, started: null, stop).ConfigureAwait(false);
            failed = FirstFailure(report);
        }
        catch (RunStalledException stalled)
        {
            failed = ("no-stall", stalled.Message);
        }
        catch (Exception bug) when (bug is not (OutOfMemoryException or Language.ScenarioInvalidException))
        {
            failed = ("no-exception", $"{bug.GetType().Name}: {bug.Message}");
        }

        return new SeedOutcome(ResultOf(run, report, faults, failed), report, faults.Strikes, faults.Operations);
    }

    private static SeedResult ResultOf(
        SeedRun run,
        RunReport? report,
        FaultSession faults,
        (string Check, string What)? failed
    ) =>
        new()
        {
            Seed = run.Seed,
            Failure = failed is { } f
                ? new SeedFailure(run.Seed, run.Scenario, run.Faults?.Name, f.Check, f.What, run.Replay)
                : null,
            Operations = report?.Operations ?? faults.Operations,
            InvariantsChecked = report?.InvariantsChecked ?? 0,
            Digest = report?.Digest ?? string.Empty,
            Coverage = faults.Coverage(),
            Sometimes = faults.Seen(),
        };

    private static (string Check, string What)? FirstFailure(RunReport report)
    {
        if (report.FirstViolation is { } violation)
        {
            return (violation.Invariant, $"{violation.Where}: {violation.What}");
        }

        if (report.Failures.Count > 0)
        {
            FailedExpectation first = report.Failures[0];
            return (
                "expectation",
                $"{report.File}:{first.At}: {first.Client} {first.Step}: expected {first.Expected}, got {first.Actual}"
            );
        }

        return report.Ok || report.StopReason is not null ? null : ("run", "a check of the run failed");
    }
}
