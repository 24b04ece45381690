using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Shrink;

namespace Iommufd.Scenarios.Runner;

/// <summary>How a scenario is run.</summary>
/// <param name="Seed">Decides the schedule; null runs on all cores.</param>
/// <param name="Deadline">The run is cut short after this time; null for what the scenario says.</param>
/// <param name="Host">The simulated machine and its journal.</param>
public sealed record RunOptions(ulong? Seed, TimeSpan? Deadline, IRunHost Host)
{
    /// <summary>The faults of the run; null where nothing fails. The host's own options must name the same.</summary>
    public FaultSession? Faults { get; init; }

    /// <summary>Whether the calls of each context and their answers are checked for linearizability.</summary>
    public bool Histories { get; init; } = true;

    /// <summary>Records what every client does; null for nobody. Under a seed alone.</summary>
    public RunTrace? Trace { get; init; }
}

/// <summary>What a run runs on: the machine's actors and the journal that their contexts write.</summary>
public interface IRunHost
{
    /// <summary>HOCON for the actor system.</summary>
    string Configuration { get; }

    /// <summary>Starts the machine.</summary>
    IActorRef StartMachine(ActorSystem system);

    /// <summary>Pages that are pinned now.</summary>
    long Pins { get; }

    /// <summary>Devices with background DMA that an answered call sets going again.</summary>
    int DmaKicks => 16;

    /// <summary>Page tables that exist now.</summary>
    long Tables => 0;

    /// <summary>Reads what was journalled, after the system has ended; null when nothing was.</summary>
    JournalSummary? ReadJournal();

    /// <summary>Restores the state from the journal, where it is done at once, and compares; what is wrong, or null.</summary>
    InvariantViolation? Verify(RunReport report) => null;
}

/// <summary>A run's journal.</summary>
/// <param name="Path">The file.</param>
/// <param name="Events">Events in it.</param>
/// <param name="Bytes">The file's size.</param>
/// <param name="Sha256">Over the ordered event payloads; hexadecimal.</param>
public sealed record JournalSummary(string Path, long Events, long Bytes, string Sha256);
