using Akka.Actor;
using Akka.Configuration;
using Xunit;

namespace Akka.Persistence.Tests.Support;

/// <summary>A test with an actor system of its own and, if it wants one, a folder.</summary>
public abstract class PersistenceTest : IDisposable
{
    private DirectoryInfo? _folder;

    protected PersistenceTest(string configuration)
    {
        Configuration = ConfigurationFactory.ParseString(
            configuration.Replace("$FOLDER", Folder.FullName, StringComparison.Ordinal)
        );
        System = Start();
        Probe = new Probe(System);
    }

    protected Config Configuration { get; }

    protected ActorSystem System { get; private set; }

    protected Probe Probe { get; private set; }

    protected DirectoryInfo Folder => _folder ??= Directory.CreateTempSubdirectory("akka-persistence-");

    protected string File(string name) => Path.Combine(Folder.FullName, name);

    private ActorSystem Start() =>
        ActorSystem.Create("test", Configuration.WithFallback("akka.loglevel = OFF\nakka.stdout-loglevel = OFF"));

    /// <summary>Ends the actor system and starts another on the same files.</summary>
    protected void StartAgain()
    {
        Stop();
        System = Start();
        Probe = new Probe(System);
    }

    protected void Stop() => Assert.True(System.Terminate().Wait(TimeSpan.FromSeconds(10)), "The system did not stop.");

    public void Dispose()
    {
        Stop();
        _folder?.Delete(recursive: true);
        GC.SuppressFinalize(this);
    }
}

/// <summary>Configurations of journals under test.</summary>
public static class JournalConfigurations
{
    public const string InMemory = """
        akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
        akka.persistence.snapshot-store.plugin = "akka.persistence.snapshot-store.inmem"
        """;

    public static string Sqlite(string journalClass, string connectionString, string more = "") =>
        $$"""
            akka.persistence.journal {
              plugin = "akka.persistence.journal.sqlite"
              sqlite {
                class = "Akka.Persistence.Sqlite.Journal.{{journalClass}}, Akka.Persistence.Sqlite"
                connection-string = "{{connectionString}}"
                connection-timeout = 1s
                auto-initialize = on
                {{more}}
              }
            }
            akka.persistence.snapshot-store {
              plugin = "akka.persistence.snapshot-store.sqlite"
              sqlite {
                class = "Akka.Persistence.Sqlite.Snapshot.SqliteSnapshotStore, Akka.Persistence.Sqlite"
                connection-string = "{{connectionString}}"
                connection-timeout = 1s
                auto-initialize = on
              }
            }
            {{Hyperion}}
            """;

    public const string Hyperion = """
        akka.actor {
          serializers.hyperion = "Akka.Serialization.HyperionSerializer, Akka.Serialization.Hyperion"
          serialization-bindings { "System.Object" = hyperion }
          serialization-settings.hyperion {
            version-tolerance = false
            preserve-object-references = false
          }
        }
        """;

    public static string SqliteFile => Sqlite("SqliteJournal", "Data Source=$FOLDER/journal.db");

    public static string SqliteWal =>
        Sqlite("BatchingSqliteJournal", "Data Source=$FOLDER/journal.db", "journal-mode = wal\nsynchronous = normal");

    public static string SqliteMemory =>
        Sqlite("SqliteJournal", $"Data Source=memory-{Guid.NewGuid():N};Mode=Memory;Cache=Shared");
}
