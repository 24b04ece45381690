using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence.Tests.Support;
using Xunit;

namespace Akka.Persistence.Tests.Journals;

/// <summary>What every journal does, spoken to in the journal protocol.</summary>
public abstract class JournalBehaviour : PersistenceTest
{
    private const string Id = "stream-1";
    private const int Instance = 7;

    protected JournalBehaviour(string configuration)
        : base(configuration) => WriteEvents(Id, 1, 5);

    private IActorRef Journal => Persistence.Instance.Apply(System).JournalFor(null);

    private Persistent Event(string id, long n) => new("e-" + n, n, id, sender: Probe.Ref, writerGuid: "writer");

    private void WriteEvents(string id, int from, int to)
    {
        var writes = Enumerable.Range(from, to - from + 1).Select(n => new AtomicWrite(Event(id, n)));
        Journal.Tell(new WriteMessages([.. writes], Probe.Ref, Instance), Probe.Ref);
        Probe.Expect<WriteMessagesSuccessful>();
        for (var n = from; n <= to; n++)
        {
            var success = Probe.Expect<WriteMessageSuccess>();
            Assert.Equal(
                (n, "e-" + n, Instance),
                (success.Persistent.SequenceNr, success.Persistent.Payload, success.ActorInstanceId)
            );
        }
    }

    private void Replays(long from, long to, long max, params long[] numbers) =>
        ReplaysOf(Id, from, to, max, 5, numbers);

    private void ReplaysOf(string id, long from, long to, long max, long highest, params long[] numbers)
    {
        Journal.Tell(new ReplayMessages(from, to, max, id, Probe.Ref), Probe.Ref);
        foreach (var n in numbers)
        {
            var replayed = Probe.Expect<ReplayedMessage>().Persistent;
            Assert.Equal((n, "e-" + n, id), (replayed.SequenceNr, replayed.Payload, replayed.PersistenceId));
        }

        Assert.Equal(highest, Probe.Expect<RecoverySuccess>().HighestSequenceNr);
    }

    private void Delete(long to)
    {
        Journal.Tell(new DeleteMessagesTo(Id, to, Probe.Ref), Probe.Ref);
        Assert.Equal(to, Probe.Expect<DeleteMessagesSuccess>().ToSequenceNr);
    }

    [Fact]
    public void A_stream_is_replayed_from_its_first_event() => Replays(1, long.MaxValue, long.MaxValue, 1, 2, 3, 4, 5);

    [Fact]
    public void A_replay_begins_at_the_lower_bound() => Replays(3, long.MaxValue, long.MaxValue, 3, 4, 5);

    [Fact]
    public void A_replay_ends_at_the_upper_bound() => Replays(1, 3, long.MaxValue, 1, 2, 3);

    [Fact]
    public void A_replay_sends_no_more_than_its_maximum() => Replays(1, long.MaxValue, 3, 1, 2, 3);

    [Fact]
    public void Both_bounds_and_the_maximum_hold_together() => Replays(2, 5, 2, 2, 3);

    [Fact]
    public void Equal_bounds_replay_one_event() => Replays(2, 2, long.MaxValue, 2);

    [Fact]
    public void A_maximum_of_zero_replays_nothing_and_tells_the_highest_number() => Replays(2, 4, 0);

    [Fact]
    public void A_lower_bound_above_the_upper_replays_nothing() => Replays(3, 2, long.MaxValue);

    [Fact]
    public void An_unknown_stream_is_empty() => ReplaysOf("nobody", 1, long.MaxValue, long.MaxValue, 0);

    [Fact]
    public void Streams_do_not_mix()
    {
        WriteEvents("stream-2", 1, 2);
        ReplaysOf("stream-2", 1, long.MaxValue, long.MaxValue, 2, 1, 2);
        Replays(1, long.MaxValue, long.MaxValue, 1, 2, 3, 4, 5);
    }

    [Fact]
    public void Deleted_events_are_not_replayed()
    {
        Delete(3);
        Replays(1, long.MaxValue, long.MaxValue, 4, 5);
    }

    [Fact]
    public void Deleting_everything_keeps_the_highest_number()
    {
        Delete(5);
        Replays(1, long.MaxValue, long.MaxValue);
    }

    [Fact]
    public void Deleting_beyond_the_end_keeps_the_highest_number()
    {
        Delete(long.MaxValue);
        Replays(1, long.MaxValue, long.MaxValue);
    }

    [Fact]
    public void Numbers_go_on_after_everything_was_deleted()
    {
        Delete(5);
        WriteEvents(Id, 6, 6);
        ReplaysOf(Id, 1, long.MaxValue, long.MaxValue, 6, 6);
    }

    [Fact]
    public void Events_written_together_are_answered_one_by_one()
    {
        var together = ImmutableList.Create<IPersistentRepresentation>(Event(Id, 6), Event(Id, 7));
        Journal.Tell(new WriteMessages([new AtomicWrite(together)], Probe.Ref, Instance), Probe.Ref);
        Probe.Expect<WriteMessagesSuccessful>();
        Assert.Equal(6, Probe.Expect<WriteMessageSuccess>().Persistent.SequenceNr);
        Assert.Equal(7, Probe.Expect<WriteMessageSuccess>().Persistent.SequenceNr);
    }

    [Fact]
    public void A_deferred_message_comes_back_in_its_turn()
    {
        IPersistentEnvelope[] batch =
        [
            new AtomicWrite(Event(Id, 6)),
            new NonPersistentMessage("deferred", Probe.Ref),
            new AtomicWrite(Event(Id, 7)),
        ];
        Journal.Tell(new WriteMessages(batch, Probe.Ref, Instance), Probe.Ref);
        Probe.Expect<WriteMessagesSuccessful>();
        Probe.Expect<WriteMessageSuccess>();
        Assert.Equal("deferred", Probe.Expect<LoopMessageSuccess>().Message);
        Probe.Expect<WriteMessageSuccess>();
    }

    [Fact]
    public void A_long_stream_comes_back_complete_and_in_order()
    {
        WriteEvents("long", 1, 2000);
        ReplaysOf("long", 1, long.MaxValue, long.MaxValue, 2000, [.. Enumerable.Range(1, 2000).Select(n => (long)n)]);
    }
}

public sealed class MemoryJournalTests() : JournalBehaviour(JournalConfigurations.InMemory);

public sealed class SqliteJournalTests() : JournalBehaviour(JournalConfigurations.SqliteFile);

public sealed class SqliteMemoryJournalTests() : JournalBehaviour(JournalConfigurations.SqliteMemory);

public sealed class BatchingSqliteJournalTests() : JournalBehaviour(JournalConfigurations.SqliteWal);
