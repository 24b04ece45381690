using System.Runtime.CompilerServices;
using Akka.Actor;

namespace Akka.Dispatch;

/// <summary>One user message in line; it is there once <see cref="Message"/> is not null.</summary>
internal struct MailboxSlot
{
    internal object Message;
    internal IActorRef Sender;
}

/// <summary>The slots that a segment has in itself.</summary>
[InlineArray(Count)]
internal struct OwnSlots
{
    internal const int Count = 2;

    private MailboxSlot _first;
}

/// <summary>
/// A run of slots. Producers claim one each by counting up; who counts past the end links the next segment. The mailbox
/// itself is the first segment: an actor that gets a message or two costs no more than its mailbox.
/// </summary>
internal class MailboxSegment
{
    /// <summary>Stands in <see cref="Next"/> of a segment that the consumer has left.</summary>
    internal static readonly MailboxSegment Left = new([]);

    /// <summary>The slots behind its own.</summary>
    private readonly MailboxSlot[] _more;

    private OwnSlots _own;

    /// <summary>The segment after this one; null until somebody needs it.</summary>
    internal MailboxSegment Next;

    /// <summary>Slots that producers have claimed, and claims past the end.</summary>
    internal int Claimed;

    /// <param name="more">Slots behind its own.</param>
    internal MailboxSegment(MailboxSlot[] more)
    {
        _more = more;
    }

    /// <summary>How many slots it has.</summary>
    internal int Length => OwnSlots.Count + _more.Length;

    /// <summary>A slot, by its place; null for a place behind the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref MailboxSlot SlotAt(int index)
    {
        if ((uint)index < OwnSlots.Count)
            return ref _own[index];
        var more = _more;
        var place = index - OwnSlots.Count;
        if ((uint)place < (uint)more.Length)
            return ref more[place];
        return ref Unsafe.NullRef<MailboxSlot>();
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
}
