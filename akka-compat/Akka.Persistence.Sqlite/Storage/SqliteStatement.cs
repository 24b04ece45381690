using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Akka.Persistence.Sqlite.Storage;

/// <summary>A prepared statement. Values that were bound stay bound: bind again only what changes.</summary>
internal sealed class SqliteStatement(SqliteDatabase database, sqlite3_stmt handle) : IDisposable
{
    /// <summary>Parameters are numbered from 1.</summary>
    public void Bind(int index, long value) => raw.sqlite3_bind_int64(handle, index, value);

    /// <summary>Parameters are numbered from 1; null is NULL.</summary>
    public void BindText(int index, string value)
    {
        if (value is null)
            raw.sqlite3_bind_null(handle, index);
        else
            Check(raw.sqlite3_bind_text(handle, index, value));
    }

    /// <summary>A text that is UTF-8 already.</summary>
    public void BindUtf8(int index, ReadOnlySpan<byte> value) => Check(raw.sqlite3_bind_text(handle, index, value));

    /// <summary>Parameters are numbered from 1.</summary>
    public void BindBlob(int index, ReadOnlySpan<byte> value) =>
        Check(
            value.IsEmpty ? raw.sqlite3_bind_zeroblob(handle, index, 0) : raw.sqlite3_bind_blob(handle, index, value)
        );

    /// <summary>Goes to the next row; false when there is none.</summary>
    public bool Step()
    {
        var code = raw.sqlite3_step(handle);
        if (code == raw.SQLITE_ROW)
            return true;
        if (code == raw.SQLITE_DONE)
            return false;
        raw.sqlite3_reset(handle);
        SqliteException.ThrowExceptionForRC(code, database.Handle);
        return false;
    }

    /// <summary>Runs a statement that returns nothing.</summary>
    public void Run()
    {
        Step();
        raw.sqlite3_reset(handle);
    }

    /// <summary>Ends a read: until then it keeps a lock on the database.</summary>
    public void Reset() => raw.sqlite3_reset(handle);

    /// <summary>Columns are numbered from 0; the present row's.</summary>
    public long Int64(int column) => raw.sqlite3_column_int64(handle, column);

    /// <summary>Columns are numbered from 0; the present row's.</summary>
    public string Text(int column) => raw.sqlite3_column_text(handle, column).utf8_to_string();

    /// <summary>Columns are numbered from 0; the present row's.</summary>
    public bool IsNull(int column) => raw.sqlite3_column_type(handle, column) == raw.SQLITE_NULL;

    /// <summary>The value itself, in SQLite's memory: valid until the next step or reset.</summary>
    public ReadOnlySpan<byte> Blob(int column) => raw.sqlite3_column_blob(handle, column);

    /// <summary>Only once its connection needs it no more.</summary>
    public void Dispose() => handle.Dispose();

    private void Check(int code)
    {
        if (code != raw.SQLITE_OK)
            SqliteException.ThrowExceptionForRC(code, database.Handle);
    }
}
