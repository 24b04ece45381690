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
        var devices = new DeviceDirectory(state);
        var machine = system.ActorOf(Props.Create(() => new MachineActor(state, options, devices)), "machine");
        return new SimulatedHost(machine, state, options);
    }

    /// <summary>
    /// How many messages wait, by the kind of their receiver: all together, and in the longest mailbox. From any thread, for a display: a
    /// look at a moving target.
    /// </summary>
    public IReadOnlyList<MailboxDepth> Mailboxes() =>
        [
            DepthOf("context", Options.Contexts.Values),
            DepthOf("memory", Options.Memories.Values),
            DepthOf("machine", [Machine]),
        ];

    private static MailboxDepth DepthOf(string kind, IEnumerable<IActorRef> actors)
    {
        long all = 0;
        long most = 0;
        foreach (var actor in actors)
        {
            long waiting = actor is ActorRefWithCell { Underlying: { } cell } ? cell.NumberOfMessages : 0;
            all += waiting;
            most = Math.Max(most, waiting);
        }

        return new MailboxDepth(kind, all, most);
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

/// <summary>Messages that wait for actors of a kind.</summary>
/// <param name="Kind">The kind: context, memory or machine.</param>
/// <param name="All">In all their mailboxes.</param>
/// <param name="Longest">In the longest one.</param>
public readonly record struct MailboxDepth(string Kind, long All, long Longest);
