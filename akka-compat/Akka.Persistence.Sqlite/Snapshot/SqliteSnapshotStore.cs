using Akka.Configuration;
using Akka.Persistence.Snapshot;
using Akka.Persistence.Sql.Common;
using Akka.Persistence.Sqlite.Storage;
using Microsoft.Data.Sqlite;

namespace Akka.Persistence.Sqlite.Snapshot;

/// <summary>Snapshots in an SQLite database. Everything happens inside the actor's own turn.</summary>
public class SqliteSnapshotStore : SnapshotStore
{
    private readonly SqliteOptions _options;
    private readonly EventCodec _codec;
    private SqliteDatabase _database;
    private SnapshotTable _table;

    /// <summary>Reads the section of the plugin; the database is opened when the actor starts.</summary>
    /// <exception cref="ConfigurationException">There is no connection string, or a value is not known.</exception>
    public SqliteSnapshotStore(Config snapshotConfig)
    {
        Settings = new SnapshotStoreSettings(snapshotConfig);
        if (string.IsNullOrEmpty(Settings.ConnectionString))
            throw new ConfigurationException(
                $"[{SqlitePersistence.SnapshotConfigPath}.connection-string] is empty: a snapshot store needs a database, for example \"Data Source=journal.db\"."
            );
        _options = SqliteOptions.From(snapshotConfig, Settings.ConnectionString, Settings.ConnectionTimeout);
        _codec = new EventCodec(Context.System);
    }

    /// <summary>What the section says.</summary>
    public SnapshotStoreSettings Settings { get; }

    /// <inheritdoc/>
    protected override void PreStart()
    {
        try
        {
            Open();
        }
        catch (Exception)
        {
            // As for the journal: every request tries again and tells its sender.
            Close();
        }
        base.PreStart();
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        Close();
        base.PostStop();
    }

    /// <inheritdoc/>
    protected override Task<SelectedSnapshot> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria) =>
        Use(
            "read",
            table =>
            {
                if (table.Newest(persistenceId, criteria) is not { } row)
                    return null;
                var metadata = new SnapshotMetadata(
                    persistenceId,
                    row.SequenceNr,
                    new DateTime(row.Timestamp, DateTimeKind.Utc)
                );
                return new SelectedSnapshot(metadata, _codec.Decode(row.Payload, row.SerializerId, row.Manifest));
            }
        );

    /// <inheritdoc/>
    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot) =>
        Use(
            "written",
            table =>
            {
                table.Save(
                    metadata.PersistenceId,
                    metadata.SequenceNr,
                    metadata.Timestamp.Ticks,
                    _codec.Encode(snapshot)
                );
                return true;
            }
        );

    /// <inheritdoc/>
    protected override Task DeleteAsync(SnapshotMetadata metadata) =>
        Use(
            "written",
            table =>
            {
                long? time = metadata.Timestamp == DateTime.MinValue ? null : metadata.Timestamp.Ticks;
                table.Delete(metadata.PersistenceId, metadata.SequenceNr, time);
                return true;
            }
        );

    /// <inheritdoc/>
    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria) =>
        Use(
            "written",
            table =>
            {
                table.Delete(persistenceId, criteria);
                return true;
            }
        );

    private Task<T> Use<T>(string action, Func<SnapshotTable, T> work)
    {
        try
        {
            Open();
            return Task.FromResult(work(_table));
        }
        catch (Exception e)
        {
            var failure = SqliteFailure.From(e, _database?.Path ?? Settings.ConnectionString, action);
            _database?.Rollback();
            if (e is SqliteException && !SqliteFailure.IsLock(e))
                Close();
            return Task.FromException<T>(failure);
        }
    }

    private void Open()
    {
        if (_database is not null)
            return;
        var database = SqliteDatabase.Open(_options);
        try
        {
            if (Settings.AutoInitialize)
                SnapshotTable.Create(database, Settings.TableName);
            _table = new SnapshotTable(database, Settings.TableName);
        }
        catch (Exception e)
        {
            database.Dispose();
            throw SqliteFailure.From(e, database.Path, "used");
        }
        _database = database;
    }

    private void Close()
    {
        _database?.Dispose();
        _database = null;
        _table = null;
    }
}
