using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Persistence;

namespace Iommufd.Scenarios.Runner;

/// <summary>A run on the simulator itself.</summary>
/// <param name="journal">Where the journal goes; must not hold another run's. Null for none.</param>
/// <param name="durability">What a reply waits for.</param>
public sealed class SimulatedRunHost(string? journal, Durability durability) : IRunHost
{
    private const string Logging = "akka { loglevel = WARNING, log-dead-letters = off }\n";

    private SimulatedHost? _host;

    private bool WritesJournal => journal is not null && durability != Durability.Memory;

    /// <inheritdoc/>
    public string Configuration => WritesJournal ? Logging + JournalSettings.ToHocon(journal!, durability) : Logging;

    /// <inheritdoc/>
    public long Pins => (long?)_host?.State.Physical.TotalPins ?? 0;

    /// <inheritdoc/>
    public IActorRef StartMachine(ActorSystem system)
    {
        _host = SimulatedHost.Start(system, new HostOptions { Journal = WritesJournal });
        return _host.Machine;
    }

    /// <inheritdoc/>
    public JournalSummary? ReadJournal()
    {
        if (!WritesJournal)
        {
            return null;
        }

        using JournalFile written = JournalFile.Open(journal!);
        return new JournalSummary(journal!, written.Count(), SizeOf(journal!), written.Sha256());
    }

    // What SQLite has not yet moved from its write-ahead log into the file belongs to the journal.
    private static long SizeOf(string file)
    {
        var log = new FileInfo(file + "-wal");
        return new FileInfo(file).Length + (log.Exists ? log.Length : 0);
    }
}
