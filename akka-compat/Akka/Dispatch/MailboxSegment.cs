using Akka.Actor;

namespace Akka.Dispatch;

/// <summary>One user message in line; it is there once <see cref="Message"/> is not null.</summary>
internal struct MailboxSlot
{
    internal object Message;
    internal IActorRef Sender;
}

/// <summary>
/// A run of slots. Producers claim one each by counting up; who counts past the end links the next segment. The mailbox
/// itself is the first segment, one without slots, so that an actor that gets no messages has no slots.
/// </summary>
internal class MailboxSegment
{
    /// <summary>Stands in <see cref="Next"/> of a segment that the consumer has left.</summary>
    internal static readonly MailboxSegment Left = new([]);

    internal readonly MailboxSlot[] Slots;

    /// <summary>The segment after this one; null until somebody needs it.</summary>
    internal MailboxSegment Next;

    /// <summary>Slots that producers have claimed, and claims past the end.</summary>
    internal int Claimed;

    internal MailboxSegment(MailboxSlot[] slots)
    {
        Slots = slots;
    }
}

/// <summary>A message that the actor put back before all others.</summary>
internal sealed class MailboxFront(Envelope envelope, MailboxFront next)
{
    internal Envelope Envelope => envelope;
    internal MailboxFront Next => next;
}

/// <summary>
/// Where the consumer of a mailbox is. It lives in the cell and not in the mailbox: it is written for every message,
/// and producers, who read the mailbox for every message, must not share its cache line.
/// </summary>
internal struct MailboxCursor
{
    /// <summary>The segment that the next message comes from.</summary>
    internal MailboxSegment Segment;

    internal int Index;

    /// <summary>Messages that the actor put back (unstash), next one first.</summary>
    internal MailboxFront Front;

    /// <summary>System messages taken over from the producers, oldest first.</summary>
    internal SysMsg.SystemMessage SystemTaken;
}
