using Akka.Dispatch;

namespace Akka.Actor;

/// <summary>Something that actors can be made under and looked up from.</summary>
public interface IActorRefFactory
{
    /// <summary>Makes an actor under this one; it starts on its own. A null name is replaced by one that starts with $.</summary>
    IActorRef ActorOf(Props props, string name = null);

    /// <summary>A selection by an absolute path.</summary>
    ActorSelection ActorSelection(ActorPath actorPath);

    /// <summary>A selection by an absolute path, or one relative to this actor (to the root for a system).</summary>
    ActorSelection ActorSelection(string actorPath);
}

/// <summary>Shorter ways to make and look up actors.</summary>
public static class ActorRefFactoryExtensions
{
    /// <summary>Makes an actor of a type whose constructor has no parameters.</summary>
    public static IActorRef ActorOf<TActor>(this IActorRefFactory factory, string name = null)
        where TActor : ActorBase, new() => factory.ActorOf(Props.Create<TActor>(), name);

    /// <summary>A selection relative to a reference.</summary>
    public static ActorSelection ActorSelection(this IActorRefFactory factory, IActorRef anchorRef, string actorPath) =>
        new(anchorRef, actorPath);
}

/// <summary>Something that can watch actors die.</summary>
public interface ICanWatch
{
    /// <summary>Asks for a <see cref="Terminated"/> when the subject dies, or at once if it is dead.</summary>
    IActorRef Watch(IActorRef subject);

    /// <summary>As Watch, with a message of the watcher's own in place of Terminated.</summary>
    IActorRef WatchWith(IActorRef subject, object message);

    /// <summary>Ends the watching; a Terminated that already waits in the mailbox is taken back.</summary>
    IActorRef Unwatch(IActorRef subject);
}

/// <summary>An actor's view of its surroundings; to be used only while it handles a message.</summary>
public interface IActorContext : IActorRefFactory, ICanWatch
{
    /// <summary>Replaces the current behaviour.</summary>
    void Become(Receive receive);

    /// <summary>Puts a behaviour on top of the current one.</summary>
    void BecomeStacked(Receive receive);

    /// <summary>Takes the top behaviour off; the first one stays.</summary>
    void UnbecomeStacked();

    /// <summary>The child of a name, or Nobody.</summary>
    IActorRef Child(string name);

    /// <summary>The children that live now, oldest first.</summary>
    IEnumerable<IActorRef> GetChildren();

    /// <summary>Asks for a <see cref="Actor.ReceiveTimeout"/> whenever no message came for so long; null ends that.</summary>
    void SetReceiveTimeout(TimeSpan? timeout);

    /// <summary>Stops a child, or any other actor, after the message that it handles.</summary>
    void Stop(IActorRef child);

    /// <summary>The actor's own reference.</summary>
    IActorRef Self { get; }

    /// <summary>What the actor was made from.</summary>
    Props Props { get; }

    /// <summary>What gives the actor its turns.</summary>
    MessageDispatcher Dispatcher { get; }

    /// <summary>Who sent the message that is being handled; dead letters when nobody did.</summary>
    IActorRef Sender { get; }

    /// <summary>The system that the actor lives in.</summary>
    ActorSystem System { get; }

    /// <summary>The supervisor.</summary>
    IActorRef Parent { get; }

    /// <summary>The receive timeout that is set, or null.</summary>
    TimeSpan? ReceiveTimeout { get; }
}

/// <summary>The context of an untyped actor.</summary>
public interface IUntypedActorContext : IActorContext
{
    /// <summary>Replaces the current behaviour by one that handles everything.</summary>
    void Become(UntypedReceive receive);

    /// <summary>Puts a behaviour that handles everything on top of the current one.</summary>
    void BecomeStacked(UntypedReceive receive);
}
