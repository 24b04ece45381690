using System.Collections.Concurrent;
using Akka.Actor;
using Iommufd.Core.Participants;
using Iommufd.Messages.Events;

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

    /// <summary>Told once for each stream that cannot be read or written any more, on any thread; null only logs.</summary>
    public Action<JournalFailure>? JournalFailed { get; init; }

    /// <summary>Told of every event and every reply.</summary>
    public IReadOnlyList<IJournalWitness> Witnesses { get; init; } = [];

    /// <summary>
    /// The digests of contexts of an earlier life of the host that are closed; contexts opened from now on have higher numbers.
    /// </summary>
    public IReadOnlyDictionary<int, ulong> EarlierContexts { get; init; } = new Dictionary<int, ulong>();

    /// <summary>The memory actors by process id: contexts send steps to them directly. Filled by the machine.</summary>
    internal ConcurrentDictionary<int, IActorRef> Memories { get; } = new();
}
