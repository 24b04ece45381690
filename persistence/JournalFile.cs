using System.Security.Cryptography;
using Iommufd.Messages.Events;
using Microsoft.Data.Sqlite;

namespace Iommufd.Persistence;

/// <summary>One event of a journal.</summary>
/// <param name="PersistenceId">Its stream: iommufd-N.</param>
/// <param name="SequenceNr">Its number in the stream, from 1.</param>
/// <param name="Ordering">Its number in the file.</param>
/// <param name="Event">The event.</param>
public sealed record JournaledEvent(string PersistenceId, long SequenceNr, long Ordering, ContextEvent Event);

/// <summary>A journal opened for reading. Reads rows as Akka.Persistence.Sqlite lays them out; writes nothing. Not thread-safe.</summary>
public sealed class JournalFile : IDisposable
{
    private readonly SqliteConnection _connection;

    // A run that was cut short before it opened a context leaves a database without a table: a journal of no events.
    private bool _isBlank;

    private JournalFile(string path, SqliteConnection connection)
    {
        Path = path;
        _connection = connection;
    }

    /// <summary>Its path.</summary>
    public string Path { get; }

    /// <summary>Opens a journal.</summary>
    /// <exception cref="JournalFormatException">There is no such file, or it is no journal.</exception>
    public static JournalFile Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new JournalFormatException($"{path}: there is no such journal");
        }

        SQLitePCL.Batteries_V2.Init();
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = path,
                Mode = SqliteOpenMode.ReadWrite,
                Pooling = false,
            }.ToString()
        );
        try
        {
            connection.Open();
            if (IsBlank(connection))
            {
                return new JournalFile(path, connection) { _isBlank = true };
            }

            using var probe = connection.CreateCommand();
            probe.CommandText = "SELECT persistence_id, sequence_nr, payload, serializer_id FROM event_journal LIMIT 1";
            using var reader = probe.ExecuteReader();
            if (reader.Read() && reader.GetInt64(3) != EventPayload.SerializerId)
            {
                throw new JournalFormatException($"{path}: its events were not written by this program");
            }
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw new JournalFormatException($"{path}: not a journal ({e.Message})", e);
        }

        return new JournalFile(path, connection);
    }

    /// <summary>The streams, in the order of the contexts' numbers.</summary>
    public IReadOnlyList<string> Streams()
    {
        if (_isBlank)
        {
            return [];
        }

        using var command = _connection.CreateCommand();
        command.CommandText = "SELECT DISTINCT persistence_id FROM event_journal";
        using var reader = command.ExecuteReader();
        var streams = new List<string>();
        while (reader.Read())
        {
            streams.Add(reader.GetString(0));
        }

        return [.. streams.OrderBy(s => s.Length).ThenBy(s => s, StringComparer.Ordinal)];
    }

    /// <summary>The events of one stream, in order.</summary>
    /// <param name="stream">Its persistence id.</param>
    /// <param name="throughOrdering">Stops after this row of the file; null reads all.</param>
    public IEnumerable<JournaledEvent> Read(string stream, long? throughOrdering = null)
    {
        using var command = _connection.CreateCommand();
        command.CommandText =
            "SELECT sequence_nr, ordering, payload FROM event_journal WHERE persistence_id = $id AND ordering <= $to "
            + "ORDER BY sequence_nr";
        command.Parameters.AddWithValue("$id", stream);
        command.Parameters.AddWithValue("$to", throughOrdering ?? long.MaxValue);
        using var reader = command.ExecuteReader();
        while (reader.Read())
        {
            yield return new JournaledEvent(
                stream,
                reader.GetInt64(0),
                reader.GetInt64(1),
                EventPayload.FromBytes((byte[])reader.GetValue(2))
            );
        }
    }

    /// <summary>Whether there is any row.</summary>
    public bool HasRows() => !_isBlank && Scalar("SELECT EXISTS (SELECT 1 FROM event_journal)") != 0;

    /// <summary>Number of events.</summary>
    public long Count() => _isBlank ? 0 : Scalar("SELECT COUNT(*) FROM event_journal");

    /// <summary>SHA-256 over the payloads, stream after stream in the order of the contexts' numbers.</summary>
    public string Sha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var stream in Streams())
        {
            using var command = _connection.CreateCommand();
            command.CommandText = "SELECT payload FROM event_journal WHERE persistence_id = $id ORDER BY sequence_nr";
            command.Parameters.AddWithValue("$id", stream);
            using var reader = command.ExecuteReader();
            while (reader.Read())
            {
                hash.AppendData((byte[])reader.GetValue(0));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public void Dispose() => _connection.Dispose();

    private static bool IsBlank(SqliteConnection connection)
    {
        using var tables = connection.CreateCommand();
        tables.CommandText = "SELECT COUNT(*) FROM sqlite_master";
        return (long)tables.ExecuteScalar()! == 0;
    }

    private long Scalar(string sql)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = sql;
        return (long)command.ExecuteScalar()!;
    }
}
