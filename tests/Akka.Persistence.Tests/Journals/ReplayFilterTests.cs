using Akka.Actor;
using Akka.Persistence.Journal;
using Akka.Persistence.Tests.Support;
using Xunit;

namespace Akka.Persistence.Tests.Journals;

/// <summary>What two writers under one id leave behind, and what a recovering actor sees of it.</summary>
public sealed class ReplayFilterTests() : PersistenceTest(JournalConfigurations.InMemory)
{
    private static ReplayedMessage Of(string writer, long n) =>
        new(new Persistent($"{writer}{n}", n, "id", writerGuid: writer));

    private void Passes(ReplayFilterMode mode, ReplayedMessage[] sent, params string[] seen)
    {
        var filter = System.ActorOf(ReplayFilter.Props(Probe.Ref, mode, 10, 5, false));
        foreach (var message in sent)
        {
            filter.Tell(message);
        }

        filter.Tell(new RecoverySuccess(9));
        foreach (var payload in seen)
        {
            Assert.Equal(payload, Probe.Expect<ReplayedMessage>().Persistent.Payload);
        }
    }

    private void Ends() => Assert.Equal(9, Probe.Expect<RecoverySuccess>().HighestSequenceNr);

    [Fact]
    public void Events_of_one_writer_pass()
    {
        Passes(ReplayFilterMode.RepairByDiscardOld, [Of("a", 1), Of("a", 2), Of("a", 3)], "a1", "a2", "a3");
        Ends();
    }

    [Fact]
    public void A_writer_that_follows_another_passes()
    {
        Passes(ReplayFilterMode.RepairByDiscardOld, [Of("a", 1), Of("b", 2), Of("c", 3)], "a1", "b2", "c3");
        Ends();
    }

    [Fact]
    public void Repair_drops_what_the_old_writer_wrote_beside_the_new_one()
    {
        var sent = new[] { Of("a", 1), Of("a", 2), Of("a", 3), Of("b", 2), Of("a", 4), Of("b", 3) };
        Passes(ReplayFilterMode.RepairByDiscardOld, sent, "a1", "b2", "b3");
        Ends();
    }

    [Fact]
    public void Warning_passes_everything()
    {
        var sent = new[] { Of("a", 1), Of("a", 2), Of("b", 2), Of("a", 3) };
        Passes(ReplayFilterMode.Warn, sent, "a1", "a2", "b2", "a3");
        Ends();
    }

    [Fact]
    public void Failing_ends_the_replay_at_the_first_overlap()
    {
        Passes(ReplayFilterMode.Fail, [Of("a", 1), Of("a", 2), Of("b", 2)]);
        Assert.Contains(
            "Invalid replayed event",
            Probe.Expect<ReplayMessagesFailure>().Cause.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Numbers_that_run_backwards_are_dropped()
    {
        Passes(ReplayFilterMode.RepairByDiscardOld, [Of("a", 1), Of("a", 3), Of("a", 2), Of("a", 4)], "a1", "a3", "a4");
        Ends();
    }
}
