using Akka.Actor;
using Iommufd.Actors;

namespace Iommufd.Scenarios.Runner;

/// <summary>A run on the simulator itself, without a journal.</summary>
public sealed class SimulatedRunHost : IRunHost
{
    private SimulatedHost? _host;

    /// <inheritdoc/>
    public string Configuration => "akka { loglevel = WARNING, log-dead-letters = off }";

    /// <inheritdoc/>
    public long Pins => (long?)_host?.State.Physical.TotalPins ?? 0;

    /// <inheritdoc/>
    public IActorRef StartMachine(ActorSystem system)
    {
        _host = SimulatedHost.Start(system, new HostOptions { Journal = false });
        return _host.Machine;
    }

    /// <inheritdoc/>
    public JournalSummary? ReadJournal() => null;
}
