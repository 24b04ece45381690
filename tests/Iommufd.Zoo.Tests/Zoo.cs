using System.Reflection;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Shrink;
using Iommufd.Scenarios.Soak;
using Iommufd.Zoo.Tests.Mistakes;

namespace Iommufd.Zoo.Tests;

/// <summary>All mistakes, and how they are looked for.</summary>
internal static class Zoo
{
    /// <summary>Seeds after which a mistake counts as not found.</summary>
    public const int MaxSeeds = 10_000;

    /// <summary>The mistakes, in the order of the table.</summary>
    public static readonly IReadOnlyList<Mistake> All =
    [
        .. DeviceMistakes.All,
        .. HwptMistakes.All,
        .. IoasMistakes.All,
        .. MemoryMistakes.All,
        .. AccessMistakes.All,
        .. JournalMistakes.All,
    ];

    /// <summary>The scenarios in which mistakes live.</summary>
    public static readonly IReadOnlyList<string> Habitats = ["quarrel", "moves", "limits", "edge"];

    /// <summary>A mistake by its name.</summary>
    public static Mistake Find(string name) => All.Single(m => string.Equals(m.Name, name, StringComparison.Ordinal));

    /// <summary>Reads a habitat.</summary>
    public static ScenarioText Habitat(string name)
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream($"habitats/{name}.yaml")!;
        using var reader = new StreamReader(stream);
        return ScenarioText.Read($"{name}.yaml", reader.ReadToEnd());
    }

    /// <summary>A mistake in its habitat.</summary>
    public static SeedRun RunOf(Mistake mistake, ulong seed) =>
        new(Habitat(mistake.Habitat), seed, mistake.Faults) { Configure = mistake.Make };

    /// <summary>Tries seeds one after another until a check fails.</summary>
    /// <param name="mistake">What is looked for.</param>
    /// <param name="first">The first seed.</param>
    /// <param name="limit">Seeds tried at most.</param>
    /// <returns>How many were tried, and the failing run; null where none failed.</returns>
    public static async Task<(int Seeds, SeedOutcome Failing)?> FindAsync(Mistake mistake, ulong first, int limit)
    {
        for (int i = 0; i < limit; i++)
        {
            SeedOutcome outcome = await SeedRunner.RunAsync(RunOf(mistake, first + (ulong)i), CancellationToken.None);
            if (outcome.Result.Failure is not null)
            {
                return (i + 1, outcome);
            }
        }

        return null;
    }

    /// <summary>Shrinks a failing run of a mistake.</summary>
    public static async Task<ShrinkResult> ShrinkAsync(Mistake mistake, ulong seed, ShrinkLimits limits)
    {
        ShrinkResult? result = await new Shrinker(RunOf(mistake, seed), limits).ShrinkAsync();
        Assert.NotNull(result);
        return result;
    }
}
