using System.Diagnostics;

namespace Iommufd.Scenarios.Soak;

/// <summary>How a soak ended.</summary>
/// <param name="Totals">What it found, with what earlier parts of it had found.</param>
/// <param name="RunsHere">Runs of this part alone.</param>
/// <param name="Elapsed">Time of this part alone.</param>
/// <param name="IsComplete">Whether every run was done; false after a signal or the first failure.</param>
public sealed record SoakOutcome(SoakTotals Totals, long RunsHere, TimeSpan Elapsed, bool IsComplete)
{
    /// <summary>Runs in a second, of this part.</summary>
    public double RunsPerSecond => Elapsed > TimeSpan.Zero ? RunsHere / Elapsed.TotalSeconds : 0;
}

/// <summary>
/// Runs many seeds at the same time, each a simulation of its own on one thread, and adds up what they find. Safe from one thread;
/// <see cref="Totals"/> from any.
/// </summary>
/// <param name="request">What.</param>
public sealed class SoakRunner(SoakRequest request)
{
    private static readonly TimeSpan SaveEvery = TimeSpan.FromSeconds(2);

    private readonly Lock _gate = new();
    private readonly Stopwatch _watch = new();
    private SoakProgress _progress = SoakProgress.Of(request);
    private TimeSpan _saved;
    private bool _stopped;
    private long _here;

    /// <summary>What was found so far.</summary>
    public SoakTotals Totals
    {
        get
        {
            lock (_gate)
            {
                return _progress.Totals;
            }
        }
    }

    /// <summary>Time since the start.</summary>
    public TimeSpan Elapsed => _watch.Elapsed;

    /// <summary>Runs of this part of the soak.</summary>
    public long RunsHere => Interlocked.Read(ref _here);

    /// <summary>Runs the soak to its end.</summary>
    /// <param name="failed">Called for each failure as it is found, one at a time; null for nobody.</param>
    /// <param name="stop">Lets the runs under way finish and ends the soak.</param>
    /// <exception cref="SoakStateException">The state file is another soak's, or damaged.</exception>
    /// <exception cref="Language.ScenarioInvalidException">A scenario cannot be computed.</exception>
    public async Task<SoakOutcome> RunAsync(Action<SeedFailure>? failed, CancellationToken stop)
    {
        if (request.StateFile is { } file && File.Exists(file))
        {
            _progress = SoakProgress.Load(file, request);
        }

        _watch.Start();
        var workers = new Task[Math.Max(1, request.Jobs)];
        for (int i = 0; i < workers.Length; i++)
        {
            // A thread of its own: a simulation never waits, and would keep a thread of the pool from everybody else's work.
            workers[i] = Task
                .Factory.StartNew(
                    () => WorkAsync(failed, stop),
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default
                )
                .Unwrap();
        }

        try
        {
            await Task.WhenAll(workers).ConfigureAwait(false);
        }
        finally
        {
            Save(always: true);
        }

        lock (_gate)
        {
            return new SoakOutcome(_progress.Totals, _here, _watch.Elapsed, _progress.IsComplete || InTime());
        }

        bool InTime() => request.Duration is not null && !_stopped && !stop.IsCancellationRequested;
    }

    private async Task WorkAsync(Action<SeedFailure>? failed, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested && Take() is { } number)
        {
            SeedOutcome outcome = await SeedRunner.RunAsync(request.RunAt(number), stop).ConfigureAwait(false);
            if (outcome.Report?.StopReason is not null)
            {
                // Cut short by a signal: it counts as not done.
                return;
            }

            Note(number, outcome.Result, failed);
            Save(always: false);
        }
    }

    private ulong? Take()
    {
        lock (_gate)
        {
            return _stopped || _watch.Elapsed >= request.Duration ? null : _progress.Take();
        }
    }

    private void Note(ulong number, SeedResult result, Action<SeedFailure>? failed)
    {
        lock (_gate)
        {
            _here++;
            _progress.Done(number, result);
            if (result.Failure is { } failure)
            {
                _stopped |= request.StopOnFailure;
                failed?.Invoke(failure);
            }
        }
    }

    private void Save(bool always)
    {
        if (request.StateFile is not { } file)
        {
            return;
        }

        lock (_gate)
        {
            if (always || _watch.Elapsed - _saved >= SaveEvery)
            {
                _saved = _watch.Elapsed;
                _progress.Save(file);
            }
        }
    }
}
