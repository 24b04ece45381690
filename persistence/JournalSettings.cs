using System.Globalization;
using System.Text;

namespace Iommufd.Persistence;

/// <summary>What a reply waits for.</summary>
public enum Durability
{
    /// <summary>The event's own transaction, synced to the disk (synchronous = FULL).</summary>
    Strict,

    /// <summary>A transaction shared with whatever else was waiting; survives a crash of the program (synchronous = NORMAL).</summary>
    Group,

    /// <summary>Nothing: no journal is written.</summary>
    Memory,

    /// <summary>A journal that lives as long as the run, for restoring the contexts from it at the end: what a soak does.</summary>
    Ram,
}

/// <summary>Configuration of the actor system for a journal in a SQLite file.</summary>
public static class JournalSettings
{
    // A journal belongs to one run: who holds a lock for so long is not going to give it back.
    private static readonly TimeSpan LockTimeout = TimeSpan.FromSeconds(5);

    private const string InMemory = """
        akka.persistence.journal.plugin = "akka.persistence.journal.inmem"
        akka.persistence.snapshot-store.plugin = "akka.persistence.no-snapshot-store"
        akka.persistence.max-concurrent-recoveries = 1024

        """;

    /// <summary>HOCON that sends events to a file; empty for <see cref="Durability.Memory"/>.</summary>
    /// <param name="file">The journal's path; made when it does not exist.</param>
    /// <param name="durability">What a reply waits for.</param>
    /// <param name="rewrite">
    /// Whether a seeded run is executed again on the journal that it wrote: see the <c>rewrite</c> key of akka-compat's journal.
    /// </param>
    /// <param name="lockTimeout">How long a write waits for a lock that another process holds; 5 s when left out.</param>
    public static string ToHocon(string file, Durability durability, bool rewrite = false, TimeSpan? lockTimeout = null)
    {
        if (durability == Durability.Memory)
        {
            return string.Empty;
        }

        if (durability == Durability.Ram)
        {
            return InMemory;
        }

        var plugin = durability == Durability.Strict ? "SqliteJournal" : "BatchingSqliteJournal";
        var synchronous = durability == Durability.Strict ? "full" : "normal";
        var text = new StringBuilder();
        text.Append(
            """
            akka.persistence.journal.plugin = "akka.persistence.journal.sqlite"
            akka.persistence.snapshot-store.plugin = "akka.persistence.no-snapshot-store"
            akka.persistence.max-concurrent-recoveries = 1024
            akka.actor.serializers.hyperion = "Akka.Serialization.HyperionSerializer, Akka.Serialization.Hyperion"
            akka.actor.serialization-bindings {
              "Iommufd.Messages.Events.ContextEvent, Iommufd.Messages" = hyperion
            }
            akka.actor.serialization-settings.hyperion {
              preserve-object-references = false
              version-tolerance = false
              known-types-provider = "Iommufd.Persistence.EventKnownTypes, Iommufd.Persistence"
            }

            """
        );
        text.Append("akka.persistence.journal.sqlite {\n");
        text.Append($"  class = \"Akka.Persistence.Sqlite.Journal.{plugin}, Akka.Persistence.Sqlite\"\n");
        text.Append($"  connection-string = \"Data Source={Quote(file)}\"\n");
        text.Append(
            CultureInfo.InvariantCulture,
            $"  connection-timeout = {(lockTimeout ?? LockTimeout).TotalMilliseconds:0}ms\n"
        );
        text.Append("  stop-at-failure = on\n");
        text.Append(rewrite ? "  rewrite = on\n" : string.Empty);
        text.Append(
            $"  auto-initialize = on\n  journal-mode = wal\n  synchronous = {synchronous}\n  wal-autocheckpoint = 10000\n}}\n"
        );
        return text.ToString();
    }

    private static string Quote(string file) =>
        file.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal);
}
