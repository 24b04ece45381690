using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Messages.Events;
using Iommufd.Persistence;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Runner;

namespace Iommufd.Scenarios.Soak;

/// <summary>A run on the simulator with its journal in memory. What became durable is restored when the run is over.</summary>
/// <param name="faults">The run's faults; null where nothing fails.</param>
/// <param name="journals">Whether events are journalled.</param>
/// <param name="configure">Changes the host before it starts; null for nothing.</param>
public sealed class SoakRunHost(
    FaultSession? faults,
    bool journals = true,
    Func<HostOptions, HostOptions>? configure = null
) : IRunHost
{
    private const string Quiet = "akka { loglevel = OFF, stdout-loglevel = OFF, log-dead-letters = off }\n";
    private static readonly string InMemory = Quiet + JournalSettings.ToHocon(string.Empty, Durability.Ram);

    private readonly InFlightSampler _sampler = new();
    private readonly SortedDictionary<int, List<(long Sequence, ContextEvent Event)>> _durable = [];
    private SimulatedHost? _host;

    /// <inheritdoc/>
    public string Configuration => InMemory;

    /// <summary>One: a soak looks for interleavings, and finds no more of them in more DMA of the same kind.</summary>
    public int DmaKicks => 1;

    /// <inheritdoc/>
    public long? DmaBlocks { get; init; }

    /// <inheritdoc/>
    public bool MeasuresMemory { get; init; } = true;

    /// <inheritdoc/>
    public long Pins => (long?)_host?.State.Physical.TotalPins ?? 0;

    /// <inheritdoc/>
    public long Tables => _host?.State.Tables ?? 0;

    /// <inheritdoc/>
    public RunMachine StartMachine(ActorSystem system, Action<Exception> fail)
    {
        var options = new HostOptions
        {
            Journal = journals,
            Faults = faults,
            Recorded = journals ? Record : null,
            Sampler = _sampler,
        };
        _host = SimulatedHost.Start(system, configure?.Invoke(options) ?? options);
        return new RunMachine(_host.Machine, ActorRefs.Nobody, null);
    }

    /// <inheritdoc/>
    public JournalSummary? ReadJournal() => null;

    /// <inheritdoc/>
    public InvariantViolation? Verify(RunReport report)
    {
        if (_sampler.First is { } found)
        {
            return found;
        }

        if (!journals || report.StopReason is not null)
        {
            return null;
        }

        return Restore(report) is { } wrong ? new InvariantViolation(wrong.Check, "the journal", wrong.What) : null;
    }

    private (string Check, string What)? Restore(RunReport report)
    {
        var digests = new SortedDictionary<int, ulong>();
        foreach ((int number, List<(long Sequence, ContextEvent Event)> events) in _durable)
        {
            var context = new ReplayedContext(number);
            try
            {
                long expected = 1;
                foreach ((long sequence, ContextEvent change) in events)
                {
                    if (sequence != expected++)
                    {
                        return ("journal-in-order", $"context {number}: event {sequence} instead of {expected - 1}");
                    }

                    context.Apply(change);
                }
            }
            catch (Exception damaged) when (damaged is not OutOfMemoryException)
            {
                return ("restore", $"context {number}: {damaged.Message}");
            }

            if (context.Mismatches.Count > 0)
            {
                return (
                    "restore-digest",
                    $"context {number}: the state before the close is not what its journal gives"
                );
            }

            digests[number] = context.Digest;
        }

        string found = $"{MachineDigest.Of(digests):x16}";
        return found == report.Digest ? null : ("restore-digest", $"{report.Digest} restored as {found}");
    }

    private void Record(int context, long sequence, ContextEvent change)
    {
        if (!_durable.TryGetValue(context, out var events))
        {
            _durable[context] = events = [];
        }

        events.Add((sequence, change));
    }
}
