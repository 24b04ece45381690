namespace Akka.Actor;

/// <summary>Sends the outcome of a task to an actor.</summary>
public static class PipeToSupport
{
    /// <summary>
    /// Tells the recipient the result, or a Status.Failure with the cause, when the task ends. The functions map
    /// either; what they throw becomes a Status.Failure, and null is not told. Outside of actors' threads: don't touch
    /// the actor in them.
    /// </summary>
    public static Task PipeTo<T>(
        this Task<T> taskToPipe,
        ICanTell recipient,
        IActorRef sender = null,
        Func<T, object> success = null,
        Func<Exception, object> failure = null
    ) => taskToPipe.PipeTo(recipient, false, sender, success, failure);

    /// <summary>
    /// Tells the recipient the result, or a Status.Failure with the cause, when the task ends. The functions map
    /// either; what they throw becomes a Status.Failure, and null is not told. Outside of actors' threads: don't touch
    /// the actor in them.
    /// </summary>
    public static Task PipeTo<T>(
        this ValueTask<T> taskToPipe,
        ICanTell recipient,
        IActorRef sender = null,
        Func<T, object> success = null,
        Func<Exception, object> failure = null
    ) => taskToPipe.AsTask().PipeTo(recipient, false, sender, success, failure);

    /// <summary>
    /// As <see cref="PipeTo{T}(Task{T}, ICanTell, IActorRef, Func{T, object}, Func{Exception, object})"/>; the flag
    /// lets the continuation run where the caller's synchronization context says.
    /// </summary>
    public static Task PipeTo<T>(
        this ValueTask<T> taskToPipe,
        ICanTell recipient,
        bool useConfigureAwait,
        IActorRef sender = null,
        Func<T, object> success = null,
        Func<Exception, object> failure = null
    ) => taskToPipe.AsTask().PipeTo(recipient, useConfigureAwait, sender, success, failure);

    /// <summary>
    /// As <see cref="PipeTo{T}(Task{T}, ICanTell, IActorRef, Func{T, object}, Func{Exception, object})"/>; the flag
    /// lets the continuation run where the caller's synchronization context says.
    /// </summary>
    public static Task PipeTo<T>(
        this Task<T> taskToPipe,
        ICanTell recipient,
        bool useConfigureAwait,
        IActorRef sender = null,
        Func<T, object> success = null,
        Func<Exception, object> failure = null
    ) =>
        Pipe(
            taskToPipe,
            recipient,
            useConfigureAwait,
            sender,
            static (task, map) =>
            {
                var result = ((Task<T>)task).Result;
                return map is null ? result : ((Func<T, object>)map)(result);
            },
            success,
            failure
        );

    /// <summary>
    /// As <see cref="PipeTo{T}(Task{T}, ICanTell, IActorRef, Func{T, object}, Func{Exception, object})"/>, for tasks
    /// without a result: success tells nothing unless a function says what.
    /// </summary>
    public static Task PipeTo(
        this Task taskToPipe,
        ICanTell recipient,
        IActorRef sender = null,
        Func<object> success = null,
        Func<Exception, object> failure = null
    ) => taskToPipe.PipeTo(recipient, false, sender, success, failure);

    /// <summary>
    /// As <see cref="PipeTo{T}(Task{T}, ICanTell, IActorRef, Func{T, object}, Func{Exception, object})"/>, for tasks
    /// without a result: success tells nothing unless a function says what.
    /// </summary>
    public static Task PipeTo(
        this ValueTask taskToPipe,
        ICanTell recipient,
        IActorRef sender = null,
        Func<object> success = null,
        Func<Exception, object> failure = null
    ) => taskToPipe.AsTask().PipeTo(recipient, false, sender, success, failure);

    /// <summary>
    /// As <see cref="PipeTo{T}(Task{T}, ICanTell, IActorRef, Func{T, object}, Func{Exception, object})"/>, for tasks
    /// without a result; the flag lets the continuation run where the caller's synchronization context says.
    /// </summary>
    public static Task PipeTo(
        this ValueTask taskToPipe,
        ICanTell recipient,
        bool useConfigureAwait,
        IActorRef sender = null,
        Func<object> success = null,
        Func<Exception, object> failure = null
    ) => taskToPipe.AsTask().PipeTo(recipient, useConfigureAwait, sender, success, failure);

