using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Persistence;
using Iommufd.Scenarios.Faults;

namespace Iommufd.Scenarios.Runner;

/// <summary>A run on the simulator itself.</summary>
/// <param name="journal">Where the journal goes; must not hold another run's. Null for none.</param>
/// <param name="durability">What a reply waits for.</param>
/// <param name="faults">The run's faults; null where nothing fails.</param>
public sealed class SimulatedRunHost(string? journal, Durability durability, FaultSession? faults = null) : IRunHost
{
    private const string Loud = "akka { loglevel = WARNING, log-dead-letters = off }\n";

    // Actors die by the hundred, as the plan wants: their stack traces would hide everything else.
    private const string Quiet = "akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }\n";

    private SimulatedHost? _host;

    private string Logging => faults is null ? Loud : Quiet;

    private bool WritesJournal => journal is not null && durability != Durability.Memory;

    /// <inheritdoc/>
    public string Configuration => WritesJournal ? Logging + JournalSettings.ToHocon(journal!, durability) : Logging;

    /// <inheritdoc/>
    public long Pins => (long?)_host?.State.Physical.TotalPins ?? 0;

    /// <inheritdoc/>
    public IActorRef StartMachine(ActorSystem system)
    {
        _host = SimulatedHost.Start(system, new HostOptions { Journal = WritesJournal, Faults = faults });
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
