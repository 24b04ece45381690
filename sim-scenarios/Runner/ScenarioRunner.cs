using System.Diagnostics;
using Akka.Actor;
using Iommufd.Messages.Events;
using Iommufd.Scenarios.Invariants;

namespace Iommufd.Scenarios.Runner;

/// <summary>Runs scenarios: the door between the command line and the actors.</summary>
public static class ScenarioRunner
{
    // Without progress for so long somebody waits for an answer that does not come: a bug of ours, not a long run.
    private static readonly TimeSpan StallLimit = TimeSpan.FromMinutes(2);

    // A run that was asked to stop only finishes what is under way.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    /// <summary>The program's version, as journals record it.</summary>
    public static string Product { get; } = typeof(ScenarioRunner).Assembly.GetName().Version?.ToString(3) ?? "0.0.0";

    /// <summary>Runs a scenario to its end.</summary>
    /// <param name="scenario">What.</param>
    /// <param name="options">How.</param>
    /// <param name="started">Called with the counters once the run has begun: for a progress display.</param>
    /// <param name="stop">Asks the run to stop in order.</param>
    /// <exception cref="Language.ScenarioInvalidException">The scenario asks for something that cannot be computed.</exception>
    /// <exception cref="RunStalledException">The simulator stopped answering.</exception>
    /// <exception cref="RunAbandonedException">It was asked to stop before it had come to where it was killed.</exception>
    /// <exception cref="JournalDivergedException">The run is executed again, and is not the one that wrote the journal.</exception>
    public static async Task<RunReport> RunAsync(
        Scenario scenario,
        RunOptions options,
        Action<RunMetrics>? started,
        CancellationToken stop
    )
    {
        var memoryBefore = options.Host.MeasuresMemory ? MemoryUse.Now : default;
        var watch = Stopwatch.StartNew();
        var metrics = new RunMetrics(() => watch.Elapsed.Ticks * 100);
        using var meters = new RunMeters(metrics, options.Host);
        var ended = new TaskCompletionSource<RunEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        RunEnd end;
        TimeSpan duration;
        ActorRuntime runtime = ActorRuntime.Start(
            options.Host.Configuration,
            options.Seed,
            scenario.Schedule,
            options.Turns
        );
        await using (runtime.ConfigureAwait(false))
        {
            RunMachine machine = options.Host.StartMachine(runtime.System, e => ended.TrySetException(e));
            var settings = new RunSettings(machine.Machine, metrics, scenario.CheckEvery, options.Faults)
            {
                Histories = options.Histories,
                DmaKicks = options.Host.DmaKicks,
                DmaBlocks = options.Host.DmaBlocks,
                Trace = options.Trace,
                Journal = Journaling(scenario, options, machine),
            };
            IActorRef run = runtime.System.ActorOf(
                RunActor.Props(scenario, settings, e => ended.TrySetResult(e)),
                "run"
            );
            started?.Invoke(metrics);
            run.Tell(new StartRun(), ActorRefs.NoSender);
            var warden = new RunWarden(run, options, metrics, watch, options.Deadline ?? scenario.Deadline, stop);
            bool alive = await runtime.DriveAsync(ended.Task, warden.Look).ConfigureAwait(false);
            if (!alive)
            {
                throw new RunStalledException(warden.Describe("nothing can happen any more"));
            }

            end = await EndOf(ended.Task, options.Host).ConfigureAwait(false);
            duration = watch.Elapsed;
        }

        if (end.IsLost)
        {
            end = end with { Digest = options.Host.ReadDigest() ?? string.Empty };
        }

        // After the system has ended: an actor frees what it holds when it stops.
        if (!end.IsLost)
        {
            long openContexts = metrics.Contexts - metrics.ClosedContexts;
            metrics.AddInvariants(
                RunInvariant.CheckAll(
                    new RunOutcome(metrics.Dma, end.Pins, end.Leaked, openContexts, options.Host.Tables)
                )
            );
        }

        if (end.Broken is { } broken)
        {
            throw new Language.ScenarioInvalidException([broken]);
        }

        JournalSummary? journal = options.Host.ReadJournal();
        RunReport report = RunReport.Of(scenario, options, metrics, end, duration, journal, memoryBefore);
        return options.Host.Verify(report) is { } wrong
            ? report with
            {
                InvariantsViolated = report.InvariantsViolated + 1,
                FirstViolation = report.FirstViolation ?? wrong,
            }
            : report;
    }

    // Without its journal a run cannot go on: no reply may leave any more. It is cut short where it stands.
    private static async Task<RunEnd> EndOf(Task<RunEnd> ended, IRunHost host)
    {
        try
        {
            return await ended.ConfigureAwait(false) with { Pins = host.Pins };
        }
        catch (JournalLostException lost)
        {
            return new RunEnd(string.Empty, host.Pins, 0, lost.Message, null) { IsLost = true };
        }
    }

    private static RunJournaling? Journaling(Scenario scenario, RunOptions options, RunMachine machine) =>
        machine.RunJournal.IsNobody()
            ? null
            : new RunJournaling(
                machine.RunJournal,
                options.Again
                    ?? new RunStarted(
                        EventTypes.Version,
                        Product,
                        scenario.File,
                        scenario.Source,
                        [.. scenario.Settings.SelectMany(s => new[] { s.Key, s.Value })],
                        options.Seed is not null,
                        scenario.Seed,
                        options.Host.Durability,
                        [.. options.Recorded]
                    ),
                options.Unfinished,
                machine.Failed
            );

    /// <summary>Watches over a run from outside: deadline, signals, stalls.</summary>
    private sealed class RunWarden(
        IActorRef run,
        RunOptions options,
        RunMetrics metrics,
        Stopwatch watch,
        TimeSpan? deadline,
        CancellationToken stop
    )
    {
        private bool _asked;
        private long _seen = -1;
        private TimeSpan _seenAt;

        public void Look()
        {
            if (!_asked && (stop.IsCancellationRequested || watch.Elapsed >= deadline))
            {
                _asked = true;
                string reason = stop.IsCancellationRequested
                    ? "stopped by a signal"
                    : $"the deadline of {deadline!.Value.TotalSeconds:0.###} s has passed";
                if (options.Host.IsCatchingUp)
                {
                    // Stopping in order would be another run than the one that is executed again.
                    throw new RunAbandonedException(reason);
                }

                run.Tell(new StopRun(reason), ActorRefs.NoSender);
            }

            long progress = metrics.Progress;
            if (progress != _seen)
            {
                (_seen, _seenAt) = (progress, watch.Elapsed);
            }
            else if (watch.Elapsed - _seenAt > (_asked ? StopLimit : StallLimit))
            {
                double seconds = (watch.Elapsed - _seenAt).TotalSeconds;
                throw new RunStalledException(Describe($"no answer for {seconds:0} s"));
            }
        }

        public string Describe(string what) =>
            $"{what}: {metrics.Operations} operations done, {metrics.EndedClients} of {metrics.StartedClients} clients ended";
    }
}

/// <summary>The simulator stopped answering: a bug of ours, or a scenario whose barriers wait for each other.</summary>
/// <param name="message">How far the run came.</param>
public sealed class RunStalledException(string message) : Exception(message);
