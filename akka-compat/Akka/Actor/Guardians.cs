using Akka.Event;

namespace Akka.Actor;

/// <summary>The actor "/": stops the system when a guardian fails, and itself when the system guardian is gone.</summary>
internal sealed class RootGuardianActor : ActorBase
{
    protected override bool Receive(object message)
    {
        switch (message)
        {
            case SystemGuardianActor.Guard guard:
                Context.Watch(guard.Actor);
                return true;
            case Terminated:
                Context.Stop(Self);
                return true;
            case StopChild stop:
                Context.Stop(stop.Child);
                return true;
            default:
                return false;
        }
    }

    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(e =>
        {
            Logging.GetLogger(Context.System.EventStream, Self).Error(e, "guardian failed, shutting down system");
            return Directive.Stop;
        });

    // A guardian stops its children by itself; nobody is to be orphaned by a restart.
    protected override void PreRestart(Exception reason, object message) { }
}

/// <summary>The actor "/user".</summary>
internal sealed class GuardianActor(SupervisorStrategy strategy) : ActorBase
{
    protected override bool Receive(object message)
    {
        switch (message)
        {
            case StopChild stop:
                Context.Stop(stop.Child);
                return true;
            case Terminated:
                return true;
            default:
                Context.System.DeadLetters.Tell(new DeadLetter(message, Sender, Self), Sender);
                return true;
        }
    }

    protected override SupervisorStrategy SupervisorStrategy() => strategy;

    protected override void PreRestart(Exception reason, object message) { }
}

/// <summary>The actor "/system": outlives the users' actors, then stops its own children and itself.</summary>
internal sealed class SystemGuardianActor : ActorBase
{
    protected override bool Receive(object message)
    {
        switch (message)
        {
            case Guard guard:
                Context.Watch(guard.Actor);
                return true;
            case StopChild stop:
                Context.Stop(stop.Child);
                return true;
            case Terminated:
                var system = (ActorSystemImpl)Context.System;
                system.EventStream.StopDefaultLoggers(system);
                Context.Stop(Self);
                return true;
            default:
                Context.System.DeadLetters.Tell(new DeadLetter(message, Sender, Self), Sender);
                return true;
        }
    }

    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(cause =>
            cause is ActorInitializationException or ActorKilledException or DeathPactException
                ? Directive.Stop
                : Directive.Restart
        );

    protected override void PreRestart(Exception reason, object message) { }

    internal sealed record Guard(IActorRef Actor) : INoSerializationVerificationNeeded;
}

/// <summary>Logs dead letters, as many and as often as the configuration says.</summary>
internal sealed class DeadLetterListener : ActorBase
{
    private int _count;
    private bool _isSilent;
    private bool _isSuspended;

    protected override void PreStart()
    {
        Context.System.EventStream.Subscribe(Self, typeof(AllDeadLetters));
        Context.System.EventStream.Subscribe(Self, typeof(Silence));
    }

    protected override void PostRestart(Exception reason) { }

    protected override void PreRestart(Exception reason, object message) { }

    protected override void PostStop() => Context.System.EventStream.Unsubscribe(Self);

    protected override bool Receive(object message)
    {
        switch (message)
        {
            case Silence:
                _isSilent = true;
                return true;
            case Resume:
                _isSuspended = false;
                _count = 0;
                return true;
            case SuppressedDeadLetter or UnhandledMessage:
                return true;
            case AllDeadLetters letter:
                Log(letter);
                return true;
            default:
                return false;
        }
    }

    private void Log(AllDeadLetters letter)
    {
        if (_isSilent || _isSuspended)
            return;
        var settings = Context.System.Settings;
        _count++;
        var isLast = settings.LogDeadLetters != int.MaxValue && _count >= settings.LogDeadLetters;
        var end = isLast ? " no more dead letters will be logged" : "";
        var pause = settings.LogDeadLettersSuspendDuration;
        if (isLast && pause != Timeout.InfiniteTimeSpan)
            end += $" in next [{pause}]";
        var from =
            ReferenceEquals(letter.Sender, Context.System.DeadLetters) || letter.Sender is null
                ? "without sender"
                : $"from {letter.Sender}";
        var text = letter is Dropped dropped
            ? $"Message [{letter.Message.GetType().Name}] {from} to {letter.Recipient} was dropped. {dropped.Reason}. [{_count}] dead letters encountered{(isLast ? "," : ".")}{end} "
            : $"Message [{letter.Message.GetType().Name}] {from} to {letter.Recipient} was not delivered. [{_count}] dead letters encountered{(isLast ? "," : ".")}{end} ";
        text +=
            "This logging can be turned off or adjusted with configuration settings 'akka.log-dead-letters' "
            + "and 'akka.log-dead-letters-during-shutdown'. "
            + $"Message content: {letter.Message}";
        Context.System.EventStream.Publish(
            new Info(letter.Recipient.Path.ToString(), letter.Recipient.GetType(), text)
        );
        if (!isLast)
            return;
        _isSuspended = true;
        if (pause != Timeout.InfiniteTimeSpan)
            Context.System.Scheduler.ScheduleTellOnce(pause, Self, Resume.Instance, Self);
    }

    internal sealed class Silence
    {
        internal static readonly Silence Instance = new();
    }

    private sealed class Resume
    {
        internal static readonly Resume Instance = new();
    }
}

/// <summary>Puts unhandled messages into the log.</summary>
internal sealed class UnhandledMessageForwarder : ActorBase
{
    protected override bool Receive(object message)
    {
        if (message is not UnhandledMessage unhandled)
            return false;
        Context.System.EventStream.Publish(
            new Event.Debug(
                unhandled.Recipient.Path.ToString(),
                unhandled.Recipient.GetType(),
                $"Unhandled message from {unhandled.Sender} : {unhandled.Message}"
            )
        );
        return true;
    }
}