    /// <summary>
    /// As <see cref="PipeTo{T}(Task{T}, ICanTell, IActorRef, Func{T, object}, Func{Exception, object})"/>, for tasks
    /// without a result; the flag lets the continuation run where the caller's synchronization context says.
    /// </summary>
    public static Task PipeTo(
        this Task taskToPipe,
        ICanTell recipient,
        bool useConfigureAwait,
        IActorRef sender = null,
        Func<object> success = null,
        Func<Exception, object> failure = null
    ) =>
        Pipe(
            taskToPipe,
            recipient,
            useConfigureAwait,
            sender,
            // A task without a result tells nothing unless somebody says what.
            static (_, map) => ((Func<object>)map)?.Invoke(),
            success,
            failure
        );

    private static async Task Pipe(
        Task task,
        ICanTell recipient,
        bool useConfigureAwait,
        IActorRef sender,
        Func<Task, Delegate, object> resultOf,
        Delegate success,
        Func<Exception, object> failure
    )
    {
        sender ??= ActorRefs.NoSender;
        await ((Task)task).ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing
                | (useConfigureAwait ? ConfigureAwaitOptions.ContinueOnCapturedContext : ConfigureAwaitOptions.None)
        );
        object message;
        try
        {
            message = task.Status switch
            {
                TaskStatus.RanToCompletion => resultOf(task, success),
                TaskStatus.Canceled => Failed(new TaskCanceledException(task), failure),
                _ => Failed(Cause(task.Exception), failure),
            };
        }
        catch (Exception e)
        {
            message = new Status.Failure(e);
        }
        if (message is not null)
            recipient.Tell(message, sender);
    }

    private static object Failed(Exception cause, Func<Exception, object> failure) =>
        failure is null ? new Status.Failure(cause) : failure(cause);

    private static Exception Cause(AggregateException all)
    {
        var flat = all.Flatten();
        return flat.InnerExceptions.Count == 1 ? flat.InnerExceptions[0] : flat;
    }
}

/// <summary>Stopping an actor and waiting until it is gone.</summary>
public static class GracefulStopSupport
{
    /// <summary>
    /// Sends a PoisonPill and is true when the actor has died within the time; else the task is cancelled.
    /// </summary>
    public static Task<bool> GracefulStop(this IActorRef target, TimeSpan timeout) =>
        target.GracefulStop(timeout, PoisonPill.Instance);

    /// <summary>True when the actor has died within the time; else the task is cancelled.</summary>
    public static async Task<bool> GracefulStop(this IActorRef target, TimeSpan timeout, object stopMessage)
    {
        var watcher = WatchAsyncSupport.Watcher(target, timeout, CancellationToken.None);
        target.Tell(stopMessage, ActorRefs.NoSender);
        try
        {
            return await watcher.ConfigureAwait(false);
        }
        catch (AskTimeoutException)
        {
            throw new TaskCanceledException();
        }
    }
}

/// <summary>Waiting for an actor's death.</summary>
public static class WatchAsyncSupport
{
    /// <summary>True when the actor has died.</summary>
    public static async Task<bool> WatchAsync(this IActorRef target, CancellationToken token = default)
    {
        try
        {
            return await Watcher(target, Timeout.InfiniteTimeSpan, token).ConfigureAwait(false);
        }
        catch (TaskCanceledException)
        {
            return false;
        }
    }

    internal static async Task<bool> Watcher(IActorRef target, TimeSpan timeout, CancellationToken token)
    {
        var subject = target as IInternalActorRef ?? throw new InvalidOperationException($"{target} cannot be watched");
        if (subject is Nobody)
            return true;
        var system = ((LocalActorRefProvider)subject.Provider).System;
        var future = new FutureActorRef<Terminated>(system, target);
        future.Begin(timeout, token);
        subject.SendSystemMessage(new Dispatch.SysMsg.Watch(subject, future));
        try
        {
            var terminated = await future.Task.ConfigureAwait(false);
            return terminated.ActorRef.Equals(target);
        }
        finally
        {
            subject.SendSystemMessage(new Dispatch.SysMsg.Unwatch(subject, future));
        }
    }
}
