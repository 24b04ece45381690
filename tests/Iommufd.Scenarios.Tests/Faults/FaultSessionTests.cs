using FsCheck;
using FsCheck.Fluent;
using Iommufd.Core.Faults;
using Iommufd.Messages;
using Iommufd.Messages.Flows;
using Iommufd.Scenarios.Faults;

namespace Iommufd.Scenarios.Tests.Faults;

/// <summary>What a plan and a seed decide.</summary>
public sealed class FaultSessionTests
{
    private static readonly FaultSite Somewhere = new(1, 0, Operation: "map");

    [Fact]
    public void Nth_strikes_the_times_it_names_and_no_others()
    {
        var faults = Session(new FaultRule([FaultPoints.PinFault]) { Nth = [2, 5] });
        Assert.Equal([2, 5], StruckAt(faults, 8));
    }

    [Fact]
    public void A_burst_goes_on_and_ends_and_at_most_limits_it()
    {
        var rule = new FaultRule([FaultPoints.PinFault]) { Nth = [2, 7], Burst = 3 };
        Assert.Equal([2, 3, 4, 7, 8, 9], StruckAt(Session(rule), 12));
        Assert.Equal([2, 3, 4, 7], StruckAt(Session(rule with { AtMost = 4 }), 12));
    }

    [Fact]
    public void A_probability_is_met_about_as_often_as_it_says()
    {
        var faults = Session(new FaultRule([FaultPoints.PinFault]) { Probability = 0.1 });
        Assert.InRange(StruckAt(faults, 10_000).Count, 800, 1200);
    }

    [Fact]
    public void The_same_seed_decides_the_same_and_another_one_differently()
    {
        var rule = new FaultRule([FaultPoints.PinFault]) { Probability = 0.2 };
        Assert.Equal(StruckAt(Session(rule, 7), 200), StruckAt(Session(rule, 7), 200));
        Assert.NotEqual(StruckAt(Session(rule, 7), 200), StruckAt(Session(rule, 8), 200));
    }

    [Fact]
    public void Taking_a_rule_away_does_not_move_the_others()
    {
        Prop.ForAll(
                ArbMap.Default.ArbFor<ulong>(),
                seed =>
                {
                    var first = new FaultRule([FaultPoints.PinFault]) { Probability = 0.3 };
                    var second = new FaultRule([FaultPoints.TableAlloc]) { Probability = 0.3 };
                    var both = new FaultSession(new FaultPlan("p", "t", [first, second]), seed);
                    var alone = new FaultSession(new FaultPlan("p", "t", [first]), seed);
                    for (int i = 0; i < 50; i++)
                    {
                        both.ShouldFail(FaultPoints.TableAlloc, Somewhere);
                        Assert.Equal(
                            alone.ShouldFail(FaultPoints.PinFault, Somewhere),
                            both.ShouldFail(FaultPoints.PinFault, Somewhere)
                        );
                    }

                    return true;
                }
            )
            .QuickCheckThrowOnFailure();
    }

    [Fact]
    public void Recorded_strikes_are_a_plan_that_repeats_them()
    {
        var rule = new FaultRule([FaultPoints.PinFault, FaultPoints.PinLimit]) { Probability = 0.1 };
        FaultSession first = Session(rule);
        Ask(first);
        FaultSession again = new(FaultPlan.Exactly("again", first.Strikes), 99);
        Ask(again);
        Assert.NotEmpty(first.Strikes);
        Assert.Equal(first.Strikes.Select(s => (s.Point, s.Reached)), again.Strikes.Select(s => (s.Point, s.Reached)));

        static void Ask(FaultSession faults)
        {
            for (int i = 0; i < 100; i++)
            {
                faults.ShouldFail(FaultPoints.PinFault, Somewhere);
                faults.ShouldFail(FaultPoints.PinLimit, Somewhere);
            }
        }
    }

    [Fact]
    public void Targets_keep_a_rule_to_what_it_is_about()
    {
        var faults = Session(
            new FaultRule([FaultPoints.DeviceAttach]) { Devices = ["nic-*"], Contexts = [1] },
            new FaultRule([FaultPoints.PinFault]) { Operations = ["map"], Objects = [ParticipantKind.Memory] }
        );
        Assert.False(faults.ShouldFail(FaultPoints.DeviceAttach, new FaultSite(1, 0, Device: "disk-1")));
        Assert.False(faults.ShouldFail(FaultPoints.DeviceAttach, new FaultSite(2, 0, Device: "nic-1")));
        Assert.True(faults.ShouldFail(FaultPoints.DeviceAttach, new FaultSite(1, 0, Device: "nic-1")));
        faults.Begun(1, 5, "unmap", 1);
        faults.Begun(1, 6, "map", 2);
        Assert.False(faults.ShouldFail(FaultPoints.PinFault, new FaultSite(1, 5, ParticipantKind.Memory, 1)));
        Assert.False(faults.ShouldFail(FaultPoints.PinFault, new FaultSite(1, 6, ParticipantKind.Hwpt, 1)));
        Assert.True(faults.ShouldFail(FaultPoints.PinFault, new FaultSite(1, 6, ParticipantKind.Memory, 1)));
    }

    [Fact]
    public void A_window_counts_the_operations_of_the_run()
    {
        var faults = Session(new FaultRule([FaultPoints.AreaAlloc]) { Window = (2, 2) });
        for (ulong flow = 1; flow <= 3; flow++)
        {
            faults.Begun(1, flow, "map", (long)flow);
            bool strikes = faults.ShouldFail(FaultPoints.AreaAlloc, new FaultSite(1, flow, ParticipantKind.Ioas, 1));
            Assert.Equal(flow == 2, strikes);
            faults.Ended(1, flow);
        }

        Assert.Equal(FaultPoints.AreaAlloc, Assert.Single(faults.TakeHits(1, 2)));
        Assert.Empty(faults.TakeHits(1, 2));
        Assert.Empty(faults.TakeHits(1, 1));
    }

    [Fact]
    public void Checks_are_never_struck()
    {
        var faults = Session(new FaultRule(FaultPoints.All));
        faults.Begun(1, 1, OperationWords.None, 0);
        Assert.False(faults.ShouldFail(FaultPoints.ActorCrashBefore, new FaultSite(1, 1, ParticipantKind.Ioas, 1)));
        Assert.False(faults.ShouldFail(FaultPoints.ActorCrashBefore, new FaultSite(0, 0, ParticipantKind.Memory, 1)));
    }

    [Fact]
    public void What_is_gone_for_good_explains_what_comes_later()
    {
        var faults = Session(new FaultRule([FaultPoints.MemoryGone]));
        Assert.False(faults.IsExplainedByLoss(1, Errno.EFAULT));
        faults.ShouldFail(FaultPoints.MemoryGone, Somewhere);
        Assert.True(faults.IsExplainedByLoss(1, Errno.EFAULT));
        Assert.False(faults.IsExplainedByLoss(2, Errno.EFAULT));
        Assert.False(faults.IsExplainedByLoss(1, Errno.ENOMEM));
    }

    private static FaultSession Session(FaultRule rule, ulong seed) => new(new FaultPlan("p", "t", [rule]), seed);

    private static FaultSession Session(params FaultRule[] rules) => new(new FaultPlan("p", "t", rules), 1);

    private static List<int> StruckAt(FaultSession faults, int times)
    {
        var struck = new List<int>();
        for (int i = 1; i <= times; i++)
        {
            if (faults.ShouldFail(FaultPoints.PinFault, Somewhere))
            {
                struck.Add(i);
            }
        }

        return struck;
    }
}
