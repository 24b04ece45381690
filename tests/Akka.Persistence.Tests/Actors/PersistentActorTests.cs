using Akka.Actor;
using Akka.Persistence.Tests.Support;
using Xunit;

namespace Akka.Persistence.Tests.Actors;

/// <summary>Recovery, snapshots and failures of a persistent actor, on every journal.</summary>
public abstract class PersistentActorBehaviour(string configuration) : PersistenceTest(configuration)
{
    private IActorRef Counter(string id = "counter", Recovery? recovery = null)
    {
        var observer = Probe.Ref;
        return System.ActorOf(Props.Create(() => new CounterActor(id, observer, recovery)));
    }

    private void StopAndWait(IActorRef actor)
    {
        actor.Tell(Ask.Stop, Probe.Ref);
        Probe.Expect("stopped");
    }

    private void Adds(IActorRef counter, params long[] sums)
    {
        foreach (var sum in sums)
        {
            counter.Tell(new Add(1), Probe.Ref);
            Probe.Expect(sum);
        }
    }

    [Fact]
    public void A_new_actor_recovers_to_nothing()
    {
        Counter();
        Probe.Expect("recovered 0 at 0");
    }

    [Fact]
    public void Events_are_replayed_to_the_next_actor_with_the_id()
    {
        var first = Counter();
        Probe.Expect("recovered 0 at 0");
        Adds(first, 1, 2, 3);
        StopAndWait(first);
        Counter();
        Probe.Expect("recovered 3 at 3");
    }

    [Fact]
    public void A_snapshot_is_offered_before_the_events_after_it()
    {
        var first = Counter();
        Probe.Expect("recovered 0 at 0");
        Adds(first, 1, 2);
        first.Tell(Ask.Snapshot, Probe.Ref);
        Assert.Equal(2, Probe.Expect<SaveSnapshotSuccess>().Metadata.SequenceNr);
        Adds(first, 3);
        StopAndWait(first);
        Counter();
        Probe.Expect("snapshot 2", "recovered 3 at 3");
    }

    [Fact]
    public void Recovery_stops_at_the_number_that_was_asked_for_and_numbers_go_on_behind_the_last()
    {
        var first = Counter();
        Probe.Expect("recovered 0 at 0");
        Adds(first, 1, 2, 3);
        StopAndWait(first);
        var second = Counter(recovery: new Recovery(SnapshotSelectionCriteria.None, 2));
        Probe.Expect("recovered 2 at 3");
        Adds(second, 3);
        StopAndWait(second);
        Counter();
        Probe.Expect("recovered 4 at 4");
    }

    [Fact]
    public void An_actor_without_recovery_still_knows_its_last_number()
    {
        var first = Counter();
        Probe.Expect("recovered 0 at 0");
        Adds(first, 1, 2);
        StopAndWait(first);
        Counter(recovery: Recovery.None);
        Probe.Expect("recovered 0 at 2");
    }

    [Fact]
    public void Deleted_events_are_gone_and_numbers_go_on()
    {
        var first = Counter();
        Probe.Expect("recovered 0 at 0");
        Adds(first, 1, 2, 3);
        first.Tell(3L, Probe.Ref);
        Assert.Equal(3, Probe.Expect<DeleteMessagesSuccess>().ToSequenceNr);
        StopAndWait(first);
        var second = Counter();
        Probe.Expect("recovered 0 at 3");
        Adds(second, 1);
    }

    [Fact]
    public void A_restarted_actor_recovers_and_handles_what_was_sent_meanwhile()
    {
        var counter = Counter();
        Probe.Expect("recovered 0 at 0");
        Adds(counter, 1);
        counter.Tell(Ask.Fail, Probe.Ref);
        counter.Tell(new Add(1), Probe.Ref);
        counter.Tell(new Add(1), Probe.Ref);
        Probe.Expect("stopped", "recovered 1 at 1", 2L, 3L);
    }

    [Fact]
    public void Many_actors_write_and_recover_at_once()
    {
        var counters = Enumerable.Range(0, 100).Select(i => Counter("many-" + i)).ToArray();
        Assert.All(counters, _ => Probe.Expect("recovered 0 at 0"));
        foreach (var counter in counters)
        {
            counter.Tell(new Add(5), Probe.Ref);
        }

        Assert.All(counters, _ => Probe.Expect(5L));
        Assert.All(counters, StopAndWait);
        for (var i = 0; i < 100; i++)
        {
            Counter("many-" + i);
            Probe.Expect("recovered 5 at 1");
        }
    }
}

public sealed class MemoryPersistentActorTests() : PersistentActorBehaviour(JournalConfigurations.InMemory);

public sealed class SqlitePersistentActorTests() : PersistentActorBehaviour(JournalConfigurations.SqliteFile);

public sealed class SqliteMemoryPersistentActorTests() : PersistentActorBehaviour(JournalConfigurations.SqliteMemory);

public sealed class BatchingPersistentActorTests() : PersistentActorBehaviour(JournalConfigurations.SqliteWal);
