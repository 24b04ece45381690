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

    public AtLeastOnceDeliverySemantic(IActorContext context, PersistenceSettings.AtLeastOnceDeliverySettings settings)
    {
        _context = context;
        _settings = settings;
    }

    public TimeSpan RedeliverInterval => _settings.RedeliverInterval;
    public int RedeliveryBurstLimit => _settings.RedeliveryBurstLimit;
    public int WarnAfterNumberOfUnconfirmedAttempts => _settings.WarnAfterNumberOfUnconfirmedAttempts;
    public int MaxUnconfirmedMessages => _settings.MaxUnconfirmedMessages;
    public int UnconfirmedCount => _unconfirmed.Count;

    private DateTime Now => _context.System.Scheduler.Now.UtcDateTime;

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

    public bool ConfirmDelivery(long deliveryId) => _unconfirmed.Remove(deliveryId);

    public AtLeastOnceDeliverySnapshot GetDeliverySnapshot() =>
        new(
            _lastDeliveryId,
            [.. _unconfirmed.Select(e => new UnconfirmedDelivery(e.Key, e.Value.Destination, e.Value.Message))]
        );

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
        public int Attempt { get; } = attempt;
        public ActorPath Destination { get; } = destination;
        public object Message { get; } = message;
        public DateTime Timestamp { get; } = timestamp;

        public Delivery IncrementedCopy() => new(Destination, Message, Timestamp, Attempt + 1);

        public bool Equals(Delivery other) =>
            other is not null
            && Attempt == other.Attempt
            && Timestamp == other.Timestamp
            && Equals(Destination, other.Destination)
            && Equals(Message, other.Message);

        public override bool Equals(object obj) => Equals(obj as Delivery);

        public override int GetHashCode() => HashCode.Combine(Attempt, Destination, Message, Timestamp);
    }

    /// <summary>From the timer.</summary>
    public sealed class RedeliveryTick : INotInfluenceReceiveTimeout, IDeadLetterSuppression
    {
        public static RedeliveryTick Instance { get; } = new();

        private RedeliveryTick() { }
    }
}
