using System.Diagnostics;
using Iommufd.Core.Faults;
using Iommufd.Scenarios.Faults;

namespace Iommufd.Scenarios.Soak;

/// <summary>What nth mode did with the operations of one kind.</summary>
/// <param name="Operation">Their word.</param>
/// <param name="Operations">How many there were.</param>
/// <param name="Points">Fault points that were failed in them, one run each.</param>
public sealed record NthRow(string Operation, long Operations, long Points);

/// <summary>How nth mode ended.</summary>
/// <param name="Totals">What the runs found.</param>
/// <param name="Rows">By operation, in alphabetical order.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="IsComplete">Whether every point of every operation was failed.</param>
public sealed record NthOutcome(SoakTotals Totals, IReadOnlyList<NthRow> Rows, TimeSpan Elapsed, bool IsComplete);

/// <summary>
/// Fails the first, second, third … fault point that each operation of a scenario reaches, one run each, until the operation reaches
/// no further one: every way of failing at a single point is taken, and everything is checked after each. All runs have one seed,
/// so that the operations before the one that fails are the same.
/// </summary>
/// <param name="request">The scenario, the first seed, how many runs at a time. Its fault plan is not used.</param>
public sealed class NthRunner(SoakRequest request)
{
    // An operation that reaches more points than this waits for others or repeats something without end.
    private const ulong MostPoints = 2000;

    private readonly Lock _gate = new();
    private readonly Stopwatch _watch = new();
    private readonly SortedDictionary<string, NthRow> _rows = new(StringComparer.Ordinal);
    private SoakTotals _totals = SoakTotals.None;
    private long _next;
    private long _operations;
    private bool _stopped;

    /// <summary>What was found so far.</summary>
    public SoakTotals Totals
    {
        get
        {
            lock (_gate)
            {
                return _totals;
            }
        }
    }

    /// <summary>Operations of the scenario whose points have been failed, and all of them.</summary>
    public (long Done, long All) Progress => (Math.Max(0, Interlocked.Read(ref _next) - 1), _operations);

    /// <summary>Time since the start.</summary>
    public TimeSpan Elapsed => _watch.Elapsed;

    /// <summary>Runs all of it.</summary>
    /// <param name="failed">Called for each failure, one at a time; null for nobody.</param>
    /// <param name="stop">Ends it early.</param>
    public async Task<NthOutcome> RunAsync(Action<SeedFailure>? failed, CancellationToken stop)
    {
        _watch.Start();
        SeedOutcome clean = await SeedRunner.RunAsync(RunWith(FaultPlan.Nothing), stop).ConfigureAwait(false);
        Note(clean.Result, failed);
        if (clean.Result.Failure is null && clean.Report?.StopReason is null)
        {
            _operations = clean.OperationsBegun;
            var workers = new Task[Math.Max(1, request.Jobs)];
            for (int i = 0; i < workers.Length; i++)
            {
                workers[i] = Task.Run(() => WorkAsync(failed, stop), CancellationToken.None);
            }

            await Task.WhenAll(workers).ConfigureAwait(false);
        }

        lock (_gate)
        {
            bool complete = clean.Result.Failure is null && !_stopped && !stop.IsCancellationRequested;
            return new NthOutcome(_totals, [.. _rows.Values], _watch.Elapsed, complete);
        }
    }

    private SeedRun RunWith(FaultPlan plan) =>
        new(request.Scenarios[0].Text, request.FirstSeed, plan)
        {
            Scenario = request.Scenarios[0].Name,
            Settings = request.Settings,
            DmaBlocks = request.DmaBlocks,
        };

    private async Task WorkAsync(Action<SeedFailure>? failed, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && !_stopped && Interlocked.Increment(ref _next) is var operation)
        {
            if (operation > _operations)
            {
                return;
            }

            await ExhaustAsync(operation, failed, stop).ConfigureAwait(false);
        }
    }

    private async Task ExhaustAsync(long operation, Action<SeedFailure>? failed, CancellationToken stop)
    {
        string word = OperationWords.None;
        long points = 0;
        for (ulong nth = 1; nth <= MostPoints && !stop.IsCancellationRequested && !_stopped; nth++)
        {
            FaultPlan plan = FaultPlan.Nth(operation, nth, FaultPoints.All);
            SeedOutcome outcome = await SeedRunner.RunAsync(RunWith(plan), stop).ConfigureAwait(false);
            if (outcome.Report?.StopReason is not null)
            {
                return;
            }

            Note(outcome.Result, failed);
            if (outcome.Strikes.Count == 0)
            {
                break;
            }

            word = outcome.Strikes[0].Operation;
            points++;
        }

        Note(word, points);
    }

    private void Note(string word, long points)
    {
        lock (_gate)
        {
            NthRow row = _rows.GetValueOrDefault(word) ?? new NthRow(word, 0, 0);
            _rows[word] = row with { Operations = row.Operations + 1, Points = row.Points + points };
        }
    }

    private void Note(SeedResult result, Action<SeedFailure>? failed)
    {
        lock (_gate)
        {
            _totals = _totals.Plus(SoakTotals.Of(result));
            if (result.Failure is { } failure)
            {
                _stopped |= request.StopOnFailure;
                failed?.Invoke(failure);
            }
        }
    }
}
