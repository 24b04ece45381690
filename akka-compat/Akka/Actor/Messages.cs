using Akka.Event;

namespace Akka.Actor;

/// <summary>Messages that the runtime looks at before, or in place of, the actor.</summary>
public interface IAutoReceivedMessage;

/// <summary>Messages that could do harm when a stranger sends them.</summary>
public interface IPossiblyHarmful;

/// <summary>Messages that stay in the process, so no check serializes them.</summary>
public interface INoSerializationVerificationNeeded;

/// <summary>Messages that do not put off an actor's receive timeout.</summary>
public interface INotInfluenceReceiveTimeout;

/// <summary>A message around a message.</summary>
public interface IWrappedMessage
{
    /// <summary>The message inside.</summary>
    object Message { get; }
}

/// <summary>A message that a scheduler sends.</summary>
public interface IScheduledTellMsg : IWrappedMessage, INoSerializationVerificationNeeded;

/// <summary>Stops its receiver when its turn comes.</summary>
public sealed class PoisonPill : IAutoReceivedMessage, IPossiblyHarmful, IDeadLetterSuppression
{
    private PoisonPill() { }

    /// <summary>The only one.</summary>
    public static PoisonPill Instance { get; } = new();

    /// <inheritdoc/>
    public override string ToString() => "<PoisonPill>";
}

/// <summary>Makes its receiver fail with an ActorKilledException.</summary>
public sealed class Kill : IAutoReceivedMessage
{
    private Kill() { }

    /// <summary>The only one.</summary>
    public static Kill Instance { get; } = new();

    /// <inheritdoc/>
    public override string ToString() => "<Kill>";
}

/// <summary>An actor that the receiver watches has died.</summary>
public sealed class Terminated(IActorRef actorRef, bool existenceConfirmed, bool addressTerminated)
    : IAutoReceivedMessage,
        IPossiblyHarmful,
        IDeadLetterSuppression,
        INoSerializationVerificationNeeded,
        IEquatable<Terminated>
{
    /// <summary>Who died.</summary>
    public IActorRef ActorRef { get; } = actorRef;

    /// <summary>Whether its whole system became unreachable; false here, where there is one system.</summary>
    public bool AddressTerminated { get; } = addressTerminated;

    /// <summary>Whether the actor existed when the watch began; false when the path was empty already.</summary>
    public bool ExistenceConfirmed { get; } = existenceConfirmed;

    /// <summary>Compares all three.</summary>
    public bool Equals(Terminated other) =>
        other is not null
        && Equals(ActorRef, other.ActorRef)
        && AddressTerminated == other.AddressTerminated
        && ExistenceConfirmed == other.ExistenceConfirmed;

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as Terminated);

    /// <inheritdoc/>
    public override int GetHashCode() => ActorRef?.GetHashCode() ?? 0;

    /// <inheritdoc/>
    public override string ToString() => $"<Terminated>: {ActorRef} - ExistenceConfirmed={ExistenceConfirmed}";
}

/// <summary>Asks its receiver for its reference.</summary>
public sealed class Identify(object messageId) : IAutoReceivedMessage, INotInfluenceReceiveTimeout
{
    /// <summary>Comes back in the answer, so that it can be matched to its question; may be null.</summary>
    public object MessageId { get; } = messageId;

    /// <inheritdoc/>
    public override string ToString() => $"<Identify>: {MessageId}";
}

/// <summary>The answer to Identify; the subject is null when no actor was there.</summary>
public sealed class ActorIdentity(object messageId, IActorRef subject)
{
    /// <summary>That of the question.</summary>
    public object MessageId { get; } = messageId;

    /// <summary>Who is there; null when nobody is.</summary>
    public IActorRef Subject { get; } = subject;

    /// <inheritdoc/>
    public override bool Equals(object obj) =>
        obj is ActorIdentity other && Equals(MessageId, other.MessageId) && Equals(Subject, other.Subject);

    /// <inheritdoc/>
    public override int GetHashCode() => MessageId?.GetHashCode() ?? 0;

    /// <inheritdoc/>
    public override string ToString() => $"<ActorIdentity>: {Subject} - MessageId={MessageId}";
}

/// <summary>Nothing came for as long as the actor had said it would wait.</summary>
public class ReceiveTimeout : IPossiblyHarmful
{
    private ReceiveTimeout() { }

    /// <summary>The only one.</summary>
    public static ReceiveTimeout Instance { get; } = new();
}

/// <summary>How something that was asked for came out.</summary>
public abstract class Status
{
    /// <summary>It went well.</summary>
    public sealed class Success(object status) : Status
    {
        /// <summary>Without a value.</summary>
        public static readonly Success Instance = new(null);

        /// <summary>What came of it; may be null.</summary>
        public readonly object Status = status;

        /// <inheritdoc/>
        public override string ToString() => $"Success: {Status}";
    }

    /// <summary>It failed.</summary>
    public sealed class Failure : Status
    {
        /// <summary>Why it failed.</summary>
        public readonly Exception Cause;

        /// <summary>What the one who failed wants to add; may be null.</summary>
        public readonly object State;

        /// <summary>Without a state.</summary>
        public Failure(Exception cause)
        {
            Cause = cause;
        }

        /// <summary>With a state; also what JSON reads it back with.</summary>
        [Newtonsoft.Json.JsonConstructor]
        public Failure(Exception cause, object state)
        {
            Cause = cause;
            State = state;
        }

        /// <inheritdoc/>
        public override string ToString() => $"Failure: {Cause}";
    }
}
