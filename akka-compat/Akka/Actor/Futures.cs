using Akka.Dispatch.SysMsg;

namespace Akka.Actor;

/// <summary>Asking: a message out, a task for the answer back.</summary>
public static class Futures
{
    /// <summary>
    /// As <see cref="Ask{T}(ICanTell, object, TimeSpan?, CancellationToken)"/>, for an answer of any type.
    /// </summary>
    public static Task<object> Ask(this ICanTell self, object message, TimeSpan? timeout = null) =>
        self.Ask<object>(message, timeout, CancellationToken.None);

    /// <summary>
    /// As <see cref="Ask{T}(ICanTell, object, TimeSpan?, CancellationToken)"/>, for an answer of any type, within
    /// akka.actor.ask-timeout or until the token is cancelled.
    /// </summary>
    public static Task<object> Ask(this ICanTell self, object message, CancellationToken cancellationToken) =>
        self.Ask<object>(message, null, cancellationToken);

    /// <summary>
    /// As <see cref="Ask{T}(ICanTell, object, TimeSpan?, CancellationToken)"/>, for an answer of any type.
    /// </summary>
    public static Task<object> Ask(
        this ICanTell self,
        object message,
        TimeSpan? timeout,
        CancellationToken cancellationToken
    ) => self.Ask<object>(message, timeout, cancellationToken);

    /// <summary>As <see cref="Ask{T}(ICanTell, object, TimeSpan?, CancellationToken)"/>, without a token.</summary>
    public static Task<T> Ask<T>(this ICanTell self, object message, TimeSpan? timeout = null) =>
        self.Ask<T>(message, timeout, CancellationToken.None);

    /// <summary>
    /// As <see cref="Ask{T}(ICanTell, object, TimeSpan?, CancellationToken)"/>, within akka.actor.ask-timeout.
    /// </summary>
    public static Task<T> Ask<T>(this ICanTell self, object message, CancellationToken cancellationToken) =>
        self.Ask<T>(message, null, cancellationToken);

    /// <summary>
    /// Tells and gives a task for the first message that comes back. A Status.Failure makes the task fail with its
    /// cause, an answer of another type with an ArgumentException, no answer in time with
    /// <see cref="AskTimeoutException"/>; the token cancels it. Null is akka.actor.ask-timeout; not positive waits for
    /// ever. Any thread.
    /// </summary>
    /// <exception cref="ArgumentException">The target belongs to no system that could be found.</exception>
    public static Task<T> Ask<T>(
        this ICanTell self,
        object message,
        TimeSpan? timeout,
        CancellationToken cancellationToken
    ) => Start<T>(self, message, null, timeout, cancellationToken);

    /// <summary>
    /// As <see cref="Ask{T}(ICanTell, object, TimeSpan?, CancellationToken)"/>; the message is made from the reference
    /// that takes the answer, for protocols that carry it inside.
    /// </summary>
    public static Task<T> Ask<T>(
        this ICanTell self,
        Func<IActorRef, object> messageFactory,
        TimeSpan? timeout,
        CancellationToken cancellationToken
    ) => Start<T>(self, null, messageFactory, timeout, cancellationToken);

    private static Task<T> Start<T>(
        ICanTell target,
        object message,
        Func<IActorRef, object> factory,
        TimeSpan? timeout,
        CancellationToken cancellationToken
    )
    {
        var system =
            SystemOf(target) ?? throw new ArgumentException("Unable to resolve the target Provider", nameof(target));
        var wait = timeout ?? system.Settings.AskTimeout;
        var future = new FutureActorRef<T>(system, target);
        try
        {
            future.Begin(wait, cancellationToken);
            target.Tell(factory is null ? message : factory(future), future);
        }
        catch
        {
            future.End();
            throw;
        }
        return future.Task;
    }

    private static ActorSystemImpl SystemOf(ICanTell target)
    {
        if (ActorCell.Current is { } cell && target is not IInternalActorRef)
            return cell.SystemImpl;
        var internalRef = target as IInternalActorRef ?? (target as ActorSelection)?.Anchor as IInternalActorRef;
        return internalRef switch
        {
            null or Nobody => ActorCell.Current?.SystemImpl,
            LocalActorRef local => local.Cell.SystemImpl,
            _ => (internalRef.Provider as LocalActorRefProvider)?.System,
        };
    }
}

