using Iommufd.Actors;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language;

namespace Iommufd.Scenarios.Soak;

/// <summary>One run of a soak, complete: the same record gives the same result, on any machine. Immutable.</summary>
/// <param name="Text">The scenario.</param>
/// <param name="Seed">Decides the schedule, the scenario's random choices and the faults.</param>
/// <param name="Faults">What may fail; null for nothing.</param>
public sealed record SeedRun(ScenarioText Text, ulong Seed, FaultPlan? Faults)
{
    /// <summary>What the user named the scenario: for the command that repeats the run.</summary>
    public string Scenario { get; init; } = Text.Name;

    /// <summary>Parameters that were set, as written.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; init; } = [];

    /// <summary>Blocks that background DMA transfers at most each time that it is set going, at least 1; null for the scenario's own.</summary>
    public long? DmaBlocks { get; init; }

    /// <summary>Whether events are journalled, in memory, and the contexts restored from them afterwards.</summary>
    public bool Journal { get; init; } = true;

    /// <summary>Changes the host before it starts, for tests; null for nothing.</summary>
    public Func<HostOptions, HostOptions>? Configure { get; init; }

    /// <summary>Records what every client does; null for nobody.</summary>
    public Shrink.RunTrace? Trace { get; init; }

    /// <summary>Where the order of its steps is written down; null for nowhere.</summary>
    public ICollection<Runner.ScheduleTurn>? Turns { get; init; }

    /// <summary>The one command that repeats the run.</summary>
    public string Replay
    {
        get
        {
            var settings = string.Concat(Settings.Select(s => $" --set {s.Key}={s.Value}"));
            var faults = Faults is null ? string.Empty : $" --faults {Faults.Name}";
            var blocks = DmaBlocks is null ? string.Empty : FormattableString.Invariant($" --dma-blocks {DmaBlocks}");
            return FormattableString.Invariant(
                $"iommufd run {Scenario} --seed {Seed}{faults}{settings}{blocks} --durability ram"
            );
        }
    }
}

/// <summary>A run that failed.</summary>
/// <param name="Seed">Its seed.</param>
/// <param name="Scenario">The scenario, as the user named it.</param>
/// <param name="Faults">The fault plan; null for none.</param>
/// <param name="Check">The check that failed first.</param>
/// <param name="What">What was found.</param>
/// <param name="Replay">The command that repeats it.</param>
public sealed record SeedFailure(ulong Seed, string Scenario, string? Faults, string Check, string What, string Replay);

/// <summary>What is kept of one run. Immutable.</summary>
public sealed record SeedResult
{
    /// <summary>The seed.</summary>
    public required ulong Seed { get; init; }

    /// <summary>What failed first; null when every check held.</summary>
    public required SeedFailure? Failure { get; init; }

    /// <summary>Ioctls and driver calls.</summary>
    public required long Operations { get; init; }

    /// <summary>Invariants checked.</summary>
    public required long InvariantsChecked { get; init; }

    /// <summary>The digest of the final state; empty for a run that did not come so far.</summary>
    public required string Digest { get; init; }

    /// <summary>Fault points reached and struck, by operation.</summary>
    public required IReadOnlyList<FaultCoverage> Coverage { get; init; }

    /// <summary>How often each property that must be seen sometimes was seen, by name.</summary>
    public required IReadOnlyDictionary<string, long> Sometimes { get; init; }
}

/// <summary>Everything that is known after one run: more than a soak keeps.</summary>
/// <param name="Result">What a soak keeps.</param>
/// <param name="Report">The run's report; null for a run that ended in an exception.</param>
/// <param name="Strikes">The faults that struck, in order.</param>
/// <param name="OperationsBegun">Operations that began: those that fault plans count.</param>
public sealed record SeedOutcome(
    SeedResult Result,
    Runner.RunReport? Report,
    IReadOnlyList<FaultStrike> Strikes,
    long OperationsBegun
);
