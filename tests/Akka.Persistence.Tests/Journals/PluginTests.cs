using System.Collections.Immutable;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Pattern;
using Akka.Persistence.Journal;
using Akka.Persistence.Snapshot;
using Akka.Persistence.Tests.Support;
using Akka.Serialization;
using Xunit;

namespace Akka.Persistence.Tests.Journals;

/// <summary>Fails every write.</summary>
public sealed class FailingJournal : MemoryJournal
{
    protected override Task<IImmutableList<Exception>> WriteMessagesAsync(IEnumerable<AtomicWrite> messages) =>
        throw new InvalidOperationException("planned");
}

/// <summary>Says on which thread it works: events carry its name back.</summary>
public sealed class ThreadJournal : MemoryJournal
{
    protected override Task<IImmutableList<Exception>> WriteMessagesAsync(IEnumerable<AtomicWrite> messages) =>
        throw new InvalidOperationException(Thread.CurrentThread.Name ?? "a thread of the pool");
}

/// <summary>How plugins are found, started and protected.</summary>
public sealed class PluginTests()
    : PersistenceTest(
        """
        akka.persistence.journal.plugin = "akka.persistence.journal.failing"
        akka.persistence.snapshot-store.plugin = "akka.persistence.no-snapshot-store"
        akka.persistence.journal.failing {
          class = "Akka.Persistence.Tests.Journals.FailingJournal, Akka.Persistence.Tests"
          circuit-breaker { max-failures = 2, call-timeout = 10s, reset-timeout = 60s }
        }
        akka.persistence.journal.thread.class = "Akka.Persistence.Tests.Journals.ThreadJournal, Akka.Persistence.Tests"
        """
    )
{
    private Exception FailureOf(string? journal)
    {
        var write = new AtomicWrite(new Persistent("e", 1, "id", sender: Probe.Ref));
        Persistence
            .Instance.Apply(System)
            .JournalFor(journal)
            .Tell(new WriteMessages([write], Probe.Ref, 1), Probe.Ref);
        Probe.Expect<WriteMessagesFailed>();
        return Probe.Expect<WriteMessageFailure>().Cause;
    }

    [Fact]
    public void A_journal_that_fails_too_often_is_not_asked_for_a_while()
    {
        Assert.IsType<InvalidOperationException>(FailureOf(null));
        Assert.IsType<InvalidOperationException>(FailureOf(null));
        Assert.IsType<OpenCircuitException>(FailureOf(null));
    }

    [Fact]
    public void A_plugin_works_on_a_thread_that_no_other_actor_waits_for() =>
        Assert.Equal(
            "akka.persistence.dispatchers.default-plugin-dispatcher",
            FailureOf("akka.persistence.journal.thread").Message
        );

    [Fact]
    public void Without_a_snapshot_store_saving_fails_and_recovery_does_not()
    {
        var observer = Probe.Ref;
        var counter = System.ActorOf(Props.Create(() => new CounterActor("counter", observer, null)));
        Probe.Expect("recovered 0 at 0");
        counter.Tell(Ask.Snapshot);
        Assert.Contains(
            "No snapshot store",
            Probe.Expect<SaveSnapshotFailure>().Cause.Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_plugin_path_that_is_not_configured_is_named()
    {
        var e = Assert.Throws<ArgumentException>(() =>
            Persistence.Instance.Apply(System).JournalFor("akka.persistence.journal.nowhere")
        );
        Assert.Contains("akka.persistence.journal.nowhere", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_serializer_refuses_types_outside_the_configured_list()
    {
        var settings = HyperionSerializerSettings.Create(
            ConfigurationFactory.ParseString(
                """
                version-tolerance = false
                preserve-object-references = false
                allowed-types = ["Akka.Persistence.Tests.Support.Added, Akka.Persistence.Tests"]
                """
            )
        );
        var serializer = new HyperionSerializer((ExtendedActorSystem)System, settings);
        Assert.Equal(new Added(1), serializer.FromBinary(serializer.ToBinary(new Added(1)), null));
        var e = Assert.Throws<SerializationException>(() =>
            serializer.FromBinary(serializer.ToBinary(new Total(1)), null)
        );
        Assert.Contains("Akka.Persistence.Tests.Support.Total", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_reference_to_an_actor_survives_the_serializer()
    {
        var serializer = new HyperionSerializer((ExtendedActorSystem)System);
        Assert.Equal(Probe.Ref, serializer.FromBinary(serializer.ToBinary(Probe.Ref), null));
    }
}

/// <summary>No snapshot store is configured at all.</summary>
public sealed class NoSnapshotStoreChosenTests()
    : PersistenceTest(
        """
        akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
        akka.persistence.snapshot-store.plugin = ""
        """
    )
{
    [Fact]
    public void Actors_recover_and_saving_fails()
    {
        var observer = Probe.Ref;
        var counter = System.ActorOf(Props.Create(() => new CounterActor("counter", observer, null)));
        Probe.Expect("recovered 0 at 0");
        counter.Tell(Ask.Snapshot);
        Assert.IsType<NoSnapshotStore.NoSnapshotStoreException>(Probe.Expect<SaveSnapshotFailure>().Cause);
    }
}
