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
    public IEnumerable<IPersistentEnvelope> Messages { get; } = messages;
    public IActorRef PersistentActor { get; } = persistentActor;
    public int ActorInstanceId { get; } = actorInstanceId;

    /// <summary>Set by our own persistent actors: one answer for the whole batch will do.</summary>
    internal bool TakesOneAnswer { get; init; }

    public bool Equals(WriteMessages other) =>
        other is not null
        && ActorInstanceId == other.ActorInstanceId
        && Equals(PersistentActor, other.PersistentActor)
        && Messages.SequenceEqual(other.Messages);

    public override bool Equals(object obj) => Equals(obj as WriteMessages);

    public override int GetHashCode() => HashCode.Combine(PersistentActor, ActorInstanceId);

    public override string ToString() => $"WriteMessages<actorInstanceId: {ActorInstanceId}, actor: {PersistentActor}>";
}

/// <summary>Journal to persistent actor: the whole batch is stored; a success for each event follows.</summary>
public sealed class WriteMessagesSuccessful : IJournalResponse
{
    public static WriteMessagesSuccessful Instance { get; } = new();

    private WriteMessagesSuccessful() { }
}

/// <summary>Journal to persistent actor: the batch failed; a failure for each event follows.</summary>
public sealed class WriteMessagesFailed(Exception cause, int writeCount)
    : IJournalResponse,
        IEquatable<WriteMessagesFailed>
{
    public Exception Cause { get; } = cause ?? throw new ArgumentNullException(nameof(cause));
    public int WriteCount { get; } = writeCount;

    public bool Equals(WriteMessagesFailed other) => other is not null && Equals(Cause, other.Cause);

    public override bool Equals(object obj) => Equals(obj as WriteMessagesFailed);

    public override int GetHashCode() => Cause.GetHashCode();

    public override string ToString() => $"WriteMessagesFailed<cause: {Cause}>";
}

/// <summary>Journal to persistent actor: this event is stored.</summary>
public sealed class WriteMessageSuccess(IPersistentRepresentation persistent, int actorInstanceId)
    : IJournalResponse,
        IEquatable<WriteMessageSuccess>
{
    public IPersistentRepresentation Persistent { get; } = persistent;
    public int ActorInstanceId { get; } = actorInstanceId;

    public bool Equals(WriteMessageSuccess other) =>
        other is not null && ActorInstanceId == other.ActorInstanceId && Equals(Persistent, other.Persistent);

    public override bool Equals(object obj) => Equals(obj as WriteMessageSuccess);

    public override int GetHashCode() => HashCode.Combine(Persistent, ActorInstanceId);

    public override string ToString() =>
        $"WriteMessageSuccess<actorInstanceId: {ActorInstanceId}, message: {Persistent}>";
}

/// <summary>Journal to persistent actor: this event cannot be stored at all, for example not serialized.</summary>
public sealed class WriteMessageRejected(IPersistentRepresentation persistent, Exception cause, int actorInstanceId)
    : IJournalResponse,
        IEquatable<WriteMessageRejected>
{
    public IPersistentRepresentation Persistent { get; } = persistent;
    public Exception Cause { get; } = cause ?? throw new ArgumentNullException(nameof(cause));
    public int ActorInstanceId { get; } = actorInstanceId;

    public bool Equals(WriteMessageRejected other) =>
        other is not null
        && ActorInstanceId == other.ActorInstanceId
        && Equals(Persistent, other.Persistent)
        && Equals(Cause, other.Cause);

    public override bool Equals(object obj) => Equals(obj as WriteMessageRejected);

    public override int GetHashCode() => HashCode.Combine(Persistent, ActorInstanceId);

    public override string ToString() =>
        $"WriteMessageRejected<actorInstanceId: {ActorInstanceId}, message: {Persistent}, cause: {Cause}>";
}

/// <summary>Journal to persistent actor: this event may or may not be stored.</summary>
public sealed class WriteMessageFailure(IPersistentRepresentation persistent, Exception cause, int actorInstanceId)
    : IJournalResponse,
        IEquatable<WriteMessageFailure>
{
    public IPersistentRepresentation Persistent { get; } = persistent;
    public Exception Cause { get; } = cause ?? throw new ArgumentNullException(nameof(cause));
    public int ActorInstanceId { get; } = actorInstanceId;

    public bool Equals(WriteMessageFailure other) =>
        other is not null
        && ActorInstanceId == other.ActorInstanceId
        && Equals(Persistent, other.Persistent)
        && Equals(Cause, other.Cause);

    public override bool Equals(object obj) => Equals(obj as WriteMessageFailure);

    public override int GetHashCode() => HashCode.Combine(Persistent, ActorInstanceId);

    public override string ToString() =>
        $"WriteMessageFailure<actorInstanceId: {ActorInstanceId}, message: {Persistent}, cause: {Cause}>";
}

