using Akka.Actor;
using Akka.Event;

namespace Akka.Persistence;

/// <summary>
/// Sends messages until they are confirmed. Belongs to a persistent actor that calls Deliver and ConfirmDelivery from
/// its event handlers, so that both are replayed: what is left over then is what has to be sent again.
/// </summary>
public class AtLeastOnceDeliverySemantic
{
    private readonly IActorContext _context;
    private readonly PersistenceSettings.AtLeastOnceDeliverySettings _settings;
    private readonly SortedDictionary<long, Delivery> _unconfirmed = [];
    private ICancelable _timer;
    private long _lastDeliveryId;

    /// <summary>Belongs to the actor of this context and must be used only while that handles a message.</summary>
    public AtLeastOnceDeliverySemantic(IActorContext context, PersistenceSettings.AtLeastOnceDeliverySettings settings)
    {
        _context = context;
        _settings = settings;
    }

    /// <inheritdoc cref="PersistenceSettings.AtLeastOnceDeliverySettings.RedeliverInterval"/>
    public TimeSpan RedeliverInterval => _settings.RedeliverInterval;

    /// <inheritdoc cref="PersistenceSettings.AtLeastOnceDeliverySettings.RedeliveryBurstLimit"/>
    public int RedeliveryBurstLimit => _settings.RedeliveryBurstLimit;

    /// <inheritdoc cref="PersistenceSettings.AtLeastOnceDeliverySettings.WarnAfterNumberOfUnconfirmedAttempts"/>
    public int WarnAfterNumberOfUnconfirmedAttempts => _settings.WarnAfterNumberOfUnconfirmedAttempts;

    /// <inheritdoc cref="PersistenceSettings.AtLeastOnceDeliverySettings.MaxUnconfirmedMessages"/>
    public int MaxUnconfirmedMessages => _settings.MaxUnconfirmedMessages;

    /// <summary>How many messages are unconfirmed now.</summary>
    public int UnconfirmedCount => _unconfirmed.Count;

    private DateTime Now => _context.System.Scheduler.Now.UtcDateTime;

    /// <summary>
    /// Sends the message that the function makes for a new delivery id (1, 2, …), again and again until that id is
    /// confirmed; while the actor recovers it only notes it.
    /// </summary>
    /// <exception cref="MaxUnconfirmedMessagesExceededException">
    /// Too many are unconfirmed; nothing was noted.
    /// </exception>
    public void Deliver(ActorPath destination, Func<long, object> deliveryMessageMapper, bool isRecovering)
    {
        if (_unconfirmed.Count >= MaxUnconfirmedMessages)
            throw new MaxUnconfirmedMessagesExceededException(
                $"{_context.Self} has too many unconfirmed messages. Maximum allowed is {MaxUnconfirmedMessages}"
            );
        var id = ++_lastDeliveryId;
        var message = deliveryMessageMapper(id);
        if (isRecovering)
            // Overdue at once: whatever is still unconfirmed when recovery ends is sent then.
            _unconfirmed[id] = new Delivery(destination, message, Now - RedeliverInterval, 0);
        else
            Send(id, new Delivery(destination, message, Now, 0));
    }

    /// <summary>Stops sending; false when the id is not known, or was confirmed before.</summary>
    public bool ConfirmDelivery(long deliveryId) => _unconfirmed.Remove(deliveryId);

    /// <summary>What is unconfirmed, oldest first, and the last delivery id.</summary>
    public AtLeastOnceDeliverySnapshot GetDeliverySnapshot() =>
        new(
            _lastDeliveryId,
            [.. _unconfirmed.Select(e => new UnconfirmedDelivery(e.Key, e.Value.Destination, e.Value.Message))]
        );

