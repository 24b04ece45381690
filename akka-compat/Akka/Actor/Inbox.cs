namespace Akka.Actor;

/// <summary>Lets code outside of actors receive messages.</summary>
public interface IInboxable : ICanWatch
{
    /// <summary>Where to send what this inbox is to receive.</summary>
    IActorRef Receiver { get; }

    /// <summary>The next message, waited for by blocking the thread for at most the default timeout.</summary>
    /// <exception cref="TimeoutException">None came in time.</exception>
    object Receive();

    /// <summary>The next message, waited for by blocking the thread.</summary>
    /// <exception cref="TimeoutException">None came in time.</exception>
    object Receive(TimeSpan timeout);

    /// <summary>The next message, or a Status.Failure when none comes within the default timeout.</summary>
    Task<object> ReceiveAsync();

    /// <summary>The next message, or a Status.Failure when none comes in time.</summary>
    Task<object> ReceiveAsync(TimeSpan timeout);

    /// <summary>The oldest message that matches, for at most the default timeout; others stay.</summary>
    /// <exception cref="TimeoutException">None came in time.</exception>
    object ReceiveWhere(Predicate<object> predicate);

    /// <summary>The oldest message that matches; others stay.</summary>
    /// <exception cref="TimeoutException">None came in time.</exception>
    object ReceiveWhere(Predicate<object> predicate, TimeSpan timeout);

    /// <summary>Tells the target, with the inbox as the sender.</summary>
    void Send(IActorRef target, object message);
}

/// <summary>An actor that keeps what it is told until somebody fetches it. Safe for any thread.</summary>
public sealed class Inbox : IInboxable, IDisposable
{
    private readonly ActorSystem _system;
    private readonly TimeSpan _defaultTimeout;
    private readonly object _gate = new();
    private readonly LinkedList<object> _messages = new();
    private readonly LinkedList<Waiter> _waiting = new();
    private readonly int _capacity;

    /// <summary>Whether somebody was told that messages are dropped. Of the inbox actor alone.</summary>
    private bool _hasWarned;

    private Inbox(ActorSystem system)
    {
        _system = system;
        _defaultTimeout = system.Settings.Config.GetTimeSpan("akka.actor.inbox.default-timeout");
        _capacity = system.Settings.Config.GetInt("akka.actor.inbox.inbox-size", 1000);
        Receiver = ((ExtendedActorSystem)system).SystemActorOf(Props.CreateBy<InboxActor>(() => new InboxActor(this)));
    }

    /// <inheritdoc/>
    public IActorRef Receiver { get; }

    /// <summary>
    /// Makes an inbox under /system. It keeps at most akka.actor.inbox.inbox-size messages and drops what comes beyond,
    /// with one warning; akka.actor.inbox.default-timeout is how long it waits. On a simulated system waiting runs the
    /// simulation.
    /// </summary>
    public static Inbox Create(ActorSystem system) => new(system);

    /// <inheritdoc/>
    public IActorRef Watch(IActorRef subject)
    {
        Receiver.Tell(new InboxActor.Watching(subject, null, true), ActorRefs.NoSender);
        return subject;
    }

    /// <inheritdoc/>
    public IActorRef WatchWith(IActorRef subject, object message)
    {
        Receiver.Tell(new InboxActor.Watching(subject, message, true), ActorRefs.NoSender);
        return subject;
    }

    /// <inheritdoc/>
    public IActorRef Unwatch(IActorRef subject)
    {
        Receiver.Tell(new InboxActor.Watching(subject, null, false), ActorRefs.NoSender);
        return subject;
    }

    /// <inheritdoc/>
    public void Send(IActorRef target, object message) => target.Tell(message, Receiver);

    /// <inheritdoc/>
    public object Receive() => Receive(_defaultTimeout);

    /// <inheritdoc/>
    public object Receive(TimeSpan timeout) => Wait(ReceiveAsync(timeout));

