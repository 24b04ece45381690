namespace Iommufd.Scenarios.Soak;

/// <summary>What a soak is about, in words: enough to tell whether two results are parts of one soak. Immutable.</summary>
public sealed record SoakSubject
{
    /// <summary>The scenarios, as the user named them.</summary>
    public required IReadOnlyList<string> Scenarios { get; init; }

    /// <summary>The seeds: A..B; null for a soak that is bounded by time.</summary>
    public required string? Seeds { get; init; }

    /// <summary>The fault plan; null for none.</summary>
    public required string? Faults { get; init; }

    /// <summary>What was set: name=value.</summary>
    public required IReadOnlyList<string> Settings { get; init; }

    /// <summary>Which part it is.</summary>
    public SoakShard Shard { get; init; }

    /// <summary>The same for every part of one soak, and for no part of another.</summary>
    public string Whole =>
        string.Join(
            '|',
            [
                string.Join(',', Scenarios),
                Seeds ?? "time",
                Faults ?? "-",
                .. Settings,
                FormattableString.Invariant($"of {Shard.Count}"),
            ]
        );
}
