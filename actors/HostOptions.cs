using System.Collections.Concurrent;
using Akka.Actor;
using Iommufd.Core.Participants;

namespace Iommufd.Actors;

/// <summary>How a simulated host is run.</summary>
public sealed record HostOptions
{
    /// <summary>Whether contexts write journals; without, a reply leaves as soon as its command is done.</summary>
    public bool Journal { get; init; }

    /// <summary>Prefix of the contexts' persistence ids: iommufd-N unless several runs share a journal.</summary>
    public string PersistencePrefix { get; init; } = "iommufd-";

    /// <summary>Strikes around steps; null for none.</summary>
    public IStepHook? StepHook { get; init; }

    /// <summary>The memory actors by process id: contexts send steps to them directly. Filled by the machine.</summary>
    internal ConcurrentDictionary<int, IActorRef> Memories { get; } = new();
}
