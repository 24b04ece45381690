using System.Data;
using Akka.Configuration;

namespace Akka.Persistence.Sql.Common;

/// <summary>The settings of an SQL journal.</summary>
public class JournalSettings
{
    /// <summary>Reads the section of a journal.</summary>
    /// <exception cref="ConfigurationException">It is empty, or an isolation level is not known.</exception>
    public JournalSettings(Config config)
    {
        if (config.IsNullOrEmpty())
            throw ConfigurationException.NullOrEmptyConfig<JournalSettings>();
        ConnectionString = config.GetString("connection-string", "");
        ConnectionStringName = config.GetString("connection-string-name", "");
        ConnectionTimeout = config.GetTimeSpan("connection-timeout", TimeSpan.FromSeconds(30));
        SchemaName = config.GetString("schema-name");
        JournalTableName = config.GetString("table-name", "event_journal");
        MetaTableName = config.GetString("metadata-table-name", "journal_metadata");
        TimestampProvider = config.GetString("timestamp-provider");
        AutoInitialize = config.GetBoolean("auto-initialize");
        ReadIsolationLevel = IsolationLevels.Parse(config.GetString("read-isolation-level"));
        WriteIsolationLevel = IsolationLevels.Parse(config.GetString("write-isolation-level"));
    }

    /// <summary>As Microsoft.Data.Sqlite understands it; empty when none was given.</summary>
    public string ConnectionString { get; }

    /// <summary>Read by nothing here: there is no file of named connection strings.</summary>
    public string ConnectionStringName { get; }

    /// <summary>How long a locked database is waited for.</summary>
    public TimeSpan ConnectionTimeout { get; }

    /// <summary>The table of events.</summary>
    public string JournalTableName { get; }

    /// <summary>Of no effect: SQLite has no schemas.</summary>
    public string SchemaName { get; }

    /// <summary>The table that holds the highest numbers of streams whose events were deleted.</summary>
    public string MetaTableName { get; }

    /// <summary>
    /// The type that tells an event's time; the default one takes the clock of the actor system's scheduler.
    /// </summary>
    public string TimestampProvider { get; set; }

    /// <summary>Whether tables that are missing are created.</summary>
    public bool AutoInitialize { get; }

    /// <summary>Checked and of no effect: SQLite has one level.</summary>
    public IsolationLevel ReadIsolationLevel { get; }

    /// <summary>Checked and of no effect: SQLite has one level.</summary>
    public IsolationLevel WriteIsolationLevel { get; }
}

/// <summary>The settings of an SQL snapshot store.</summary>
public class SnapshotStoreSettings
{
    /// <summary>Reads the section of a snapshot store.</summary>
    /// <exception cref="ConfigurationException">It is empty, or an isolation level is not known.</exception>
    public SnapshotStoreSettings(Config config)
    {
        if (config.IsNullOrEmpty())
            throw ConfigurationException.NullOrEmptyConfig<SnapshotStoreSettings>();
        ConnectionString = config.GetString("connection-string", "");
        ConnectionStringName = config.GetString("connection-string-name", "");
        ConnectionTimeout = config.GetTimeSpan("connection-timeout", TimeSpan.FromSeconds(30));
        SchemaName = config.GetString("schema-name");
        TableName = config.GetString("table-name", "snapshot");
        AutoInitialize = config.GetBoolean("auto-initialize");
        ReadIsolationLevel = IsolationLevels.Parse(config.GetString("read-isolation-level"));
        WriteIsolationLevel = IsolationLevels.Parse(config.GetString("write-isolation-level"));
    }

    /// <summary>As Microsoft.Data.Sqlite understands it; empty when none was given.</summary>
    public string ConnectionString { get; }

    /// <summary>Read by nothing here: there is no file of named connection strings.</summary>
    public string ConnectionStringName { get; }

    /// <summary>How long a locked database is waited for.</summary>
    public TimeSpan ConnectionTimeout { get; }

    /// <summary>Of no effect: SQLite has no schemas.</summary>
    public string SchemaName { get; }

    /// <summary>The table of snapshots.</summary>
    public string TableName { get; }

    /// <summary>Whether tables that are missing are created.</summary>
    public bool AutoInitialize { get; }

    /// <summary>Checked and of no effect: SQLite has one level.</summary>
    public IsolationLevel ReadIsolationLevel { get; }

    /// <summary>Checked and of no effect: SQLite has one level.</summary>
    public IsolationLevel WriteIsolationLevel { get; }

    /// <summary>With the schema before the name; not used here.</summary>
    public string FullTableName => string.IsNullOrEmpty(SchemaName) ? TableName : $"{SchemaName}.{TableName}";
}

/// <summary>Reads an isolation level by name. SQLite knows only one, so the value is checked and has no effect.</summary>
internal static class IsolationLevels
{
    /// <summary>Reads a name, with or without hyphens; nothing is unspecified.</summary>
    /// <exception cref="ConfigurationException">The name is not known.</exception>
    public static IsolationLevel Parse(string name) =>
        name?.Replace("-", "", StringComparison.Ordinal).ToLowerInvariant() switch
        {
            null or "" or "unspecified" => IsolationLevel.Unspecified,
            "chaos" => IsolationLevel.Chaos,
            "readuncommitted" => IsolationLevel.ReadUncommitted,
            "readcommitted" => IsolationLevel.ReadCommitted,
            "repeatableread" => IsolationLevel.RepeatableRead,
            "serializable" => IsolationLevel.Serializable,
            "snapshot" => IsolationLevel.Snapshot,
            _ => throw new ConfigurationException(
                $"Unknown isolation-level value: [{name}]. Should be one of: unspecified, chaos, read-uncommitted, "
                    + "read-committed, repeatable-read, serializable, snapshot"
            ),
        };
}
