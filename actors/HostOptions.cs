using System.Collections.Concurrent;
using Akka.Actor;
using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Core.Participants;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

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

    /// <summary>Decides whether something fails; null where nothing does, and nobody asks then.</summary>
    public IFaultSource? Faults { get; init; }

    /// <summary>Puts another state in the place of a participant's, as it comes into being; null for none. For tests of the checks.</summary>
    public Func<Participant, IFlowParticipant, IFlowParticipant>? Wrap { get; init; }

    /// <summary>Checks participants in the middle of flows; null for never.</summary>
    public IStateSampler? Sampler { get; init; }

    /// <summary>Makes the flow of a command; null, or an answer of null, is the usual one. For tests of the checks.</summary>
    public Func<ContextCore, Caller, IoctlCommand, Flow?>? MakeFlow { get; init; }

    /// <summary>Makes the DMA side of a device, by its name; null for the usual one. For tests of the checks.</summary>
    public Func<string, HostMachine, DmaEngine>? MakeEngine { get; init; }

    /// <summary>Told each event when it is durable: context, sequence number, event. On the context's thread; null for nobody.</summary>
    public Action<int, long, ContextEvent>? Recorded { get; init; }

    /// <summary>Counts the events that wait to become durable; null where nobody asks.</summary>
    public JournalLag? Lag { get; init; }

    /// <summary>
    /// Calls of one process that a context works on at the same time; the next ones wait in line behind them, and other processes do not
    /// wait for them. As many as a large machine has processors, on which a process's threads take turns.
    /// </summary>
    public int CallsAtOnce { get; init; } = 64;

    /// <summary>
    /// Calls that one process can have under way in a context, those in line included: its threads. One more ends with EAGAIN at once, as
    /// making the thread for it would.
    /// </summary>
    public int CallsInLine { get; init; } = 4096;

    /// <summary>The memory actors by process id: contexts send steps to them directly. Filled by the machine.</summary>
    internal ConcurrentDictionary<int, IActorRef> Memories { get; } = new();

    /// <summary>The open contexts' actors by number, for <see cref="SimulatedHost.Mailboxes"/>. Filled by the machine.</summary>
    internal ConcurrentDictionary<int, IActorRef> Contexts { get; } = new();
}
