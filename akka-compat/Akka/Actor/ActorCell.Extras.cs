namespace Akka.Actor;

public partial class ActorCell
{
    /// <summary>
    /// What few actors ever have: made when the first of it is set. A system may have millions of actors, and each of these would
    /// cost every one of them a word.
    /// </summary>
    private Extras _extras;

    // Nothing is made for a null.
    private Extras ExtrasFor(object value) => value is null ? _extras : _extras ??= new Extras();

    /// <summary>The behaviour that Become set, or null for the actor's own Receive.</summary>
    private Receive Behavior
    {
        get => _extras?.Behavior;
        set
        {
            if (ExtrasFor(value) is { } extras)
                extras.Behavior = value;
        }
    }

    private Stack<Receive> OuterBehaviors
    {
        get => _extras?.OuterBehaviors;
        set
        {
            if (ExtrasFor(value) is { } extras)
                extras.OuterBehaviors = value;
        }
    }

    private WatchState Watches
    {
        get => _extras?.Watches;
        set
        {
            if (ExtrasFor(value) is { } extras)
                extras.Watches = value;
        }
    }

    private ReceiveTimeoutState Timeouts
    {
        get => _extras?.Timeouts;
        set
        {
            if (ExtrasFor(value) is { } extras)
                extras.Timeouts = value;
        }
    }

    private TimerScheduler ActiveTimers
    {
        get => _extras?.Timers;
        set
        {
            if (ExtrasFor(value) is { } extras)
                extras.Timers = value;
        }
    }

    private ActorTaskScheduler OwnTaskScheduler
    {
        get => _extras?.TaskScheduler;
        set
        {
            if (ExtrasFor(value) is { } extras)
                extras.TaskScheduler = value;
        }
    }

    /// <summary>What to do when the last stopping child is gone: finish a restart or finish stopping.</summary>
    private Action WhenChildrenAreGone
    {
        get => _extras?.WhenChildrenAreGone;
        set
        {
            if (ExtrasFor(value) is { } extras)
                extras.WhenChildrenAreGone = value;
        }
    }

    /// <summary>Who failed: this actor, or the child whose failure it passed up. Null when nobody did.</summary>
    private IInternalActorRef FailedBecauseOf
    {
        get => _extras?.FailedBecauseOf;
        set
        {
            if (ExtrasFor(value) is { } extras)
                extras.FailedBecauseOf = value;
        }
    }

    /// <summary>Messages that the actor put back before all others (unstash), next one first. Only by the consumer of its mailbox.</summary>
    internal Dispatch.MailboxFront Front
    {
        get => _extras?.Front;
        set
        {
            if (ExtrasFor(value) is { } extras)
                extras.Front = value;
        }
    }

    /// <summary>System messages taken over from the producers, oldest first. Only by the consumer of its mailbox.</summary>
    internal Dispatch.SysMsg.SystemMessage SystemTaken
    {
        get => _extras?.SystemTaken;
        set
        {
            if (ExtrasFor(value) is { } extras)
                extras.SystemTaken = value;
        }
    }

    /// <summary>How the actor's present instance deals with failures of its children, once somebody asked.</summary>
    internal SupervisorStrategy Strategy
    {
        get => _extras?.Strategy;
        set
        {
            if (ExtrasFor(value) is { } extras)
                extras.Strategy = value;
        }
    }

    private sealed class Extras
    {
        internal SupervisorStrategy Strategy;
        internal Dispatch.MailboxFront Front;
        internal Dispatch.SysMsg.SystemMessage SystemTaken;
        internal Receive Behavior;
        internal Stack<Receive> OuterBehaviors;
        internal WatchState Watches;
        internal ReceiveTimeoutState Timeouts;
        internal TimerScheduler Timers;
        internal ActorTaskScheduler TaskScheduler;
        internal Action WhenChildrenAreGone;
        internal IInternalActorRef FailedBecauseOf;
    }
}
