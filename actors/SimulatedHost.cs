using Akka.Actor;
using Iommufd.Core.Context;

namespace Iommufd.Actors;

/// <summary>A simulated host in an actor system: the machine's actor and the state behind it.</summary>
/// <param name="Machine">/user/machine.</param>
/// <param name="State">The machine's state; safe from any thread.</param>
/// <param name="Options">How it is run.</param>
public sealed record SimulatedHost(IActorRef Machine, HostMachine State, HostOptions Options)
{
    /// <summary>Starts an empty host: no units, devices or processes yet.</summary>
    public static SimulatedHost Start(ActorSystem system, HostOptions options)
    {
        var state = new HostMachine();
        var devices = new DeviceDirectory();
        var machine = system.ActorOf(Props.Create(() => new MachineActor(state, options, devices)), "machine");
        return new SimulatedHost(machine, state, options);
    }

    /// <summary>Starts the writer of the run's own events; nobody without a journal.</summary>
    public IActorRef StartRunJournal(ActorSystem system)
    {
        var failed = Options.JournalFailed;
        return Options.Journal
            ? system.ActorOf(Props.Create(() => new RunJournalActor(failed)), "run-journal")
            : ActorRefs.Nobody;
    }
}
