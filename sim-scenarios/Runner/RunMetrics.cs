using System.Collections.Concurrent;
using System.Numerics;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Invariants;
using Iommufd.Messages;
using Iommufd.Scenarios.Linearizability;
using Iommufd.Scenarios.Steps;

namespace Iommufd.Scenarios.Runner;

/// <summary>
/// What a run counts. Written by actors on any thread, read by progress displays at any time; nothing in a run depends
/// on what it says, except that invariants are checked after so many operations.
/// </summary>
/// <param name="clock">Nanoseconds since some moment; for rates and latencies alone.</param>
public sealed class RunMetrics(Func<long> clock)
{
    private const int FailuresKept = 100;
    private const int DevicesKept = 256;
    private const int PhasesKept = 32;
    private readonly long[] _byErrno = new long[256];
    private readonly ConcurrentDictionary<string, StepMetrics> _bySteps = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, DeviceMetrics> _byDevice = new(StringComparer.Ordinal);
    private readonly ConcurrentQueue<FailedExpectation> _failures = new();
    private readonly ConcurrentQueue<PhaseMetrics> _phases = new();
    private long _operations;
    private long _skipped;
    private long _tolerated;
    private long _failedExpectations;
    private long _contexts;
    private long _closedContexts;
    private long _startedClients;
    private long _endedClients;
    private long _progress;
    private long _translations;
    private long _faults;
    private long _violations;
    private long _invariantsChecked;
    private long _invariantsViolated;
    private long _historyAnswers;
    private long _historiesGivenUp;
    private InvariantViolation? _firstViolation;

    /// <summary>Nanoseconds since some moment.</summary>
    public Func<long> Clock { get; } = clock;

    /// <summary>Ioctls and driver calls answered.</summary>
    public long Operations => Volatile.Read(ref _operations);

    /// <summary>Of these, with an errno.</summary>
    public long Failed => Operations - Volatile.Read(ref _byErrno[0]);

    /// <summary>Steps that could not run because what they use was never made.</summary>
    public long Skipped => Volatile.Read(ref _skipped);

    /// <summary>Contexts opened.</summary>
    public long Contexts => Volatile.Read(ref _contexts);

    /// <summary>Of these, closed.</summary>
    public long ClosedContexts => Volatile.Read(ref _closedContexts);

    /// <summary>Changes whenever something happens in the run.</summary>
    public long Progress => Volatile.Read(ref _progress);

    /// <summary>Clients that have begun.</summary>
    public long StartedClients => Volatile.Read(ref _startedClients);

    /// <summary>Clients that have ended.</summary>
    public long EndedClients => Volatile.Read(ref _endedClients);

    /// <summary>DMA of all devices.</summary>
    public DmaTotals Dma =>
        new(
            (ulong)Volatile.Read(ref _translations),
            (ulong)Volatile.Read(ref _faults),
            (ulong)Volatile.Read(ref _violations)
        );

    /// <summary>Invariants checked.</summary>
    public long InvariantsChecked => Volatile.Read(ref _invariantsChecked);

    /// <summary>Invariants that did not hold.</summary>
    public long InvariantsViolated => Volatile.Read(ref _invariantsViolated);

    /// <summary>The first of these.</summary>
    public InvariantViolation? FirstViolation => Volatile.Read(ref _firstViolation);

    /// <summary>Answers that were found right by a search for an order of the calls that explains them.</summary>
    public long HistoryAnswers => Volatile.Read(ref _historyAnswers);

    /// <summary>IOASes whose history was given up as undecided.</summary>
    public long HistoriesGivenUp => Volatile.Read(ref _historiesGivenUp);

    /// <summary>Steps that did not end as they must.</summary>
    public long FailedExpectations => Volatile.Read(ref _failedExpectations);

    /// <summary>The first of these, at most 100.</summary>
    public IReadOnlyList<FailedExpectation> Failures => [.. _failures];

    /// <summary>Operations by kind, in alphabetical order.</summary>
    public IReadOnlyList<StepMetrics> Steps => [.. _bySteps.Values.OrderBy(s => s.Name, StringComparer.Ordinal)];