/// <summary>The sender of a question: its first message completes a task.</summary>
internal sealed class FutureActorRef<T> : MinimalActorRef
{
    private readonly ActorSystemImpl _system;
    private readonly ICanTell _target;
    private readonly TaskCompletionSource<T> _promise;
    private ActorPath _path;
    private ICancelable _timeout;
    private CancellationTokenRegistration _cancellation;
    private int _isDone;
    private HashSet<IInternalActorRef> _watchers;

    internal FutureActorRef(ActorSystemImpl system, ICanTell target)
    {
        _system = system;
        _target = target;
        // Under simulation the asker goes on at once, on the thread of the simulation; else somewhere on the pool,
        // because user code must not run inside the answering actor's turn.
        _promise = new TaskCompletionSource<T>(
            system.Simulation is null ? TaskCreationOptions.RunContinuationsAsynchronously : TaskCreationOptions.None
        );
    }

    internal Task<T> Task => _promise.Task;

    /// <summary>Registered under /temp only when somebody looks: most answers come by reference.</summary>
    public override ActorPath Path
    {
        get
        {
            if (_path is not null)
                return _path;
            var path = _system.Provider.TempPath();
            if (Interlocked.CompareExchange(ref _path, path, null) is null && Volatile.Read(ref _isDone) == 0)
                _system.Provider.RegisterTempActor(this, path);
            return _path;
        }
    }

    public override IActorRefProvider Provider => _system.Provider;
    public override IInternalActorRef Parent => _system.Provider.TempContainer;
    public override bool IsTerminated => _isDone != 0;

    internal void Begin(TimeSpan timeout, CancellationToken cancellationToken)
    {
        if (timeout != Timeout.InfiniteTimeSpan && timeout > TimeSpan.Zero)
        {
            _timeout = new Cancelable(_system.Scheduler.Advanced);
            _system.Scheduler.Advanced.ScheduleOnce(timeout, () => TimedOut(timeout), _timeout);
        }
        if (cancellationToken.CanBeCanceled)
            _cancellation = cancellationToken.Register(static s => ((FutureActorRef<T>)s).Cancelled(), this);
    }

    private void TimedOut(TimeSpan timeout)
    {
        if (End())
            _promise.TrySetException(new AskTimeoutException($"Timeout after {timeout} seconds"));
    }

    private void Cancelled()
    {
        if (End())
            _promise.TrySetCanceled();
    }

    internal override bool TakesNull => true;

    protected override void TellInternal(object message, IActorRef sender)
    {
        if (!End())
        {
            // Who cancels does not want to know any more; who lost patience may.
            if (message is not null && !_promise.Task.IsCanceled)
                _system.DeadLetters.Tell(message, sender);
            return;
        }
        switch (message)
        {
            case null:
                _promise.TrySetResult(default);
                break;
            case Status.Failure failure:
                _promise.TrySetException(failure.Cause ?? new TaskCanceledException("Status.Failure without a cause"));
                break;
            case T answer:
                _promise.TrySetResult(answer);
                break;
            case Status.Success { Status: T wrapped } when typeof(T) != typeof(object):
                _promise.TrySetResult(wrapped);
                break;
            default:
                _promise.TrySetException(
                    new ArgumentException(
                        $"Received message of type [{message.GetType()}] - Ask expected message of type [{typeof(T)}]"
                    )
                );
                break;
        }
    }

    public override void SendSystemMessage(ISystemMessage message)
    {
        switch (message)
        {
            case Watch watch when _isDone == 0:
                lock (_promise)
                    (_watchers ??= []).Add(watch.Watcher);
                break;
            case Watch watch:
                watch.Watcher.SendSystemMessage(new DeathWatchNotification(this, true, false));
                break;
            case Unwatch unwatch:
                lock (_promise)
                    _watchers?.Remove(unwatch.Watcher);
                break;
            case DeathWatchNotification death when ReferenceEquals(death.Actor, _target):
                TellInternal(
                    new Terminated(death.Actor, death.ExistenceConfirmed, death.AddressTerminated),
                    death.Actor
                );
                break;
        }
    }

    /// <summary>Takes the right to complete; false when somebody else has it.</summary>
    internal bool End()
    {
        if (Interlocked.Exchange(ref _isDone, 1) != 0)
            return false;
        _timeout?.Cancel();
        _cancellation.Dispose();
        if (Volatile.Read(ref _path) is { } path)
            _system.Provider.UnregisterTempActor(path);
        IInternalActorRef[] watchers;
        lock (_promise)
            watchers = _watchers?.ToArray() ?? [];
        foreach (var watcher in watchers)
            watcher.SendSystemMessage(new DeathWatchNotification(this, true, false));
        return true;
    }
}
