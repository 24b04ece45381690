using Akka.Configuration;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Akka.Persistence.Sqlite.Storage;

/// <summary>How a database is opened.</summary>
internal sealed record SqliteOptions(
    string ConnectionString,
    TimeSpan LockTimeout,
    string JournalMode,
    string Synchronous,
    int WalAutoCheckpoint
)
{
    private static readonly string[] JournalModes = ["delete", "truncate", "persist", "wal", "memory", "off"];
    private static readonly string[] SynchronousModes = ["off", "normal", "full", "extra"];

    /// <summary>Reads journal-mode, synchronous and wal-autocheckpoint of a plugin's section.</summary>
    /// <exception cref="ConfigurationException">A mode is not known to SQLite.</exception>
    public static SqliteOptions From(Config config, string connectionString, TimeSpan timeout) =>
        new(
            connectionString,
            timeout,
            OneOf(config, "journal-mode", JournalModes),
            OneOf(config, "synchronous", SynchronousModes),
            config.GetInt("wal-autocheckpoint")
        );

    private static string OneOf(Config config, string key, string[] allowed)
    {
        var value = config.GetString(key, "")?.ToLowerInvariant();
        if (string.IsNullOrEmpty(value))
            return "";
        return allowed.Contains(value)
            ? value
            : throw new ConfigurationException(
                $"[{key}] is [{value}]; it must be one of: {string.Join(", ", allowed)}."
            );
    }
}

/// <summary>
/// One connection, used by one thread at a time: the actor's that owns it. Opened through Microsoft.Data.Sqlite, which
/// knows connection strings; statements go to SQLite directly, without a parameter object for each value.
/// </summary>
internal sealed class SqliteDatabase : IDisposable
{
    private static readonly bool Initialized = Initialize();

    private readonly SqliteConnection _connection;
    private readonly List<SqliteStatement> _statements = [];
    private readonly SqliteStatement _begin;
    private readonly SqliteStatement _commit;
    private readonly SqliteStatement _rollback;

    private SqliteDatabase(SqliteConnection connection, bool isWal, string path)
    {
        _connection = connection;
        IsWal = isWal;
        Path = path;
        _begin = Prepare("BEGIN IMMEDIATE");
        _commit = Prepare("COMMIT");
        _rollback = Prepare("ROLLBACK");
    }

    /// <summary>Readers on other connections see committed data and wait for nobody.</summary>
    public bool IsWal { get; }

    /// <summary>The file, for messages to people.</summary>
    public string Path { get; }

    internal sqlite3 Handle => _connection.Handle;

    /// <summary>
    /// Opens a connection and sets what the options say. What fails names the file and what may be done.
    /// </summary>
    public static SqliteDatabase Open(SqliteOptions options)
    {
        _ = Initialized;
        var builder = new SqliteConnectionStringBuilder(options.ConnectionString)
        {
            // A pooled connection would keep the file open after the actor has gone.
            Pooling = false,
            DefaultTimeout = (int)Math.Ceiling(options.LockTimeout.TotalSeconds),
        };
        var connection = new SqliteConnection(builder.ToString());
        try
        {
            connection.Open();
            raw.sqlite3_busy_timeout(connection.Handle, (int)options.LockTimeout.TotalMilliseconds);
            var mode = Pragma(
                connection,
                options.JournalMode.Length > 0 ? $"journal_mode={options.JournalMode}" : "journal_mode"
            );
            if (options.Synchronous.Length > 0)
                Pragma(connection, $"synchronous={options.Synchronous}");
            if (options.WalAutoCheckpoint > 0)
                Pragma(connection, $"wal_autocheckpoint={options.WalAutoCheckpoint}");
            var isWal = string.Equals(mode, "wal", StringComparison.OrdinalIgnoreCase);
            return new SqliteDatabase(connection, isWal, builder.DataSource);
        }
        catch (SqliteException e)
        {
            connection.Dispose();
            throw SqliteFailure.From(e, builder.DataSource, "opened");
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    private static bool Initialize()
    {
        Batteries_V2.Init();
        return true;
    }

    private static string Pragma(SqliteConnection connection, string pragma)
    {
        using var command = connection.CreateCommand();
        command.CommandText = "PRAGMA " + pragma;
        return command.ExecuteScalar() as string ?? "";
    }

    /// <summary>A statement that lives as long as the connection.</summary>
    public SqliteStatement Prepare(string sql)
    {
        var code = raw.sqlite3_prepare_v3(Handle, sql, raw.SQLITE_PREPARE_PERSISTENT, out var handle);
        if (code != raw.SQLITE_OK)
            SqliteException.ThrowExceptionForRC(code, Handle);
        var statement = new SqliteStatement(this, handle);
        _statements.Add(statement);
        return statement;
    }

    /// <summary>Runs statements that return nothing, such as those that make tables.</summary>
    public void Execute(string sql)
    {
        var code = raw.sqlite3_exec(Handle, sql);
        if (code != raw.SQLITE_OK)
            SqliteException.ThrowExceptionForRC(code, Handle);
    }

    /// <summary>Begins a transaction that may write; waits here, and not in its middle, for another writer.</summary>
    public void Begin() => _begin.Run();

    /// <summary>
    /// Commits the open transaction: what was written is as durable as the synchronous mode says when this returns.
    /// </summary>
    public void Commit() => _commit.Run();

    /// <summary>Undoes the open transaction, if there is one. An error here says nothing new.</summary>
    public void Rollback()
    {
        foreach (var statement in _statements)
            statement.Reset();
        if (raw.sqlite3_get_autocommit(Handle) != 0)
            return;
        try
        {
            _rollback.Run();
        }
        catch (SqliteException)
        {
            // SQLite has rolled back by itself, or the connection is about to be closed because of the first error.
        }
    }

    /// <summary>Closes the statements and the connection.</summary>
    public void Dispose()
    {
        foreach (var statement in _statements)
            statement.Dispose();
        _statements.Clear();
        _connection.Dispose();
    }
}
