using Akka.Actor;
using Akka.Persistence.Serialization;

namespace Akka.Persistence;

/// <summary>A message that has been sent and not been confirmed.</summary>
public sealed class UnconfirmedDelivery(long deliveryId, ActorPath destination, object message)
    : IEquatable<UnconfirmedDelivery>
{
    /// <summary>What <see cref="AtLeastOnceDeliverySemantic.ConfirmDelivery"/> takes.</summary>
    public long DeliveryId { get; } = deliveryId;

    /// <summary>Where it is sent.</summary>
    public ActorPath Destination { get; } = destination;

    /// <summary>What is sent.</summary>
    public object Message { get; } = message;

    /// <inheritdoc/>
    public bool Equals(UnconfirmedDelivery other) =>
        other is not null
        && DeliveryId == other.DeliveryId
        && Equals(Destination, other.Destination)
        && Equals(Message, other.Message);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as UnconfirmedDelivery);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(DeliveryId, Destination, Message);

    /// <inheritdoc/>
    public override string ToString() =>
        $"UnconfirmedDelivery<deliveryId: {DeliveryId}, dest: {Destination}, message: {Message}>";
}

/// <summary>To the actor itself: these have been sent many times and nobody confirms them.</summary>
public sealed class UnconfirmedWarning(UnconfirmedDelivery[] unconfirmedDeliveries) : IEquatable<UnconfirmedWarning>
{
    /// <summary>Oldest first; never null.</summary>
    public UnconfirmedDelivery[] UnconfirmedDeliveries { get; } =
        unconfirmedDeliveries ?? throw new ArgumentNullException(nameof(unconfirmedDeliveries));

    /// <inheritdoc/>
    public bool Equals(UnconfirmedWarning other) =>
        other is not null && UnconfirmedDeliveries.SequenceEqual(other.UnconfirmedDeliveries);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as UnconfirmedWarning);

    /// <inheritdoc/>
    public override int GetHashCode() => UnconfirmedDeliveries.Length;

    /// <inheritdoc/>
    public override string ToString() =>
        $"UnconfirmedWarning<unconfirmedDeliveries: {string.Join(", ", (object[])UnconfirmedDeliveries)}>";
}

/// <summary>What is unconfirmed, as part of an actor's own snapshot.</summary>
public sealed class AtLeastOnceDeliverySnapshot(long currentDeliveryId, UnconfirmedDelivery[] unconfirmedDeliveries)
    : IMessage,
        IEquatable<AtLeastOnceDeliverySnapshot>
{
    /// <summary>The last delivery id that was given out.</summary>
    public long CurrentDeliveryId { get; } = currentDeliveryId;

    /// <summary>Oldest first; never null.</summary>
    public UnconfirmedDelivery[] UnconfirmedDeliveries { get; } =
        unconfirmedDeliveries ?? throw new ArgumentNullException(nameof(unconfirmedDeliveries));

    /// <inheritdoc/>
    public bool Equals(AtLeastOnceDeliverySnapshot other) =>
        other is not null
        && CurrentDeliveryId == other.CurrentDeliveryId
        && UnconfirmedDeliveries.SequenceEqual(other.UnconfirmedDeliveries);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as AtLeastOnceDeliverySnapshot);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(CurrentDeliveryId, UnconfirmedDeliveries.Length);

    /// <inheritdoc/>
    public override string ToString() =>
        $"AtLeastOnceDeliverySnapshot<currentDeliveryId: {CurrentDeliveryId}, unconfirmedDeliveries: {UnconfirmedDeliveries.Length}>";
}

/// <summary>More messages are unconfirmed than the settings allow.</summary>
public class MaxUnconfirmedMessagesExceededException : Exception
{
    /// <summary>Without a message of its own.</summary>
    public MaxUnconfirmedMessagesExceededException() { }

    /// <summary>The message says who, and how many are allowed.</summary>
    public MaxUnconfirmedMessagesExceededException(string message)
        : base(message) { }

    /// <summary>The message says who, and how many are allowed.</summary>
    public MaxUnconfirmedMessagesExceededException(string message, Exception innerException)
        : base(message, innerException) { }
}
