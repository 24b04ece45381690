using Akka.Actor;

namespace Akka.Simulation;

/// <summary>
/// Drives a system that was created with a <see cref="SimulationSetup"/>: every actor, timer and continuation of it
/// runs on the thread that calls this, one message at a time, in an order that the seed decides. Not thread-safe.
/// </summary>
public sealed class Simulation
{
    private readonly SimulationKernel _kernel;

    private Simulation(SimulationKernel kernel)
    {
        _kernel = kernel;
    }

    /// <summary>The simulation of a system; a system without one is an <see cref="InvalidOperationException"/>.</summary>
    public static Simulation Get(ActorSystem system) =>
        ((ActorSystemImpl)system).Simulation is { } kernel
            ? new Simulation(kernel)
            : throw new InvalidOperationException($"{system} was not created with a SimulationSetup.");

    /// <summary>Whether a system runs on a simulation.</summary>
    public static bool IsSimulated(ActorSystem system) => ((ActorSystemImpl)system).Simulation is not null;

    internal static DateTime? AmbientNow => SimulationKernel.Ambient?.Scheduler.VirtualNow.UtcDateTime;

    /// <summary>The time that the system's scheduler tells. It moves only when nothing is ready to run.</summary>
    public DateTimeOffset VirtualNow => _kernel.Scheduler.VirtualNow;

    /// <summary>Steps taken: messages handled, continuations run and timers fired.</summary>
    public long Steps => _kernel.Steps;

    /// <summary>
    /// A hash over every step so far: which mailbox, what type of message, and how far time moved. Two runs with the
    /// same inputs and seed that differ in it are not deterministic.
    /// </summary>
    public ulong ScheduleHash => _kernel.ScheduleHash;

    /// <summary>Whether something can run before time has to move.</summary>
    public bool IsReady => _kernel.IsReady;

    /// <summary>Draws from the simulation's own generator; part of the seed's schedule.</summary>
    public Random Random => _kernel.Random;

    /// <summary>Raised after every step with what ran and the type of what it handled: the trace of the run.</summary>
    public event Action<string, Type> Stepped
    {
        add => _kernel.Stepped += value;
        remove => _kernel.Stepped -= value;
    }

    /// <summary>Handles one message; when there is none, moves time to the next timer and fires it.</summary>
    /// <returns>False when there was neither: the system is idle for good.</returns>
    public bool Step() => _kernel.Run(1, null, movesTime: true) > 0;

    /// <summary>Steps until there is neither a message nor a timer, or until the limit.</summary>
    /// <returns>How many steps were taken.</returns>
    public long RunUntilIdle(long maxSteps) => _kernel.Run(maxSteps, null, movesTime: true);

    /// <summary>Steps until nothing can run without moving time, or until the limit.</summary>
    /// <returns>How many steps were taken.</returns>
    public long RunReady(long maxSteps) => _kernel.Run(maxSteps, null, movesTime: false);

    /// <summary>Steps until a condition holds; it is asked before every step.</summary>
    /// <returns>Whether it holds; false when the limit or the end of all work came first.</returns>
    public bool RunUntil(Func<bool> condition, long maxSteps) => _kernel.RunUntil(condition, maxSteps);

    /// <summary>Steps through all that is due within a span of virtual time, and leaves the clock at its end.</summary>
    /// <returns>How many steps were taken.</returns>
    public long RunFor(TimeSpan duration, long maxSteps) => _kernel.RunFor(duration, maxSteps);
}
