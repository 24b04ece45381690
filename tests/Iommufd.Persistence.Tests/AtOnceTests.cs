using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Iommufd.Persistence.Tests;

/// <summary>Maps and unmaps that are replayed without their flows leave what the flows leave.</summary>
public sealed class AtOnceTests
{
    [Fact]
    public void After_every_event_the_state_is_that_of_the_flows() =>
        Prop.ForAll(
                Gen.Choose(0, int.MaxValue).ToArbitrary(),
                seed =>
                {
                    var atOnce = new ReplayedContext(1);
                    var byFlows = new ReplayedContext(1) { UsesFlowsAlone = true };
                    foreach (var change in new RandomHistory(seed, 80).Events)
                    {
                        atOnce.Apply(change);
                        byFlows.Apply(change);
                        Assert.Equal(byFlows.Digest, atOnce.Digest);
                        Assert.Equal(Counters(byFlows), Counters(atOnce));
                    }

                    return atOnce.Mismatches.Count == 0;
                }
            )
            .Check(Config.QuickThrowOnFailure.WithMaxTest(60));

    // What the digest does not show: where the next numbers come from, and what is charged.
    private static (ulong Area, uint Set, long Pins) Counters(ReplayedContext context) =>
        (
            context.State.Core.NextAreaKey,
            context.State.Core.PageSets.NextNumber,
            (long)context.State.Machine.Physical.TotalPins
        );
}