/// <summary>Journal to persistent actor: a deferred message, in its turn.</summary>
public sealed class LoopMessageSuccess(object message, int actorInstanceId)
    : IJournalResponse,
        IEquatable<LoopMessageSuccess>
{
    public object Message { get; } = message;
    public int ActorInstanceId { get; } = actorInstanceId;

    public bool Equals(LoopMessageSuccess other) =>
        other is not null && ActorInstanceId == other.ActorInstanceId && Equals(Message, other.Message);

    public override bool Equals(object obj) => Equals(obj as LoopMessageSuccess);

    public override int GetHashCode() => HashCode.Combine(Message, ActorInstanceId);

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
    public long FromSequenceNr { get; } = fromSequenceNr;
    public long ToSequenceNr { get; } = toSequenceNr;

    /// <summary>Largest number of events.</summary>
    public long Max { get; } = max;
    public string PersistenceId { get; } = persistenceId;
    public IActorRef PersistentActor { get; } = persistentActor;

    public bool Equals(ReplayMessages other) =>
        other is not null
        && FromSequenceNr == other.FromSequenceNr
        && ToSequenceNr == other.ToSequenceNr
        && Max == other.Max
        && string.Equals(PersistenceId, other.PersistenceId, StringComparison.Ordinal)
        && Equals(PersistentActor, other.PersistentActor);

    public override bool Equals(object obj) => Equals(obj as ReplayMessages);

    public override int GetHashCode() => HashCode.Combine(FromSequenceNr, ToSequenceNr, Max, PersistenceId);

    public override string ToString() =>
        $"ReplayMessages<fromSequenceNr: {FromSequenceNr}, toSequenceNr: {ToSequenceNr}, max: {Max}, persistenceId: {PersistenceId}>";
}

/// <summary>Journal to persistent actor: one stored event.</summary>
public sealed class ReplayedMessage(IPersistentRepresentation persistent)
    : IJournalResponse,
        IDeadLetterSuppression,
        IEquatable<ReplayedMessage>
{
    public IPersistentRepresentation Persistent { get; } = persistent;

    public bool Equals(ReplayedMessage other) => other is not null && Equals(Persistent, other.Persistent);

    public override bool Equals(object obj) => Equals(obj as ReplayedMessage);

    public override int GetHashCode() => Persistent?.GetHashCode() ?? 0;

    public override string ToString() => $"ReplayedMessage<message: {Persistent}>";
}

/// <summary>Journal to persistent actor: that was all; the highest number ever used, deleted events included.</summary>
public sealed class RecoverySuccess(long highestSequenceNr)
    : IJournalResponse,
        IDeadLetterSuppression,
        IEquatable<RecoverySuccess>
{
    public long HighestSequenceNr { get; } = highestSequenceNr;

    public bool Equals(RecoverySuccess other) => other is not null && HighestSequenceNr == other.HighestSequenceNr;

    public override bool Equals(object obj) => Equals(obj as RecoverySuccess);

    public override int GetHashCode() => HighestSequenceNr.GetHashCode();

    public override string ToString() => $"RecoverySuccess<highestSequenceNr: {HighestSequenceNr}>";
}

/// <summary>Journal to persistent actor: events could not be read.</summary>
public sealed class ReplayMessagesFailure(Exception cause)
    : IJournalResponse,
        IDeadLetterSuppression,
        IEquatable<ReplayMessagesFailure>
{
    public Exception Cause { get; } = cause ?? throw new ArgumentNullException(nameof(cause));

    public bool Equals(ReplayMessagesFailure other) => other is not null && Equals(Cause, other.Cause);

    public override bool Equals(object obj) => Equals(obj as ReplayMessagesFailure);

    public override int GetHashCode() => Cause.GetHashCode();

    public override string ToString() => $"ReplayMessagesFailure<cause: {Cause}>";
}

/// <summary>Persistent actor to journal: delete events up to this number, inclusive.</summary>
public sealed class DeleteMessagesTo(string persistenceId, long toSequenceNr, IActorRef persistentActor)
    : IJournalRequest,
        IEquatable<DeleteMessagesTo>
{
    public string PersistenceId { get; } = persistenceId ?? throw new ArgumentNullException(nameof(persistenceId));
    public long ToSequenceNr { get; } = toSequenceNr;
    public IActorRef PersistentActor { get; } = persistentActor;

    public bool Equals(DeleteMessagesTo other) =>
        other is not null
        && ToSequenceNr == other.ToSequenceNr
        && string.Equals(PersistenceId, other.PersistenceId, StringComparison.Ordinal)
        && Equals(PersistentActor, other.PersistentActor);

    public override bool Equals(object obj) => Equals(obj as DeleteMessagesTo);

    public override int GetHashCode() => HashCode.Combine(PersistenceId, ToSequenceNr);

    public override string ToString() =>
        $"DeleteMessagesTo<persistenceId: {PersistenceId}, seqNr: {ToSequenceNr}, persistentActor: {PersistentActor}>";
}

/// <summary>To the persistent actor: events up to this number are deleted.</summary>
public sealed class DeleteMessagesSuccess(long toSequenceNr) : IEquatable<DeleteMessagesSuccess>
{
    public long ToSequenceNr { get; } = toSequenceNr;

    public bool Equals(DeleteMessagesSuccess other) => other is not null && ToSequenceNr == other.ToSequenceNr;

    public override bool Equals(object obj) => Equals(obj as DeleteMessagesSuccess);

    public override int GetHashCode() => ToSequenceNr.GetHashCode();

    public override string ToString() => $"DeleteMessagesSuccess<toSequenceNr: {ToSequenceNr}>";
}

/// <summary>To the persistent actor: events could not be deleted.</summary>
public sealed class DeleteMessagesFailure(Exception cause, long toSequenceNr)
    : IEquatable<DeleteMessagesFailure>,
        INoSerializationVerificationNeeded
{
    public Exception Cause { get; } = cause ?? throw new ArgumentNullException(nameof(cause));
    public long ToSequenceNr { get; } = toSequenceNr;

    public bool Equals(DeleteMessagesFailure other) =>
        other is not null && ToSequenceNr == other.ToSequenceNr && Equals(Cause, other.Cause);

    public override bool Equals(object obj) => Equals(obj as DeleteMessagesFailure);

    public override int GetHashCode() => ToSequenceNr.GetHashCode();

    public override string ToString() => $"DeleteMessagesFailure<cause: {Cause}, toSequenceNr: {ToSequenceNr}>";
}
