using Akka.Dispatch;

namespace Akka.Actor;

/// <summary>An actor with one method for every message.</summary>
public abstract class UntypedActor : ActorBase
{
    protected sealed override bool Receive(object message)
    {
        OnReceive(message);
        return true;
    }

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

    protected void Become(UntypedReceive receive) => Context.Become(receive);

    protected void BecomeStacked(UntypedReceive receive) => Context.BecomeStacked(receive);

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
    public IStash Stash { get; set; }
}

/// <summary>An untyped actor with a stash of any size.</summary>
public abstract class UntypedActorWithUnboundedStash : UntypedActor, IWithUnboundedStash
{
    public IStash Stash { get; set; }
}

/// <summary>An untyped actor with a stash that asks nothing of its mailbox.</summary>
public abstract class UntypedActorWithUnrestrictedStash : UntypedActor, IWithUnrestrictedStash
{
    public IStash Stash { get; set; }
}
