using System.Runtime.ExceptionServices;
using Akka.Dispatch.SysMsg;

namespace Akka.Actor;

/// <summary>Runs the steps of an actor's asynchronous handlers as the actor: each is a system message to it.</summary>
internal sealed class ActorTaskScheduler(ActorCell cell) : TaskScheduler
{
    [ThreadStatic]
    private static ActorTaskScheduler _running;

    /// <summary>The message that the step on this thread belongs to.</summary>
    private object _message;

    private IActorRef _sender;

    /// <summary>Runs a step as the actor, with the message and sender that its handler began with.</summary>
    internal void ExecuteStep(ActorCell actor, Task task, object message, IActorRef sender)
    {
        var outer = _running;
        var context = SynchronizationContext.Current;
        _running = this;
        _message = message;
        _sender = sender;
        actor.EnterStep(message, sender);
        try
        {
            // A captured synchronization context would be preferred to this scheduler by every await inside.
            if (context is not null)
                SynchronizationContext.SetSynchronizationContext(null);
            TryExecuteTask(task);
        }
        finally
        {
            if (context is not null)
                SynchronizationContext.SetSynchronizationContext(context);
            _running = outer;
            actor.LeaveStep();
        }
    }

    protected override void QueueTask(Task task)
    {
        // A step that a running step starts belongs to the same message; any other, to the message being handled or,
        // for a continuation that another thread completes, to the handler that waits.
        var inside = ReferenceEquals(_running, this);
        var message = inside ? _message : cell.PendingMessage;
        var sender = inside ? _sender : cell.PendingSender;
        cell.SendSystemMessage(new ActorTaskStep(this, task, message, sender));
    }

    protected override bool TryExecuteTaskInline(Task task, bool taskWasPreviouslyQueued) =>
        !taskWasPreviouslyQueued && ReferenceEquals(_running, this) && TryExecuteTask(task);

    protected override IEnumerable<Task> GetScheduledTasks() => [];
}

public partial class ActorCell
{
    /// <summary>Set while an asynchronous handler is on its way: user messages wait.</summary>
    private bool _awaitsTask;

    internal bool AwaitsTask => _awaitsTask;

    /// <summary>Gets the end of an asynchronous handler in place of the supervisor. For test references.</summary>
    internal Action<Exception> TaskEndedHook;

    internal ActorTaskScheduler TaskScheduler => OwnTaskScheduler ??= new ActorTaskScheduler(this);

    /// <summary>The message that the waiting handler began with.</summary>
    internal object PendingMessage => _currentMessage;

    internal IActorRef PendingSender => _sender;

    internal void EnterStep(object message, IActorRef sender)
    {
        _currentMessage = message;
        _sender = sender;
    }

    internal void LeaveStep()
    {
        if (!_awaitsTask)
            _currentMessage = null;
    }

    /// <summary>Runs an asynchronous piece of work as this actor; no user message is handled before it ends.</summary>
    internal void RunTask(Func<Task> work)
    {
        var scheduler = TaskScheduler;
        var message = _currentMessage;
        var sender = _sender;
        SuspendSelf();
        _awaitsTask = true;
        var task = Task.Factory.StartNew(work, CancellationToken.None, TaskCreationOptions.None, scheduler).Unwrap();
        _ = task.ContinueWith(
            static (ended, state) =>
            {
                var (cell, message, sender) = ((ActorCell, object, IActorRef))state;
                var failure = ended.Exception?.InnerExceptions is { Count: > 0 } all ? all[0] : null;
                if (ended.IsCanceled)
                    failure = new TaskCanceledException(ended);
                cell.SendSystemMessage(new ActorTaskEnded(failure, message, sender));
            },
            (this, message, sender),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            global::System.Threading.Tasks.TaskScheduler.Default
        );
    }

    private void TaskEnded(ActorTaskEnded ended)
    {
        _awaitsTask = false;
        _currentMessage = ended.Message;
        _sender = ended.Sender;
        ResumeSelf();
        if (TaskEndedHook is { } hook)
        {
            hook(ended.Failure);
            return;
        }
        if (ended.Failure is not null)
            ExceptionDispatchInfo.Throw(ended.Failure);
        if (Timeouts is not null)
            RestartReceiveTimeout(ended.Message);
        _currentMessage = null;
    }
}
