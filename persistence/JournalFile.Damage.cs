// What can be wrong with a file: how it is opened where it cannot be written, which versions are read, what SQLite's errors mean.
using Iommufd.Messages.Events;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Iommufd.Persistence;

public sealed partial class JournalFile
{
    // How long a lock of another process is waited for, in seconds.
    private const int LongestWait = 5;

    // Reads one payload; kept, because an oracle asks for many.
    private Statement? _one;

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

        _one ??= Prepare("SELECT payload FROM event_journal WHERE persistence_id = ? AND sequence_nr = ?");
        try
        {
            _one.Bind(1, stream);
            _one.Bind(2, sequence);
            return Advance(_one) ? Payload(_one, 0).ToArray() : null;
        }
        finally
        {
            _one.Reset();
        }
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
            using var check = new Statement(_connection, "PRAGMA integrity_check(1)");
            if (check.Step() && check.Text(0) is var found && found is not "ok")
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
            using var connection = Connect(path, isReadOnly: false, immutable: false);
            raw.sqlite3_busy_timeout(connection, 1_000);
            using var begin = new Statement(connection, "BEGIN IMMEDIATE");
            begin.Step();
            begin.Reset();
            using var rollback = new Statement(connection, "ROLLBACK");
            rollback.Step();
        }
        catch (SqliteException e)
        {
            throw Unreadable(path, e);
        }
    }

    // A file in write-ahead mode needs files beside it even for reading. Where they cannot be made, and nothing waits in the log,
    // the file is read as one that nobody changes.
    internal static sqlite3 OpenConnection(string path)
    {
        try
        {
            return Probed(Connect(path, isReadOnly: false, immutable: false));
        }
        catch (SqliteException e) when (e.SqliteErrorCode is raw.SQLITE_READONLY or raw.SQLITE_CANTOPEN)
        {
            var log = new FileInfo(path + "-wal");
            return log.Exists && log.Length > 0
                ? Probed(Connect(path, isReadOnly: true, immutable: false))
                : Probed(Connect(path, isReadOnly: true, immutable: true));
        }
    }

    private static sqlite3 Probed(sqlite3 connection)
    {
        try
        {
            using var probe = new Statement(connection, "SELECT COUNT(*) FROM sqlite_master");
            probe.Step();
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    // Not by way of SqliteConnection: a short command would spend more on that than on its work.
    private static sqlite3 Connect(string path, bool isReadOnly, bool immutable)
    {
        var source = immutable
            ? "file:"
                + Uri.EscapeDataString(System.IO.Path.GetFullPath(path)).Replace("%2F", "/", StringComparison.Ordinal)
                + "?immutable=1"
            : path;
        var flags = isReadOnly ? raw.SQLITE_OPEN_READONLY : raw.SQLITE_OPEN_READWRITE;
        var result = raw.sqlite3_open_v2(
            source,
            out var connection,
            flags | (immutable ? raw.SQLITE_OPEN_URI : 0),
            vfs: null
        );
        try
        {
            SqliteException.ThrowExceptionForRC(result, connection);
            raw.sqlite3_busy_timeout(connection, LongestWait * 1_000);
            return connection;
        }
        catch
        {
            connection?.Dispose();
            throw;
        }
    }

    private static void CheckVersion(string path, sqlite3 connection)
    {
        using var first = new Statement(
            connection,
            "SELECT payload, serializer_id FROM event_journal ORDER BY ordering LIMIT 1"
        );
        if (!first.Step())
        {
            return;
        }

        if (first.Int64(1) != EventPayload.SerializerId)
        {
            throw new JournalFormatException($"{path}: its events were not written by this program");
        }

        int? version = EventPayload.FromBytes(first.Bytes(0)) switch
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
