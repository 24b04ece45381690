using Akka.Actor;

namespace Akka.Dispatch.SysMsg;

/// <summary>A message of the runtime to an actor: it overtakes the user's messages.</summary>
public interface ISystemMessage : INoSerializationVerificationNeeded;

/// <summary>A system message; it links itself into the mailbox that it waits in.</summary>
public abstract class SystemMessage : ISystemMessage
{
    internal SystemMessage Next;
}

/// <summary>Stands in a system queue that takes no more.</summary>
internal sealed class ClosedQueue : SystemMessage
{
    internal static readonly ClosedQueue Instance = new();
}

/// <summary>The first message: make the actor.</summary>
public sealed class Create : SystemMessage;

/// <summary>Make the actor anew after a failure.</summary>
public sealed class Recreate(Exception cause) : SystemMessage
{
    /// <summary>The failure.</summary>
    public Exception Cause { get; } = cause;
}

/// <summary>Take no user messages until told to resume.</summary>
public sealed class Suspend : SystemMessage;

/// <summary>Undo one suspension.</summary>
public sealed class Resume(Exception causedByFailure) : SystemMessage
{
    /// <summary>The failure that the supervisor settles; null when the child had not failed itself.</summary>
    public Exception CausedByFailure { get; } = causedByFailure;
}

/// <summary>Stop children, then yourself.</summary>
public sealed class Terminate : SystemMessage;

/// <summary>Tell the watcher when you die.</summary>
public sealed class Watch(IInternalActorRef watchee, IInternalActorRef watcher) : SystemMessage
{
    /// <summary>Who is watched.</summary>
    public IInternalActorRef Watchee { get; } = watchee;

    /// <summary>Who watches.</summary>
    public IInternalActorRef Watcher { get; } = watcher;
}

/// <summary>Take back a watch.</summary>
public sealed class Unwatch(IInternalActorRef watchee, IInternalActorRef watcher) : SystemMessage
{
    /// <summary>Who is watched.</summary>
    public IInternalActorRef Watchee { get; } = watchee;

    /// <summary>Who watches.</summary>
    public IInternalActorRef Watcher { get; } = watcher;
}

/// <summary>A child reports that it failed and waits for its supervisor's decision.</summary>
public sealed class Failed(IActorRef child, Exception cause, long uid) : SystemMessage
{
    /// <summary>Who failed.</summary>
    public IActorRef Child { get; } = child;

    /// <summary>Why; passed up unchanged by supervisors that escalate.</summary>
    public Exception Cause { get; } = cause;

    /// <summary>The uid of the incarnation in the tree; the report of one that is gone is ignored.</summary>
    public long Uid { get; } = uid;
}

/// <summary>An actor that was watched, or a child, has died.</summary>
public sealed class DeathWatchNotification(IActorRef actor, bool existenceConfirmed, bool addressTerminated)
    : SystemMessage
{
    /// <summary>Who died.</summary>
    public IActorRef Actor { get; } = actor;

    /// <summary>Whether it existed when the watch began.</summary>
    public bool ExistenceConfirmed { get; } = existenceConfirmed;

    /// <summary>Whether its whole system became unreachable; false here.</summary>
    public bool AddressTerminated { get; } = addressTerminated;
}

/// <summary>Tell the receiver when the actor system has no user actors left.</summary>
internal sealed class RegisterTerminationHook : SystemMessage;

/// <summary>A step of an asynchronous handler, to be run as the actor.</summary>
internal sealed class ActorTaskStep(ActorTaskScheduler scheduler, Task task, object message, IActorRef sender)
    : SystemMessage
{
    internal void Execute(ActorCell cell) => scheduler.ExecuteStep(cell, task, message, sender);
}

/// <summary>An asynchronous handler ended.</summary>
internal sealed class ActorTaskEnded(Exception failure, object message, IActorRef sender) : SystemMessage
{
    internal Exception Failure => failure;
    internal object Message => message;
    internal IActorRef Sender => sender;
}
