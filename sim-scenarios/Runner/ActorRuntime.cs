using Akka.Actor;
using Akka.Actor.Setup;
#if LOCAL_ACTORS
using Akka.Simulation;
#endif

namespace Iommufd.Scenarios.Runner;

/// <summary>
/// The actor system that a run lives in: on all cores, or, with a seed, on the simulation scheduler. The one place that
/// knows which runtime is built in.
/// </summary>
public sealed class ActorRuntime : IAsyncDisposable
{
    // Between two looks at whether the run should stop, under a seed.
    private const long StepsInOneGo = 4096;

    private const long StepsToTerminate = 1_000_000_000;

    private readonly bool _isSimulated;

    private ActorRuntime(ActorSystem system, bool isSimulated) => (System, _isSimulated) = (system, isSimulated);

#if LOCAL_ACTORS
    /// <summary>Which runtime is built in.</summary>
    public static string Name => "Local";

    /// <summary>Whether a run with a seed is possible.</summary>
    public static bool CanRepeat => true;
#else
    /// <summary>Which runtime is built in.</summary>
    public static string Name => "Akka";

    /// <summary>Whether a run with a seed is possible.</summary>
    public static bool CanRepeat => false;
#endif

    /// <summary>The system.</summary>
    public ActorSystem System { get; }

    /// <summary>Starts a system.</summary>
    /// <param name="configuration">HOCON.</param>
    /// <param name="seed">Decides the schedule; null for all cores.</param>
    /// <param name="schedule">The order of the steps under a seed; null where the seed decides it.</param>
    /// <param name="turns">Where the order of the steps is written down; null for nowhere.</param>
    /// <exception cref="NotSupportedException">A seed, and the runtime has no simulation scheduler.</exception>
    public static ActorRuntime Start(
        string configuration,
        ulong? seed,
        RunSchedule? schedule = null,
        ICollection<ScheduleTurn>? turns = null
    )
    {
        BootstrapSetup bootstrap = BootstrapSetup.Create().WithConfig(configuration);
        if (seed is null)
        {
            return new ActorRuntime(ActorSystem.Create("iommufd", ActorSystemSetup.Create(bootstrap)), false);
        }

#if LOCAL_ACTORS
        SimulationStrategy? strategy = schedule is null
            ? null
            : SimulationStrategy.InOrder(schedule.Turns.Select(t => new SimulationTurn(t.Step, t.Waiting)));
        var simulation = new SimulationSetup(seed.Value, strategy)
        {
            Turned = turns is null ? null : t => turns.Add(new ScheduleTurn(t.Step, t.Waiting, t.Who, t.Before)),
        };
        ActorSystemSetup setup = ActorSystemSetup.Create(bootstrap, simulation);
        return new ActorRuntime(ActorSystem.Create("iommufd", setup), true);
#else
        throw new NotSupportedException("--seed needs the local actor runtime: build with ActorRuntime=Local");
#endif
    }

    /// <summary>
    /// Lets the system work until a task has ended. Under a seed all work is done by the calling thread.
    /// </summary>
    /// <param name="ended">What is waited for.</param>
    /// <param name="onTurn">Called now and then on the calling thread.</param>
    /// <returns>False when nothing can happen any more and the task has not ended: somebody waits for ever.</returns>
    public async Task<bool> DriveAsync(Task ended, Action onTurn)
    {
        if (!_isSimulated)
        {
            while (!ended.IsCompleted)
            {
                onTurn();
                await Task.WhenAny(ended, Task.Delay(TimeSpan.FromMilliseconds(50))).ConfigureAwait(false);
            }

            return true;
        }

#if LOCAL_ACTORS
        Simulation simulation = Simulation.Get(System);
        while (!ended.IsCompleted)
        {
            onTurn();
            if (simulation.RunUntil(() => ended.IsCompleted, StepsInOneGo) || ended.IsCompleted)
            {
                break;
            }

            if (simulation.RunUntilIdle(1) == 0)
            {
                return false;
            }
        }
#endif
        return true;
    }

    /// <summary>Stops every actor, then the system.</summary>
    public async ValueTask DisposeAsync()
    {
        Task terminated = System.Terminate();
#if LOCAL_ACTORS
        if (_isSimulated)
        {
            Simulation.Get(System).RunUntil(() => terminated.IsCompleted, StepsToTerminate);
        }
#endif
        await terminated.ConfigureAwait(false);
        System.Dispose();
    }
}
