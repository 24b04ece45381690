using Iommufd.Scenarios.Shrink;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Zoo.Tests;

/// <summary>Every mistake of the zoo is found by a check, soon; without one nothing is found.</summary>
public sealed class ZooTests
{
    // Far more than any needs; the full statistic goes up to 10,000.
    private const int SeedsHere = 300;

    private static readonly Scenarios.Faults.FaultPlan?[] Nothing = [null];

    public static TheoryData<string> Names => [.. Zoo.All.Select(m => m.Name)];

    public static TheoryData<string> HabitatNames => [.. Zoo.Habitats];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task A_mistake_is_found_by_a_check_that_the_table_names(string name)
    {
        (int Seeds, SeedOutcome Failing)? found = await Zoo.FindAsync(Zoo.Find(name), first: 1, SeedsHere);

        Assert.True(found is not null, $"{name} was not found with {SeedsHere} seeds");
        ZooRow row = Assert.Single(ZooTable.Read(), r => string.Equals(r.Name, name, StringComparison.Ordinal));
        Assert.Contains(found.Value.Failing.Result.Failure!.Check, row.Checks);
    }

    [Theory]
    [MemberData(nameof(HabitatNames))]
    public async Task Without_a_mistake_every_check_holds(string habitat)
    {
        for (ulong seed = 1; seed <= 6; seed++)
        {
            foreach (Scenarios.Faults.FaultPlan? faults in habitat is "quarrel" ? [null, Meddling.Rollbacks] : Nothing)
            {
                var run = new SeedRun(Zoo.Habitat(habitat), seed, faults);
                SeedOutcome outcome = await SeedRunner.RunAsync(run, CancellationToken.None);

                SeedFailure? failure = outcome.Result.Failure;
                Assert.True(failure is null, $"{habitat}, seed {seed}: {failure?.Check}: {failure?.What}");
            }
        }
    }

    [Fact]
    public void The_table_has_every_mistake_and_keeps_what_it_promises()
    {
        IReadOnlyList<ZooRow> rows = ZooTable.Read();

        Assert.Equal(Zoo.All.Select(m => (m.Name, m.What, m.Habitat)), rows.Select(r => (r.Name, r.What, r.Habitat)));
        Assert.True(rows.Count >= 25);
        Assert.All(rows, r => Assert.InRange(r.Seeds, 1, Zoo.MaxSeeds));
        Assert.InRange(ZooTable.Median(rows.Select(r => r.Steps)), 1, 15);
    }

    [Theory]
    [InlineData("iotlb-not-invalidated")]
    [InlineData("iova-wraps")]
    [InlineData("pin-kept-on-rollback")]
    [InlineData("unmap-not-journalled")]
    [InlineData("unmap-never-woken")]
    public async Task A_failing_run_shrinks_to_a_case_that_fails_in_the_same_way(string name)
    {
        Mistake mistake = Zoo.Find(name);
        (int _, SeedOutcome failing) = (await Zoo.FindAsync(mistake, first: 1, SeedsHere))!.Value;

        ShrinkResult result = await Zoo.ShrinkAsync(mistake, failing.Result.Seed, new ShrinkLimits { FinalSeeds = 1 });

        Assert.InRange(result.StepsAfter, 1, 15);
        var again = new SeedRun(ScenarioText(result), result.Seed, result.Faults) { Configure = mistake.Make };
        SeedOutcome outcome = await SeedRunner.RunAsync(again, CancellationToken.None);
        Assert.True(result.Failure.Matches(outcome), $"{outcome.Result.Failure?.Check} instead of {result.Failure}");
        SeedOutcome without = await SeedRunner.RunAsync(again with { Configure = null }, CancellationToken.None);
        Assert.False(result.Failure.Matches(without), "the case fails in the same way without the mistake");
    }

    [Fact]
    public async Task The_order_of_the_steps_that_a_failure_needs_becomes_short_and_decides_it_whatever_the_seed()
    {
        Mistake mistake = Zoo.Find("unpinned-before-invalidated");
        (int _, SeedOutcome failing) = (await Zoo.FindAsync(mistake, first: 1, SeedsHere))!.Value;

        ShrinkResult result = await Zoo.ShrinkAsync(mistake, failing.Result.Seed, new ShrinkLimits { FinalSeeds = 4 });

        Assert.True(result.FailingSeeds < result.TriedSeeds, "the order of the steps does not matter to this mistake");
        Assert.NotNull(result.Schedule);
        Assert.InRange(result.Schedule.Turns.Count, 0, result.TurnsBefore / 4);
        for (ulong seed = 1; seed <= 5; seed++)
        {
            var again = new SeedRun(ScenarioText(result), seed, result.Faults) { Configure = mistake.Make };
            Assert.True(result.Failure.Matches(await SeedRunner.RunAsync(again, CancellationToken.None)), result.Text);
        }
    }

    private static Scenarios.Language.ScenarioText ScenarioText(ShrinkResult result) =>
        Scenarios.Language.ScenarioText.Read("shrunk.yaml", result.Text);
}
