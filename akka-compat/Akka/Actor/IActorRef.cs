using Akka.Dispatch.SysMsg;
using Akka.Util;

namespace Akka.Actor;

/// <summary>Something that messages can be sent to.</summary>
public interface ICanTell
{
    /// <summary>
    /// Puts a message into the mailbox and returns at once, unless the mailbox is bounded and full; any thread. Messages
    /// of one sender arrive in order. Null as the sender means that there is nobody to answer.
    /// </summary>
    /// <exception cref="InvalidMessageException">The message is null.</exception>
    void Tell(object message, IActorRef sender);
}

/// <summary>The handle of an actor; two are equal when path and incarnation are.</summary>
public interface IActorRef : ICanTell, IEquatable<IActorRef>, IComparable<IActorRef>, ISurrogated, IComparable
{
    /// <summary>Where the actor is, with the uid of its incarnation.</summary>
    ActorPath Path { get; }
}

/// <summary>Whether a reference lives in this process.</summary>
public interface IActorRefScope
{
    /// <summary>True for every reference here.</summary>
    bool IsLocal { get; }
}

/// <summary>A reference that takes only local deliveries.</summary>
public interface ILocalRef : IActorRefScope;

/// <summary>A reference that can be repointed; none of ours is.</summary>
public interface IRepointableRef : IActorRefScope
{
    /// <summary>Whether an actor is behind the reference already.</summary>
    bool IsStarted { get; }
}

/// <summary>What the runtime itself needs from a reference.</summary>
public interface IInternalActorRef : IActorRef, IActorRefScope
{
    /// <summary>The supervisor; of the root guardian a reference that watches over the system's end.</summary>
    IInternalActorRef Parent { get; }

    /// <summary>The provider of the system to which the reference belongs.</summary>
    IActorRefProvider Provider { get; }

    /// <summary>Whether the actor is gone for good. Only a hint from outside: it may change at any moment.</summary>
    bool IsTerminated { get; }

    /// <summary>
    /// The descendant along the names; empty ones are left out, <c>..</c> goes up. Nobody when there is none.
    /// </summary>
    IActorRef GetChild(IReadOnlyList<string> name);

    /// <summary>Lets the actor go on after a suspension; the cause, if any, is the failure that this settles.</summary>
    void Resume(Exception causedByFailure = null);

    /// <summary>Lets the actor run; what it was told before waits in its mailbox. Once.</summary>
    void Start();

    /// <summary>Ends the actor after the message that it handles; what waits becomes dead letters.</summary>
    void Stop();

    /// <summary>Replaces the instance after its children are gone. The actor has to be suspended.</summary>
    void Restart(Exception cause);

    /// <summary>
    /// Keeps the actor from handling user messages until it is resumed or restarted; suspensions count.
    /// </summary>
    void Suspend();

    /// <summary>As <see cref="SendSystemMessage(ISystemMessage)"/>; the sender is not looked at.</summary>
    void SendSystemMessage(ISystemMessage message, IActorRef sender);

    /// <summary>Puts a message of the runtime into the mailbox; it goes before all user messages.</summary>
    void SendSystemMessage(ISystemMessage message);
}

/// <summary>Equality, order and printing of references.</summary>
public abstract class ActorRefBase : IActorRef
{
    /// <inheritdoc/>
    public abstract ActorPath Path { get; }

    /// <inheritdoc/>
    public void Tell(object message, IActorRef sender)
    {
        if (message is null && !TakesNull)
            throw new InvalidMessageException("Message is null.");
        TellInternal(message, sender);
    }

    /// <summary>Whether null is a message here: it may be the answer to a question.</summary>
    internal virtual bool TakesNull => false;

    /// <inheritdoc/>
    protected abstract void TellInternal(object message, IActorRef sender);

    /// <inheritdoc/>
    public override string ToString() => Path.Uid == ActorCell.UndefinedUid ? $"[{Path}]" : $"[{Path}#{Path.Uid}]";

    /// <inheritdoc/>
    public bool Equals(IActorRef other) =>
        ReferenceEquals(this, other)
        || (
            other is not null
            && Uid == (other is ActorRefBase known ? known.Uid : other.Path.Uid)
            && Path.Equals(other.Path)
        );

    /// <summary>The incarnation's number, as in the path.</summary>
    internal virtual long Uid => Path.Uid;

    /// <inheritdoc/>
    public override bool Equals(object obj) => obj is IActorRef other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Uid != 0 ? Uid.GetHashCode() : Path.GetHashCode();

    /// <summary>By path, then by uid. Null is first.</summary>
    public int CompareTo(IActorRef other)
    {
        if (other is null)
            return 1;
        var order = Path.CompareTo(other.Path);
        return order != 0 ? order : Path.Uid.CompareTo(other.Path.Uid);
    }

    /// <summary>As <see cref="CompareTo(IActorRef)"/>.</summary>
    /// <exception cref="ArgumentException">The object is not a reference.</exception>
    public int CompareTo(object obj) =>
        obj is IActorRef other ? CompareTo(other) : throw new ArgumentException("Not an actor reference.", nameof(obj));

    /// <inheritdoc/>
    public virtual ISurrogate ToSurrogate(ActorSystem system) =>
        new Surrogate(Serialization.Serialization.SerializedActorPath(this));

