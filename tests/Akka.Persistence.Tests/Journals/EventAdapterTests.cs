using Akka.Actor;
using Akka.Persistence.Journal;
using Akka.Persistence.Tests.Support;
using Xunit;

namespace Akka.Persistence.Tests.Journals;

public interface IVersioned;

public sealed record OldAdded(long Amount) : IVersioned;

public sealed record Twice(long Amount);

public sealed record Forgotten(long Amount);

public sealed record Labelled(long Amount);

/// <summary>What is read as the old event becomes the new one; one becomes two; one becomes nothing.</summary>
public sealed class Upcaster : IReadEventAdapter
{
    public IEventSequence FromJournal(object evt, string manifest) =>
        evt switch
        {
            OldAdded old => EventSequence.Single(new Added(old.Amount, "upcast")),
            Twice twice => EventSequence.Create(new Added(twice.Amount), new Added(twice.Amount)),
            Forgotten => EventSequence.Empty,
            _ => throw new InvalidOperationException("bound to the wrong type"),
        };
}

/// <summary>Adds a tag.</summary>
public sealed class Tagger : IWriteEventAdapter
{
    public string Manifest(object evt) => "";

    public object ToJournal(object evt) => new Tagged(evt, ["zebra", "ant"]);
}

/// <summary>Event adapters between a persistent actor and each journal.</summary>
public abstract class EventAdapterBehaviour(string configuration, string path)
    : PersistenceTest(
        configuration
            + $$"""

            akka.persistence.journal.{{path}} {
              event-adapters {
                upcaster = "Akka.Persistence.Tests.Journals.Upcaster, Akka.Persistence.Tests"
                tagger = "Akka.Persistence.Tests.Journals.Tagger, Akka.Persistence.Tests"
              }
              event-adapter-bindings {
                "Akka.Persistence.Tests.Journals.IVersioned, Akka.Persistence.Tests" = upcaster
                "Akka.Persistence.Tests.Journals.Twice, Akka.Persistence.Tests" = upcaster
                "Akka.Persistence.Tests.Journals.Forgotten, Akka.Persistence.Tests" = [upcaster]
                "Akka.Persistence.Tests.Journals.Labelled, Akka.Persistence.Tests" = tagger
              }
            }
            """
    )
{
    private sealed class Writer : ReceivePersistentActor
    {
        public Writer(IActorRef log)
        {
            RecoverAny(e => log.Tell(e is RecoveryCompleted ? "recovered at " + LastSequenceNr : e));
            CommandAny(e => Persist(e, stored => log.Tell(stored)));
        }

        public override string PersistenceId => "adapted";
    }

    protected void Write(object e)
    {
        var log = Probe.Ref;
        var writer = System.ActorOf(Props.Create(() => new Writer(log)));
        Assert.StartsWith("recovered", Probe.Expect<string>(), StringComparison.Ordinal);
        writer.Tell(e);
        Assert.Equal(e, Probe.Next());
        System.Stop(writer);
    }

    private void Recovers(params object[] events)
    {
        var log = Probe.Ref;
        System.ActorOf(Props.Create(() => new Writer(log)));
        Probe.Expect(events);
        Probe.Expect("recovered at 1");
    }

    [Fact]
    public void An_old_event_comes_back_as_the_new_one()
    {
        Write(new OldAdded(3));
        Recovers(new Added(3, "upcast"));
    }

    [Fact]
    public void One_stored_event_may_come_back_as_two()
    {
        Write(new Twice(3));
        Recovers(new Added(3), new Added(3));
    }

    [Fact]
    public void A_stored_event_may_come_back_as_nothing()
    {
        Write(new Forgotten(3));
        Recovers();
    }

    [Fact]
    public void Without_an_adapter_an_event_comes_back_as_it_is()
    {
        Write(new Added(3));
        Recovers(new Added(3));
    }
}

public sealed class MemoryEventAdapterTests() : EventAdapterBehaviour(JournalConfigurations.InMemory, "inmem");

public sealed class SqliteEventAdapterTests() : EventAdapterBehaviour(JournalConfigurations.SqliteWal, "sqlite")
{
    [Fact]
    public void Tags_stand_beside_the_event_and_not_in_it()
    {
        Write(new Labelled(3));
        Stop();
        using (
            var connection = new Microsoft.Data.Sqlite.SqliteConnection(
                $"Data Source={File("journal.db")};Pooling=False"
            )
        )
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "SELECT tags FROM event_journal";
            Assert.Equal(";ant;zebra;", command.ExecuteScalar());
        }

        StartAgain();
    }
}
