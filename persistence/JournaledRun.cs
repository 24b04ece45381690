using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>What a journal says about the run that wrote it. Immutable.</summary>
public sealed class JournaledRun
{
    private readonly HashSet<long> _finishedClients = [];
    private readonly Dictionary<string, int> _openedBarriers = new(StringComparer.Ordinal);

    private readonly int _otherFinishedClients;

    /// <summary>Collects the events of the run's stream.</summary>
    /// <param name="events">All, or all but those of clients.</param>
    /// <param name="otherFinishedClients">How many clients finished whose events are not among them.</param>
    /// <exception cref="JournalFormatException">The first is not the run's beginning.</exception>
    public JournaledRun(IEnumerable<ContextEvent> events, int otherFinishedClients = 0)
    {
        _otherFinishedClients = otherFinishedClients;
        foreach (var change in events)
        {
            Add(change);
        }

        if (Started is null)
        {
            throw new JournalFormatException("the stream of the run is empty");
        }
    }

    /// <summary>What was run and how.</summary>
    public RunStarted Started { get; private set; } = null!;

    /// <summary>Clients that have done all their steps.</summary>
    public IReadOnlySet<long> FinishedClients => _finishedClients;

    /// <summary>How many they are.</summary>
    public int FinishedClientCount => _finishedClients.Count + _otherFinishedClients;

    /// <summary>How often each barrier has opened.</summary>
    public IReadOnlyDictionary<string, int> OpenedBarriers => _openedBarriers;

    /// <summary>Why the run was asked to stop; null when it was not.</summary>
    public string? StopReason { get; private set; }

    /// <summary>How often the run went on, with its clients from their beginning, after it was killed.</summary>
    public int Continuations { get; private set; }

    /// <summary>How it ended; null when it was killed, or still runs.</summary>
    public RunFinished? Finished { get; private set; }

    /// <summary>Whether executing it again under its seed gives the same events: nobody stopped it, and it was never gone on with otherwise.</summary>
    public bool IsRepeatable => Started.IsSeeded && StopReason is null && Continuations == 0;

    /// <summary>What <c>--set</c> said.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Settings => Pairs(Started.Settings);

    /// <summary>Further options of the run.</summary>
    public IReadOnlyList<KeyValuePair<string, string>> Options => Pairs(Started.Options);

    /// <summary>The command that runs the same again.</summary>
    /// <param name="scenario">The scenario's file or name.</param>
    public string CommandFor(string scenario) =>
        $"iommufd run {scenario}"
        + (Started.IsSeeded ? FormattableString.Invariant($" --seed {Started.Seed}") : string.Empty)
        + string.Concat(Settings.Select(s => $" --set {s.Key}={s.Value}"))
        + string.Concat(
            Options.Where(o => !o.Key.EndsWith("-text", StringComparison.Ordinal)).Select(o => $" --{o.Key} {o.Value}")
        )
        + $" --durability {Started.Durability}";

    private void Add(ContextEvent change)
    {
        switch (change)
        {
            case RunStarted started when Started is null:
                Started = started;
                break;
            case var _ when Started is null:
                throw new JournalFormatException($"the stream of the run begins with {change.GetType().Name}");
            case ClientFinished client:
                _finishedClients.Add(client.Client);
                break;
            case BarrierOpened barrier:
                _openedBarriers[barrier.Meeting] = _openedBarriers.GetValueOrDefault(barrier.Meeting) + 1;
                break;
            case RunStopping stopping:
                StopReason ??= stopping.Reason;
                break;
            case RunContinued:
                Continuations++;
                break;
            case RunFinished finished:
                Finished = finished;
                break;
            default:
                throw new JournalFormatException($"{change.GetType().Name} is no event of a run");
        }
    }

    private static KeyValuePair<string, string>[] Pairs(string[] flat) =>
        [.. Enumerable.Range(0, flat.Length / 2).Select(i => KeyValuePair.Create(flat[2 * i], flat[(2 * i) + 1]))];
}
