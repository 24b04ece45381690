using Akka.Actor;
using Akka.Configuration;
using Akka.Persistence.Sql.Common;
using Akka.Persistence.Sqlite;
using Akka.Persistence.Tests.Support;
using Microsoft.Data.Sqlite;
using Xunit;

namespace Akka.Persistence.Tests.Sqlite;

/// <summary>The tables are those of Akka.Persistence.Sqlite, so that either can read the other's file.</summary>
public sealed class SqliteSchemaTests() : PersistenceTest(JournalConfigurations.SqliteFile)
{
    private SqliteConnection Open()
    {
        var connection = new SqliteConnection($"Data Source={File("journal.db")};Pooling=False");
        connection.Open();
        return connection;
    }

    private List<string> Query(string sql)
    {
        using var connection = Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            rows.Add(
                string.Join(
                    "|",
                    Enumerable
                        .Range(0, reader.FieldCount)
                        .Select(i => reader.IsDBNull(i) ? "NULL" : reader.GetString(i))
                )
            );
        }

        return rows;
    }

    private void WriteOne(string id = "one", long amount = 41)
    {
        var observer = Probe.Ref;
        var actor = System.ActorOf(Props.Create(() => new CounterActor(id, observer, null)));
        Probe.Expect("recovered 0 at 0");
        actor.Tell(new Add(amount), Probe.Ref);
        Probe.Expect(amount);
        actor.Tell(Ask.Snapshot, Probe.Ref);
        Probe.Expect<SaveSnapshotSuccess>();
    }

    private List<string> ColumnsOf(string table) =>
        Query($"SELECT name, type, \"notnull\", pk FROM pragma_table_info('{table}')");

    [Fact]
    public void The_journal_has_the_documented_columns()
    {
        WriteOne();
        Assert.Equal(
            [
                "ordering|INTEGER|1|1",
                "persistence_id|VARCHAR(255)|1|0",
                "sequence_nr|INTEGER(8)|1|0",
                "is_deleted|INTEGER(1)|1|0",
                "manifest|VARCHAR(255)|0|0",
                "timestamp|INTEGER|1|0",
                "payload|BLOB|1|0",
                "tags|VARCHAR(2000)|0|0",
                "serializer_id|INTEGER(4)|0|0",
            ],
            ColumnsOf("event_journal")
        );
        Assert.Equal(["persistence_id|VARCHAR(255)|1|1", "sequence_nr|INTEGER(8)|1|2"], ColumnsOf("journal_metadata"));
        Assert.Equal(
            [
                "persistence_id|VARCHAR(255)|1|1",
                "sequence_nr|INTEGER(8)|1|2",
                "created_at|INTEGER(8)|1|0",
                "manifest|VARCHAR(255)|1|0",
                "payload|BLOB|1|0",
                "serializer_id|INTEGER(4)|0|0",
            ],
            ColumnsOf("snapshot")
        );
    }

    [Fact]
    public void Ordering_is_the_row_id_and_id_with_number_is_unique()
    {
        WriteOne();
        var sql = Query("SELECT sql FROM sqlite_master WHERE name = 'event_journal'")[0];
        Assert.Contains("UNIQUE (persistence_id, sequence_nr)", sql, StringComparison.Ordinal);
        Assert.DoesNotContain("AUTOINCREMENT", sql, StringComparison.OrdinalIgnoreCase);
        Assert.Equal(["1"], Query("SELECT ordering FROM event_journal WHERE rowid = ordering"));
    }

    [Fact]
    public void A_row_holds_what_the_real_journal_would_write()
    {
        WriteOne();
        Assert.Equal(
            ["1|one|1|0||NULL|-5|integer|blob"],
            Query(
                "SELECT ordering, persistence_id, sequence_nr, is_deleted, manifest, tags, serializer_id, typeof(timestamp), typeof(payload) FROM event_journal"
            )
        );
        var payload = Query("SELECT hex(payload) FROM event_journal")[0];
        var expected = new global::Hyperion.Serializer(new global::Hyperion.SerializerOptions());
        Assert.Equal(Convert.ToHexString(expected.ToBytes(new Added(41))), payload);
    }

    [Fact]
    public void The_timestamp_is_the_scheduler_s_clock_in_ticks()
    {
        var before = System.Scheduler.Now.UtcTicks;
        WriteOne();
        var ticks = long.Parse(
            Query("SELECT timestamp FROM event_journal")[0],
            global::System.Globalization.CultureInfo.InvariantCulture
        );
        Assert.InRange(ticks, before, System.Scheduler.Now.UtcTicks);
    }

    [Fact]
    public void Deleting_everything_leaves_the_highest_number_in_the_metadata()
    {
        WriteOne();
        Persistence.Instance.Apply(System).JournalFor(null).Tell(new DeleteMessagesTo("one", 1, Probe.Ref));
        Probe.Expect<DeleteMessagesSuccess>();
        Assert.Empty(Query("SELECT * FROM event_journal"));
        Assert.Equal(["one|1"], Query("SELECT * FROM journal_metadata"));
    }

    [Fact]
    public void Rows_without_serializer_id_are_read_by_their_type_name()
    {
        WriteOne();
        Stop();
        var manifest = typeof(Added).FullName + ", " + typeof(Added).Assembly.GetName().Name;
        Query($"UPDATE event_journal SET serializer_id = NULL, manifest = '{manifest}' RETURNING 1");
        StartAgain();
        var observer = Probe.Ref;
        System.ActorOf(
            Props.Create(() => new CounterActor("one", observer, new Recovery(SnapshotSelectionCriteria.None)))
        );
        Probe.Expect("recovered 41 at 1");
    }

    [Fact]
    public void The_default_configuration_is_the_documented_one()
    {
        var settings = new JournalSettings(
            SqlitePersistence.DefaultConfiguration().GetConfig(SqlitePersistence.JournalConfigPath)
        );
        Assert.Equal(
            ("", TimeSpan.FromSeconds(30), "event_journal", "journal_metadata", false),
            (
                settings.ConnectionString,
                settings.ConnectionTimeout,
                settings.JournalTableName,
                settings.MetaTableName,
                settings.AutoInitialize
            )
        );
        Assert.Equal(
            "akka.persistence.journal.sqlite",
            SqlitePersistence.DefaultConfiguration().GetString("akka.persistence.journal.plugin")
        );
    }

    [Fact]
    public void Without_its_defaults_the_plugin_says_that_its_class_is_missing()
    {
        var config = ConfigurationFactory.ParseString(
            """
            akka.loglevel = OFF
            akka.stdout-loglevel = OFF
            akka.persistence.journal.plugin = "akka.persistence.journal.sqlite"
            akka.persistence.journal.sqlite.connection-string = "Data Source=x.db"
            """
        );
        using var other = ActorSystem.Create("other", config);
        var e = Assert.Throws<ArgumentException>(() => Persistence.Instance.Apply(other).JournalFor(null));
        Assert.Equal(
            "Plugin class name must be defined in config property [akka.persistence.journal.sqlite.class]",
            e.Message
        );
    }
}