    /// <summary>The serializable form of a reference.</summary>
    public class Surrogate(string path) : ISurrogate
    {
        /// <summary>
        /// The serialization format of the path; reading it back gives dead letters when the actor is gone.
        /// </summary>
        public string Path { get; } = path;

        /// <inheritdoc/>
        public ISurrogated FromSurrogate(ActorSystem system) =>
            ((ExtendedActorSystem)system).Provider.ResolveActorRef(Path);
    }
}

/// <summary>What the runtime's own references share.</summary>
public abstract class InternalActorRefBase : ActorRefBase, IInternalActorRef
{
    /// <inheritdoc/>
    public abstract IInternalActorRef Parent { get; }

    /// <inheritdoc/>
    public abstract IActorRefProvider Provider { get; }

    /// <inheritdoc/>
    public abstract bool IsTerminated { get; }

    /// <inheritdoc/>
    public virtual bool IsLocal => true;

    /// <inheritdoc/>
    public abstract IActorRef GetChild(IReadOnlyList<string> name);

    /// <inheritdoc/>
    public abstract void Resume(Exception causedByFailure = null);

    /// <inheritdoc/>
    public abstract void Start();

    /// <inheritdoc/>
    public abstract void Stop();

    /// <inheritdoc/>
    public abstract void Restart(Exception cause);

    /// <inheritdoc/>
    public abstract void Suspend();

    /// <inheritdoc/>
    public abstract void SendSystemMessage(ISystemMessage message);

    /// <inheritdoc/>
    public void SendSystemMessage(ISystemMessage message, IActorRef sender) => SendSystemMessage(message);
}

/// <summary>A reference without an actor behind it.</summary>
public abstract class MinimalActorRef : InternalActorRefBase, ILocalRef
{
    /// <inheritdoc/>
    public override IInternalActorRef Parent => ActorRefs.Nobody;

    /// <inheritdoc/>
    public override bool IsTerminated => false;

    /// <inheritdoc/>
    public override IActorRef GetChild(IReadOnlyList<string> name) =>
        name.All(string.IsNullOrEmpty) ? this : ActorRefs.Nobody;

    /// <inheritdoc/>
    public override void Resume(Exception causedByFailure = null) { }

    /// <inheritdoc/>
    public override void Start() { }

    /// <inheritdoc/>
    public override void Stop() { }

    /// <inheritdoc/>
    public override void Restart(Exception cause) { }

    /// <inheritdoc/>
    public override void Suspend() { }

    /// <inheritdoc/>
    public override void SendSystemMessage(ISystemMessage message) { }

    /// <inheritdoc/>
    protected override void TellInternal(object message, IActorRef sender) { }
}

/// <summary>Stands for "no actor".</summary>
public sealed class Nobody : MinimalActorRef
{
    /// <summary>The only one.</summary>
    public static readonly Nobody Instance = new();
    private static readonly ActorPath NobodyPath = new RootActorPath(new Address("akka", "all-systems"), "/Nobody");

    private Nobody() { }

    /// <inheritdoc/>
    public override ActorPath Path => NobodyPath;

    /// <inheritdoc/>
    public override IActorRefProvider Provider => throw new NotSupportedException("Nobody does not provide");
}

/// <summary>The references that exist without a system.</summary>
public static class ActorRefs
{
    /// <summary>The reference that stands for no actor. What it is told vanishes, without a dead letter.</summary>
    public static readonly Nobody Nobody = Nobody.Instance;

    /// <summary>Null: for messages that nobody is to answer.</summary>
    public static readonly IActorRef NoSender = null;
}

/// <summary>Swallows everything; what it is told is not a dead letter.</summary>
public sealed class IgnoreActorRef(IActorRefProvider provider, Address address) : MinimalActorRef
{
    /// <inheritdoc/>
    public override ActorPath Path { get; } = new RootActorPath(address) / "ignore";

    /// <inheritdoc/>
    public override IActorRefProvider Provider => provider;

    /// <summary>Whether a reference is the one that ignores all.</summary>
    public static bool IsIgnoreRefPath(ActorPath path) =>
        path.Depth == 1 && string.Equals(path.Name, "ignore", StringComparison.Ordinal);
}

/// <summary>Telling from inside an actor, with the actor as the sender.</summary>
public static class ActorRefImplicitSenderExtensions
{
    /// <summary>Tells with the actor that runs on this thread as the sender, or with none outside of actors.</summary>
    public static void Tell(this IActorRef receiver, object message) =>
        receiver.Tell(message, ActorCell.GetCurrentSelfOrNoSender());

    /// <summary>
    /// Passes a message on with the sender of the message that is being handled, as if that sender had told it.
    /// </summary>
    public static void Forward(this IActorRef receiver, object message) =>
        receiver.Tell(message, ActorCell.GetCurrentSenderOrNoSender());
}

/// <summary>Questions about references.</summary>
public static class ActorRefExtensions
{
    /// <summary>Whether it is null, <see cref="Nobody"/> or a dead letter reference.</summary>
    public static bool IsNobody(this IActorRef actorRef) => actorRef is null or Nobody or DeadLetterActorRef;

    /// <summary>This reference, or what the function gives when it is nobody.</summary>
    public static IActorRef GetOrElse(this IActorRef actorRef, Func<IActorRef> elseValue) =>
        actorRef.IsNobody() ? elseValue() : actorRef;
}
