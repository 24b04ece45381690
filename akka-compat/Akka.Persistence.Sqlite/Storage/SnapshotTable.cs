namespace Akka.Persistence.Sqlite.Storage;

/// <summary>One stored snapshot.</summary>
internal sealed record SnapshotRow(long SequenceNr, long Timestamp, byte[] Payload, int? SerializerId, string Manifest);

/// <summary>The table of a snapshot store and the statements on it; belongs to one connection.</summary>
internal sealed class SnapshotTable
{
    private readonly SqliteStatement _insert;
    private readonly SqliteStatement _newest;
    private readonly SqliteStatement _deleteOne;
    private readonly SqliteStatement _deleteMany;

    /// <summary>Prepares the statements; the table must exist.</summary>
    public SnapshotTable(SqliteDatabase database, string table)
    {
        table = EventTable.Quoted(table);
        _insert = database.Prepare(
            $"INSERT INTO {table} (persistence_id, sequence_nr, created_at, manifest, payload, serializer_id) "
                + "VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (persistence_id, sequence_nr) DO UPDATE SET "
                + "created_at = ?3, manifest = ?4, payload = ?5, serializer_id = ?6"
        );
        const string Matching =
            "WHERE persistence_id = ?1 AND sequence_nr <= ?2 AND sequence_nr >= ?3 AND created_at <= ?4 AND created_at >= ?5";
        _newest = database.Prepare(
            $"SELECT sequence_nr, created_at, payload, serializer_id, manifest FROM {table} {Matching} "
                + "ORDER BY sequence_nr DESC LIMIT 1"
        );
        _deleteOne = database.Prepare(
            $"DELETE FROM {table} WHERE persistence_id = ?1 AND sequence_nr = ?2 AND (?3 IS NULL OR created_at = ?3)"
        );
        _deleteMany = database.Prepare($"DELETE FROM {table} {Matching}");
    }

    /// <summary>Makes the table unless it exists.</summary>
    public static void Create(SqliteDatabase database, string table) =>
        database.Execute(
            $"""
            CREATE TABLE IF NOT EXISTS {EventTable.Quoted(table)} (
                persistence_id VARCHAR(255) NOT NULL,
                sequence_nr INTEGER(8) NOT NULL,
                created_at INTEGER(8) NOT NULL,
                manifest VARCHAR(255) NOT NULL,
                payload BLOB NOT NULL,
                serializer_id INTEGER(4),
                PRIMARY KEY (persistence_id, sequence_nr)
            );
            """
        );

    /// <summary>Stores a snapshot in place of one of the same number.</summary>
    public void Save(string persistenceId, long sequenceNr, long timestamp, in EncodedEvent snapshot)
    {
        _insert.BindText(1, persistenceId);
        _insert.Bind(2, sequenceNr);
        _insert.Bind(3, timestamp);
        _insert.BindText(4, snapshot.Manifest);
        _insert.BindBlob(5, snapshot.Payload);
        _insert.Bind(6, snapshot.SerializerId);
        _insert.Run();
    }

    /// <summary>The snapshot with the highest number that qualifies; null when none does.</summary>
    public SnapshotRow Newest(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        Bind(_newest, persistenceId, criteria);
        try
        {
            return _newest.Step()
                ? new SnapshotRow(
                    _newest.Int64(0),
                    _newest.Int64(1),
                    _newest.Blob(2).ToArray(),
                    _newest.IsNull(3) ? null : (int)_newest.Int64(3),
                    _newest.Text(4)
                )
                : null;
        }
        finally
        {
            _newest.Reset();
        }
    }

    /// <summary>Deletes one snapshot; without a timestamp only the number counts.</summary>
    public void Delete(string persistenceId, long sequenceNr, long? timestamp)
    {
        _deleteOne.BindText(1, persistenceId);
        _deleteOne.Bind(2, sequenceNr);
        if (timestamp is { } time)
            _deleteOne.Bind(3, time);
        else
            _deleteOne.BindText(3, null);
        _deleteOne.Run();
    }

    /// <summary>Deletes those that qualify.</summary>
    public void Delete(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        Bind(_deleteMany, persistenceId, criteria);
        _deleteMany.Run();
    }

    private static void Bind(SqliteStatement statement, string persistenceId, SnapshotSelectionCriteria criteria)
    {
        statement.BindText(1, persistenceId);
        statement.Bind(2, criteria.MaxSequenceNr);
        statement.Bind(3, criteria.MinSequenceNr);
        statement.Bind(4, criteria.MaxTimeStamp.Ticks);
        statement.Bind(5, criteria.MinTimestamp?.Ticks ?? 0);
    }
}
