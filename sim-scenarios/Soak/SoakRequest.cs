using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language;

namespace Iommufd.Scenarios.Soak;

/// <summary>What a soak runs. Immutable.</summary>
public sealed record SoakRequest
{
    /// <summary>
    /// What <see cref="DmaBlocks"/> is where the user says nothing: a soak looks for interleavings and faults, and finds no more of
    /// them in longer bursts of DMA.
    /// </summary>
    public const long UsualDmaBlocks = 64;

    /// <summary>The scenarios, as the user named them; each seed runs all of them.</summary>
    public required IReadOnlyList<(string Name, ScenarioText Text)> Scenarios { get; init; }

    /// <summary>The first seed.</summary>
    public ulong FirstSeed { get; init; } = 1;

    /// <summary>The last seed.</summary>
    public ulong LastSeed { get; init; } = ulong.MaxValue - 1;

    /// <summary>No run is begun after this time; null for until the last seed.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>What may fail; null for nothing.</summary>
    public FaultPlan? Faults { get; init; }

    /// <summary>Runs at the same time; at least 1.</summary>
    public int Jobs { get; init; } = Environment.ProcessorCount;

    /// <summary>Whether the first failure ends the soak.</summary>
    public bool StopOnFailure { get; init; }

    /// <summary>Parameters of the scenarios, as written.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings { get; init; } = [];

    /// <summary>Blocks that background DMA transfers at most each time that it is set going, at least 1; null for the scenario's own.</summary>
    public long? DmaBlocks { get; init; }

    /// <summary>Where progress is kept, so that a soak that was killed goes on from there; null for nowhere.</summary>
    public string? StateFile { get; init; }

    /// <summary>The part of the soak that is run here.</summary>
    public SoakShard Shard { get; init; }

    /// <summary>Runs of this part.</summary>
    public ulong Count => Shard.RunsOf((LastSeed - FirstSeed + 1) * (ulong)Scenarios.Count);

    /// <summary>What it is about, in words.</summary>
    public SoakSubject Subject =>
        new()
        {
            Scenarios = [.. Scenarios.Select(s => s.Name)],
            Seeds = Duration is null ? FormattableString.Invariant($"{FirstSeed}..{LastSeed}") : null,
            Faults = Faults?.Name,
            Settings = [.. Settings.Select(s => $"{s.Key}={s.Value}"), .. ShorterDma],
            Shard = Shard,
        };

    /// <summary>What a state file belongs to: another soak does not go on from it.</summary>
    public string Identity =>
        string.Join(
            '|',
            [
                string.Join(',', Scenarios.Select(s => s.Name)),
                FormattableString.Invariant($"{FirstSeed}..{LastSeed}"),
                Faults?.Name ?? "-",
                .. Settings.Select(s => $"{s.Key}={s.Value}"),
                .. ShorterDma,
                .. Shard.IsWhole ? Array.Empty<string>() : [$"part {Shard}"],
            ]
        );

    // A soak of shorter DMA is another soak, and says so wherever it says what was set.
    private string[] ShorterDma =>
        DmaBlocks is { } blocks ? [FormattableString.Invariant($"--dma-blocks={blocks}")] : [];

    /// <summary>The run of this part with a number, from 0. In the whole soak: all scenarios of a seed, then those of the next.</summary>
    public SeedRun RunAt(ulong own)
    {
        ulong number = Shard.RunAt(own);
        (string name, ScenarioText text) = Scenarios[(int)(number % (ulong)Scenarios.Count)];
        ulong seed = FirstSeed + (number / (ulong)Scenarios.Count);
        return new SeedRun(text, seed, Faults)
        {
            Scenario = name,
            Settings = Settings,
            DmaBlocks = DmaBlocks,
        };
    }
}
