using Akka.Actor;
using Akka.Persistence.Tests.Support;
using Xunit;

namespace Akka.Persistence.Tests.Snapshots;

/// <summary>What every snapshot store does, spoken to in the snapshot protocol.</summary>
public abstract class SnapshotStoreBehaviour : PersistenceTest
{
    private const string Id = "actor-1";
    private readonly List<SnapshotMetadata> _saved = [];

    protected SnapshotStoreBehaviour(string configuration)
        : base(configuration)
    {
        for (var n = 10; n <= 14; n++)
        {
            _saved.Add(Save(n, "s-" + n));
        }
    }

    private IActorRef Store => Persistence.Instance.Apply(System).SnapshotStoreFor(null);

    private static DateTime TimeOf(long n) => new DateTime(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc).AddSeconds(n);

    private SnapshotMetadata Save(long number, string content)
    {
        Store.Tell(new SaveSnapshot(new SnapshotMetadata(Id, number, TimeOf(number)), content), Probe.Ref);
        return Probe.Expect<SaveSnapshotSuccess>().Metadata;
    }

    private SelectedSnapshot Load(SnapshotSelectionCriteria criteria, long to = long.MaxValue, string id = Id)
    {
        Store.Tell(new LoadSnapshot(id, criteria, to), Probe.Ref);
        return Probe.Expect<LoadSnapshotResult>().Snapshot;
    }

    private void Loads(int? number, SnapshotSelectionCriteria criteria, long to = long.MaxValue)
    {
        var found = Load(criteria, to);
        Assert.Equal(number, (int?)found?.Metadata.SequenceNr);
        Assert.Equal(number is null ? null : "s-" + number, found?.Snapshot);
    }

    [Fact]
    public void The_latest_snapshot_is_the_one_with_the_highest_number() => Loads(14, SnapshotSelectionCriteria.Latest);

    [Fact]
    public void An_unknown_actor_has_none() => Assert.Null(Load(SnapshotSelectionCriteria.Latest, id: "nobody"));

    [Fact]
    public void Nothing_is_loaded_when_nothing_is_wanted() => Loads(null, SnapshotSelectionCriteria.None);

    [Fact]
    public void A_bound_on_the_number_holds() => Loads(12, new SnapshotSelectionCriteria(12));

    [Fact]
    public void A_bound_below_all_finds_none() => Loads(null, new SnapshotSelectionCriteria(7));

    [Fact]
    public void A_bound_on_the_time_holds() => Loads(13, new SnapshotSelectionCriteria(long.MaxValue, TimeOf(13)));

    [Fact]
    public void The_recovery_s_last_number_is_a_bound_too() => Loads(11, SnapshotSelectionCriteria.Latest, to: 11);

    [Fact]
    public void The_time_comes_back_in_UTC() =>
        Assert.Equal(
            (TimeOf(14), DateTimeKind.Utc),
            (
                Load(SnapshotSelectionCriteria.Latest).Metadata.Timestamp,
                Load(SnapshotSelectionCriteria.Latest).Metadata.Timestamp.Kind
            )
        );

    [Fact]
    public void One_snapshot_can_be_deleted()
    {
        Store.Tell(new DeleteSnapshot(new SnapshotMetadata(Id, 14, DateTime.MinValue)), Probe.Ref);
        Probe.Expect<DeleteSnapshotSuccess>();
        Loads(13, SnapshotSelectionCriteria.Latest);
    }

    [Fact]
    public void A_snapshot_with_another_time_is_not_deleted()
    {
        Store.Tell(new DeleteSnapshot(new SnapshotMetadata(Id, 14, TimeOf(99))), Probe.Ref);
        Probe.Expect<DeleteSnapshotSuccess>();
        Loads(14, SnapshotSelectionCriteria.Latest);
    }

    [Fact]
    public void All_that_qualify_can_be_deleted()
    {
        Store.Tell(new DeleteSnapshots(Id, new SnapshotSelectionCriteria(12)), Probe.Ref);
        Probe.Expect<DeleteSnapshotsSuccess>();
        Loads(null, new SnapshotSelectionCriteria(12));
        Loads(14, SnapshotSelectionCriteria.Latest);
    }

    [Fact]
    public void Deletion_respects_the_lower_bound()
    {
        Store.Tell(new DeleteSnapshots(Id, new SnapshotSelectionCriteria(14, DateTime.MaxValue, 13)), Probe.Ref);
        Probe.Expect<DeleteSnapshotsSuccess>();
        Loads(12, SnapshotSelectionCriteria.Latest);
    }

    [Fact]
    public void A_snapshot_with_the_same_number_replaces_the_first()
    {
        Save(14, "again");
        Assert.Equal("again", Load(SnapshotSelectionCriteria.Latest).Snapshot);
    }

    [Fact]
    public void A_snapshot_without_time_gets_the_scheduler_s()
    {
        Store.Tell(new SaveSnapshot(new SnapshotMetadata(Id, 20, DateTime.MinValue), "s-20"), Probe.Ref);
        Assert.True(Probe.Expect<SaveSnapshotSuccess>().Metadata.Timestamp > TimeOf(0));
    }
}

public sealed class MemorySnapshotStoreTests() : SnapshotStoreBehaviour(JournalConfigurations.InMemory);

public sealed class SqliteSnapshotStoreTests() : SnapshotStoreBehaviour(JournalConfigurations.SqliteFile);

public sealed class SqliteMemorySnapshotStoreTests() : SnapshotStoreBehaviour(JournalConfigurations.SqliteMemory);

public sealed class LocalSnapshotStoreTests()
    : SnapshotStoreBehaviour(
        JournalConfigurations.Hyperion
            + """
            akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.local"
            akka.persistence.snapshot-store.local.dir = "$FOLDER/snapshots"
            """
    );
