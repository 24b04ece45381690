using Akka.Actor;
using Akka.Configuration;

namespace Akka.Persistence.Sqlite;

/// <summary>The SQLite plugins' configuration, as an extension.</summary>
public class SqlitePersistence : IExtension
{
    /// <summary>The section of the journal.</summary>
    public const string JournalConfigPath = "akka.persistence.journal.sqlite";

    /// <summary>The section of the snapshot store.</summary>
    public const string SnapshotConfigPath = "akka.persistence.snapshot-store.sqlite";

    /// <summary>The defaults of the journal, whatever the system's configuration says.</summary>
    public readonly Config DefaultJournalConfig;

    /// <summary>The defaults of the snapshot store, whatever the system's configuration says.</summary>
    public readonly Config DefaultSnapshotConfig;

    /// <summary>Adds the defaults to the system's configuration.</summary>
    public SqlitePersistence(ExtendedActorSystem system)
    {
        var defaults = DefaultConfiguration();
        system.Settings.InjectTopLevelFallback(defaults);
        DefaultJournalConfig = defaults.GetConfig(JournalConfigPath);
        DefaultSnapshotConfig = defaults.GetConfig(SnapshotConfigPath);
    }

    /// <summary>The defaults of both plugins; also chooses them as the default journal and snapshot store.</summary>
    public static Config DefaultConfiguration() =>
        ConfigurationFactory.FromResource("Akka.Persistence.Sqlite.sqlite.conf", typeof(SqlitePersistence).Assembly);

    /// <summary>The extension of a system; it is made if it is not there.</summary>
    public static SqlitePersistence Get(ActorSystem system) =>
        system.WithExtension<SqlitePersistence, SqlitePersistenceProvider>();
}

/// <summary>Finds the extension of an actor system.</summary>
public class SqlitePersistenceProvider : ExtensionIdProvider<SqlitePersistence>
{
    /// <inheritdoc/>
    public override SqlitePersistence CreateExtension(ExtendedActorSystem system) => new(system);
}
