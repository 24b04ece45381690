using Iommufd.Actors.Protocol;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Shrink;
using Iommufd.Scenarios.Steps;

namespace Iommufd.Scenarios.Runner;

/// <summary>Everything that is known when a run has ended. Immutable.</summary>
public sealed record RunReport
{
    /// <summary>The scenario's short name.</summary>
    public required string Scenario { get; init; }

    /// <summary>Its title.</summary>
    public required string Title { get; init; }

    /// <summary>The file, or the name with its ending for a shipped one.</summary>
    public required string File { get; init; }

    /// <summary>The seed of the schedule; null for a run on all cores.</summary>
    public required ulong? Seed { get; init; }

    /// <summary>Which actor runtime: Local or Akka.</summary>
    public required string Runtime { get; init; }

    /// <summary>From start to end.</summary>
    public required TimeSpan Duration { get; init; }

    /// <summary>Contexts opened.</summary>
    public required long Contexts { get; init; }

    /// <summary>Devices of the machine.</summary>
    public required long Devices { get; init; }

    /// <summary>Ioctls and driver calls.</summary>
    public required long Operations { get; init; }

    /// <summary>How many ended with each errno, successes too.</summary>
    public required IReadOnlyList<(Errno Errno, long Count)> ByErrno { get; init; }

    /// <summary>Operations by kind.</summary>
    public required IReadOnlyList<StepMetrics> Steps { get; init; }

    /// <summary>Operations over time.</summary>
    public required Timeline Timeline { get; init; }

    /// <summary>The parts of the run, in order.</summary>
    public required IReadOnlyList<PhaseMetrics> Phases { get; init; }

    /// <summary>DMA of all devices.</summary>
    public required DmaTotals Dma { get; init; }

    /// <summary>DMA by device.</summary>
    public required IReadOnlyList<DeviceMetrics> DmaByDevice { get; init; }

    /// <summary>Invariants checked.</summary>
    public required long InvariantsChecked { get; init; }

    /// <summary>Invariants that did not hold.</summary>
    public required long InvariantsViolated { get; init; }

    /// <summary>The first of these.</summary>
    public required InvariantViolation? FirstViolation { get; init; }

    /// <summary>The failure that the scenario was saved with by <c>shrink</c>; null for other scenarios.</summary>
    public required ExpectedFailure? ExpectedFailure { get; init; }

    /// <summary>Answers that an order of the calls explains.</summary>
    public required long HistoryAnswers { get; init; }

    /// <summary>IOASes whose history was given up as undecided.</summary>
    public required long HistoriesGivenUp { get; init; }

    /// <summary>Steps and final expectations that did not hold: how many.</summary>
    public required long FailedExpectations { get; init; }

    /// <summary>The first of these.</summary>
    public required IReadOnlyList<FailedExpectation> Failures { get; init; }

    /// <summary>Steps that could not run because what they use was never made.</summary>
    public required long Skipped { get; init; }

    /// <summary>Steps that ended in another way than they must because a fault was injected.</summary>
    public required long Tolerated { get; init; }

    /// <summary>The fault plan; null where nothing was made to fail.</summary>
    public required string? Faults { get; init; }

    /// <summary>Fault points reached and struck, by operation; empty without a plan.</summary>
    public required IReadOnlyList<FaultCoverage> FaultCoverage { get; init; }

    /// <summary>The journal; null without one.</summary>
    public required JournalSummary? Journal { get; init; }

    /// <summary>The digest of the state at the end.</summary>
    public required string Digest { get; init; }

    /// <summary>Why the run was cut short; null when it was not.</summary>
    public required string? StopReason { get; init; }

    /// <summary>Whether it was cut short because its journal could not be written any more.</summary>
    public required bool IsJournalLost { get; init; }

    /// <summary>The process's peak of resident memory, bytes; 0 where the host does not measure it.</summary>
    public required long PeakBytes { get; init; }

    /// <summary>Memory taken for page tables during the run.</summary>
    public required long TableBytes { get; init; }

    /// <summary>What of the peak came on top during the run, for each device, page tables apart.</summary>
    public required double BytesPerDevice { get; init; }

    /// <summary>Operations that ended with an errno.</summary>
    public long Failed => Operations - ByErrno.Where(e => e.Errno == Errno.OK).Sum(e => e.Count);

    /// <summary>Whether everything asked for was done and every check held.</summary>
    public bool Ok => StopReason is null && FailedExpectations == 0 && InvariantsViolated == 0 && Dma.Violations == 0;

    /// <summary>Something in a second.</summary>
    public double PerSecond(double count) => Duration > TimeSpan.Zero ? count / Duration.TotalSeconds : 0;

    internal static RunReport Of(
        Scenario scenario,
        RunOptions options,
        RunMetrics metrics,
        RunEnd end,
        TimeSpan duration,
        JournalSummary? journal,
        MemoryUse before
    )
    {
        // A run that was cut short has not done what its final expectations speak of.
        IReadOnlyList<FailedExpectation> unmet = end.StopReason is null
            ? FinalExpectations.Unmet(
                scenario,
                metrics,
                end,
                comparesCounts: options.Faults is not { Plan.Rules.Count: > 0 } && options.Unfinished is null
            )
            : [];
        long peak = options.Host.MeasuresMemory ? MemoryUse.Peak : 0;
        long tables = IoPageTable.ArenaBytes - before.Tables;
        return new RunReport
        {
            Scenario = scenario.Name,
            Title = scenario.Title,
            File = scenario.File,
            Seed = options.Seed,
            Runtime = ActorRuntime.Name,
            Duration = duration,
            Contexts = metrics.Contexts,
            Devices = scenario.Machine.DeviceCount,
            Operations = metrics.Operations,
            ByErrno = metrics.ByErrno(),
            Steps = metrics.Steps,
            Timeline = metrics.Timeline,
            Phases = metrics.Phases,
            Dma = metrics.Dma,
            DmaByDevice = metrics.Devices,
            InvariantsChecked = metrics.InvariantsChecked,
            InvariantsViolated = metrics.InvariantsViolated,
            FirstViolation = metrics.FirstViolation,
            ExpectedFailure = scenario.Failure,
            HistoryAnswers = metrics.HistoryAnswers,
            HistoriesGivenUp = metrics.HistoriesGivenUp,
            FailedExpectations = metrics.FailedExpectations + unmet.Count,
            Failures = [.. metrics.Failures, .. unmet],
            Skipped = metrics.Skipped,
            Tolerated = metrics.Tolerated,
            Faults = options.Faults?.Plan.Name,
            FaultCoverage = options.Faults?.Coverage() ?? [],
            Journal = journal,
            Digest = end.Digest,
            StopReason = end.StopReason,
            IsJournalLost = end.IsLost,
            PeakBytes = peak,
            TableBytes = tables,
            BytesPerDevice =
                (double)Math.Max(0, peak - before.Process - tables) / Math.Max(1, scenario.Machine.DeviceCount),
        };
    }
}

/// <summary>Memory of this process.</summary>
/// <param name="Process">Resident bytes.</param>
/// <param name="Tables">Bytes taken for page tables.</param>
internal readonly record struct MemoryUse(long Process, long Tables)
{
    /// <summary>What is used now.</summary>
    public static MemoryUse Now => new(Environment.WorkingSet, IoPageTable.ArenaBytes);

    /// <summary>The most bytes that were resident at once.</summary>
    public static long Peak
    {
        get
        {
            using var process = System.Diagnostics.Process.GetCurrentProcess();
            return process.PeakWorkingSet64;
        }
    }
}
