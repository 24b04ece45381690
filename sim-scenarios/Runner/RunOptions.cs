using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Actors.Protocol;
using Iommufd.Messages.Events;
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

    /// <summary>Options beside seed and durability that decide what the run does, as its journal records them: name, value; repeated.</summary>
    public IReadOnlyList<string> Recorded { get; init; } = [];

    /// <summary>Whether the calls of each context and their answers are checked for linearizability.</summary>
    public bool Histories { get; init; } = true;

    /// <summary>Records what every client does; null for nobody. Under a seed alone.</summary>
    public RunTrace? Trace { get; init; }

    /// <summary>Where the order of a seeded run's steps is written down; null for nowhere.</summary>
    public ICollection<ScheduleTurn>? Turns { get; init; }

    /// <summary>
    /// The first event of the journal that a seeded run is executed again on, whatever version of the program wrote it; null for a
    /// new journal.
    /// </summary>
    public RunStarted? Again { get; init; }

    /// <summary>What a run without a seed left when it was killed, and this one goes on with; null for a new one.</summary>
    public UnfinishedRun? Unfinished { get; init; }
}

/// <summary>What a run runs on: the machine's actors and the journal that their contexts write.</summary>
public interface IRunHost
{
    /// <summary>HOCON for the actor system.</summary>
    string Configuration { get; }

    /// <summary>What a reply waits for, as the journal records it.</summary>
    string Durability => "memory";

    /// <summary>Starts the machine.</summary>
    /// <param name="system">Where.</param>
    /// <param name="fail">Ends the run at once: its journal cannot be written, or is another run's.</param>
    RunMachine StartMachine(ActorSystem system, Action<Exception> fail);

    /// <summary>Whether the run is executed again and has not come to the end of its journal yet.</summary>
    bool IsCatchingUp => false;

    /// <summary>Pages that are pinned now.</summary>
    long Pins { get; }

    /// <summary>Devices with background DMA that an answered call sets going again.</summary>
    int DmaKicks => 16;

    /// <summary>Blocks that background DMA transfers at most each time that it is set going; null for as many as its step says.</summary>
    long? DmaBlocks => null;

    /// <summary>
    /// Whether the report says how much memory the process used. Of several runs at a time in one process none can say it, and asking the
    /// operating system is slow beside a short run.
    /// </summary>
    bool MeasuresMemory => true;

    /// <summary>Page tables that exist now.</summary>
    long Tables => 0;

    /// <summary>Events that are written and not durable yet.</summary>
    long JournalLag => 0;

    /// <summary>How many messages wait now, by the kind of their receiver.</summary>
    IReadOnlyList<MailboxDepth> Mailboxes => [];

    /// <summary>Reads what was journalled, after the system has ended; null when nothing was, or it cannot be read.</summary>
    JournalSummary? ReadJournal();

    /// <summary>Restores the state from the journal, where it is done at once, and compares; what is wrong, or null.</summary>
    InvariantViolation? Verify(RunReport report) => null;

    /// <summary>The digest of the state that the journal restores; null when there is none or it cannot be read.</summary>
    string? ReadDigest() => null;
}

/// <summary>The actors of a machine.</summary>
/// <param name="Machine">/user/machine.</param>
/// <param name="RunJournal">Writes the run's own events; nobody without a journal.</param>
/// <param name="Failed">Told of every stream that cannot be written.</param>
public sealed record RunMachine(IActorRef Machine, IActorRef RunJournal, Action<JournalFailure>? Failed);

/// <summary>A run's journal.</summary>
/// <param name="Path">The file.</param>
/// <param name="Events">Events in it.</param>
/// <param name="Bytes">The file's size.</param>
/// <param name="Sha256">Over the ordered event payloads; hexadecimal.</param>
public sealed record JournalSummary(string Path, long Events, long Bytes, string Sha256);
