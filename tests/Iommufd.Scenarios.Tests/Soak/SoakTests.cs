using FsCheck;
using FsCheck.Fluent;
using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Flows;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Reports;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Scenarios.Tests.Soak;

/// <summary>Many seeds: what a soak adds up, how it goes on after its own end, and that it finds what is wrong.</summary>
public sealed class SoakTests : IDisposable
{
    private readonly string _state = Path.Combine(
        Path.GetTempPath(),
        $"soak-{Environment.ProcessId}-{Path.GetRandomFileName()}"
    );

    private static SoakRequest Small =>
        new()
        {
            Scenarios = [("every-command", ShippedScenarios.Read("every-command"))],
            Faults = ShippedFaultPlans.Open("default"),
            FirstSeed = 1,
            LastSeed = 6,
            Jobs = 2,
        };

    public void Dispose() => File.Delete(_state);

    [Fact]
    public async Task A_soak_of_every_command_holds_every_check()
    {
        SoakOutcome outcome = await new SoakRunner(Small).RunAsync(failed: null, CancellationToken.None);
        Assert.Empty(outcome.Totals.Failures);
        Assert.True(outcome.IsComplete);
        Assert.Equal(6, outcome.Totals.Runs);
        Assert.True(outcome.Totals.Injected > 50, $"{outcome.Totals.Injected} faults were injected");
        string report = SoakHtml.Of(Small.Subject, outcome);
        Assert.Contains("every check of every run held", report, StringComparison.Ordinal);
        Assert.DoesNotContain("http", report, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_seed_ends_the_same_and_meets_the_same_faults()
    {
        SeedOutcome first = await SeedRunner.RunAsync(Small.RunAt(3), CancellationToken.None);
        SeedOutcome second = await SeedRunner.RunAsync(Small.RunAt(3), CancellationToken.None);
        Assert.Null(first.Result.Failure);
        Assert.NotEmpty(first.Strikes);
        Assert.Equal(first.Result.Digest, second.Result.Digest);
        Assert.Equal(first.Strikes, second.Strikes);
    }

    [Fact]
    public async Task Runs_beside_each_other_do_not_disturb_each_other()
    {
        SeedOutcome alone = await SeedRunner.RunAsync(Small.RunAt(4), CancellationToken.None);
        Task<SeedOutcome>[] together =
        [
            .. Enumerable.Range(2, 4).Select(n => Task.Run(() => SeedRunner.RunAsync(Small.RunAt((ulong)n), default))),
        ];
        SeedOutcome[] outcomes = await Task.WhenAll(together);
        Assert.Equal(alone.Result.Digest, outcomes[2].Result.Digest);
        Assert.Equal(alone.Strikes, outcomes[2].Strikes);
    }

    [Fact]
    public async Task A_mistake_in_a_participant_is_found_and_comes_with_the_command_that_repeats_it()
    {
        SeedRun run = Small.RunAt(0) with
        {
            Faults = null,
            Configure = host =>
                host with
                {
                    Wrap = (who, state) => who.Kind == ParticipantKind.Memory ? new Leaky(state) : state,
                },
        };
        SeedOutcome outcome = await SeedRunner.RunAsync(run, CancellationToken.None);
        Assert.NotNull(outcome.Result.Failure);
        Assert.Equal("iommufd run every-command --seed 1 --durability ram", outcome.Result.Failure.Replay);
    }

    // Found by soaks: in each of these an attach or an unbind ran beside the DESTROY of the device's vDEVICE, and the journal had them
    // in an order that could not be replayed.
    [Theory]
    [InlineData(189)]
    [InlineData(116)]
    public async Task What_happens_to_a_device_and_to_its_vDEVICE_at_once_is_journalled_in_order(ulong seed)
    {
        var run = new SeedRun(ShippedScenarios.Read("device-hot-unplug"), seed, ShippedFaultPlans.Open("default"));
        SeedOutcome outcome = await SeedRunner.RunAsync(run, CancellationToken.None);
        Assert.Null(outcome.Result.Failure);
    }

    // Found by a soak: the queue was never made, and the loop that asks it for requests went round a million times.
    [Fact]
    public async Task A_loop_that_asks_for_what_nobody_can_tell_is_over()
    {
        FaultPlan plan = FaultPlanText.Read(
            "plan",
            "plan.yaml",
            """
            faults: 1
            title: There is no memory for a fault queue
            rules:
              - point: command.alloc
                probability: 1
                operations: [fault-queue-alloc]
            """
        );
        var run = new SeedRun(ShippedScenarios.Read("demand-paging"), 1, plan);
        SeedOutcome outcome = await SeedRunner.RunAsync(run, CancellationToken.None);
        Assert.Null(outcome.Result.Failure);
        Assert.InRange(outcome.Report!.Skipped, 1, 1000);
    }

    // Found by a soak: the event of the access that had pinned a shared page came after that of the one that had found it pinned.
    [Fact]
    public async Task Accesses_that_pin_a_page_at_once_are_journalled_so_that_either_can_be_replayed_first()
    {
        var run = new SeedRun(ShippedScenarios.Read("mdev-access"), 459, ShippedFaultPlans.Open("default"));
        SeedOutcome outcome = await SeedRunner.RunAsync(run, CancellationToken.None);
        Assert.Null(outcome.Result.Failure);
    }

    [Fact]
    public async Task Shorter_bursts_of_DMA_leave_the_calls_as_they_are()
    {
        var quickstart = new SeedRun(ShippedScenarios.Read("quickstart"), 5, Faults: null)
        {
            Settings = [new("rounds", "20"), new("ram", "2M")],
        };
        SeedOutcome whole = await SeedRunner.RunAsync(quickstart, CancellationToken.None);
        SeedOutcome shorter = await SeedRunner.RunAsync(quickstart with { DmaBlocks = 16 }, CancellationToken.None);
        Assert.Null(whole.Result.Failure);
        Assert.Null(shorter.Result.Failure);
        Assert.Equal(whole.Result.Operations, shorter.Result.Operations);
        Assert.Equal(whole.Result.Digest, shorter.Result.Digest);
        Assert.InRange(shorter.Report!.Dma.Translations, 1UL, whole.Report!.Dma.Translations / 4);
    }

    [Fact]
    public void A_soak_of_shorter_bursts_is_another_soak_and_its_runs_are_repeated_with_them()
    {
        SoakRequest shorter = Small with { DmaBlocks = 16 };
        Assert.NotEqual(Small.Identity, shorter.Identity);
        Assert.NotEqual(Small.Subject.Whole, shorter.Subject.Whole);
        Assert.Equal(
            "iommufd run every-command --seed 1 --faults default --dma-blocks 16 --durability ram",
            shorter.RunAt(0).Replay
        );
    }

    [Fact]
    public async Task A_soak_goes_on_where_it_was_stopped()
    {
        using var stop = new CancellationTokenSource();
        SoakRequest request = Small with { StateFile = _state, Jobs = 1 };
        var first = new SoakRunner(request);
        Task<SoakOutcome> cut = first.RunAsync(failed: null, stop.Token);
        while (first.RunsHere < 2 && !cut.IsCompleted)
        {
            await Task.Yield();
        }

        await stop.CancelAsync();
        SoakOutcome part = await cut;
        SoakOutcome rest = await new SoakRunner(request).RunAsync(failed: null, CancellationToken.None);
        SoakOutcome whole = await new SoakRunner(Small).RunAsync(failed: null, CancellationToken.None);
        Assert.True(part.RunsHere + rest.RunsHere == 6, $"{part.RunsHere} and {rest.RunsHere} runs");
        Assert.Equal(whole.Totals.Operations, rest.Totals.Operations);
        Assert.Equal(whole.Totals.Coverage, rest.Totals.Coverage);
    }

    [Fact]
    public async Task The_state_of_another_soak_is_refused()
    {
        await File.WriteAllTextAsync(_state, "{\"Identity\":\"another\"}");
        await Assert.ThrowsAsync<SoakStateException>(() =>
            new SoakRunner(Small with { StateFile = _state }).RunAsync(failed: null, CancellationToken.None)
        );
    }

    [Fact]
    public void Totals_add_up_in_any_order_and_grouping()
    {
        Prop.ForAll(
                ArbMap.Default.ArbFor<(int A, int B, int C)>(),
                numbers =>
                {
                    SoakTotals a = Totals(numbers.A);
                    SoakTotals b = Totals(numbers.B);
                    SoakTotals c = Totals(numbers.C);
                    AssertSame(a.Plus(b).Plus(c), a.Plus(b.Plus(c)));
                    AssertSame(a.Plus(b), b.Plus(a));
                    AssertSame(a, a.Plus(SoakTotals.None));
                    return true;
                }
            )
            .QuickCheckThrowOnFailure();
    }

    private static void AssertSame(SoakTotals expected, SoakTotals actual)
    {
        Assert.Equal((expected.Runs, expected.Operations), (actual.Runs, actual.Operations));
        Assert.Equal(expected.Failures, actual.Failures);
        Assert.Equal(expected.Coverage, actual.Coverage);
        Assert.Equal(expected.Sometimes.ToArray(), actual.Sometimes.ToArray());
    }

    private static SoakTotals Totals(int number)
    {
        int small = Math.Abs(number % 7);
        FaultPoint point = FaultPoints.All[small];
        return SoakTotals.Of(
            new SeedResult
            {
                Seed = (ulong)small,
                Failure = small % 2 == 0 ? new SeedFailure((ulong)small, "s", null, "pins", "p", "iommufd run") : null,
                Operations = small,
                InvariantsChecked = 1,
                Digest = string.Empty,
                Coverage = [new FaultCoverage(point.Name, small % 3 == 0 ? "map" : "unmap", small + 1, small)],
                Sometimes = new SortedDictionary<string, long>(StringComparer.Ordinal) { [$"s{small % 3}"] = 1 },
            }
        );
    }

    /// <summary>Forgets to unpin: answers an Unfill without doing it.</summary>
    private sealed class Leaky(IFlowParticipant state) : IFlowParticipant
    {
        public FlowResponse Handle(FlowRequest request) =>
            request is Unfill ? FlowResponse.Done : state.Handle(request);
    }
}