    /// <summary>
    /// Forgets what is unconfirmed and takes over what the snapshot holds, to be sent again from the next look on.
    /// </summary>
    public void SetDeliverySnapshot(AtLeastOnceDeliverySnapshot snapshot)
    {
        _lastDeliveryId = snapshot.CurrentDeliveryId;
        _unconfirmed.Clear();
        foreach (var u in snapshot.UnconfirmedDeliveries)
            _unconfirmed[u.DeliveryId] = new Delivery(u.Destination, u.Message, Now - RedeliverInterval, 0);
    }

    /// <summary>Stops sending again.</summary>
    public void Cancel()
    {
        _timer?.Cancel();
        _timer = null;
    }

    /// <summary>Recovery is over: sends what is left, and again at intervals.</summary>
    public void OnReplaySuccess()
    {
        RedeliverOverdue();
        Cancel();
        var timer = new Cancelable(_context.System.Scheduler.Advanced);
        var half = RedeliverInterval / 2;
        _context.System.Scheduler.ScheduleTellRepeatedly(
            half,
            half,
            _context.Self,
            RedeliveryTick.Instance,
            _context.Self,
            timer
        );
        _timer = timer;
    }

    /// <summary>True when the message was for this and not for the actor.</summary>
    public bool AroundReceive(Receive receive, object message)
    {
        if (message is not RedeliveryTick)
            return false;
        RedeliverOverdue();
        return true;
    }

    private void RedeliverOverdue()
    {
        var deadline = Now - RedeliverInterval;
        var overdue = _unconfirmed.Where(e => e.Value.Timestamp <= deadline).Take(RedeliveryBurstLimit).ToArray();
        var warnings = new List<UnconfirmedDelivery>();
        foreach (var (id, delivery) in overdue)
        {
            Send(id, delivery);
            if (delivery.Attempt == WarnAfterNumberOfUnconfirmedAttempts)
                warnings.Add(new UnconfirmedDelivery(id, delivery.Destination, delivery.Message));
        }
        if (warnings.Count > 0)
            _context.Self.Tell(new UnconfirmedWarning([.. warnings]), _context.Self);
    }

    private void Send(long id, Delivery delivery)
    {
        _context.ActorSelection(delivery.Destination).Tell(delivery.Message, _context.Self);
        _unconfirmed[id] = new Delivery(delivery.Destination, delivery.Message, Now, delivery.Attempt + 1);
    }

    /// <summary>A message on its way: where to, when it was last sent, how often.</summary>
    public sealed class Delivery(ActorPath destination, object message, DateTime timestamp, int attempt)
        : IEquatable<Delivery>
    {
        /// <summary>How often it was sent.</summary>
        public int Attempt { get; } = attempt;

        /// <summary>Where to; whoever lives there gets it.</summary>
        public ActorPath Destination { get; } = destination;

        /// <summary>What is sent, with the delivery id in it.</summary>
        public object Message { get; } = message;

        /// <summary>
        /// When it was last sent, in UTC on the scheduler's clock; earlier by an interval when it is due at once.
        /// </summary>
        public DateTime Timestamp { get; } = timestamp;

        /// <summary>A copy that counts one more try.</summary>
        public Delivery IncrementedCopy() => new(Destination, Message, Timestamp, Attempt + 1);

        /// <inheritdoc/>
        public bool Equals(Delivery other) =>
            other is not null
            && Attempt == other.Attempt
            && Timestamp == other.Timestamp
            && Equals(Destination, other.Destination)
            && Equals(Message, other.Message);

        /// <inheritdoc/>
        public override bool Equals(object obj) => Equals(obj as Delivery);

        /// <inheritdoc/>
        public override int GetHashCode() => HashCode.Combine(Attempt, Destination, Message, Timestamp);
    }

    /// <summary>From the timer.</summary>
    public sealed class RedeliveryTick : INotInfluenceReceiveTimeout, IDeadLetterSuppression
    {
        /// <summary>The only one.</summary>
        public static RedeliveryTick Instance { get; } = new();

        private RedeliveryTick() { }
    }
}
