using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Iommufd.Persistence;

/// <summary>
/// A prepared statement of SQLite whose values are looked at where SQLite has them: no object is made for a row or a value. The
/// statement is prepared once and may be run again and again. Belongs to its connection; not thread-safe.
/// </summary>
internal sealed class Statement : IDisposable
{
    private readonly sqlite3 _connection;
    private readonly sqlite3_stmt _handle;

    /// <summary>Prepares a statement.</summary>
    /// <exception cref="SqliteException">It does not fit the database, or that is damaged.</exception>
    public Statement(sqlite3 connection, string sql)
    {
        _connection = connection;
        Demand(raw.sqlite3_prepare_v2(_connection, sql, out _handle));
    }

    /// <summary>Sets a parameter; they count from 1.</summary>
    public void Bind(int parameter, long value) => Demand(raw.sqlite3_bind_int64(_handle, parameter, value));

    /// <summary>Sets a parameter; they count from 1.</summary>
    public void Bind(int parameter, string value) => Demand(raw.sqlite3_bind_text(_handle, parameter, value));

    /// <summary>Goes to the next row; false behind the last one.</summary>
    /// <exception cref="SqliteException">The database is damaged, or locked for longer than the connection waits.</exception>
    public bool Step()
    {
        var result = raw.sqlite3_step(_handle);
        if (result == raw.SQLITE_ROW)
        {
            return true;
        }

        if (result != raw.SQLITE_DONE)
        {
            Demand(result);
        }

        return false;
    }

    /// <summary>Begins again, with other parameters.</summary>
    public void Reset() => raw.sqlite3_reset(_handle);

    /// <summary>A number of the row; columns count from 0.</summary>
    public long Int64(int column) => raw.sqlite3_column_int64(_handle, column);

    /// <summary>A text of the row.</summary>
    public string Text(int column) => Encoding.UTF8.GetString(Bytes(column));

    /// <summary>Whether a value of the row is missing.</summary>
    public bool IsNull(int column) => raw.sqlite3_column_type(_handle, column) == raw.SQLITE_NULL;

    /// <summary>The bytes of a blob or of a text (UTF-8) of the row; they are there until the next step.</summary>
    public ReadOnlySpan<byte> Bytes(int column) => raw.sqlite3_column_blob(_handle, column);

    /// <inheritdoc/>
    public void Dispose() => _handle.Dispose();

    private void Demand(int result)
    {
        if (result != raw.SQLITE_OK)
        {
            SqliteException.ThrowExceptionForRC(result, _connection);
        }
    }
}
