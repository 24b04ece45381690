using System.Runtime.CompilerServices;
using Akka.Actor;
using Akka.Dispatch.MessageQueues;
using Akka.Dispatch.SysMsg;

namespace Akka.Dispatch;

// The queue of one actor. Many producers, one consumer: whoever holds the Scheduled bit is the consumer.
// MailboxSegment.cs: the parts. Mailbox.cs: putting in and taking out. Mailbox.Run.cs: scheduling and the loop.

/// <summary>The queues of one actor and its turn to run.</summary>
internal sealed partial class Mailbox : MailboxSegment, IRunnable, Simulation.IReadyWork
{
    private const int SmallSegment = 8;
    private const int LargeSegment = 2048;
    private static readonly MailboxSlot[] NoSlots = [];

    /// <summary>The segment that producers try first; may lag behind by some.</summary>
    private MailboxSegment _tail;

    /// <summary>System messages, newest first; <see cref="ClosedQueue"/> once the actor is gone.</summary>
    private SystemMessage _systemNewest;

    /// <summary>Replaces the built-in queue when the actor asked for a bounded or a priority queue.</summary>
    private readonly IMessageQueue _custom;

    private readonly ActorCell _cell;

    internal Mailbox(ActorCell cell, IMessageQueue custom)
        : base(NoSlots)
    {
        _cell = cell;
        _custom = custom;
        _tail = this;
        VerifiesSerialization = cell.SystemImpl.VerifiesSerialization;
        cell.Cursor.Segment = this;
    }

    internal ActorCell Cell => _cell;

    /// <summary>A queue that a configuration chose, or null for the built-in one.</summary>
    internal IMessageQueue Custom => _custom;

    /// <summary>Whether every message is to be serialized and read back first.</summary>
    internal readonly bool VerifiesSerialization;

    /// <summary>
    /// Whether a message is in, or is just being put in. By the claims and not by the slots: a claim is a full fence,
    /// so a producer that then finds the mailbox scheduled knows that the consumer will see the claim.
    /// </summary>
    internal bool HasMessages
    {
        get
        {
            ref var cursor = ref _cell.Cursor;
            if (_cell.Front is not null)
                return true;
            if (_custom is not null)
                return _custom.HasMessages;
            return Volatile.Read(ref cursor.Segment.Claimed) > cursor.Index;
        }
    }

    internal bool HasSystemMessages =>
        _cell.SystemTaken is not null || (Volatile.Read(ref _systemNewest) is { } m and not ClosedQueue);

