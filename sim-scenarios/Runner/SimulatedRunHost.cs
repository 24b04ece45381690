using System.Globalization;
using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Messages.Events;
using Iommufd.Persistence;
using Iommufd.Scenarios.Faults;
using Microsoft.Data.Sqlite;

namespace Iommufd.Scenarios.Runner;

/// <summary>A run on the simulator itself.</summary>
/// <param name="journal">Where the journal goes; must not hold another run's. Null for none.</param>
/// <param name="durability">What a reply waits for.</param>
/// <param name="faults">The run's faults; null where nothing fails.</param>
public sealed class SimulatedRunHost(string? journal, Durability durability, FaultSession? faults = null)
    : IRunHost,
        IDisposable
{
    private const string Loud = "akka { loglevel = WARNING, log-dead-letters = off }\n";

    // Actors die by the hundred, as the plan wants: their stack traces would hide everything else.
    private const string Quiet = "akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }\n";

    private readonly JournalLag _lag = new();
    private SimulatedHost? _host;
    private RecordedEvents? _recorded;
    private Action<Exception>? _fail;

    /// <summary>Whether a seeded run is executed again on the journal that it wrote before it was killed.</summary>
    public bool IsAgain { get; init; }

    /// <summary>Measures every step; null for nobody.</summary>
    public RunProfile? Profile { get; init; }

    /// <summary>Who else is told of every event and every reply.</summary>
    public IReadOnlyList<IJournalWitness> Witnesses { get; init; } = [];

    /// <summary>Contexts of the run's earlier life; see <see cref="HostOptions.EarlierContexts"/>.</summary>
    public IReadOnlyDictionary<int, ulong> EarlierContexts { get; init; } = new Dictionary<int, ulong>();

    /// <summary>How long a write waits for a lock that another process holds; null for the usual time.</summary>
    public TimeSpan? LockTimeout { get; init; }

    private string Logging => faults is null ? Loud : Quiet;

    private bool WritesJournal => journal is not null && durability != Persistence.Durability.Memory;

    /// <inheritdoc/>
    public string Configuration =>
        WritesJournal ? Logging + JournalSettings.ToHocon(journal!, durability, IsAgain, LockTimeout) : Logging;

    /// <inheritdoc/>
    public string Durability => durability.ToString().ToLowerInvariant();

    /// <inheritdoc/>
    public long Pins => (long?)_host?.State.Physical.TotalPins ?? 0;

    /// <inheritdoc/>
    public long JournalLag => _lag.Value;

    /// <inheritdoc/>
    public IReadOnlyList<MailboxDepth> Mailboxes => _host?.Mailboxes() ?? [];

    /// <inheritdoc/>
    public long Tables => _host?.State.Tables ?? 0;

    /// <inheritdoc/>
    public bool IsCatchingUp => _recorded is { Left: > 0 };

    /// <summary>Ends the run at once, with what <see cref="ScenarioRunner.RunAsync"/> then throws.</summary>
    public void Abort(Exception why) => _fail?.Invoke(why);

    /// <inheritdoc/>
    public RunMachine StartMachine(ActorSystem system, Action<Exception> fail)
    {
        _fail = fail;
        var witnesses = new List<IJournalWitness>(Witnesses);
        if (WritesJournal && IsAgain)
        {
            _recorded = new RecordedEvents(journal!, d => fail(new JournalDivergedException(d)));
            witnesses.Add(_recorded);
        }

        Action<JournalFailure> failed = failure => fail(Explain(failure.Cause));
        var options = new HostOptions
        {
            Journal = WritesJournal,
            Faults = faults,
            StepHook = Profile,
            JournalFailed = failed,
            Witnesses = witnesses,
            EarlierContexts = EarlierContexts,
            Lag = _lag,
        };
        _host = SimulatedHost.Start(system, options);
        return new RunMachine(_host.Machine, _host.StartRunJournal(system), failed);
    }

    /// <inheritdoc/>
    public JournalSummary? ReadJournal()
    {
        if (!WritesJournal)
        {
            return null;
        }

        try
        {
            using JournalFile written = JournalFile.Open(journal!);
            return new JournalSummary(journal!, written.Count(), SizeOf(journal!), written.Sha256());
        }
        catch (JournalFormatException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public string? ReadDigest()
    {
        if (!WritesJournal)
        {
            return null;
        }

        try
        {
            using JournalFile written = JournalFile.Open(journal!);
            return JournalReplay.Run(written).Digest.ToString("x16", CultureInfo.InvariantCulture);
        }
        catch (JournalFormatException)
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _recorded?.Dispose();

    // What is not the disk's fault, in a run that is executed again, is a row that is not the one that came.
    private Exception Explain(Exception cause)
    {
        bool isStorage = cause is SqliteException || cause.InnerException is SqliteException;
        return IsAgain && !isStorage ? new JournalDivergedException(cause) : new JournalLostException(journal!, cause);
    }

    // What SQLite has not yet moved from its write-ahead log into the file belongs to the journal.
    private static long SizeOf(string file)
    {
        var log = new FileInfo(file + "-wal");
        return new FileInfo(file).Length + (log.Exists ? log.Length : 0);
    }
}
