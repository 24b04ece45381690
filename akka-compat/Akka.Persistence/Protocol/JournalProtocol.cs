using Akka.Actor;
using Akka.Event;

namespace Akka.Persistence;

/// <summary>Persistent actor to journal: write these, in this order.</summary>
public sealed class WriteMessages(
    IEnumerable<IPersistentEnvelope> messages,
    IActorRef persistentActor,
    int actorInstanceId
) : IJournalRequest, IEquatable<WriteMessages>
{
    /// <summary>
    /// Events to write and deferred messages to send back, in the order in which they were handed over.
    /// </summary>
    public IEnumerable<IPersistentEnvelope> Messages { get; } = messages;

    /// <summary>Who gets the answers.</summary>
    public IActorRef PersistentActor { get; } = persistentActor;

    /// <summary>
    /// The incarnation that asks; comes back in every answer, so that those to an earlier one are told apart.
    /// </summary>
    public int ActorInstanceId { get; } = actorInstanceId;

    /// <summary>Set by our own persistent actors: one answer for the whole batch will do.</summary>
    internal bool TakesOneAnswer { get; init; }

    /// <inheritdoc/>
    public bool Equals(WriteMessages other) =>
        other is not null
        && ActorInstanceId == other.ActorInstanceId
        && Equals(PersistentActor, other.PersistentActor)
        && Messages.SequenceEqual(other.Messages);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as WriteMessages);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(PersistentActor, ActorInstanceId);

    /// <inheritdoc/>
    public override string ToString() => $"WriteMessages<actorInstanceId: {ActorInstanceId}, actor: {PersistentActor}>";
}

/// <summary>Journal to persistent actor: the whole batch is stored; a success for each event follows.</summary>
public sealed class WriteMessagesSuccessful : IJournalResponse
{
    /// <summary>The only one.</summary>
    public static WriteMessagesSuccessful Instance { get; } = new();

    private WriteMessagesSuccessful() { }
}

/// <summary>Journal to persistent actor: the batch failed; a failure for each event follows.</summary>
public sealed class WriteMessagesFailed(Exception cause, int writeCount)
    : IJournalResponse,
        IEquatable<WriteMessagesFailed>
{
    /// <summary>Why; never null.</summary>
    public Exception Cause { get; } = cause ?? throw new ArgumentNullException(nameof(cause));

    /// <summary>How many atomic writes there were in the batch.</summary>
    public int WriteCount { get; } = writeCount;

    /// <summary>Compares the cause alone.</summary>
    public bool Equals(WriteMessagesFailed other) => other is not null && Equals(Cause, other.Cause);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as WriteMessagesFailed);

    /// <inheritdoc/>
    public override int GetHashCode() => Cause.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => $"WriteMessagesFailed<cause: {Cause}>";
}

/// <summary>Journal to persistent actor: this event is stored.</summary>
public sealed class WriteMessageSuccess(IPersistentRepresentation persistent, int actorInstanceId)
    : IJournalResponse,
        IEquatable<WriteMessageSuccess>
{
    /// <summary>The event, as it was handed over and not as it is stored.</summary>
    public IPersistentRepresentation Persistent { get; } = persistent;

    /// <inheritdoc cref="WriteMessages.ActorInstanceId"/>
    public int ActorInstanceId { get; } = actorInstanceId;

    /// <inheritdoc/>
    public bool Equals(WriteMessageSuccess other) =>
        other is not null && ActorInstanceId == other.ActorInstanceId && Equals(Persistent, other.Persistent);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as WriteMessageSuccess);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Persistent, ActorInstanceId);

    /// <inheritdoc/>
    public override string ToString() =>
        $"WriteMessageSuccess<actorInstanceId: {ActorInstanceId}, message: {Persistent}>";
}

/// <summary>Journal to persistent actor: this event cannot be stored at all, for example not serialized.</summary>
public sealed class WriteMessageRejected(IPersistentRepresentation persistent, Exception cause, int actorInstanceId)
    : IJournalResponse,
        IEquatable<WriteMessageRejected>
{
    /// <inheritdoc cref="WriteMessageSuccess.Persistent"/>
    public IPersistentRepresentation Persistent { get; } = persistent;

    /// <summary>Why; never null.</summary>
    public Exception Cause { get; } = cause ?? throw new ArgumentNullException(nameof(cause));

    /// <inheritdoc cref="WriteMessages.ActorInstanceId"/>
    public int ActorInstanceId { get; } = actorInstanceId;

    /// <inheritdoc/>
    public bool Equals(WriteMessageRejected other) =>
        other is not null
        && ActorInstanceId == other.ActorInstanceId
        && Equals(Persistent, other.Persistent)
        && Equals(Cause, other.Cause);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as WriteMessageRejected);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Persistent, ActorInstanceId);

    /// <inheritdoc/>
    public override string ToString() =>
        $"WriteMessageRejected<actorInstanceId: {ActorInstanceId}, message: {Persistent}, cause: {Cause}>";
}

