using Akka.Actor;

namespace Akka.Event;

/// <summary>A message that did not reach an actor that handles it.</summary>
public abstract class AllDeadLetters : IWrappedMessage
{
    /// <summary>No argument is checked here.</summary>
    protected AllDeadLetters(object message, IActorRef sender, IActorRef recipient)
    {
        Message = message;
        Sender = sender;
        Recipient = recipient;
    }

    /// <inheritdoc/>
    public object Message { get; }

    /// <summary>For whom it was.</summary>
    public IActorRef Recipient { get; }

    /// <summary>Who sent it; null or dead letters when nobody did.</summary>
    public IActorRef Sender { get; }

    /// <inheritdoc/>
    public override string ToString() => $"{GetType().Name} from {Sender} to {Recipient}: <{Message}>";
}

/// <summary>A message to an actor that is not, or no longer, there.</summary>
public sealed class DeadLetter : AllDeadLetters
{
    /// <summary>Neither reference may be null.</summary>
    /// <exception cref="ArgumentNullException">One is.</exception>
    public DeadLetter(object message, IActorRef sender, IActorRef recipient)
        : base(message, sender, recipient)
    {
        ArgumentNullException.ThrowIfNull(sender);
        ArgumentNullException.ThrowIfNull(recipient);
    }
}

/// <summary>A dead letter that its kind says nobody need hear of.</summary>
public sealed class SuppressedDeadLetter(IDeadLetterSuppression message, IActorRef sender, IActorRef recipient)
    : AllDeadLetters(message, sender, recipient);

/// <summary>A message that was thrown away on purpose.</summary>
public sealed class Dropped : AllDeadLetters
{
    /// <summary>The reason is for people.</summary>
    public Dropped(object message, string reason, IActorRef sender, IActorRef recipient)
        : base(message, sender, recipient)
    {
        Reason = reason;
    }

    /// <summary>Without a sender; the reason is for people.</summary>
    public Dropped(object message, string reason, IActorRef recipient)
        : this(message, reason, ActorRefs.NoSender, recipient) { }

    /// <summary>Why it was thrown away.</summary>
    public string Reason { get; }
}

/// <summary>Messages that make no dead letters.</summary>
public interface IDeadLetterSuppression;

/// <summary>A message that its receiver did not handle.</summary>
public sealed class UnhandledMessage(object message, IActorRef sender, IActorRef recipient)
    : AllDeadLetters(message, sender, recipient);
