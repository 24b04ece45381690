using Iommufd.Scenarios.Shrink;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Zoo.Tests;

/// <summary>Measures the table of docs/zoo.md anew: with IOMMUFD_ZOO=full, in the nightly run.</summary>
public sealed class FullStatistic
{
    private const ulong Distance = 100_000;
    private const int Starts = 5;

    [Fact]
    public async Task The_table_can_be_measured_anew()
    {
        // In an ordinary run one mistake shows that the measurement works, and nothing is written.
        string[] wanted = Environment.GetEnvironmentVariable("IOMMUFD_ZOO")?.Split(',') ?? [];
        bool isFull = wanted.Contains("full");
        var rows = ZooTable.Read().ToDictionary(r => r.Name, StringComparer.Ordinal);
        foreach (Mistake mistake in Zoo.All.Where(m => isFull || wanted.Contains(m.Name)))
        {
            rows[mistake.Name] = await MeasureAsync(mistake);
            ZooTable.Write([.. Zoo.All.Where(m => rows.ContainsKey(m.Name)).Select(m => rows[m.Name])]);
        }

        ZooRow sample = await MeasureAsync(Zoo.Find("end-of-space"));
        Assert.InRange(sample.Seeds, 1, Zoo.MaxSeeds);
        Assert.InRange(sample.Steps, 1, 15);
    }

    private static async Task<ZooRow> MeasureAsync(Mistake mistake)
    {
        var seeds = new List<int>();
        var checks = new SortedSet<string>(StringComparer.Ordinal);
        SeedOutcome? failing = null;
        for (ulong start = 0; start < Starts; start++)
        {
            (int Seeds, SeedOutcome Failing)? found = await Zoo.FindAsync(
                mistake,
                (start * Distance) + 1,
                Zoo.MaxSeeds
            );
            Assert.True(found is not null, $"{mistake.Name} was not found");
            seeds.Add(found.Value.Seeds);
            checks.Add(found.Value.Failing.Result.Failure!.Check);
            failing ??= found.Value.Failing;
        }

        ShrinkResult small = await Zoo.ShrinkAsync(mistake, failing!.Result.Seed, new ShrinkLimits());
        return new ZooRow(
            mistake.Name,
            mistake.What,
            mistake.Habitat,
            [.. checks],
            ZooTable.Median(seeds),
            small.StepsAfter,
            small.StepsBefore,
            small.Schedule?.Turns.Count
        );
    }
}
