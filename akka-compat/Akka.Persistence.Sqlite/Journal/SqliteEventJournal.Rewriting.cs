using Akka.Persistence.Sqlite.Storage;

namespace Akka.Persistence.Sqlite.Journal;

// A seeded run that was killed is executed again from its beginning. Its actors must see the same answers at the same steps as
// the first time, so the journal has to act as if it were empty: a stream begins at 0, and what is written a second time is
// compared with the row that is there and acknowledged. Nothing of the file changes until every row has come again.
public abstract partial class SqliteEventJournal
{
    private readonly RewrittenRows _rewritten;

    private StreamReader.Cursor CursorOf(ReplayMessages replay)
    {
        var cursor = new StreamReader.Cursor(replay);
        if (_rewritten is { IsCatchingUp: true })
        {
            cursor.Highest = _rewritten.PositionOf(replay.PersistenceId);
            cursor.To = Math.Min(cursor.To, cursor.Highest);
        }
        return cursor;
    }
}

/// <summary>The rows that were in the file before, and how many of them have been written again.</summary>
internal sealed class RewrittenRows
{
    private readonly Dictionary<string, long> _positions = new(StringComparer.Ordinal);
    private readonly EventRow[] _row = new EventRow[1];
    private EventTable _table;
    private long _left = -1;

    /// <summary>Whether rows are left that have not come again.</summary>
    public bool IsCatchingUp => _left > 0;

    /// <summary>A connection was opened: the first one, or one after a failure.</summary>
    public void Begin(EventTable table, SqliteDatabase database, string events)
    {
        _table = table;
        if (_left >= 0)
            return;
        var count = database.Prepare("SELECT COUNT(*) FROM " + EventTable.Quoted(events));
        count.Step();
        _left = count.Int64(0);
        count.Reset();
    }

    /// <summary>The last number of a stream that has come again.</summary>
    public long PositionOf(string persistenceId) => _positions.GetValueOrDefault(persistenceId);

    /// <summary>Whether the event is in the file, with the same bytes; false once every row has come again.</summary>
    /// <exception cref="InvalidOperationException">It differs, or is new while rows are left: another run wrote this file.</exception>
    public bool Holds(IPersistentRepresentation persistent, byte[] payload)
    {
        var (stream, number) = (persistent.PersistenceId, persistent.SequenceNr);
        var isRepeated = number <= PositionOf(stream);
        if (_left <= 0 && !isRepeated)
            return false;
        if (_table.Read(stream, number, number, _row, 1) == 0)
            throw new InvalidOperationException(
                $"Event {number} of [{stream}] is new, but {_left} rows of the journal have not come again: another run wrote it."
            );
        if (!_row[0].Payload.AsSpan().SequenceEqual(payload))
            throw new InvalidOperationException(
                $"Event {number} of [{stream}] differs from the row in the journal: another run wrote it."
            );
        if (!isRepeated)
        {
            _positions[stream] = number;
            _left--;
        }
        return true;
    }
}
