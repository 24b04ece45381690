using Akka.Actor;
using Akka.Actor.Setup;
using Akka.Simulation;

namespace AkkaTests;

/// <summary>One run of a scenario on a simulation, and what the double-run check compares of it.</summary>
internal sealed class SimulatedRun : IDisposable
{
    private const string Quiet = "akka.loglevel = OFF, akka.stdout-loglevel = OFF";

    private SimulatedRun(ulong seed, SimulationStrategy? strategy)
    {
        System = ActorSystem.Create(
            "sim",
            ActorSystemSetup.Create(
                BootstrapSetup.Create().WithConfig(Quiet),
                new SimulationSetup(seed, strategy) { Turned = Turns.Add }
            )
        );
        Simulation = Simulation.Get(System);
        Simulation.Stepped += (who, what) => Trace.Add(who + " " + what?.Name);
    }

    internal ActorSystem System { get; }
    internal Simulation Simulation { get; }

    /// <summary>Who ran, and whatever the scenario adds.</summary>
    internal List<string> Trace { get; } = [];

    /// <summary>Where another than the one that had been ready longest ran.</summary>
    internal List<SimulationTurn> Turns { get; } = [];

    internal static SimulatedRun Start(ulong seed, SimulationStrategy? strategy = null) => new(seed, strategy);

    /// <summary>Everything of a run that a second run with the same seed must repeat.</summary>
    internal static (ulong Hash, string Trace) Of(
        ulong seed,
        Action<SimulatedRun> scenario,
        SimulationStrategy? strategy = null
    )
    {
        using var run = Start(seed, strategy);
        scenario(run);
        run.Simulation.RunReady(100_000);
        return (run.Simulation.ScheduleHash, string.Join("\n", run.Trace));
    }

    public void Dispose()
    {
        var terminated = System.Terminate();
        Simulation.RunUntil(() => terminated.IsCompleted, 100_000);
    }
}

/// <summary>Tells the run's trace what it gets, and passes numbers on to a neighbour, one smaller.</summary>
internal sealed class Node : ReceiveActor
{
    public Node(SimulatedRun run, Func<int, IActorRef>? next)
    {
        Receive<int>(n =>
        {
            run.Trace.Add($"{Self.Path.Name} got {n}");
            if (n > 0)
                next?.Invoke(n).Tell(n - 1);
        });
        ReceiveAny(m => run.Trace.Add($"{Self.Path.Name} got {m}"));
    }
}