    /// <inheritdoc/>
    public Task<object> ReceiveAsync() => ReceiveAsync(_defaultTimeout);

    /// <summary>The next message, or a Status.Failure with a TimeoutException when none came in time.</summary>
    public Task<object> ReceiveAsync(TimeSpan timeout) => Fetch(static _ => true, timeout);

    /// <inheritdoc/>
    public object ReceiveWhere(Predicate<object> predicate) => ReceiveWhere(predicate, _defaultTimeout);

    /// <inheritdoc/>
    public object ReceiveWhere(Predicate<object> predicate, TimeSpan timeout) => Wait(Fetch(predicate, timeout));

    /// <summary>Stops the inbox's actor; messages that are there can still be fetched.</summary>
    public void Dispose() => _system.Stop(Receiver);

    private object Wait(Task<object> fetched)
    {
        ((ActorSystemImpl)_system).Await(fetched, Timeout.InfiniteTimeSpan);
        var message = fetched.GetAwaiter().GetResult();
        if (message is Status.Failure { Cause: TimeoutException late })
            throw late;
        return message;
    }

    private Task<object> Fetch(Predicate<object> predicate, TimeSpan timeout)
    {
        lock (_gate)
        {
            for (var node = _messages.First; node is not null; node = node.Next)
            {
                if (!predicate(node.Value))
                    continue;
                _messages.Remove(node);
                return Task.FromResult(node.Value);
            }
            if (timeout < TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan)
                return Task.FromResult(Late());
            var waiter = new Waiter(predicate);
            var place = _waiting.AddLast(waiter);
            _system.Scheduler.Advanced.ScheduleOnce(timeout, () => GiveUp(place), waiter.Timeout);
            return waiter.Promise.Task;
        }
    }

    private void GiveUp(LinkedListNode<Waiter> place)
    {
        lock (_gate)
        {
            if (place.List is null)
                return;
            _waiting.Remove(place);
        }
        place.Value.Promise.TrySetResult(Late());
    }

    private static object Late() =>
        new Status.Failure(new TimeoutException("Deadline passed: no message came to the inbox in time"));

    private void Arrived(object message)
    {
        Waiter found = null;
        lock (_gate)
        {
            for (var node = _waiting.First; node is not null; node = node.Next)
            {
                if (!node.Value.Predicate(message))
                    continue;
                found = node.Value;
                _waiting.Remove(node);
                break;
            }
            if (found is null && _messages.Count < _capacity)
            {
                _messages.AddLast(message);
                return;
            }
        }
        if (found is null)
        {
            if (!_hasWarned)
                Event.LoggingExtensions.Warning(
                    _system.Log,
                    "Dropping message: Inbox size has been exceeded, use akka.actor.inbox.inbox-size to increase maximum "
                        + "allowed inbox size. Current is {0}",
                    _capacity
                );
            _hasWarned = true;
            return;
        }
        found.Timeout.Cancel();
        found.Promise.TrySetResult(message);
    }

    private sealed class Waiter(Predicate<object> predicate)
    {
        internal Predicate<object> Predicate => predicate;
        internal TaskCompletionSource<object> Promise { get; } =
            new(TaskCreationOptions.RunContinuationsAsynchronously);
        internal ICancelable Timeout { get; } = new Cancelable((IActionScheduler)null);
    }

    private sealed class InboxActor(Inbox inbox) : ActorBase
    {
        protected override bool Receive(object message)
        {
            if (message is not Watching watching)
                inbox.Arrived(message);
            else if (!watching.IsOn)
                Context.Unwatch(watching.Subject);
            else if (watching.Message is null)
                Context.Watch(watching.Subject);
            else
                Context.WatchWith(watching.Subject, watching.Message);
            return true;
        }

        internal sealed record Watching(IActorRef Subject, object Message, bool IsOn)
            : INoSerializationVerificationNeeded;
    }
}