/// <summary>Journal to persistent actor: this event may or may not be stored.</summary>
public sealed class WriteMessageFailure(IPersistentRepresentation persistent, Exception cause, int actorInstanceId)
    : IJournalResponse,
        IEquatable<WriteMessageFailure>
{
    /// <inheritdoc cref="WriteMessageSuccess.Persistent"/>
    public IPersistentRepresentation Persistent { get; } = persistent;

    /// <summary>Why; never null.</summary>
    public Exception Cause { get; } = cause ?? throw new ArgumentNullException(nameof(cause));

    /// <inheritdoc cref="WriteMessages.ActorInstanceId"/>
    public int ActorInstanceId { get; } = actorInstanceId;

    /// <inheritdoc/>
    public bool Equals(WriteMessageFailure other) =>
        other is not null
        && ActorInstanceId == other.ActorInstanceId
        && Equals(Persistent, other.Persistent)
        && Equals(Cause, other.Cause);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as WriteMessageFailure);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Persistent, ActorInstanceId);

    /// <inheritdoc/>
    public override string ToString() =>
        $"WriteMessageFailure<actorInstanceId: {ActorInstanceId}, message: {Persistent}, cause: {Cause}>";
}

/// <summary>Journal to persistent actor: a deferred message, in its turn.</summary>
public sealed class LoopMessageSuccess(object message, int actorInstanceId)
    : IJournalResponse,
        IEquatable<LoopMessageSuccess>
{
    /// <summary>What was deferred.</summary>
    public object Message { get; } = message;

    /// <inheritdoc cref="WriteMessages.ActorInstanceId"/>
    public int ActorInstanceId { get; } = actorInstanceId;

    /// <inheritdoc/>
    public bool Equals(LoopMessageSuccess other) =>
        other is not null && ActorInstanceId == other.ActorInstanceId && Equals(Message, other.Message);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as LoopMessageSuccess);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Message, ActorInstanceId);

    /// <inheritdoc/>
    public override string ToString() => $"LoopMessageSuccess<actorInstanceId: {ActorInstanceId}, message: {Message}>";
}

/// <summary>Persistent actor to journal: send me events from and to these sequence numbers, both inclusive.</summary>
public sealed class ReplayMessages(
    long fromSequenceNr,
    long toSequenceNr,
    long max,
    string persistenceId,
    IActorRef persistentActor
) : IJournalRequest, IEquatable<ReplayMessages>
{
    /// <summary>The first sequence number, inclusive.</summary>
    public long FromSequenceNr { get; } = fromSequenceNr;

    /// <summary>The last sequence number, inclusive.</summary>
    public long ToSequenceNr { get; } = toSequenceNr;

    /// <summary>Largest number of events.</summary>
    public long Max { get; } = max;

    /// <summary>Whose stream.</summary>
    public string PersistenceId { get; } = persistenceId;

    /// <summary>Who gets the answers.</summary>
    public IActorRef PersistentActor { get; } = persistentActor;

    /// <inheritdoc/>
    public bool Equals(ReplayMessages other) =>
        other is not null
        && FromSequenceNr == other.FromSequenceNr
        && ToSequenceNr == other.ToSequenceNr
        && Max == other.Max
        && string.Equals(PersistenceId, other.PersistenceId, StringComparison.Ordinal)
        && Equals(PersistentActor, other.PersistentActor);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as ReplayMessages);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(FromSequenceNr, ToSequenceNr, Max, PersistenceId);

    /// <inheritdoc/>
    public override string ToString() =>
        $"ReplayMessages<fromSequenceNr: {FromSequenceNr}, toSequenceNr: {ToSequenceNr}, max: {Max}, persistenceId: {PersistenceId}>";
}

/// <summary>Journal to persistent actor: one stored event.</summary>
public sealed class ReplayedMessage(IPersistentRepresentation persistent)
    : IJournalResponse,
        IDeadLetterSuppression,
        IEquatable<ReplayedMessage>
{
    /// <summary>The event, adapted; events that adapters split up keep the number of the stored one.</summary>
    public IPersistentRepresentation Persistent { get; } = persistent;

    /// <inheritdoc/>
    public bool Equals(ReplayedMessage other) => other is not null && Equals(Persistent, other.Persistent);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as ReplayedMessage);

    /// <inheritdoc/>
    public override int GetHashCode() => Persistent?.GetHashCode() ?? 0;

    /// <inheritdoc/>
    public override string ToString() => $"ReplayedMessage<message: {Persistent}>";
}