    /// <summary>DMA by device, at most 256 devices, in alphabetical order.</summary>
    public IReadOnlyList<DeviceMetrics> Devices => [.. _byDevice.Values.OrderBy(d => d.Name, StringComparer.Ordinal)];

    /// <summary>Told of each answer: the operation's word and the nanoseconds it took.</summary>
    internal Action<string, long>? Answered { get; set; }

    /// <summary>Operations over time.</summary>
    public Timeline Timeline { get; } = new();

    /// <summary>The parts of the run, at most 32: what follows the last of them belongs to it.</summary>
    public IReadOnlyList<PhaseMetrics> Phases => [.. _phases];

    /// <summary>How many operations ended with each errno, successes too, in the order of the numbers.</summary>
    public IReadOnlyList<(Errno Errno, long Count)> ByErrno()
    {
        var counts = new List<(Errno, long)>();
        for (int i = 0; i < _byErrno.Length; i++)
        {
            long count = Volatile.Read(ref _byErrno[i]);
            if (count > 0)
            {
                counts.Add(((Errno)i, count));
            }
        }

        return counts;
    }

    internal long AddOperation(string step, Errno errno, long sentAt)
    {
        long now = Clock();
        Interlocked.Increment(ref _byErrno[(int)errno & 255]);
        _bySteps.GetOrAdd(step, static name => new StepMetrics(name)).Add(errno, now - sentAt);
        Answered?.Invoke(step, now - sentAt);
        Timeline.Add(now, errno);
        return Interlocked.Increment(ref _operations);
    }

    internal void AddDma(string device, DmaTotals totals)
    {
        Interlocked.Add(ref _translations, (long)totals.Translations);
        Interlocked.Add(ref _faults, (long)totals.Faults);
        Interlocked.Add(ref _violations, (long)totals.Violations);
        if (_byDevice.Count < DevicesKept || _byDevice.ContainsKey(device))
        {
            _byDevice.GetOrAdd(device, static name => new DeviceMetrics(name)).Add(totals);
        }
    }

    /// <summary>A part of the run has ended: the machine is built, a barrier has opened, the last client has gone.</summary>
    internal void EndPhase(string name)
    {
        if (_phases.Count < PhasesKept)
        {
            _phases.Enqueue(
                new PhaseMetrics(
                    name,
                    Clock(),
                    ProcessorTime.Nanoseconds,
                    GC.GetTotalPauseDuration(),
                    GC.CollectionCount(0),
                    GC.CollectionCount(GC.MaxGeneration)
                )
            );
        }
    }

    internal void AddInvariants(InvariantReport report)
    {
        Interlocked.Add(ref _invariantsChecked, report.Checked);
        Interlocked.Add(ref _invariantsViolated, report.Violations.Count);
        if (report.Violations.Count > 0)
        {
            Interlocked.CompareExchange(ref _firstViolation, report.Violations[0], null);
        }
    }

    /// <summary>A client has ended: what its history says.</summary>
    internal void AddHistory(string client, ContextHistory history)
    {
        Interlocked.Add(ref _historyAnswers, history.Checked);
        Interlocked.Add(ref _historiesGivenUp, history.GivenUp);
        IReadOnlyList<InvariantViolation> violations = history.Violation is { } found
            ? [new InvariantViolation(ContextHistory.InvariantName, client, found)]
            : [];
        AddInvariants(new InvariantReport(1, violations));
    }

    /// <summary>A context was closed: flows that ended in an exception since its last check.</summary>
    internal void AddCrashes(string client, IReadOnlyList<string> crashes)
    {
        if (crashes.Count > 0)
        {
            AddInvariants(
                new InvariantReport(
                    0,
                    [.. crashes.Select(c => new InvariantViolation(new NoFlowCrashed().Name, client, c))]
                )
            );
        }
    }

