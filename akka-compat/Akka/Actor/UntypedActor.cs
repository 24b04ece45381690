using Akka.Dispatch;

namespace Akka.Actor;

/// <summary>An actor with one method for every message.</summary>
public abstract class UntypedActor : ActorBase
{
    /// <inheritdoc/>
    protected sealed override bool Receive(object message)
    {
        OnReceive(message);
        return true;
    }

    /// <summary>Handles a message. All count as handled unless this calls Unhandled.</summary>
    protected abstract void OnReceive(object message);

    /// <summary>Runs work as this actor, after the current message; no other message is handled before it ends.</summary>
    protected void RunTask(Action action) =>
        ActorTaskRunner.Run(() =>
        {
            action();
            return Task.CompletedTask;
        });

    /// <summary>Runs asynchronous work as this actor; no other message is handled before it ends.</summary>
    protected void RunTask(Func<Task> action) => ActorTaskRunner.Run(action);

    /// <summary>Replaces the current behaviour.</summary>
    protected void Become(UntypedReceive receive) => Context.Become(receive);

    /// <summary>Puts a behaviour on top of the current one.</summary>
    protected void BecomeStacked(UntypedReceive receive) => Context.BecomeStacked(receive);

    /// <summary>The surroundings of the actor that runs on this thread; throws where none does.</summary>
    protected static new IUntypedActorContext Context => (IUntypedActorContext)ActorBase.Context;
}

internal static class ActorTaskRunner
{
    internal static void Run(Func<Task> work)
    {
        var cell =
            ActorCell.Current
            ?? throw new InvalidOperationException("RunTask must be called from within an actor's handler.");
        cell.RunTask(work);
    }
}

/// <summary>An untyped actor with a stash.</summary>
public abstract class UntypedActorWithStash : UntypedActor, IWithStash
{
    /// <inheritdoc/>
    public IStash Stash { get; set; }
}

/// <summary>An untyped actor with a stash of any size.</summary>
public abstract class UntypedActorWithUnboundedStash : UntypedActor, IWithUnboundedStash
{
    /// <inheritdoc/>
    public IStash Stash { get; set; }
}

/// <summary>An untyped actor with a stash that asks nothing of its mailbox.</summary>
public abstract class UntypedActorWithUnrestrictedStash : UntypedActor, IWithUnrestrictedStash
{
    /// <inheritdoc/>
    public IStash Stash { get; set; }
}
