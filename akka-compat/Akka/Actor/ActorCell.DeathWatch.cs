using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Actor;

public partial class ActorCell
{
    /// <inheritdoc/>
    public IActorRef Watch(IActorRef subject) => WatchFor(subject, null);

    /// <inheritdoc/>
    public IActorRef WatchWith(IActorRef subject, object message)
    {
        if (message is null)
            throw new ArgumentNullException(nameof(message), "message must not be null");
        return WatchFor(subject, message);
    }

    private IActorRef WatchFor(IActorRef subject, object message)
    {
        var target = (IInternalActorRef)subject;
        if (target.Equals(_self))
            return subject;
        Watches ??= new WatchState();
        if (Watches.Watching.TryGetValue(target, out var before))
        {
            if (!Equals(before, message))
                throw new InvalidOperationException(
                    $"Watch({_self}, {subject}) termination message was not overwritten from [{before}] to [{message}]. "
                        + "If this was intended, unwatch first before using `Watch` / `WatchWith` with another message."
                );
            return subject;
        }
        Watches.Watching.Add(target, message);
        target.SendSystemMessage(new Watch(target, _self));
        return subject;
    }

    /// <inheritdoc/>
    public IActorRef Unwatch(IActorRef subject)
    {
        var target = (IInternalActorRef)subject;
        if (target.Equals(_self) || Watches is null)
            return subject;
        if (Watches.Watching.Remove(target))
            target.SendSystemMessage(new Unwatch(target, _self));
        Watches.Announced?.Remove(target);
        return subject;
    }

    /// <summary>A Terminated that was delivered goes back into the mailbox and is to be delivered once more.</summary>
    internal void AnnounceAgain(Terminated terminated) =>
        ((Watches ??= new WatchState()).Announced ??= []).Add(terminated.ActorRef);

    private void ReceivedTerminated(Terminated terminated)
    {
        if (Watches?.Announced is { } announced && announced.Remove(terminated.ActorRef))
            ReceiveMessage(terminated);
    }

    private void WatchedActorTerminated(DeathWatchNotification death)
    {
        if (Watches is not null && Watches.Watching.Remove(death.Actor, out var custom) && !_isStopping)
        {
            if (custom is null)
            {
                (Watches.Announced ??= []).Add(death.Actor);
                var notice = new Terminated(death.Actor, death.ExistenceConfirmed, death.AddressTerminated);
                _self.Tell(notice, death.Actor);
            }
            else
            {
                _self.Tell(custom, death.Actor);
            }
        }
        HandleChildTerminated(death.Actor);
    }

    private void AddWatcher(IInternalActorRef watchee, IInternalActorRef watcher)
    {
        if (!watchee.Equals(_self) || watcher.Equals(_self))
        {
            Publish(
                new Warning(_self.Path.ToString(), ActorType, $"BUG: illegal Watch({watchee},{watcher}) for {_self}")
            );
            return;
        }
        Watches ??= new WatchState();
        if (Watches.WatchedBy.Add(watcher) && _system.Settings.DebugLifecycle)
            PublishDebug("now watched by " + watcher);
    }

    private void RemoveWatcher(IInternalActorRef watchee, IInternalActorRef watcher)
    {
        if (Watches is not null && watchee.Equals(_self) && Watches.WatchedBy.Remove(watcher))
        {
            if (_system.Settings.DebugLifecycle)
                PublishDebug("no longer watched by " + watcher);
        }
    }

    private void TellWatchersWeDied()
    {
        if (Watches is null)
            return;
        foreach (var watcher in Watches.WatchedBy)
        {
            // The parent hears of it anyway.
            if (!watcher.Equals(_parent))
                watcher.SendSystemMessage(new DeathWatchNotification(_self, true, false));
        }
    }

    private void UnwatchWatchedActors()
    {
        if (Watches is null)
            return;
        foreach (var watched in Watches.Watching.Keys)
            ((IInternalActorRef)watched).SendSystemMessage(new Unwatch((IInternalActorRef)watched, _self));
        Watches.Watching.Clear();
    }

    /// <summary>What an actor that watches or is watched remembers. Sets enumerate in order of insertion.</summary>
    private sealed class WatchState
    {
        /// <summary>Whom this actor watches, and what to send itself in place of Terminated.</summary>
        internal readonly Dictionary<IActorRef, object> Watching = [];

        internal readonly HashSet<IInternalActorRef> WatchedBy = [];

        /// <summary>Whose Terminated is in the mailbox; Unwatch takes it back.</summary>
        internal HashSet<IActorRef> Announced;
    }
}
