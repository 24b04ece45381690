using Iommufd.Messages.Events;
using Microsoft.Data.Sqlite;

namespace Iommufd.Persistence;

/// <summary>One row of a journal as it is stored.</summary>
/// <param name="Ordering">Its number in the file.</param>
/// <param name="Stream">Its stream.</param>
/// <param name="SequenceNr">Its number in the stream.</param>
/// <param name="Timestamp">When it was written, in ticks.</param>
/// <param name="Payload">The event.</param>
public sealed record JournalRow(long Ordering, string Stream, long SequenceNr, long Timestamp, byte[] Payload);

/// <summary>
/// The rows of a journal by their numbers in the file: from the first to the last, or single ones. Reads only. Not thread-safe.
/// </summary>
public sealed class JournalRows : IDisposable
{
    private const string Columns =
        "SELECT ordering, persistence_id, sequence_nr, timestamp, payload FROM event_journal ";
    private readonly SqliteConnection _connection;
    private Statement? _one;
    private readonly Dictionary<string, string> _streams = new(StringComparer.Ordinal);

    private JournalRows(string path, SqliteConnection connection)
    {
        Path = path;
        _connection = connection;
    }

    /// <summary>The journal's path.</summary>
    public string Path { get; }

    /// <summary>Whether there is no row: a run that was cut short before it opened a context leaves not even a table.</summary>
    public bool IsEmpty { get; private init; }

    /// <summary>Opens a journal.</summary>
    /// <exception cref="JournalFormatException">There is no such file, or it is no journal.</exception>
    public static JournalRows Open(string path)
    {
        // Says what is wrong with a file that is no journal, and is rid of it again.
        long count;
        using (var file = JournalFile.Open(path))
        {
            count = file.HasRows() ? 1 : 0;
        }

        var connection = JournalFile.OpenConnection(path);
        return new JournalRows(path, connection) { IsEmpty = count == 0 };
    }

    /// <summary>All rows, in the order in which they were written.</summary>
    /// <exception cref="JournalFormatException">The file is damaged.</exception>
    public IEnumerable<JournalRow> All()
    {
        if (IsEmpty)
        {
            yield break;
        }

        using var command = _connection.CreateCommand();
        command.CommandText = Columns + "ORDER BY ordering";
        using var reader = Guarded(command.ExecuteReader);
        while (Guarded(reader.Read))
        {
            yield return Guarded(() => RowOf(reader));
        }
    }

    /// <summary>The first and the last row; null for a journal without any.</summary>
    public (JournalRow First, JournalRow Last)? Ends()
    {
        if (IsEmpty)
        {
            return null;
        }

        return (Single("ORDER BY ordering LIMIT 1"), Single("ORDER BY ordering DESC LIMIT 1"));
    }

    /// <summary>The event in one row.</summary>
    /// <exception cref="JournalFormatException">There is no such row, or it is damaged.</exception>
    public ContextEvent EventAt(long ordering)
    {
        try
        {
            _one ??= new Statement(_connection, "SELECT payload FROM event_journal WHERE ordering = ?");
            _one.Bind(1, ordering);
            if (!_one.Step() || _one.IsNull(0))
            {
                throw new JournalFormatException(
                    FormattableString.Invariant($"{Path}: the file is damaged: event {ordering} is not there")
                );
            }

            return EventPayload.FromBytes(_one.Bytes(0));
        }
        catch (SqliteException e)
        {
            throw Damaged(e);
        }
        finally
        {
            _one?.Reset();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _one?.Dispose();
        _connection.Dispose();
    }

    private JournalRow Single(string order)
    {
        using var command = _connection.CreateCommand();
        command.CommandText = Columns + order;
        using var reader = Guarded(command.ExecuteReader);
        return Guarded(reader.Read)
            ? Guarded(() => RowOf(reader))
            : throw new JournalFormatException($"{Path}: the file is damaged: its events are not there");
    }

    private JournalRow RowOf(SqliteDataReader reader)
    {
        var stream = reader.GetString(1);
        if (_streams.TryGetValue(stream, out var known))
        {
            stream = known;
        }
        else
        {
            _streams.Add(stream, stream);
        }

        return new JournalRow(
            reader.GetInt64(0),
            stream,
            reader.GetInt64(2),
            reader.GetInt64(3),
            (byte[])reader.GetValue(4)
        );
    }

    private T Guarded<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (Exception e) when (e is SqliteException or InvalidCastException or InvalidOperationException)
        {
            throw Damaged(e);
        }
    }

    private JournalFormatException Damaged(Exception e) =>
        new($"{Path}: the file is damaged ({e.Message})", e);
}
