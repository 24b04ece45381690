using Akka.Actor;
using Akka.Persistence.Serialization;

namespace Akka.Persistence;

/// <summary>A message that has been sent and not been confirmed.</summary>
public sealed class UnconfirmedDelivery(long deliveryId, ActorPath destination, object message)
    : IEquatable<UnconfirmedDelivery>
{
    public long DeliveryId { get; } = deliveryId;
    public ActorPath Destination { get; } = destination;
    public object Message { get; } = message;

    public bool Equals(UnconfirmedDelivery other) =>
        other is not null
        && DeliveryId == other.DeliveryId
        && Equals(Destination, other.Destination)
        && Equals(Message, other.Message);

    public override bool Equals(object obj) => Equals(obj as UnconfirmedDelivery);

    public override int GetHashCode() => HashCode.Combine(DeliveryId, Destination, Message);

    public override string ToString() =>
        $"UnconfirmedDelivery<deliveryId: {DeliveryId}, dest: {Destination}, message: {Message}>";
}

/// <summary>To the actor itself: these have been sent many times and nobody confirms them.</summary>
public sealed class UnconfirmedWarning(UnconfirmedDelivery[] unconfirmedDeliveries) : IEquatable<UnconfirmedWarning>
{
    public UnconfirmedDelivery[] UnconfirmedDeliveries { get; } =
        unconfirmedDeliveries ?? throw new ArgumentNullException(nameof(unconfirmedDeliveries));

    public bool Equals(UnconfirmedWarning other) =>
        other is not null && UnconfirmedDeliveries.SequenceEqual(other.UnconfirmedDeliveries);

    public override bool Equals(object obj) => Equals(obj as UnconfirmedWarning);

    public override int GetHashCode() => UnconfirmedDeliveries.Length;

    public override string ToString() =>
        $"UnconfirmedWarning<unconfirmedDeliveries: {string.Join(", ", (object[])UnconfirmedDeliveries)}>";
}

/// <summary>What is unconfirmed, as part of an actor's own snapshot.</summary>
public sealed class AtLeastOnceDeliverySnapshot(long currentDeliveryId, UnconfirmedDelivery[] unconfirmedDeliveries)
    : IMessage,
        IEquatable<AtLeastOnceDeliverySnapshot>
{
    public long CurrentDeliveryId { get; } = currentDeliveryId;
    public UnconfirmedDelivery[] UnconfirmedDeliveries { get; } =
        unconfirmedDeliveries ?? throw new ArgumentNullException(nameof(unconfirmedDeliveries));

    public bool Equals(AtLeastOnceDeliverySnapshot other) =>
        other is not null
        && CurrentDeliveryId == other.CurrentDeliveryId
        && UnconfirmedDeliveries.SequenceEqual(other.UnconfirmedDeliveries);

    public override bool Equals(object obj) => Equals(obj as AtLeastOnceDeliverySnapshot);

    public override int GetHashCode() => HashCode.Combine(CurrentDeliveryId, UnconfirmedDeliveries.Length);

    public override string ToString() =>
        $"AtLeastOnceDeliverySnapshot<currentDeliveryId: {CurrentDeliveryId}, unconfirmedDeliveries: {UnconfirmedDeliveries.Length}>";
}

/// <summary>More messages are unconfirmed than the settings allow.</summary>
public class MaxUnconfirmedMessagesExceededException : Exception
{
    public MaxUnconfirmedMessagesExceededException() { }

    public MaxUnconfirmedMessagesExceededException(string message)
        : base(message) { }

    public MaxUnconfirmedMessagesExceededException(string message, Exception innerException)
        : base(message, innerException) { }
}