/// <summary>Journal to persistent actor: that was all; the highest number ever used, deleted events included.</summary>
public sealed class RecoverySuccess(long highestSequenceNr)
    : IJournalResponse,
        IDeadLetterSuppression,
        IEquatable<RecoverySuccess>
{
    /// <summary>The highest number ever used in the stream; 0 for a stream without events.</summary>
    public long HighestSequenceNr { get; } = highestSequenceNr;

    /// <inheritdoc/>
    public bool Equals(RecoverySuccess other) => other is not null && HighestSequenceNr == other.HighestSequenceNr;

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as RecoverySuccess);

    /// <inheritdoc/>
    public override int GetHashCode() => HighestSequenceNr.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => $"RecoverySuccess<highestSequenceNr: {HighestSequenceNr}>";
}

/// <summary>Journal to persistent actor: events could not be read.</summary>
public sealed class ReplayMessagesFailure(Exception cause)
    : IJournalResponse,
        IDeadLetterSuppression,
        IEquatable<ReplayMessagesFailure>
{
    /// <summary>Why; never null.</summary>
    public Exception Cause { get; } = cause ?? throw new ArgumentNullException(nameof(cause));

    /// <inheritdoc/>
    public bool Equals(ReplayMessagesFailure other) => other is not null && Equals(Cause, other.Cause);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as ReplayMessagesFailure);

    /// <inheritdoc/>
    public override int GetHashCode() => Cause.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => $"ReplayMessagesFailure<cause: {Cause}>";
}

/// <summary>Persistent actor to journal: delete events up to this number, inclusive.</summary>
public sealed class DeleteMessagesTo(string persistenceId, long toSequenceNr, IActorRef persistentActor)
    : IJournalRequest,
        IEquatable<DeleteMessagesTo>
{
    /// <summary>Whose stream.</summary>
    public string PersistenceId { get; } = persistenceId ?? throw new ArgumentNullException(nameof(persistenceId));

    /// <summary>The last number to delete, inclusive.</summary>
    public long ToSequenceNr { get; } = toSequenceNr;

    /// <summary>Who gets the answers.</summary>
    public IActorRef PersistentActor { get; } = persistentActor;

    /// <inheritdoc/>
    public bool Equals(DeleteMessagesTo other) =>
        other is not null
        && ToSequenceNr == other.ToSequenceNr
        && string.Equals(PersistenceId, other.PersistenceId, StringComparison.Ordinal)
        && Equals(PersistentActor, other.PersistentActor);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as DeleteMessagesTo);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(PersistenceId, ToSequenceNr);

    /// <inheritdoc/>
    public override string ToString() =>
        $"DeleteMessagesTo<persistenceId: {PersistenceId}, seqNr: {ToSequenceNr}, persistentActor: {PersistentActor}>";
}

/// <summary>To the persistent actor: events up to this number are deleted.</summary>
public sealed class DeleteMessagesSuccess(long toSequenceNr) : IEquatable<DeleteMessagesSuccess>
{
    /// <summary>The last number to delete, inclusive.</summary>
    public long ToSequenceNr { get; } = toSequenceNr;

    /// <inheritdoc/>
    public bool Equals(DeleteMessagesSuccess other) => other is not null && ToSequenceNr == other.ToSequenceNr;

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as DeleteMessagesSuccess);

    /// <inheritdoc/>
    public override int GetHashCode() => ToSequenceNr.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => $"DeleteMessagesSuccess<toSequenceNr: {ToSequenceNr}>";
}

/// <summary>To the persistent actor: events could not be deleted.</summary>
public sealed class DeleteMessagesFailure(Exception cause, long toSequenceNr)
    : IEquatable<DeleteMessagesFailure>,
        INoSerializationVerificationNeeded
{
    /// <summary>Why; never null.</summary>
    public Exception Cause { get; } = cause ?? throw new ArgumentNullException(nameof(cause));

    /// <summary>The last number to delete, inclusive.</summary>
    public long ToSequenceNr { get; } = toSequenceNr;

    /// <inheritdoc/>
    public bool Equals(DeleteMessagesFailure other) =>
        other is not null && ToSequenceNr == other.ToSequenceNr && Equals(Cause, other.Cause);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as DeleteMessagesFailure);

    /// <inheritdoc/>
    public override int GetHashCode() => ToSequenceNr.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => $"DeleteMessagesFailure<cause: {Cause}, toSequenceNr: {ToSequenceNr}>";
}
