using Akka.Actor;
using Akka.Event;

namespace Akka.Persistence;

/// <summary>
/// Journal to persistent actor, when both are ours: a whole batch is written. Stands for WriteMessagesSuccessful and a
/// WriteMessageSuccess or LoopMessageSuccess for each element, and is consumed one element at a time, so that whatever
/// could come between those messages still does.
/// </summary>
internal sealed class WrittenBatch(WriteMessages request) : IJournalResponse, IDeadLetterSuppression
{
    private readonly IReadOnlyList<IPersistentEnvelope> _envelopes =
        (IReadOnlyList<IPersistentEnvelope>)request.Messages;
    private int _envelope;
    private int _event;

    /// <inheritdoc cref="WriteMessages.ActorInstanceId"/>
    public int ActorInstanceId => request.ActorInstanceId;

    /// <summary>True once the actor knows that the journal is free for the next batch.</summary>
    public bool IsAnnounced { get; set; }

    /// <summary>What the last handler was run with: the message that a restart speaks of.</summary>
    public object Current { get; private set; }

    /// <summary>Whether elements are left.</summary>
    public bool HasMore => _envelope < _envelopes.Count;

    /// <summary>The next element: an event, or null and a deferred message.</summary>
    public IPersistentRepresentation Next(out object deferred)
    {
        var envelope = _envelopes[_envelope];
        deferred = null;
        if (envelope is not AtomicWrite write)
        {
            _envelope++;
            Current = deferred = envelope.Payload;
            return null;
        }
        var persistent = write.Single ?? write.Events[_event];
        if (++_event >= write.Size)
        {
            _envelope++;
            _event = 0;
        }
        Current = persistent;
        return persistent;
    }

    /// <summary>The sender that all elements share, or null when they do not.</summary>
    public static IActorRef SharedSender(WriteMessages request)
    {
        IActorRef shared = null;
        foreach (var envelope in request.Messages)
        {
            var sender = envelope is AtomicWrite write ? write.FirstSender : envelope.Sender;
            if (sender is null || (shared is not null && !ReferenceEquals(shared, sender)))
                return null;
            shared = sender;
        }
        return shared;
    }
}
