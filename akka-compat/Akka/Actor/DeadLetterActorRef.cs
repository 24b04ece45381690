using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Actor;

/// <summary>A path at which no actor is: what it is told becomes a dead letter.</summary>
public class EmptyLocalActorRef(IActorRefProvider provider, ActorPath path, EventStream eventStream) : MinimalActorRef
{
    /// <inheritdoc/>
    public override ActorPath Path => path;

    /// <inheritdoc/>
    public override IActorRefProvider Provider => provider;

    /// <inheritdoc/>
    public override bool IsTerminated => true;

    /// <summary>Where the dead letters are published.</summary>
    protected EventStream Events => eventStream;

    /// <inheritdoc/>
    protected override void TellInternal(object message, IActorRef sender)
    {
        if (message is AllDeadLetters || SpecialHandle(message, sender))
            return;
        eventStream.Publish(
            message is IDeadLetterSuppression suppressed
                ? new SuppressedDeadLetter(suppressed, sender.OrDeadLetters(provider), this)
                : new DeadLetter(message, sender.OrDeadLetters(provider), this)
        );
    }

    /// <inheritdoc/>
    public override void SendSystemMessage(ISystemMessage message)
    {
        if (message is Watch watch)
            AnswerWatch(watch);
    }

    /// <summary>Messages that a missing actor answers as if it were there and dead.</summary>
    protected virtual bool SpecialHandle(object message, IActorRef sender)
    {
        switch (message)
        {
            case Watch watch:
                AnswerWatch(watch);
                return true;
            case Identify identify:
                sender?.Tell(new ActorIdentity(identify.MessageId, null), ActorRefs.NoSender);
                return true;
            case ActorSelectionMessage selection:
                if (selection.Message is Identify id)
                {
                    if (!selection.WildCardFanOut)
                        sender?.Tell(new ActorIdentity(id.MessageId, null), ActorRefs.NoSender);
                }
                else if (!selection.WildCardFanOut)
                {
                    TellInternal(selection.Message, sender);
                }
                return true;
            default:
                return false;
        }
    }

    private void AnswerWatch(Watch watch)
    {
        if (!ReferenceEquals(watch.Watcher, this))
            watch.Watcher.SendSystemMessage(new DeathWatchNotification(watch.Watchee, false, false));
    }
}

/// <summary>The system's dead letters: publishes everything that could not be delivered.</summary>
public sealed class DeadLetterActorRef(IActorRefProvider provider, ActorPath path, EventStream eventStream)
    : EmptyLocalActorRef(provider, path, eventStream)
{
    /// <inheritdoc/>
    public override bool IsTerminated => false;

    /// <inheritdoc/>
    protected override bool SpecialHandle(object message, IActorRef sender)
    {
        if (message is not Identify identify)
            return base.SpecialHandle(message, sender);
        // Here is somebody, but nobody to talk to.
        sender?.Tell(new ActorIdentity(identify.MessageId, ActorRefs.Nobody), ActorRefs.NoSender);
        return true;
    }

    /// <inheritdoc/>
    protected override void TellInternal(object message, IActorRef sender)
    {
        if (message is DeadLetter letter)
        {
            if (!SpecialHandle(letter.Message, letter.Sender))
                Events.Publish(letter);
        }
        else if (message is AllDeadLetters other)
        {
            Events.Publish(other);
        }
        else if (!SpecialHandle(message, sender))
        {
            Events.Publish(
                message is IDeadLetterSuppression suppressed
                    ? new SuppressedDeadLetter(suppressed, sender.OrDeadLetters(Provider), this)
                    : new DeadLetter(message, sender.OrDeadLetters(Provider), this)
            );
        }
    }
}

internal static class SenderExtensions
{
    internal static IActorRef OrDeadLetters(this IActorRef sender, IActorRefProvider provider) =>
        sender is null or Nobody ? provider.DeadLetters : sender;
}

/// <summary>A node of the tree that holds references without cells, such as those of asks under /temp.</summary>
public sealed class VirtualPathContainer(IActorRefProvider provider, ActorPath path, IInternalActorRef parent)
    : MinimalActorRef
{
    private readonly System.Collections.Concurrent.ConcurrentDictionary<string, IInternalActorRef> _children = new(
        StringComparer.Ordinal
    );

    /// <inheritdoc/>
    public override ActorPath Path => path;

    /// <inheritdoc/>
    public override IInternalActorRef Parent => parent;

    /// <inheritdoc/>
    public override IActorRefProvider Provider => provider;

    /// <summary>Whether anything is below the node now.</summary>
    public bool HasChildren => !_children.IsEmpty;

    /// <summary>Puts a reference below the node, in place of one of that name. Any thread.</summary>
    public void AddChild(string name, IInternalActorRef actor) => _children[name] = actor;

    /// <summary>Calls for each reference that is there now.</summary>
    public void ForEachChild(Action<IInternalActorRef> action)
    {
        foreach (var child in _children.Values)
            action(child);
    }

    /// <summary>Takes a reference out; of no effect when there is none. Any thread.</summary>
    public void RemoveChild(string name) => _children.TryRemove(name, out _);

    /// <inheritdoc/>
    public override IActorRef GetChild(IReadOnlyList<string> name)
    {
        if (name.Count == 0 || name[0].Length == 0)
            return this;
        return _children.TryGetValue(name[0], out var child) ? child.GetChild(name.Skip(1).ToList()) : ActorRefs.Nobody;
    }
}
