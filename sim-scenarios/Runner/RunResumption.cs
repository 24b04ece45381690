using System.Globalization;
using Iommufd.Messages.Events;
using Iommufd.Persistence;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Language;

namespace Iommufd.Scenarios.Runner;

/// <summary>
/// How a run that was killed goes on. A seeded one is executed again from its beginning: every event that is in the journal is
/// compared, not written, and behind the last one the run goes on as if nothing had happened. One without a seed cannot be repeated:
/// its contexts are restored from their events and closed, and the clients that had not finished begin again.
/// </summary>
public sealed class RunResumption
{
    private readonly long _events;
    private readonly FaultSession? _faults;

    private RunResumption(JournaledRun run, Scenario scenario, UnfinishedRun? unfinished, long events)
    {
        (Run, Scenario, Unfinished) = (run, scenario, unfinished);
        _events = events;
        _faults = ShippedFaultPlans.FromJournal(run.Options) is { } plan
            ? new FaultSession(plan, run.Started.Seed)
            : null;
    }

    /// <summary>What the journal says about the run.</summary>
    public JournaledRun Run { get; }

    /// <summary>The scenario, from the text in the journal.</summary>
    public Scenario Scenario { get; }

    /// <summary>What the run left; null when it is executed again, or has ended.</summary>
    public UnfinishedRun? Unfinished { get; }

    /// <summary>The faults that the run met, from their beginning; null for none.</summary>
    public FaultSession? Faults => _faults;

    /// <summary>What a reply waits for.</summary>
    public Durability Durability => Enum.Parse<Durability>(Run.Started.Durability, ignoreCase: true);

    /// <summary>Reads from a journal how its run goes on.</summary>
    /// <exception cref="JournalFormatException">The journal is damaged, empty, or does not say which run wrote it.</exception>
    /// <exception cref="ScenarioInvalidException">This version cannot read the scenario any more.</exception>
    public static RunResumption Of(JournalFile journal)
    {
        if (!journal.HasRows())
        {
            throw new JournalFormatException(
                "the journal is empty: its run had not begun, so start it again with: iommufd run"
            );
        }

        JournaledRun run =
            journal.ReadRun()
            ?? throw new JournalFormatException(
                "the journal does not say which run wrote it: it is of event version 1, which can be replayed and not resumed"
            );
        Scenario scenario = ScenarioText
            .Read(run.Started.Scenario, run.Started.Text)
            .Bind(run.Settings, run.Started.Seed);
        bool isAgain = run.IsRepeatable && ActorRuntime.CanRepeat;
        UnfinishedRun? unfinished = isAgain || run.Finished is not null ? null : UnfinishedRun.Restore(journal, run);
        return new RunResumption(run, scenario, unfinished, journal.Count());
    }

    /// <summary>What is going to be done, in one sentence.</summary>
    public string Describe()
    {
        if (Unfinished is not { } unfinished)
        {
            return string.Create(
                CultureInfo.InvariantCulture,
                $"seed {Run.Started.Seed}: executing the run again; its {_events} recorded events are compared, then it goes on"
            );
        }

        string clients = Run.StopReason is { } reason
            ? $"it was stopping ({reason}) and ends"
            : string.Create(
                CultureInfo.InvariantCulture,
                $"{Run.FinishedClients.Count} of {Scenario.ClientCount} clients had finished, the others begin again"
            );
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{unfinished.Contexts.Count} contexts restored from {_events} events, {unfinished.Interrupted.Count} of them were open and are closed; {clients}"
        );
    }

    /// <summary>The host that the run goes on with. The caller disposes of it.</summary>
    /// <param name="file">The journal.</param>
    /// <param name="replies">Where replies are written down; null for nowhere.</param>
    public SimulatedRunHost Host(string file, ReplyLog? replies) =>
        new(file, Durability, _faults)
        {
            IsAgain = Unfinished is null,
            EarlierContexts = Unfinished?.Contexts ?? new Dictionary<int, ulong>(),
            Witnesses = replies is null ? [] : [replies],
        };

    /// <summary>How the run goes on.</summary>
    public RunOptions Options(IRunHost host, TimeSpan? deadline) =>
        new(Unfinished is null ? Run.Started.Seed : null, deadline, host)
        {
            Faults = _faults,
            Again = Unfinished is null ? Run.Started : null,
            Unfinished = Unfinished,
        };

    /// <summary>Says why a run cannot be executed again.</summary>
    public static string Explain(JournaledRun run, JournalDivergedException diverged) =>
        string.Equals(run.Started.Product, ScenarioRunner.Product, StringComparison.Ordinal)
            ? $"{diverged.Message}; the journal is as it was. This is a bug of the simulator: please report it with the journal"
            : $"{diverged.Message}; the journal is as it was. It was written by version {run.Started.Product}, this is "
                + $"{ScenarioRunner.Product}: resume it with the version that wrote it";
}
