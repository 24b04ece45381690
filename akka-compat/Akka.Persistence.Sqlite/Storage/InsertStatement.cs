using System.Text;

namespace Akka.Persistence.Sqlite.Storage;

/// <summary>What rows that are inserted together have in common.</summary>
internal readonly record struct RowCommon(string Manifest, long Timestamp, string Tags, int SerializerId);

/// <summary>What differs from row to row.</summary>
internal readonly record struct RowOwn(byte[] PersistenceId, long SequenceNr, byte[] Payload);

/// <summary>
/// An INSERT of a fixed number of rows. Several rows in a statement cost little more than half of as many statements.
/// A conflict rolls the transaction back: any other answer would make SQLite keep a journal for each statement, which
/// costs more than several rows save, and the transaction is lost to a conflict anyway.
/// </summary>
internal sealed class InsertStatement
{
    private const int FirstRow = 5;
    private const int ColumnsOfRow = 3;
    private readonly SqliteStatement _statement;
    private readonly byte[][] _boundIds;
    private RowCommon _boundCommon;
    private bool _isBound;

    /// <summary>Prepares an INSERT of so many rows.</summary>
    public InsertStatement(SqliteDatabase database, string table, int rows)
    {
        var sql = new StringBuilder(
            $"INSERT OR ROLLBACK INTO {table} (persistence_id, sequence_nr, is_deleted, manifest, timestamp, payload, tags, serializer_id) VALUES "
        );
        for (var row = 0; row < rows; row++)
        {
            var at = FirstRow + (row * ColumnsOfRow);
            sql.Append(row == 0 ? "" : ", ").Append($"(?{at}, ?{at + 1}, 0, ?1, ?2, ?{at + 2}, ?3, ?4)");
        }
        _statement = database.Prepare(sql.ToString());
        _boundIds = new byte[rows][];
    }

    /// <summary>
    /// Inserts as many rows as the statement was made for; binds only what has changed since the last run.
    /// </summary>
    public void Run(in RowCommon common, ReadOnlySpan<RowOwn> rows)
    {
        if (!_isBound || common != _boundCommon)
        {
            _statement.BindText(1, common.Manifest);
            _statement.Bind(2, common.Timestamp);
            _statement.BindText(3, common.Tags);
            _statement.Bind(4, common.SerializerId);
            _boundCommon = common;
            _isBound = true;
        }
        for (var i = 0; i < rows.Length; i++)
        {
            ref readonly var row = ref rows[i];
            var at = FirstRow + (i * ColumnsOfRow);
            // The same array is the same id: the table hands out one for each stream.
            if (!ReferenceEquals(_boundIds[i], row.PersistenceId))
            {
                _statement.BindUtf8(at, row.PersistenceId);
                _boundIds[i] = row.PersistenceId;
            }
            _statement.Bind(at + 1, row.SequenceNr);
            _statement.BindBlob(at + 2, row.Payload);
        }
        _statement.Run();
    }
}
