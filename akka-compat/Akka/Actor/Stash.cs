using Akka.Dispatch;

namespace Akka.Actor;

/// <summary>Messages that an actor has put aside.</summary>
public interface IStash
{
    /// <summary>Puts the current message aside; once for each delivery.</summary>
    void Stash();

    /// <summary>Puts the oldest stashed message before all others in the mailbox.</summary>
    void Unstash();

    /// <summary>Puts all stashed messages before the others in the mailbox, oldest first.</summary>
    void UnstashAll();

    /// <summary>As UnstashAll for those that match; the others are dropped.</summary>
    void UnstashAll(Func<Envelope, bool> predicate);

    /// <summary>Empties the stash and gives back what was in it.</summary>
    IEnumerable<Envelope> ClearStash();

    /// <summary>Puts messages before those in the stash.</summary>
    void Prepend(IEnumerable<Envelope> envelopes);

    /// <summary>How many messages are stashed.</summary>
    int Count { get; }

    /// <summary>Whether none is.</summary>
    bool IsEmpty { get; }

    /// <summary>Whether any is.</summary>
    bool NonEmpty { get; }

    /// <summary>Whether the next Stash throws a StashOverflowException.</summary>
    bool IsFull { get; }

    /// <summary>How many messages fit; -1 for any number.</summary>
    int Capacity { get; }
}

/// <summary>An actor with a stash, which the runtime sets after the constructor.</summary>
public interface IActorStash
{
    /// <summary>Set by the runtime for each incarnation; not there in the constructor.</summary>
    IStash Stash { get; set; }
}

/// <summary>An actor with a stash that asks nothing of its mailbox.</summary>
public interface IWithUnrestrictedStash : IActorStash;

/// <summary>An actor with a stash as large as its configuration allows.</summary>
public interface IWithStash : IWithUnrestrictedStash, IRequiresMessageQueue<IDequeBasedMessageQueueSemantics>;

/// <summary>An actor with a stash of any size.</summary>
public interface IWithUnboundedStash
    : IWithUnrestrictedStash,
        IRequiresMessageQueue<IUnboundedDequeBasedMessageQueueSemantics>;

/// <summary>An actor with a stash of a bounded size.</summary>
public interface IWithBoundedStash
    : IWithUnrestrictedStash,
        IRequiresMessageQueue<IBoundedDequeBasedMessageQueueSemantics>;

/// <summary>A message and who sent it.</summary>
public readonly struct Envelope
{
    /// <summary>No sender becomes dead letters.</summary>
    public Envelope(object message, IActorRef sender, ActorSystem system)
    {
        Message = message;
        Sender = sender ?? system.DeadLetters;
    }

    /// <summary>The sender is taken as it is.</summary>
    public Envelope(object message, IActorRef sender)
    {
        Message = message;
        Sender = sender;
    }

    /// <summary>Who sent the message; null when nobody is to be answered.</summary>
    public IActorRef Sender { get; }

    /// <summary>What was sent.</summary>
    public object Message { get; }

    /// <inheritdoc/>
    public override string ToString() => "<" + (Message ?? "null") + "> from " + (Sender?.ToString() ?? "NoSender");
}

/// <summary>The stash of one incarnation of an actor.</summary>
internal sealed class StashSupport(ActorCell cell, int capacity) : IStash
{
    private LinkedList<Envelope> _stashed;

    /// <inheritdoc/>
    public int Count => _stashed?.Count ?? 0;

    /// <inheritdoc/>
    public bool IsEmpty => Count == 0;

    /// <inheritdoc/>
    public bool NonEmpty => Count > 0;

    /// <inheritdoc/>
    public int Capacity => capacity;

    /// <inheritdoc/>
    public bool IsFull => capacity > 0 && Count >= capacity;

    /// <inheritdoc/>
    public void Stash()
    {
        var current = cell.CurrentEnvelope;
        if (cell.IsCurrentStashed)
            throw new IllegalActorStateException($"Can't stash the same message {current.Message} more than once");
        if (IsFull)
            throw new StashOverflowException(
                $"Couldn't enqueue message {current.Message} from ${cell.Self} to stash of {cell.Self}"
            );
        (_stashed ??= new LinkedList<Envelope>()).AddLast(current);
        cell.MarkCurrentStashed();
    }

    /// <inheritdoc/>
    public void Unstash()
    {
        if (_stashed is not { First: { } first })
            return;
        _stashed.RemoveFirst();
        PutBack(first.Value);
    }

    /// <inheritdoc/>
    public void UnstashAll() => UnstashAll(static _ => true);

    /// <inheritdoc/>
    public void UnstashAll(Func<Envelope, bool> predicate)
    {
        if (_stashed is null)
            return;
        for (var node = _stashed.Last; node is not null; node = node.Previous)
        {
            if (predicate(node.Value))
                PutBack(node.Value);
        }
        _stashed = null;
    }

    private void PutBack(Envelope envelope)
    {
        // It was announced once and counted as delivered when it was stashed.
        if (envelope.Message is Terminated terminated)
            cell.AnnounceAgain(terminated);
        cell.Mailbox.EnqueueFirst(envelope);
    }

    /// <inheritdoc/>
    public IEnumerable<Envelope> ClearStash()
    {
        IEnumerable<Envelope> all = _stashed;
        _stashed = null;
        return all ?? [];
    }

    /// <inheritdoc/>
    public void Prepend(IEnumerable<Envelope> envelopes)
    {
        _stashed ??= new LinkedList<Envelope>();
        LinkedListNode<Envelope> last = null;
        foreach (var envelope in envelopes)
        {
            if (_stashed.Any(e => ReferenceEquals(e.Message, envelope.Message)))
                continue;
            last = last is null ? _stashed.AddFirst(envelope) : _stashed.AddAfter(last, envelope);
        }
    }
}
