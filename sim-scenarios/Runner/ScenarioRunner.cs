using System.Diagnostics;
using Akka.Actor;
using Iommufd.Scenarios.Invariants;

namespace Iommufd.Scenarios.Runner;

/// <summary>Runs scenarios: the door between the command line and the actors.</summary>
public static class ScenarioRunner
{
    // Without progress for so long somebody waits for an answer that does not come: a bug of ours, not a long run.
    private static readonly TimeSpan StallLimit = TimeSpan.FromMinutes(2);

    // A run that was asked to stop only finishes what is under way.
    private static readonly TimeSpan StopLimit = TimeSpan.FromSeconds(20);

    /// <summary>Runs a scenario to its end.</summary>
    /// <param name="scenario">What.</param>
    /// <param name="options">How.</param>
    /// <param name="started">Called with the counters once the run has begun: for a progress display.</param>
    /// <param name="stop">Asks the run to stop in order.</param>
    /// <exception cref="Language.ScenarioInvalidException">The scenario asks for something that cannot be computed.</exception>
    /// <exception cref="RunStalledException">The simulator stopped answering.</exception>
    public static async Task<RunReport> RunAsync(
        Scenario scenario,
        RunOptions options,
        Action<RunMetrics>? started,
        CancellationToken stop
    )
    {
        var memoryBefore = MemoryUse.Now;
        var watch = Stopwatch.StartNew();
        var metrics = new RunMetrics(() => watch.Elapsed.Ticks * 100);
        var ended = new TaskCompletionSource<RunEnd>(TaskCreationOptions.RunContinuationsAsynchronously);
        RunEnd end;
        TimeSpan duration;
        ActorRuntime runtime = ActorRuntime.Start(options.Host.Configuration, options.Seed);
        await using (runtime.ConfigureAwait(false))
        {
            IActorRef machine = options.Host.StartMachine(runtime.System);
            var settings = new RunSettings(machine, metrics, scenario.CheckEvery, options.Faults)
            {
                Histories = options.Histories,
                DmaKicks = options.Host.DmaKicks,
                Trace = options.Trace,
            };
            IActorRef run = runtime.System.ActorOf(
                RunActor.Props(scenario, settings, e => ended.TrySetResult(e)),
                "run"
            );
            started?.Invoke(metrics);
            run.Tell(new StartRun(), ActorRefs.NoSender);
            var warden = new RunWarden(run, metrics, watch, options.Deadline ?? scenario.Deadline, stop);
            bool alive = await runtime.DriveAsync(ended.Task, warden.Look).ConfigureAwait(false);
            if (!alive)
            {
                throw new RunStalledException(warden.Describe("nothing can happen any more"));
            }

            end = await ended.Task.ConfigureAwait(false) with { Pins = options.Host.Pins };
            duration = watch.Elapsed;
        }

        // After the system has ended: an actor frees what it holds when it stops.
        long openContexts = metrics.Contexts - metrics.ClosedContexts;
        metrics.AddInvariants(
            RunInvariant.CheckAll(new RunOutcome(metrics.Dma, end.Pins, end.Leaked, openContexts, options.Host.Tables))
        );

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

    /// <summary>Watches over a run from outside: deadline, signals, stalls.</summary>
    private sealed class RunWarden(
        IActorRef run,
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
