using Akka.Actor;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Akka.Persistence.Sqlite.Storage;

/// <summary>A journal or snapshot database could not be used: which, why, and what to do about it.</summary>
public sealed class SqliteStorageException : AkkaException
{
    internal SqliteStorageException(string message, SqliteException cause)
        : base(message, cause) => SqliteErrorCode = cause.SqliteErrorCode;

    /// <summary>SQLite's primary result code.</summary>
    public int SqliteErrorCode { get; }
}

internal static class SqliteFailure
{
    /// <summary>What to report; the action is a past participle: "opened", "written", "read".</summary>
    public static Exception From(Exception cause, string path, string action) =>
        cause is not SqliteException e
            ? cause
            : new SqliteStorageException(
                $"The database {Describe(path)} could not be {action}: {e.Message.TrimEnd('.')}. {Advice(e.SqliteErrorCode)}",
                e
            );

    private static string Describe(string path) => string.IsNullOrEmpty(path) ? "in memory" : $"[{path}]";

    private static string Advice(int code) =>
        code switch
        {
            raw.SQLITE_BUSY or raw.SQLITE_LOCKED =>
                "Another connection holds a lock: end the other process, or raise connection-timeout.",
            raw.SQLITE_READONLY => "The file or its folder is read-only: a journal needs to write both.",
            raw.SQLITE_FULL => "The disk is full: nothing after the last acknowledged event was stored.",
            raw.SQLITE_IOERR => "The disk reported an error: nothing after the last acknowledged event was stored.",
            raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB =>
                "The file is damaged or is not a database: restore it from a copy, or recover it with sqlite3's .recover.",
            raw.SQLITE_CANTOPEN => "Does the folder exist, and may this process write to it?",
            raw.SQLITE_CONSTRAINT =>
                "An event with this sequence number exists: two actors write under one persistence id.",
            raw.SQLITE_ERROR => "If the tables are missing, set auto-initialize = on.",
            _ => "",
        };

    /// <summary>True when the request is at fault and the connection is as good as before.</summary>
    public static bool IsFaultOfRequest(Exception e) =>
        e is SqliteException { SqliteErrorCode: raw.SQLITE_CONSTRAINT or raw.SQLITE_TOOBIG or raw.SQLITE_MISMATCH };

    /// <summary>True when waiting may help and the connection can stay.</summary>
    public static bool IsLock(Exception e) =>
        e is SqliteException { SqliteErrorCode: raw.SQLITE_BUSY or raw.SQLITE_LOCKED };
}
