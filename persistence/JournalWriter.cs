using System.Globalization;
using Iommufd.Messages.Events;
using Microsoft.Data.Sqlite;

namespace Iommufd.Persistence;

/// <summary>
/// Writes a whole journal at once, with the tables of Akka.Persistence.Sqlite: what an import makes. The file appears when it is
/// complete, or not at all. Not thread-safe.
/// </summary>
public sealed class JournalWriter : IDisposable
{
    private const string Tables = """
        CREATE TABLE "event_journal" (
            ordering INTEGER PRIMARY KEY NOT NULL,
            persistence_id VARCHAR(255) NOT NULL,
            sequence_nr INTEGER(8) NOT NULL,
            is_deleted INTEGER(1) NOT NULL,
            manifest VARCHAR(255) NULL,
            timestamp INTEGER NOT NULL,
            payload BLOB NOT NULL,
            tags VARCHAR(2000) NULL,
            serializer_id INTEGER(4),
            UNIQUE (persistence_id, sequence_nr)
        );
        CREATE TABLE "journal_metadata" (
            persistence_id VARCHAR(255) NOT NULL,
            sequence_nr INTEGER(8) NOT NULL,
            PRIMARY KEY (persistence_id, sequence_nr)
        );
        """;

    private readonly string _path;
    private readonly string _unfinished;
    private readonly SqliteConnection _connection;
    private readonly SqliteCommand _insert;
    private readonly Dictionary<string, long> _sequences = new(StringComparer.Ordinal);
    private long _ordering;
    private bool _isComplete;

    private JournalWriter(string path, string unfinished, SqliteConnection connection)
    {
        _path = path;
        _unfinished = unfinished;
        _connection = connection;
        _insert = connection.CreateCommand();
        _insert.CommandText =
            "INSERT INTO event_journal (ordering, persistence_id, sequence_nr, is_deleted, manifest, timestamp, payload, tags, serializer_id) "
            + "VALUES ($ordering, $id, $nr, 0, '', $time, $payload, NULL, "
            + EventPayload.SerializerId.ToString(CultureInfo.InvariantCulture)
            + ")";
        foreach (var name in new[] { "$ordering", "$id", "$nr", "$time", "$payload" })
        {
            _insert.Parameters.Add(new SqliteParameter { ParameterName = name });
        }
    }

    /// <summary>Begins a journal.</summary>
    /// <param name="path">Where it goes: a name that is free, or an empty file.</param>
    /// <exception cref="IOException">There is something already, or it cannot be written.</exception>
    public static JournalWriter Create(string path)
    {
        if (File.Exists(path) && new FileInfo(path).Length > 0)
        {
            throw new IOException("there is something in this file already: name another, or delete this one");
        }

        SQLitePCL.Batteries_V2.Init();
        var unfinished = path + ".unfinished";
        File.Delete(unfinished);
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder { DataSource = unfinished, Pooling = false }.ToString()
        );
        try
        {
            connection.Open();
            // Nobody sees the file before it is complete: it needs no journal of its own while it grows.
            Execute(connection, "PRAGMA journal_mode = off; PRAGMA synchronous = off; BEGIN");
            Execute(connection, Tables);
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw new IOException($"it cannot be written: {e.Message}", e);
        }

        return new JournalWriter(path, unfinished, connection);
    }

    /// <summary>Appends an event to a stream.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Append(string stream, ContextEvent change) =>
        Append(
            new JournalRow(
                _ordering + 1,
                stream,
                _sequences.GetValueOrDefault(stream) + 1,
                0,
                EventPayload.ToBytes(change)
            )
        );

    /// <summary>Appends a row as it is.</summary>
    /// <exception cref="JournalFormatException">It is not the next of its stream, or of the file.</exception>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Append(JournalRow row)
    {
        var expected = _sequences.GetValueOrDefault(row.Stream) + 1;
        if (row.SequenceNr != expected || row.Ordering <= _ordering)
        {
            throw new JournalFormatException(
                FormattableString.Invariant(
                    $"event {row.SequenceNr} of {row.Stream}, number {row.Ordering} of the file, comes where event {expected} and a number above {_ordering} belong"
                )
            );
        }

        _sequences[row.Stream] = row.SequenceNr;
        _ordering = row.Ordering;
        _insert.Parameters[0].Value = row.Ordering;
        _insert.Parameters[1].Value = row.Stream;
        _insert.Parameters[2].Value = row.SequenceNr;
        _insert.Parameters[3].Value = row.Timestamp;
        _insert.Parameters[4].Value = row.Payload;
        try
        {
            _insert.ExecuteNonQuery();
        }
        catch (SqliteException e)
        {
            throw new IOException($"it cannot be written: {e.Message}", e);
        }
    }

    /// <summary>Number of events so far.</summary>
    public long Count => _sequences.Values.Sum();

    /// <summary>The journal is complete: the file appears.</summary>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Complete()
    {
        try
        {
            Execute(_connection, "COMMIT");
            Execute(_connection, "PRAGMA journal_mode = wal");
        }
        catch (SqliteException e)
        {
            throw new IOException($"it cannot be written: {e.Message}", e);
        }

        _insert.Dispose();
        _connection.Dispose();
        File.Move(_unfinished, _path, overwrite: true);
        _isComplete = true;
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (_isComplete)
        {
            return;
        }

        _insert.Dispose();
        _connection.Dispose();
        File.Delete(_unfinished);
    }

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
