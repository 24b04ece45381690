using Akka.Actor;
using Akka.Dispatch.MessageQueues;
using Akka.Dispatch.SysMsg;

namespace Akka.Dispatch;

// The queue of one actor. Many producers, one consumer: whoever holds the Scheduled bit is the consumer.
// Mailbox.cs: the queues. Mailbox.Run.cs: scheduling and the processing loop.

/// <summary>One user message in line.</summary>
internal class MailboxNode
{
    /// <summary>The node behind this one; written by the producer that put it there.</summary>
    internal MailboxNode Next;

    /// <summary>Null once consumed.</summary>
    internal object Message;

    internal IActorRef Sender;
}

/// <summary>Where producers meet, alone on its cache line: the mailbox itself is the first, empty node.</summary>
internal abstract class MailboxTail : MailboxNode
{
    /// <summary>The last node. Producers swap themselves in; the swap is the point at which a message is in.</summary>
    internal MailboxNode Tail;
}

/// <summary>Keeps the producers' line apart from what the consumer reads for every message.</summary>
internal abstract class MailboxPadding : MailboxTail
{
    internal CacheLineRest Rest = default;

    [System.Runtime.CompilerServices.InlineArray(4)]
    internal struct CacheLineRest
    {
        private long _word;
    }
}

/// <summary>The queues of one actor and its turn to run.</summary>
internal sealed partial class Mailbox : MailboxPadding, IRunnable, Simulation.IReadyWork
{
    /// <summary>The last consumed node; its successor is the next message. Owned by the consumer.</summary>
    private MailboxNode _head;

    /// <summary>Messages that the actor put back before all others (unstash). Owned by the consumer.</summary>
    private MailboxNode _front;

    /// <summary>System messages, newest first; <see cref="ClosedQueue"/> once the actor is gone.</summary>
    private SystemMessage _systemNewest;

    /// <summary>System messages taken over by the consumer, oldest first.</summary>
    private SystemMessage _systemTaken;

    /// <summary>Replaces the built-in queue when the actor asked for a bounded or a priority queue.</summary>
    private readonly IMessageQueue _custom;

    private readonly ActorCell _cell;

    internal Mailbox(ActorCell cell, IMessageQueue custom)
    {
        _cell = cell;
        _custom = custom;
        _head = this;
        Tail = this;
    }

    internal ActorCell Cell => _cell;

    /// <summary>A queue that a configuration chose, or null for the built-in one.</summary>
    internal IMessageQueue Custom => _custom;

    internal bool HasMessages =>
        _front is not null || (_custom is null ? Volatile.Read(ref Tail) != _head : _custom.HasMessages);

    internal bool HasSystemMessages =>
        _systemTaken is not null || Volatile.Read(ref _systemNewest) is { } m && m is not ClosedQueue;

    /// <summary>Counts the waiting messages; exact only when nobody else is at work.</summary>
    internal int NumberOfMessages
    {
        get
        {
            var count = 0;
            for (var n = _front; n is not null; n = n.Next)
                count++;
            if (_custom is not null)
                return count + _custom.Count;
            for (var n = Volatile.Read(ref _head.Next); n is not null; n = Volatile.Read(ref n.Next))
                count++;
            return count;
        }
    }

    /// <summary>Puts a message in line and sees to it that the actor runs. Any thread.</summary>
    internal void Post(object message, IActorRef sender)
    {
        if ((Volatile.Read(ref _state) & Closed) != 0)
        {
            _cell.ToDeadLetters(message, sender);
            return;
        }
        Enqueue(message, sender);
        // The swap inside Enqueue is a full fence, so this read cannot pass it: either we see the consumer gone and
        // schedule it, or the consumer, which clears its bit before it looks at Tail, sees our message.
        var state = Volatile.Read(ref _state);
        if ((state & Scheduled) == 0 && (Volatile.Read(ref _suspensions) == 0 || (state & Closed) != 0))
            TrySchedule();
    }

    private void Enqueue(object message, IActorRef sender)
    {
        if (_custom is not null)
        {
            _custom.Enqueue(_cell.Self, new Envelope(message, sender));
            Interlocked.MemoryBarrier();
            return;
        }
        var node = new MailboxNode { Message = message, Sender = sender };
        var before = Interlocked.Exchange(ref Tail, node);
        // Between the swap and this store the chain is broken here: the consumer sees Tail != _head and waits.
        Volatile.Write(ref before.Next, node);
    }

    /// <summary>Puts a message before all others. Only by the actor itself.</summary>
    internal void EnqueueFirst(Envelope envelope) =>
        _front = new MailboxNode
        {
            Message = envelope.Message,
            Sender = envelope.Sender,
            Next = _front,
        };

    /// <summary>Takes the next user message. Only by the consumer.</summary>
    private bool TryDequeue(out object message, out IActorRef sender)
    {
        if (_front is { } first)
        {
            message = first.Message;
            sender = first.Sender;
            _front = first.Next;
            return true;
        }
        if (_custom is not null)
        {
            var found = _custom.TryDequeue(out var envelope);
            message = envelope.Message;
            sender = envelope.Sender;
            return found;
        }
        var head = _head;
        var next = Volatile.Read(ref head.Next);
        if (next is null)
        {
            if (Volatile.Read(ref Tail) == head)
            {
                message = null;
                sender = null;
                return false;
            }
            next = AwaitLink(head);
        }
        message = next.Message;
        sender = next.Sender;
        next.Message = null;
        next.Sender = null;
        // A consumed node must not point on: one that has grown old would keep all its successors from collection.
        head.Next = null;
        _head = next;
        return true;
    }

    private static MailboxNode AwaitLink(MailboxNode head)
    {
        var spin = new SpinWait();
        MailboxNode next;
        while ((next = Volatile.Read(ref head.Next)) is null)
            spin.SpinOnce(sleep1Threshold: -1);
        return next;
    }

    /// <summary>Puts a system message in line; false when the actor is gone and takes none. Any thread.</summary>
    internal bool PostSystem(SystemMessage message)
    {
        SystemMessage newest;
        do
        {
            newest = Volatile.Read(ref _systemNewest);
            if (newest is ClosedQueue)
                return false;
            message.Next = newest;
        } while (Interlocked.CompareExchange(ref _systemNewest, message, newest) != newest);
        if ((Volatile.Read(ref _state) & Scheduled) == 0)
            TrySchedule();
        return true;
    }

    private SystemMessage NextSystemMessage()
    {
        if (_systemTaken is null)
        {
            var newest = Volatile.Read(ref _systemNewest);
            if (newest is null or ClosedQueue)
                return null;
            _systemTaken = Reverse(Interlocked.Exchange(ref _systemNewest, null));
        }
        var oldest = _systemTaken;
        _systemTaken = oldest.Next;
        oldest.Next = null;
        return oldest;
    }

    private static SystemMessage Reverse(SystemMessage newest)
    {
        SystemMessage oldestFirst = null;
        while (newest is not null)
        {
            var older = newest.Next;
            newest.Next = oldestFirst;
            oldestFirst = newest;
            newest = older;
        }
        return oldestFirst;
    }
}
