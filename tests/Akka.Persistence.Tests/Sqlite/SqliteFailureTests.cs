using Akka.Actor;
using Akka.Persistence.Tests.Support;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Akka.Persistence.Tests.Sqlite;

/// <summary>What goes wrong under a journal shows clearly, stops the actor, and costs nothing that was acknowledged.</summary>
public sealed class SqliteFailureTests() : PersistenceTest(JournalConfigurations.SqliteWal)
{
    private IActorRef Counter(string id = "counter")
    {
        var observer = Probe.Ref;
        return System.ActorOf(Props.Create(() => new CounterActor(id, observer, null)));
    }

    private SqliteConnection Open(string options = "")
    {
        var connection = new SqliteConnection($"Data Source={File("journal.db")};Pooling=False{options}");
        connection.Open();
        return connection;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }

    private IActorRef CounterWithThree()
    {
        var counter = Counter();
        Probe.Expect("recovered 0 at 0");
        foreach (var sum in (long[])[1, 2, 3])
        {
            counter.Tell(new Add(1), Probe.Ref);
            Probe.Expect(sum);
        }

        return counter;
    }

    private void ThreeAreStillThere()
    {
        Counter();
        Probe.Expect("recovered 3 at 3");
    }

    [Fact]
    public void A_locked_file_fails_the_write_and_stops_the_actor()
    {
        var counter = CounterWithThree();
        using (var other = Open())
        {
            Execute(other, "BEGIN IMMEDIATE");
            counter.Tell(new Add(1), Probe.Ref);
            var failed = Probe.Expect<PersistFailed>();
            Assert.Equal(4, failed.SequenceNr);
            Assert.Contains("journal.db] could not be written", failed.Message, StringComparison.Ordinal);
            Assert.Contains("database is locked", failed.Message, StringComparison.Ordinal);
            Assert.Contains("Another connection holds a lock", failed.Message, StringComparison.Ordinal);
            Probe.Expect("stopped");
            Execute(other, "ROLLBACK");
        }

        ThreeAreStillThere();
    }

    [Fact]
    public void A_damaged_file_fails_the_recovery_and_stops_the_actor()
    {
        CounterWithThree();
        Stop();
        var bytes = global::System.IO.File.ReadAllBytes(File("journal.db"));
        // The header says "a database"; every page behind it is noise.
        new Random(1).NextBytes(bytes.AsSpan(100));
        global::System.IO.File.WriteAllBytes(File("journal.db"), bytes);
        StartAgain();
        Counter();
        var failed = Probe.Expect<RecoveryFailed>();
        Assert.Contains("journal.db] could not be", failed.Message, StringComparison.Ordinal);
        Assert.Contains("The file is damaged", failed.Message, StringComparison.Ordinal);
        Probe.Expect("stopped");
    }

    [Fact]
    public void A_file_that_is_no_database_fails_the_recovery_and_is_left_alone()
    {
        Stop();
        var text = string.Concat(Enumerable.Repeat("not a database at all\n", 400));
        foreach (var file in Folder.EnumerateFiles())
        {
            file.Delete();
        }

        global::System.IO.File.WriteAllText(File("journal.db"), text);
        StartAgain();
        Counter();
        Assert.Contains("file is not a database", Probe.Expect<RecoveryFailed>().Message, StringComparison.Ordinal);
        Probe.Expect("stopped");
        Stop();
        Assert.Equal(text, global::System.IO.File.ReadAllText(File("journal.db")));
        StartAgain();
    }

    [Fact]
    public void A_table_that_vanishes_fails_the_write_and_stops_the_actor()
    {
        var counter = CounterWithThree();
        using (var other = Open())
        {
            Execute(other, "ALTER TABLE event_journal RENAME TO hidden");
            counter.Tell(new Add(1), Probe.Ref);
            Assert.Contains("no such table", Probe.Expect<PersistFailed>().Message, StringComparison.Ordinal);
            Probe.Expect("stopped");
            Execute(other, "ALTER TABLE hidden RENAME TO event_journal");
        }

        ThreeAreStillThere();
    }

