using System.Diagnostics;
using Microsoft.Data.Sqlite;

namespace Iommufd.Bench.Journal;

/// <summary>
/// The raw limit: one prepared INSERT into the journal's own table, in transactions, without any actor. Events of many
/// streams take turns; each stream has its own place in the table's index, so a transaction touches as many pages.
/// </summary>
internal static class PlainInserts
{
    public static double EventsPerSecond(string file, int events, int eventsPerTransaction, int streams)
    {
        SQLitePCL.Batteries_V2.Init();
        using var connection = new SqliteConnection($"Data Source={file};Pooling=False");
        connection.Open();
        Execute(connection, "PRAGMA journal_mode = wal");
        Execute(connection, "PRAGMA synchronous = normal");
        Execute(connection, "PRAGMA wal_autocheckpoint = 10000");
        Execute(
            connection,
            """
            CREATE TABLE event_journal (
                ordering INTEGER PRIMARY KEY NOT NULL, persistence_id VARCHAR(255) NOT NULL, sequence_nr INTEGER(8) NOT NULL,
                is_deleted INTEGER(1) NOT NULL, manifest VARCHAR(255) NULL, timestamp INTEGER NOT NULL,
                payload BLOB NOT NULL, tags VARCHAR(2000) NULL, serializer_id INTEGER(4),
                UNIQUE (persistence_id, sequence_nr))
            """
        );
        using var insert = connection.CreateCommand();
        insert.CommandText =
            "INSERT INTO event_journal (persistence_id, sequence_nr, is_deleted, manifest, timestamp, payload, tags, serializer_id) "
            + "VALUES ($id, $nr, 0, '', $time, $payload, NULL, -5)";
        var ids = Enumerable.Range(0, streams).Select(i => "iommufd-" + i).ToArray();
        var id = insert.Parameters.AddWithValue("$id", ids[0]);
        var number = insert.Parameters.AddWithValue("$nr", 0L);
        insert.Parameters.AddWithValue("$time", 638_000_000_000_000_000L);
        insert.Parameters.AddWithValue("$payload", new byte[70]);
        insert.Prepare();
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < events; )
        {
            using var transaction = connection.BeginTransaction();
            insert.Transaction = transaction;
            for (var n = 0; n < eventsPerTransaction; n++)
            {
                id.Value = ids[i % streams];
                number.Value = (long)++i;
                insert.ExecuteNonQuery();
            }

            transaction.Commit();
        }

        return events / clock.Elapsed.TotalSeconds;
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
