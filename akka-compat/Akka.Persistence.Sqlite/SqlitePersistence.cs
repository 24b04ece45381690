using Akka.Actor;
using Akka.Configuration;

namespace Akka.Persistence.Sqlite;

/// <summary>The SQLite plugins' configuration, as an extension.</summary>
public class SqlitePersistence : IExtension
{
    public const string JournalConfigPath = "akka.persistence.journal.sqlite";
    public const string SnapshotConfigPath = "akka.persistence.snapshot-store.sqlite";

    public readonly Config DefaultJournalConfig;
    public readonly Config DefaultSnapshotConfig;

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

    public static SqlitePersistence Get(ActorSystem system) =>
        system.WithExtension<SqlitePersistence, SqlitePersistenceProvider>();
}

/// <summary>Finds the extension of an actor system.</summary>
public class SqlitePersistenceProvider : ExtensionIdProvider<SqlitePersistence>
{
    public override SqlitePersistence CreateExtension(ExtendedActorSystem system) => new(system);
}
