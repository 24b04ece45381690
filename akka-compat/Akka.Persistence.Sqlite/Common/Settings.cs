using System.Data;
using Akka.Configuration;

namespace Akka.Persistence.Sql.Common;

/// <summary>The settings of an SQL journal.</summary>
public class JournalSettings
{
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

    public string ConnectionString { get; }
    public string ConnectionStringName { get; }
    public TimeSpan ConnectionTimeout { get; }
    public string JournalTableName { get; }
    public string SchemaName { get; }
    public string MetaTableName { get; }
    public string TimestampProvider { get; set; }
    public bool AutoInitialize { get; }
    public IsolationLevel ReadIsolationLevel { get; }
    public IsolationLevel WriteIsolationLevel { get; }
}

/// <summary>The settings of an SQL snapshot store.</summary>
public class SnapshotStoreSettings
{
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

    public string ConnectionString { get; }
    public string ConnectionStringName { get; }
    public TimeSpan ConnectionTimeout { get; }
    public string SchemaName { get; }
    public string TableName { get; }
    public bool AutoInitialize { get; }
    public IsolationLevel ReadIsolationLevel { get; }
    public IsolationLevel WriteIsolationLevel { get; }
    public string FullTableName => string.IsNullOrEmpty(SchemaName) ? TableName : $"{SchemaName}.{TableName}";
}

/// <summary>Reads an isolation level by name. SQLite knows only one, so the value is checked and has no effect.</summary>
internal static class IsolationLevels
{
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