    /// <summary>Counts the waiting messages; exact only when nobody else is at work.</summary>
    internal int NumberOfMessages
    {
        get
        {
            var cursor = _cell.Cursor;
            var count = 0;
            for (var n = _cell.Front; n is not null; n = n.Next)
                count++;
            if (_custom is not null)
                return count + _custom.Count;
            var index = cursor.Index;
            for (var s = cursor.Segment; s is not null; s = Volatile.Read(ref s.Next))
            {
                count += Math.Max(0, Math.Min(Volatile.Read(ref s.Claimed), s.Length) - index);
                index = 0;
            }
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
        if (_custom is null)
        {
            Enqueue(message, sender);
        }
        else
        {
            _custom.Enqueue(_cell.Self, new Envelope(message, sender));
            Interlocked.MemoryBarrier();
        }
        // The claim inside Enqueue is a full fence, so this read cannot pass it: either we see the consumer gone and
        // schedule it, or the consumer, which clears its bit before it looks at the claims, sees ours.
        var state = Volatile.Read(ref _state);
        if ((state & Scheduled) == 0 && (Volatile.Read(ref _suspensions) == 0 || (state & Closed) != 0))
            TrySchedule();
    }

    private void Enqueue(object message, IActorRef sender)
    {
        while (true)
        {
            var segment = Volatile.Read(ref _tail);
            var index = Interlocked.Increment(ref segment.Claimed) - 1;
            ref var slot = ref segment.SlotAt(index);
            if (!Unsafe.IsNullRef(ref slot))
            {
                slot.Sender = sender;
                // Last, and with release: a consumer that sees the message sees the sender too.
                Volatile.Write(ref slot.Message, message);
                return;
            }
            MoveTail(segment);
        }
    }

    /// <summary>Links a segment behind a full one if nobody has, and points the producers at it.</summary>
    private void MoveTail(MailboxSegment full)
    {
        var next = Volatile.Read(ref full.Next);
        if (next is null)
        {
            var fresh = new MailboxSegment(new MailboxSlot[NextLength(full) - OwnSlots.Count]);
            next = Interlocked.CompareExchange(ref full.Next, fresh, null) ?? fresh;
        }
        // The consumer leaves a segment only after it has moved the tail past it, so then there is nothing to do.
        if (!ReferenceEquals(next, Left))
            Interlocked.CompareExchange(ref _tail, next, full);
    }

    /// <summary>
    /// Small while the consumer keeps up: most actors never have more than a few messages waiting, and of a large number of
    /// actors most never get more than a message or two.
    /// </summary>
    private int NextLength(MailboxSegment full)
    {
        // A racy look at the consumer: a wrong guess costs memory or a segment more, nothing else.
        ref var cursor = ref _cell.Cursor;
        var keepsUp = ReferenceEquals(cursor.Segment, full) && cursor.Index >= full.Length / 2;
        return keepsUp ? SmallSegment : Math.Clamp(full.Length * 4, SmallSegment, LargeSegment);
    }

    /// <summary>Puts a message before all others. Only by the actor itself.</summary>
    internal void EnqueueFirst(Envelope envelope) => _cell.Front = new MailboxFront(envelope, _cell.Front);

    /// <summary>Takes the next user message. Only by the consumer.</summary>
    private bool TryDequeue(out object message, out IActorRef sender)
    {
        ref var cursor = ref _cell.Cursor;
        if (_cell.Front is not null || _custom is not null)
            return TryDequeueSpecial(out message, out sender);
        while (true)
        {
            var index = cursor.Index;
            ref var slot = ref cursor.Segment.SlotAt(index);
            if (!Unsafe.IsNullRef(ref slot))
            {
                message = Volatile.Read(ref slot.Message);
                if (message is null)
                {
                    if (Volatile.Read(ref cursor.Segment.Claimed) <= index)
                    {
                        sender = null;
                        return false;
                    }
                    message = AwaitMessage(ref slot);
                }
                sender = slot.Sender;
                slot = default;
                cursor.Index = index + 1;
                return true;
            }
            if (!TryLeaveSegment(ref cursor))
            {
                message = null;
                sender = null;
                return false;
            }
        }
    }

    /// <summary>Goes on to the next segment; false when there is none yet.</summary>
    private bool TryLeaveSegment(ref MailboxCursor cursor)
    {
        var done = cursor.Segment;
        var next = Volatile.Read(ref done.Next);
        if (next is null)
        {
            if (Volatile.Read(ref done.Claimed) <= done.Length)
                return false;
            // A producer has counted past the end and is about to link: do it for it.
            MoveTail(done);
            next = Volatile.Read(ref done.Next);
        }
        // First the tail, then the mark: a producer that finds the mark must not find this segment at the tail again.
        Interlocked.CompareExchange(ref _tail, next, done);
        // A segment that was left must not point on: one that has grown old would keep its successors from collection.
        Volatile.Write(ref done.Next, Left);
        cursor.Segment = next;
        cursor.Index = 0;
        return true;
    }

    private bool TryDequeueSpecial(out object message, out IActorRef sender)
    {
        if (_cell.Front is { } first)
        {
            message = first.Envelope.Message;
            sender = first.Envelope.Sender;
            _cell.Front = first.Next;
            return true;
        }
        var found = _custom.TryDequeue(out var envelope);
        message = envelope.Message;
        sender = envelope.Sender;
        return found;
    }

    /// <summary>Waits for a producer that is between its claim and its write.</summary>
    private static object AwaitMessage(ref MailboxSlot slot)
    {
        var spin = new SpinWait();
        object message;
        while ((message = Volatile.Read(ref slot.Message)) is null)
            spin.SpinOnce(sleep1Threshold: -1);
        return message;
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
        var oldest = _cell.SystemTaken;
        if (oldest is null)
        {
            var newest = Volatile.Read(ref _systemNewest);
            if (newest is null or ClosedQueue)
                return null;
            oldest = Reverse(Interlocked.Exchange(ref _systemNewest, null));
        }
        _cell.SystemTaken = oldest.Next;
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
