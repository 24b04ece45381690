using System.Security.Cryptography;
using Iommufd.Messages.Events;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Iommufd.Persistence;

/// <summary>One event of a journal.</summary>
/// <param name="PersistenceId">Its stream: iommufd-N.</param>
/// <param name="SequenceNr">Its number in the stream, from 1.</param>
/// <param name="Ordering">Its number in the file.</param>
/// <param name="Event">The event.</param>
public sealed record JournaledEvent(string PersistenceId, long SequenceNr, long Ordering, ContextEvent Event);

/// <summary>A journal opened for reading. Reads rows as Akka.Persistence.Sqlite lays them out; writes nothing. Not thread-safe.</summary>
public sealed partial class JournalFile : IDisposable
{
    private readonly sqlite3 _connection;

    // A run that was cut short before it opened a context leaves a database without a table: a journal of no events.
    private bool _isBlank;

    private JournalFile(string path, sqlite3 connection)
    {
        Path = path;
        _connection = connection;
    }

    /// <summary>Its path.</summary>
    public string Path { get; }

    /// <summary>Its connection.</summary>
    internal sqlite3 Connection => _connection;

    /// <summary>Opens a journal.</summary>
    /// <exception cref="JournalFormatException">There is no such file, or it is no journal.</exception>
    public static JournalFile Open(string path)
    {
        if (!File.Exists(path))
        {
            throw new JournalFormatException($"{path}: there is no such journal");
        }

        Batteries_V2.Init();
        sqlite3? connection = null;
        try
        {
            connection = OpenConnection(path);
            if (IsBlank(connection))
            {
                return new JournalFile(path, connection) { _isBlank = true };
            }

            CheckVersion(path, connection);
            return new JournalFile(path, connection);
        }
        catch (SqliteException e)
        {
            connection?.Dispose();
            throw Unreadable(path, e);
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    /// <summary>The streams of the contexts, in the order of their numbers. The run's own is not among them.</summary>
    /// <exception cref="JournalFormatException">The file is damaged.</exception>
    public IReadOnlyList<string> Streams()
    {
        if (_isBlank)
        {
            return [];
        }

        using var rows = Prepare("SELECT DISTINCT persistence_id FROM event_journal WHERE persistence_id <> ?");
        rows.Bind(1, RunStream.PersistenceId);
        var streams = new List<string>();
        while (Advance(rows))
        {
            streams.Add(rows.Text(0));
        }

        return [.. streams.OrderBy(s => s.Length).ThenBy(s => s, StringComparer.Ordinal)];
    }

    /// <summary>The events of one stream, in order.</summary>
    /// <param name="stream">Its persistence id.</param>
    /// <param name="throughOrdering">Stops after this row of the file; null reads all.</param>
    public IEnumerable<JournaledEvent> Read(string stream, long? throughOrdering = null)
    {
        using var rows = Prepare(
            "SELECT sequence_nr, ordering, payload FROM event_journal WHERE persistence_id = ? AND ordering <= ? "
                + "ORDER BY sequence_nr"
        );
        rows.Bind(1, stream);
        rows.Bind(2, throughOrdering ?? long.MaxValue);
        while (Advance(rows))
        {
            yield return new JournaledEvent(
                stream,
                rows.Int64(0),
                rows.Int64(1),
                EventPayload.FromBytes(Payload(rows, 2))
            );
        }
    }

    /// <summary>The rows of the contexts in the order of the file: sequence number, stream, payload; null for a journal without a table.</summary>
    /// <param name="through">The last row of the file.</param>
    internal Statement? ContextRows(long through)
    {
        if (_isBlank)
        {
            return null;
        }

        var rows = Prepare(
            "SELECT sequence_nr, persistence_id, payload FROM event_journal "
                + $"WHERE ordering <= ? AND persistence_id <> '{RunStream.PersistenceId}' ORDER BY ordering"
        );
        rows.Bind(1, through);
        return rows;
    }

    /// <summary>Whether there is any row, of the run or of a context.</summary>
    /// <exception cref="JournalFormatException">The file is damaged.</exception>
    public bool HasRows() => !_isBlank && Scalar("SELECT EXISTS (SELECT 1 FROM event_journal)") != 0;

    /// <summary>The number of the last row, which there are no more rows than; found without counting them.</summary>
    internal long LastRow() => _isBlank ? 0 : Scalar("SELECT max(ordering) FROM event_journal");

    /// <summary>Number of the contexts' events.</summary>
    public long Count() =>
        _isBlank
            ? 0
            : Scalar($"SELECT COUNT(*) FROM event_journal WHERE persistence_id <> '{RunStream.PersistenceId}'");

    /// <summary>SHA-256 over the payloads, stream after stream in the order of the contexts' numbers.</summary>
    public string Sha256()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var stream in Streams())
        {
            using var rows = Prepare("SELECT payload FROM event_journal WHERE persistence_id = ? ORDER BY sequence_nr");
            rows.Bind(1, stream);
            while (Advance(rows))
            {
                hash.AppendData(Payload(rows, 0));
            }
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _one?.Dispose();
        _connection.Dispose();
    }

    private static bool IsBlank(sqlite3 connection)
    {
        using var tables = new Statement(connection, "SELECT EXISTS (SELECT 1 FROM sqlite_master)");
        return tables.Step() && tables.Int64(0) == 0;
    }

    private long Scalar(string sql)
    {
        using var rows = Prepare(sql);
        return Advance(rows) ? rows.Int64(0) : 0;
    }

    private Statement Prepare(string sql)
    {
        try
        {
            return new Statement(_connection, sql);
        }
        catch (SqliteException e)
        {
            throw Unreadable(Path, e);
        }
    }

    private bool Advance(Statement rows)
    {
        try
        {
            return rows.Step();
        }
        catch (SqliteException e)
        {
            throw Unreadable(Path, e);
        }
    }

    // A value whose pages are gone comes as nothing.
    private ReadOnlySpan<byte> Payload(Statement rows, int column) =>
        rows.IsNull(column)
            ? throw new JournalFormatException($"{Path}: the file is damaged: an event has no payload")
            : rows.Bytes(column);
}