    internal void AddFailure(FailedExpectation failure)
    {
        if (Interlocked.Increment(ref _failedExpectations) <= FailuresKept)
        {
            _failures.Enqueue(failure);
        }
    }

    /// <summary>Steps that ended in another way than they must because a fault was injected.</summary>
    public long Tolerated => Volatile.Read(ref _tolerated);

    internal void AddTolerated() => Interlocked.Increment(ref _tolerated);

    internal void AddSkipped() => Interlocked.Increment(ref _skipped);

    /// <summary>Something happened that is not counted otherwise.</summary>
    internal void AddProgress() => Interlocked.Increment(ref _progress);

    internal void AddStartedClient() => Interlocked.Increment(ref _startedClients);

    internal void AddContext() => Interlocked.Increment(ref _contexts);

    internal void AddClosedContext() => Interlocked.Increment(ref _closedContexts);

    internal void AddEndedClient() => Interlocked.Increment(ref _endedClients);
}

/// <summary>Operations of one kind. Safe from any thread.</summary>
/// <param name="name">The step's word.</param>
public sealed class StepMetrics(string name)
{
    // Bucket i counts latencies of [2^i, 2^(i+1)) nanoseconds.
    private readonly long[] _latencies = new long[64];
    private long _count;
    private long _failed;

    /// <summary>The step's word.</summary>
    public string Name { get; } = name;

    /// <summary>How many.</summary>
    public long Count => Volatile.Read(ref _count);

    /// <summary>Of these, with an errno.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>The latency in nanoseconds that a part of the operations stays below, to a factor of two.</summary>
    /// <param name="part">0 to 1.</param>
    public double Latency(double part)
    {
        double wanted = Count * part;
        long seen = 0;
        for (int i = 0; i < _latencies.Length; i++)
        {
            seen += Volatile.Read(ref _latencies[i]);
            if (seen >= wanted && seen > 0)
            {
                return Math.ScaleB(1.5, i);
            }
        }

        return 0;
    }

    internal void Add(Errno errno, long nanoseconds)
    {
        Interlocked.Increment(ref _count);
        if (errno != Errno.OK)
        {
            Interlocked.Increment(ref _failed);
        }

        Interlocked.Increment(ref _latencies[BitOperations.Log2((ulong)Math.Max(1, nanoseconds))]);
    }
}

/// <summary>DMA of one device. Safe from any thread.</summary>
/// <param name="name">The device.</param>
public sealed class DeviceMetrics(string name)
{
    private long _translations;
    private long _faults;
    private long _violations;

    /// <summary>The device.</summary>
    public string Name { get; } = name;

    /// <summary>What it did.</summary>
    public DmaTotals Totals =>
        new(
            (ulong)Volatile.Read(ref _translations),
            (ulong)Volatile.Read(ref _faults),
            (ulong)Volatile.Read(ref _violations)
        );

    internal void Add(DmaTotals totals)
    {
        Interlocked.Add(ref _translations, (long)totals.Translations);
        Interlocked.Add(ref _faults, (long)totals.Faults);
        Interlocked.Add(ref _violations, (long)totals.Violations);
    }
}

/// <summary>The end of a part of a run: the machine is built, a barrier has opened, or the last client has gone.</summary>
/// <param name="Name">Which: <c>machine</c>, the barrier's name, or <c>clients</c>.</param>
/// <param name="Nanoseconds">By the run's clock.</param>
/// <param name="Processor">Processor time of the process so far, in nanoseconds.</param>
/// <param name="Paused">How long collections have stopped everything so far.</param>
/// <param name="Collections">Collections so far, of any generation.</param>
/// <param name="FullCollections">Those of them that were of all generations.</param>
public sealed record PhaseMetrics(
    string Name,
    long Nanoseconds,
    long Processor,
    TimeSpan Paused,
    int Collections,
    int FullCollections
);

/// <summary>What the process has used of the processors, user and system.</summary>
internal static class ProcessorTime
{
    /// <summary>So far, on all cores together.</summary>
    public static long Nanoseconds => Environment.CpuUsage.TotalTime.Ticks * 100;
}
