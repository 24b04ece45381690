using Akka.Actor;
using Akka.Actor.Setup;

namespace Akka.Simulation;

/// <summary>How a simulation chooses who runs next.</summary>
public abstract record SimulationStrategy
{
    private SimulationStrategy() { }

    /// <summary>Every mailbox with work is equally likely at every step.</summary>
    public static SimulationStrategy RandomWalk { get; } = new Random();

    /// <summary>
    /// Priorities drawn at random, and at a few random steps the running mailbox falls behind all others: finds, with
    /// a probability that can be computed, bugs that need as many ordering constraints as the depth.
    /// </summary>
    /// <param name="bugDepth">Ordering constraints of the bug; at least 1.</param>
    /// <param name="expectedSteps">The length of run over which the change points are spread; at least 1.</param>
    public static SimulationStrategy Pct(int bugDepth, long expectedSteps = 100_000)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(bugDepth, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(expectedSteps, 1);
        return new PriorityChanges(bugDepth, expectedSteps);
    }

    /// <summary>Who has been ready longest runs next, but for some turns: a schedule that can be written down.</summary>
    /// <param name="turns">The exceptions, one a step at most.</param>
    public static SimulationStrategy InOrder(IEnumerable<SimulationTurn> turns)
    {
        ArgumentNullException.ThrowIfNull(turns);
        return new Ordered(turns.ToDictionary(t => t.Step, t => t.Waiting));
    }

    internal sealed record Random : SimulationStrategy;

    internal sealed record Ordered(IReadOnlyDictionary<long, int> Turns) : SimulationStrategy;

    internal sealed record PriorityChanges(int BugDepth, long ExpectedSteps) : SimulationStrategy;
}

/// <summary>A step at which another than the one that has been ready longest runs.</summary>
/// <param name="Step">The step, from 0: see <see cref="Simulation.Steps"/>.</param>
/// <param name="Waiting">How many that have been ready longer it passes, at least 1; it passes all when they are fewer.</param>
/// <param name="Who">The path of the one that runs; null where only the choice is meant.</param>
/// <param name="Before">The path of the one that has been ready longest.</param>
public sealed record SimulationTurn(long Step, int Waiting, string Who = null, string Before = null);

/// <summary>Passed to <c>ActorSystem.Create</c>: the system runs on a simulation, with this seed and strategy.</summary>
public sealed class SimulationSetup : Setup
{
    /// <param name="seed">Decides every choice: the same seed gives the same schedule, everywhere.</param>
    /// <param name="strategy">Null for a random walk.</param>
    /// <param name="start">Virtual time at the start; null for 1 January 2000, UTC.</param>
    public SimulationSetup(ulong seed, SimulationStrategy strategy = null, DateTimeOffset? start = null)
    {
        Seed = seed;
        Strategy = strategy ?? SimulationStrategy.RandomWalk;
        Start = start ?? new DateTimeOffset(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    }

    /// <summary>Decides every choice of the run.</summary>
    public ulong Seed { get; }

    /// <summary>How the one who runs next is chosen.</summary>
    public SimulationStrategy Strategy { get; }

    /// <summary>Virtual time at the start.</summary>
    public DateTimeOffset Start { get; }

    /// <summary>
    /// Told of every step at which another than the one that has been ready longest runs, whatever chose it: with
    /// <see cref="SimulationStrategy.InOrder"/> and these turns the run is the same. Null for nobody.
    /// </summary>
    public Action<SimulationTurn> Turned { get; init; }
}
