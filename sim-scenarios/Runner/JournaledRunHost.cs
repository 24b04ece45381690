using Akka.Actor;
using Iommufd.Actors;
using Iommufd.Persistence;

namespace Iommufd.Scenarios.Runner;

/// <summary>A run on the simulator whose contexts write their events to a journal.</summary>
/// <param name="path">The journal; a file that exists is replaced.</param>
/// <param name="durability">What a reply waits for.</param>
public sealed class JournaledRunHost(string path, Durability durability) : IRunHost
{
    private SimulatedHost? _host;

    /// <inheritdoc/>
    public string Configuration =>
        "akka { loglevel = WARNING, log-dead-letters = off }\n" + JournalSettings.ToHocon(path, durability);

    /// <inheritdoc/>
    public long Pins => _host?.State.Physical.TotalPins ?? 0;

    /// <inheritdoc/>
    public IActorRef StartMachine(ActorSystem system)
    {
        _host = SimulatedHost.Start(system, new HostOptions { Journal = durability != Durability.Memory });
        return _host.Machine;
    }

    /// <inheritdoc/>
    public JournalSummary? ReadJournal()
    {
        if (durability == Durability.Memory)
        {
            return null;
        }

        using var journal = JournalFile.Open(path);
        return new JournalSummary(path, journal.Count(), new FileInfo(path).Length, journal.Sha256());
    }

    /// <summary>Removes what an earlier run left at a path: the database and its side files.</summary>
    public static void Clear(string path)
    {
        foreach (var file in new[] { path, path + "-wal", path + "-shm" })
        {
            File.Delete(file);
        }
    }
}
