using System.Text;

namespace Akka.Persistence.Sqlite.Storage;

/// <summary>One stored event.</summary>
internal readonly record struct EventRow(
    long SequenceNr,
    byte[] Payload,
    int? SerializerId,
    string Manifest,
    long Timestamp,
    bool IsDeleted
);

/// <summary>The two tables of a journal and the statements on them; belongs to one connection.</summary>
internal sealed class EventTable
{
    private const int RowsTogether = 16;

    private readonly SqliteDatabase _database;
    private readonly InsertStatement _insertOne;
    private readonly InsertStatement _insertMany;
    private readonly SqliteStatement _highest;
    private readonly SqliteStatement _read;
    private readonly SqliteStatement _deleteEvents;
    private readonly SqliteStatement _deleteMarks;
    private readonly SqliteStatement _insertMark;
    private readonly Dictionary<string, byte[]> _ids = new(StringComparer.Ordinal);

    // Rows that wait to be inserted together, and what they have in common.
    private readonly RowOwn[] _rows = new RowOwn[RowsTogether];
    private RowCommon _common;
    private int _count;
    private string _lastId;
    private byte[] _lastUtf8;

    /// <summary>Prepares the statements; both tables must exist.</summary>
    public EventTable(SqliteDatabase database, string events, string marks)
    {
        _database = database;
        events = Quoted(events);
        marks = Quoted(marks);
        _insertOne = new InsertStatement(database, events, 1);
        _insertMany = new InsertStatement(database, events, RowsTogether);
        _highest = database.Prepare(
            $"SELECT max(n) FROM (SELECT max(sequence_nr) AS n FROM {events} WHERE persistence_id = ?1 "
                + $"UNION ALL SELECT max(sequence_nr) FROM {marks} WHERE persistence_id = ?1)"
        );
        _read = database.Prepare(
            $"SELECT sequence_nr, payload, serializer_id, manifest, timestamp, is_deleted FROM {events} "
                + "WHERE persistence_id = ?1 AND sequence_nr >= ?2 AND sequence_nr <= ?3 ORDER BY sequence_nr LIMIT ?4"
        );
        _deleteEvents = database.Prepare($"DELETE FROM {events} WHERE persistence_id = ?1 AND sequence_nr <= ?2");
        _deleteMarks = database.Prepare($"DELETE FROM {marks} WHERE persistence_id = ?1 AND sequence_nr <= ?2");
        _insertMark = database.Prepare($"INSERT INTO {marks} (persistence_id, sequence_nr) VALUES (?1, ?2)");
    }

    internal static string Quoted(string table) => "\"" + table.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";

    /// <summary>Makes the tables unless they exist.</summary>
    public static void Create(SqliteDatabase database, string events, string marks) =>
        database.Execute(
            $"""
            CREATE TABLE IF NOT EXISTS {Quoted(events)} (
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
            CREATE TABLE IF NOT EXISTS {Quoted(marks)} (
                persistence_id VARCHAR(255) NOT NULL,
                sequence_nr INTEGER(8) NOT NULL,
                PRIMARY KEY (persistence_id, sequence_nr)
            );
            """
        );

    /// <summary>Inserts a row, at the latest when <see cref="Flush"/> is called; a conflict ends the transaction.</summary>
    public void Insert(string persistenceId, long sequenceNr, long timestamp, in EncodedEvent e)
    {
        var common = new RowCommon(e.Manifest, timestamp, e.Tags, e.SerializerId);
        if (_count > 0 && common != _common)
            Flush();
        _common = common;
        if (!ReferenceEquals(_lastId, persistenceId))
        {
            _lastUtf8 = Utf8Of(persistenceId);
            _lastId = persistenceId;
        }
        _rows[_count++] = new RowOwn(_lastUtf8, sequenceNr, e.Payload);
        if (_count == RowsTogether)
        {
            _count = 0;
            _insertMany.Run(_common, _rows);
        }
    }

    /// <summary>Inserts the rows that wait.</summary>
    public void Flush()
    {
        var count = _count;
        _count = 0;
        for (var i = 0; i < count; i++)
            _insertOne.Run(_common, _rows.AsSpan(i, 1));
    }

    /// <summary>Forgets the rows that wait: their transaction is lost.</summary>
    public void Discard() => _count = 0;

    private byte[] Utf8Of(string persistenceId)
    {
        if (_ids.TryGetValue(persistenceId, out var utf8))
            return utf8;
        // A cache, not a registry: a journal with very many streams starts over.
        if (_ids.Count >= 65536)
            _ids.Clear();
        return _ids[persistenceId] = Encoding.UTF8.GetBytes(persistenceId);
    }

    /// <summary>The highest number ever used in the stream, deleted events included; 0 for none.</summary>
    public long HighestSequenceNr(string persistenceId)
    {
        _highest.BindText(1, persistenceId);
        _highest.Step();
        var highest = _highest.IsNull(0) ? 0 : _highest.Int64(0);
        _highest.Reset();
        return highest;
    }

    /// <summary>Reads events from and to these numbers, both inclusive, at most as many as the list has room for.</summary>
    public int Read(string persistenceId, long from, long to, EventRow[] rows, int count)
    {
        _read.BindText(1, persistenceId);
        _read.Bind(2, from);
        _read.Bind(3, to);
        _read.Bind(4, count);
        var read = 0;
        try
        {
            while (read < count && _read.Step())
            {
                rows[read++] = new EventRow(
                    _read.Int64(0),
                    _read.Blob(1).ToArray(),
                    _read.IsNull(2) ? null : (int)_read.Int64(2),
                    _read.IsNull(3) ? "" : _read.Text(3),
                    _read.Int64(4),
                    _read.Int64(5) != 0
                );
            }
        }
        finally
        {
            _read.Reset();
        }
        return read;
    }

    /// <summary>Deletes events up to this number, inclusive, and remembers the highest number if none is left.</summary>
    public void Delete(string persistenceId, long to)
    {
        _database.Begin();
        try
        {
            var highest = HighestSequenceNr(persistenceId);
            foreach (var statement in (ReadOnlySpan<SqliteStatement>)[_deleteEvents, _deleteMarks])
            {
                statement.BindText(1, persistenceId);
                statement.Bind(2, to);
                statement.Run();
            }
            if (highest > 0 && highest <= to)
            {
                _insertMark.BindText(1, persistenceId);
                _insertMark.Bind(2, highest);
                _insertMark.Run();
            }
            _database.Commit();
        }
        catch
        {
            _database.Rollback();
            throw;
        }
    }
}