    [Fact]
    public void A_second_writer_under_the_same_id_fails_alone()
    {
        var counter = CounterWithThree();
        var healthy = Counter("healthy");
        Probe.Expect("recovered 0 at 0");
        using (var other = Open())
        {
            Execute(
                other,
                "INSERT INTO event_journal (persistence_id, sequence_nr, is_deleted, manifest, timestamp, payload, serializer_id) "
                    + "SELECT persistence_id, 4, 0, manifest, timestamp, payload, serializer_id FROM event_journal WHERE sequence_nr = 3"
            );
        }

        counter.Tell(new Add(1), Probe.Ref);
        var own = new Probe(System);
        healthy.Tell(new Add(10), own.Ref);
        Assert.Contains(
            "two actors write under one persistence id",
            Probe.Expect<PersistFailed>().Message,
            StringComparison.Ordinal
        );
        Probe.Expect("stopped");
        own.Expect(10L);
    }

    private sealed record Unserializable(Action Code);

    private sealed class Rejecting : ReceivePersistentActor
    {
        public Rejecting(IActorRef log)
        {
            Recover<Added>(e => log.Tell("replayed " + e.Amount));
            Command<long>(n => Persist(new Added(n), e => log.Tell("stored " + e.Amount)));
            Command<Action>(a => Persist(new Unserializable(a), _ => log.Tell("impossible")));
            Rejected = n => log.Tell("rejected " + n);
        }

        private Action<long> Rejected { get; }

        public override string PersistenceId => "rejecting";

        protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
        {
            Assert.IsType<global::Hyperion.UnsupportedTypeException>(cause);
            Rejected(sequenceNr);
        }
    }

    [Fact]
    public void An_event_that_cannot_be_serialized_is_rejected_and_the_actor_goes_on()
    {
        var log = Probe.Ref;
        var actor = System.ActorOf(Props.Create(() => new Rejecting(log)));
        actor.Tell(1L);
        actor.Tell(new Action(() => { }));
        actor.Tell(2L);
        Probe.Expect("stored 1", "rejected 2", "stored 2");
        System.Stop(actor);
        System.ActorOf(Props.Create(() => new Rejecting(log)));
        Probe.Expect("replayed 1", "replayed 2");
    }
}

/// <summary>A journal that may not write.</summary>
public sealed class SqliteReadOnlyTests() : PersistenceTest(JournalConfigurations.SqliteFile)
{
    [Fact]
    public void A_read_only_database_fails_the_write_with_advice()
    {
        var observer = Probe.Ref;
        System.ActorOf(Props.Create(() => new CounterActor("counter", observer, null)));
        Probe.Expect("recovered 0 at 0");
        using var readOnly = ActorSystem.Create(
            "read-only",
            Akka.Configuration.ConfigurationFactory.ParseString(
                JournalConfigurations
                    .Sqlite("SqliteJournal", "Data Source=$FOLDER/journal.db;Mode=ReadOnly")
                    .Replace("auto-initialize = on", "auto-initialize = off", StringComparison.Ordinal)
                    .Replace("$FOLDER", Folder.FullName, StringComparison.Ordinal)
                    + "\nakka.loglevel = OFF\nakka.stdout-loglevel = OFF"
            )
        );
        var counter = readOnly.ActorOf(Props.Create(() => new CounterActor("counter", observer, null)));
        Probe.Expect("recovered 0 at 0");
        counter.Tell(new Add(1), Probe.Ref);
        var message = Probe.Expect<PersistFailed>().Message;
        Assert.Contains("readonly database", message, StringComparison.Ordinal);
        Assert.Contains("The file or its folder is read-only", message, StringComparison.Ordinal);
        Probe.Expect("stopped");
    }

    [Fact]
    public void A_journal_in_a_folder_that_does_not_exist_fails_the_recovery_with_advice()
    {
        using var lost = ActorSystem.Create(
            "lost",
            Akka.Configuration.ConfigurationFactory.ParseString(
                JournalConfigurations.Sqlite("SqliteJournal", "Data Source=/nonexistent/folder/journal.db")
                    + "\nakka.loglevel = OFF\nakka.stdout-loglevel = OFF"
            )
        );
        var observer = Probe.Ref;
        lost.ActorOf(
            Props.Create(() => new CounterActor("counter", observer, new Recovery(SnapshotSelectionCriteria.None)))
        );
        var message = Probe.Expect<RecoveryFailed>().Message;
        Assert.Contains("could not be opened", message, StringComparison.Ordinal);
        Assert.Contains("Does the folder exist", message, StringComparison.Ordinal);
    }
}
