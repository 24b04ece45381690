using Akka.Actor;

namespace Akka.Persistence;

/// <summary>A persistent actor that sends messages until they are confirmed.</summary>
public abstract class AtLeastOnceDeliveryActor : PersistentActor
{
    private readonly AtLeastOnceDeliverySemantic _delivery;

    /// <summary>With the system's settings.</summary>
    protected AtLeastOnceDeliveryActor()
        : this(static settings => settings) { }

    /// <summary>With settings of its own.</summary>
    protected AtLeastOnceDeliveryActor(PersistenceSettings.AtLeastOnceDeliverySettings settings)
        : this(_ => settings) { }

    /// <summary>With settings made from the system's.</summary>
    protected AtLeastOnceDeliveryActor(
        Func<
            PersistenceSettings.AtLeastOnceDeliverySettings,
            PersistenceSettings.AtLeastOnceDeliverySettings
        > overrideSettings
    )
    {
        _delivery = new AtLeastOnceDeliverySemantic(Context, overrideSettings(Extension.Settings.AtLeastOnceDelivery));
    }

    /// <inheritdoc cref="AtLeastOnceDeliverySemantic.RedeliverInterval"/>
    public TimeSpan RedeliverInterval => _delivery.RedeliverInterval;

    /// <inheritdoc cref="AtLeastOnceDeliverySemantic.RedeliveryBurstLimit"/>
    public int RedeliveryBurstLimit => _delivery.RedeliveryBurstLimit;

    /// <inheritdoc cref="AtLeastOnceDeliverySemantic.WarnAfterNumberOfUnconfirmedAttempts"/>
    public int WarnAfterNumberOfUnconfirmedAttempts => _delivery.WarnAfterNumberOfUnconfirmedAttempts;

    /// <inheritdoc cref="AtLeastOnceDeliverySemantic.MaxUnconfirmedMessages"/>
    public int MaxUnconfirmedMessages => _delivery.MaxUnconfirmedMessages;

    /// <inheritdoc cref="AtLeastOnceDeliverySemantic.UnconfirmedCount"/>
    public int UnconfirmedCount => _delivery.UnconfirmedCount;

    /// <inheritdoc/>
    public override void AroundPreRestart(Exception cause, object message)
    {
        _delivery.Cancel();
        base.AroundPreRestart(cause, message);
    }

    /// <inheritdoc/>
    public override void AroundPostStop()
    {
        _delivery.Cancel();
        base.AroundPostStop();
    }

    /// <inheritdoc/>
    protected override void OnReplaySuccess()
    {
        _delivery.OnReplaySuccess();
        base.OnReplaySuccess();
    }

    /// <inheritdoc/>
    protected override bool AroundReceive(Receive receive, object message) =>
        _delivery.AroundReceive(receive, message) || base.AroundReceive(receive, message);

    /// <summary>Sends the message that the function makes for a new delivery id, until that id is confirmed.</summary>
    public void Deliver(ActorPath destination, Func<long, object> deliveryMessageMapper) =>
        _delivery.Deliver(destination, deliveryMessageMapper, IsRecovering);

    /// <inheritdoc cref="Deliver(ActorPath, Func{long, object})"/>
    public void Deliver(ActorSelection destination, Func<long, object> deliveryMessageMapper)
    {
        if (destination.PathString.Contains('*', StringComparison.Ordinal))
            throw new NotSupportedException(
                "Delivering to wildcard actor selections is not supported by AtLeastOnceDelivery."
            );
        var path = ActorPath.Parse(destination.Anchor.Path.ToStringWithAddress() + destination.PathString);
        Deliver(path, deliveryMessageMapper);
    }

    /// <summary>Stops sending; false when the id is not known, or was confirmed before.</summary>
    public bool ConfirmDelivery(long deliveryId) => _delivery.ConfirmDelivery(deliveryId);

    /// <summary>What is unconfirmed, for the actor's own snapshot.</summary>
    public AtLeastOnceDeliverySnapshot GetDeliverySnapshot() => _delivery.GetDeliverySnapshot();

    /// <summary>Takes over what a snapshot says was unconfirmed.</summary>
    public void SetDeliverySnapshot(AtLeastOnceDeliverySnapshot snapshot) => _delivery.SetDeliverySnapshot(snapshot);
}
