// What can be wrong with a file: how it is opened where it cannot be written, which versions are read, what SQLite's errors mean.
using Iommufd.Messages.Events;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Iommufd.Persistence;

public sealed partial class JournalFile
{
    // Reads one payload; kept, because an oracle asks for many.
    private SqliteCommand? _one;

    /// <summary>The run that wrote the journal; null in journals of version 1, and in one that is empty.</summary>
    /// <exception cref="JournalFormatException">Its stream is damaged.</exception>
    public JournaledRun? ReadRun()
    {
        if (_isBlank)
        {
            return null;
        }

        ContextEvent[] events = [.. Read(RunStream.PersistenceId).Select(e => e.Event)];
        return events.Length == 0 ? null : new JournaledRun(events);
    }

    /// <summary>The payload of one event; null when there is none of that number.</summary>
    internal byte[]? ReadOne(string stream, long sequence)
    {
        if (_isBlank)
        {
            return null;
        }

        if (_one is null)
        {
            _one = _connection.CreateCommand();
            _one.CommandText = "SELECT payload FROM event_journal WHERE persistence_id = $id AND sequence_nr = $number";
            _one.Parameters.Add("$id", SqliteType.Text);
            _one.Parameters.Add("$number", SqliteType.Integer);
        }

        _one.Parameters[0].Value = stream;
        _one.Parameters[1].Value = sequence;
        using var reader = Execute(_one);
        return Advance(reader) ? Blob(reader, 0) : null;
    }

    /// <summary>Looks for damage in the whole file: reads every page.</summary>
    /// <exception cref="JournalFormatException">With what is damaged.</exception>
    public void CheckPages()
    {
        if (_isBlank)
        {
            return;
        }

        try
        {
            using var check = _connection.CreateCommand();
            check.CommandText = "PRAGMA integrity_check(1)";
            if (check.ExecuteScalar() is string found && found is not "ok")
            {
                throw new JournalFormatException($"{Path}: the file is damaged: {found.ReplaceLineEndings(" ")}");
            }
        }
        catch (SqliteException e)
        {
            throw Unreadable(Path, e);
        }
    }

    /// <summary>Whether a new journal can be written to this file now.</summary>
    /// <param name="path">A journal, or an empty file.</param>
    /// <exception cref="JournalFormatException">Why not: another process holds it, or it is read-only or damaged.</exception>
    public static void CheckWritable(string path)
    {
        Batteries_V2.Init();
        try
        {
            using var connection = Connect(path, SqliteOpenMode.ReadWriteCreate, immutable: false);
            using var begin = connection.CreateCommand();
            begin.CommandTimeout = 1;
            begin.CommandText = "BEGIN IMMEDIATE; ROLLBACK";
            begin.ExecuteNonQuery();
        }
        catch (SqliteException e)
        {
            throw Unreadable(path, e);
        }
    }

    // A file in write-ahead mode needs files beside it even for reading. Where they cannot be made, and nothing waits in the log,
    // the file is read as one that nobody changes.
    internal static SqliteConnection OpenConnection(string path)
    {
        try
        {
            return Probed(Connect(path, SqliteOpenMode.ReadWrite, immutable: false));
        }
        catch (SqliteException e) when (e.SqliteErrorCode is raw.SQLITE_READONLY or raw.SQLITE_CANTOPEN)
        {
            var log = new FileInfo(path + "-wal");
            return log.Exists && log.Length > 0
                ? Probed(Connect(path, SqliteOpenMode.ReadOnly, immutable: false))
                : Probed(Connect(path, SqliteOpenMode.ReadOnly, immutable: true));
        }
    }

    private static SqliteConnection Probed(SqliteConnection connection)
    {
        try
        {
            using var probe = connection.CreateCommand();
            probe.CommandText = "SELECT COUNT(*) FROM sqlite_master";
            probe.ExecuteScalar();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static SqliteConnection Connect(string path, SqliteOpenMode mode, bool immutable)
    {
        var source = immutable
            ? "file:"
                + Uri.EscapeDataString(System.IO.Path.GetFullPath(path)).Replace("%2F", "/", StringComparison.Ordinal)
            : path;
        var connection = new SqliteConnection(
            new SqliteConnectionStringBuilder
            {
                DataSource = immutable ? source + "?immutable=1" : source,
                Mode = mode,
                Pooling = false,
                DefaultTimeout = 5,
            }.ToString()
        );
        try
        {
            connection.Open();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static void CheckVersion(string path, SqliteConnection connection)
    {
        using var first = connection.CreateCommand();
        first.CommandText = "SELECT payload, serializer_id FROM event_journal ORDER BY ordering LIMIT 1";
        using var reader = first.ExecuteReader();
        if (!reader.Read())
        {
            return;
        }

        if (reader.GetInt64(1) != EventPayload.SerializerId)
        {
            throw new JournalFormatException($"{path}: its events were not written by this program");
        }

        int? version = EventPayload.FromBytes((byte[])reader.GetValue(0)) switch
        {
            RunStarted run => run.Version,
            ContextOpened context => context.Version,
            _ => null,
        };
        if (version > EventTypes.Version)
        {
            throw new JournalFormatException(
                FormattableString.Invariant(
                    $"{path}: written by a newer version: its events are of version {version}, this program reads up to {EventTypes.Version}"
                )
            );
        }
    }

    internal static JournalFormatException Unreadable(string path, SqliteException e)
    {
        var cause = e.SqliteErrorCode switch
        {
            raw.SQLITE_CORRUPT => "the file is damaged: a part is missing or was overwritten",
            raw.SQLITE_NOTADB => "not a journal, or its first page is damaged",
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED => "another process holds a lock on it: wait until that has ended",
            raw.SQLITE_READONLY => "the file or its folder is read-only",
            raw.SQLITE_CANTOPEN => "cannot be opened: does the folder exist, and may this process write to it?",
            raw.SQLITE_IOERR => "the disk reported an error, or the file is shorter than it was",
            raw.SQLITE_FULL => "the disk is full",
            _ => "not a journal",
        };
        return new JournalFormatException($"{path}: {cause} ({e.Message.TrimEnd('.')})", e);
    }
}
