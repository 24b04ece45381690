using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Shrink;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Scenarios.Tests.Shrink;

/// <summary>Failing runs become small, fail in the same way, and can be repeated.</summary>
public sealed class ShrinkerTests
{
    // Fails where a client maps page 3 while another branch has it.
    private const string Failing = """
        iommufd: 1
        title: Fails now and then
        parameters: {rounds: 10}
        machine:
          devices: [{name: dev, reserved: [0xfee00000..0xfeefffff]}, {name: other}]
        clients:
          - name: idle
            steps:
              - memory: {as: ram, size: 64K}
              - ioas-alloc: a
              - map: {ioas: a, memory: ram, iova: 0}
          - name: busy
            memlock: 1M
            steps:
              - memory: {as: ram, size: 64K}
              - ioas-alloc: a
              - bind: {device: dev, as: dev}
              - attach: {device: dev, to: a}
              - map: {ioas: a, memory: ram, length: 4K, iova: 12K}
              - parallel:
                  - - repeat:
                        times: rounds
                        steps:
                          - let: {at: 4K * random(4..15)}
                          - map: {ioas: a, memory: ram, length: 4K, iova: at, as: page}
                            expect: any
                          - dma: {device: dev, iova: at, length: 4K, count: 8}
                          - unmap: page
                            expect: any
                  - - repeat:
                        times: rounds
                        index: i
                        steps:
                          - map: {ioas: a, memory: ram, length: 4K, iova: 4K * i}
                            expect: any
                          - unmap: {ioas: a, iova: 4K * i, length: 4K}
                            expect: any
              - map: {ioas: a, memory: ram, length: 4K, iova: 12K}
                expect: EEXIST
        expect: {pins: 0}
        """;

    [Fact]
    public async Task A_scenario_that_fails_by_its_own_expectation_becomes_minimal()
    {
        SeedRun run = Run(Failing, 3);

        ShrinkResult? result = await new Shrinker(run, new ShrinkLimits()).ShrinkAsync();

        Assert.NotNull(result);
        Assert.Equal(new FailureSignature("expectation", "map: OK"), result.Failure);
        Assert.True(result.StepsAfter <= 4, result.Text);
        Assert.True(result.StepsBefore > 40);
        Assert.True(result.IsWhole);
        Assert.DoesNotContain("idle", result.Text, StringComparison.Ordinal);
        Assert.DoesNotContain("parallel", result.Text, StringComparison.Ordinal);
        await AssertFailsAsync(result);
    }

    [Fact]
    public async Task The_same_run_shrinks_to_the_same_text()
    {
        ShrinkResult? first = await new Shrinker(Run(Failing, 3), new ShrinkLimits()).ShrinkAsync();
        ShrinkResult? second = await new Shrinker(Run(Failing, 3), new ShrinkLimits()).ShrinkAsync();

        Assert.Equal(first!.Text, second!.Text);
        Assert.Equal(first.Runs, second.Runs);
    }

    [Fact]
    public async Task A_run_that_does_not_fail_is_not_shrunk()
    {
        ShrinkResult? result = await new Shrinker(
            Run(ShippedScenarios.SourceOf("shared-memory"), 1, ("copies", "1"), ("bursts", "1")),
            new ShrinkLimits()
        ).ShrinkAsync();

        Assert.Null(result);
    }

    [Fact]
    public async Task A_search_that_is_cut_short_has_what_it_has_so_far()
    {
        ShrinkResult? result = await new Shrinker(Run(Failing, 3), new ShrinkLimits { MaxRuns = 12 }).ShrinkAsync();

        Assert.NotNull(result);
        Assert.False(result.IsWhole);
        await AssertFailsAsync(result);
    }

    [Fact]
    public async Task The_saved_scenario_says_how_it_is_expected_to_fail()
    {
        ShrinkResult? result = await new Shrinker(Run(Failing, 3), new ShrinkLimits()).ShrinkAsync();

        ExpectedFailure? expected = ScenarioText.Read("shrunk.yaml", result!.Text).Failure;

        Assert.NotNull(expected);
        Assert.Equal("expectation (map: OK)", expected.Check);
        Assert.Equal(result.Seed, expected.Seed);
    }

    [Fact]
    public async Task A_trace_of_every_shipped_scenario_runs_as_the_scenario_did()
    {
        (string Name, string Setting, string Value)[] small =
        [
            ("quickstart", "rounds", "10"),
            ("shared-memory", "bursts", "1"),
            ("mdev-access", "rounds", "5"),
            ("attach-storm", "devices", "8"),
        ];
        foreach ((string name, string setting, string value) in small)
        {
            SeedRun run = Run(ShippedScenarios.SourceOf(name), 5, (setting, value));
            var trace = new RunTrace(10_000);
            SeedOutcome original = await SeedRunner.RunAsync(run with { Trace = trace }, CancellationToken.None);
            Assert.Null(trace.Missing);

            string text = ShrinkCase.Of(run.Text.Bind(run.Settings, run.Seed), trace).ToText();
            SeedOutcome again = await SeedRunner.RunAsync(Run(text, 5), CancellationToken.None);

            Assert.True(again.Result.Failure is null, $"{name}: {again.Result.Failure?.What}");
            Assert.Equal(original.Result.Operations, again.Result.Operations);
            Assert.Equal(original.Result.Digest, again.Result.Digest);
        }
    }

    private static async Task AssertFailsAsync(ShrinkResult result)
    {
        SeedOutcome outcome = await SeedRunner.RunAsync(
            Run(result.Text, result.Seed) with
            {
                Faults = result.Faults,
            },
            CancellationToken.None
        );
        Assert.True(result.Failure.Matches(outcome), $"{outcome.Result.Failure?.What}\n{result.Text}");
    }

    private static SeedRun Run(string text, ulong seed, params (string Name, string Value)[] settings) =>
        new(ScenarioText.Read("scenario.yaml", text), seed, null)
        {
            Settings = [.. settings.Select(s => KeyValuePair.Create(s.Name, s.Value))],
        };
}
