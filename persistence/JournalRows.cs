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
    private readonly JournalFile _file;
    private Statement? _one;
    private readonly Dictionary<string, string> _streams = new(StringComparer.Ordinal);

    private JournalRows(JournalFile file) => _file = file;

    /// <summary>The journal's path.</summary>
    public string Path => _file.Path;

    /// <summary>Whether there is no row: a run that was cut short before it opened a context leaves not even a table.</summary>
    public bool IsEmpty { get; private init; }

    /// <summary>Opens a journal.</summary>
    /// <exception cref="JournalFormatException">There is no such file, or it is no journal.</exception>
    public static JournalRows Open(string path)
    {
        var file = JournalFile.Open(path);
        try
        {
            return new JournalRows(file) { IsEmpty = !file.HasRows() };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>All rows, in the order in which they were written.</summary>
    /// <exception cref="JournalFormatException">The file is damaged.</exception>
    public IEnumerable<JournalRow> All()
    {
        if (IsEmpty)
        {
            yield break;
        }

        using var rows = Prepare(Columns + "ORDER BY ordering");
        while (Step(rows))
        {
            yield return RowOf(rows);
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
        _one ??= Prepare("SELECT payload FROM event_journal WHERE ordering = ?");
        try
        {
            _one.Bind(1, ordering);
            return Step(_one) && !_one.IsNull(0)
                ? EventPayload.FromBytes(_one.Bytes(0))
                : throw new JournalFormatException(
                    FormattableString.Invariant($"{Path}: the file is damaged: event {ordering} is not there")
                );
        }
        finally
        {
            _one.Reset();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _one?.Dispose();
        _file.Dispose();
    }

    private JournalRow Single(string order)
    {
        using var rows = Prepare(Columns + order);
        return Step(rows)
            ? RowOf(rows)
            : throw new JournalFormatException($"{Path}: the file is damaged: its events are not there");
    }

    private JournalRow RowOf(Statement rows)
    {
        var stream = rows.Text(1);
        if (_streams.TryGetValue(stream, out var known))
        {
            stream = known;
        }
        else
        {
            _streams.Add(stream, stream);
        }

        return rows.IsNull(4)
            ? throw new JournalFormatException($"{Path}: the file is damaged: an event has no payload")
            : new JournalRow(rows.Int64(0), stream, rows.Int64(2), rows.Int64(3), rows.Bytes(4).ToArray());
    }

    private Statement Prepare(string sql)
    {
        try
        {
            return new Statement(_file.Connection, sql);
        }
        catch (SqliteException e)
        {
            throw Damaged(e);
        }
    }

    private bool Step(Statement rows)
    {
        try
        {
            return rows.Step();
        }
        catch (SqliteException e)
        {
            throw Damaged(e);
        }
    }

    private JournalFormatException Damaged(SqliteException e) => new($"{Path}: the file is damaged ({e.Message})", e);
}
