using System.Collections.Concurrent;
using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Persistence.Journal;

/// <summary>A journal that lives as long as its actor.</summary>
public class MemoryJournal : AsyncWriteJournal
{
    private static readonly Task<IImmutableList<Exception>> Written = Task.FromResult<IImmutableList<Exception>>(null);

    private readonly ConcurrentDictionary<string, LinkedList<IPersistentRepresentation>> _messages = new(
        StringComparer.Ordinal
    );

    // The highest number of a stream must outlive the deletion of its events.
    private readonly ConcurrentDictionary<string, long> _highest = new(StringComparer.Ordinal);

    /// <summary>The streams by persistence id; lock a stream while reading it.</summary>
    protected virtual ConcurrentDictionary<string, LinkedList<IPersistentRepresentation>> Messages => _messages;

    /// <inheritdoc/>
    protected override Task<IImmutableList<Exception>> WriteMessagesAsync(IEnumerable<AtomicWrite> messages)
    {
        foreach (var write in messages)
        {
            // Most are of one event, and have no list of it unless they are asked for one.
            if (write.Size == 1)
            {
                Add(write.First.WithTimestamp(Context.System.Scheduler.Now.UtcTicks));
                continue;
            }
            foreach (var persistent in write.Events)
                Add(persistent.WithTimestamp(Context.System.Scheduler.Now.UtcTicks));
        }
        return Written;
    }

    /// <inheritdoc/>
    public override Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr) =>
        Task.FromResult(HighestSequenceNr(persistenceId));

    /// <inheritdoc/>
    public override Task ReplayMessagesAsync(
        IActorContext context,
        string persistenceId,
        long fromSequenceNr,
        long toSequenceNr,
        long max,
        Action<IPersistentRepresentation> recoveryCallback
    )
    {
        var to = Math.Min(toSequenceNr, HighestSequenceNr(persistenceId));
        foreach (var persistent in Read(persistenceId, fromSequenceNr, to, max).ToArray())
            recoveryCallback(persistent);
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr)
    {
        var to = Math.Min(toSequenceNr, HighestSequenceNr(persistenceId));
        if (Messages.TryGetValue(persistenceId, out var events))
        {
            lock (events)
            {
                while (events.First is { } first && first.Value.SequenceNr <= to)
                    events.RemoveFirst();
            }
        }
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override bool ReceivePluginInternal(object message) => false;

    /// <summary>Stores an event at the end of its stream.</summary>
    public IDictionary<string, LinkedList<IPersistentRepresentation>> Add(IPersistentRepresentation persistent)
    {
        var events = Messages.GetOrAdd(persistent.PersistenceId, static _ => new());
        lock (events)
            events.AddLast(persistent);
        _highest.AddOrUpdate(
            persistent.PersistenceId,
            static (_, number) => number,
            static (_, highest, number) => Math.Max(highest, number),
            persistent.SequenceNr
        );
        return Messages;
    }

    /// <summary>Replaces the event with this number by what the function makes of it.</summary>
    public IDictionary<string, LinkedList<IPersistentRepresentation>> Update(
        string pid,
        long seqNr,
        Func<IPersistentRepresentation, IPersistentRepresentation> updater
    )
    {
        if (Messages.TryGetValue(pid, out var events))
        {
            lock (events)
            {
                if (Find(events, seqNr) is { } node)
                    node.Value = updater(node.Value);
            }
        }
        return Messages;
    }

    /// <summary>Removes the event with this number.</summary>
    public IDictionary<string, LinkedList<IPersistentRepresentation>> Delete(string pid, long seqNr)
    {
        if (Messages.TryGetValue(pid, out var events))
        {
            lock (events)
            {
                if (Find(events, seqNr) is { } node)
                    events.Remove(node);
            }
        }
        return Messages;
    }

    /// <summary>Events from and to these numbers, both inclusive, at most max.</summary>
    public IEnumerable<IPersistentRepresentation> Read(string pid, long fromSeqNr, long toSeqNr, long max)
    {
        if (!Messages.TryGetValue(pid, out var events))
            return [];
        lock (events)
        {
            var all = events.Where(e => e.SequenceNr >= fromSeqNr && e.SequenceNr <= toSeqNr);
            return [.. max > int.MaxValue ? all : all.Take((int)max)];
        }
    }

    /// <summary>The highest number ever used in the stream; 0 for none.</summary>
    public long HighestSequenceNr(string pid)
    {
        var highest = _highest.GetValueOrDefault(pid);
        if (Messages.TryGetValue(pid, out var events))
        {
            lock (events)
                highest = Math.Max(highest, events.Last?.Value.SequenceNr ?? 0);
        }
        return highest;
    }

    private static LinkedListNode<IPersistentRepresentation> Find(
        LinkedList<IPersistentRepresentation> events,
        long seqNr
    )
    {
        for (var node = events.First; node is not null; node = node.Next)
        {
            if (node.Value.SequenceNr == seqNr)
                return node;
        }
        return null;
    }
}

/// <summary>A journal that lives as long as the process and is shared by all its actor systems.</summary>
public class SharedMemoryJournal : MemoryJournal
{
    private static readonly ConcurrentDictionary<string, LinkedList<IPersistentRepresentation>> Shared = new(
        StringComparer.Ordinal
    );

    /// <inheritdoc/>
    protected override ConcurrentDictionary<string, LinkedList<IPersistentRepresentation>> Messages => Shared;
}
