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

    /// <summary>On the scheduler's clock, when logging goes on; null while it does.</summary>
    private TimeSpan? _suspendedUntil;

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
            case SuppressedDeadLetter:
                return true;
            case AllDeadLetters letter:
                Count(letter);
                return true;
            default:
                return false;
        }
    }

    private void Count(AllDeadLetters letter)
    {
        if (_isSilent)
            return;
        var settings = Context.System.Settings;
        var most = settings.LogDeadLetters;
        var now = Context.System.Scheduler.MonotonicClock;
        // Counted as long as it is known when logging goes on.
        if (_count < int.MaxValue)
            _count++;
        if (_suspendedUntil is { } until)
        {
            if (now < until)
                return;
            Log(letter, $", of which {_count - most - 1} were not logged. The counter will be reset now");
            _count = 0;
            _suspendedUntil = null;
            return;
        }
        if (most == int.MaxValue || _count < most)
        {
            Log(letter, "");
            return;
        }
        var pause = settings.LogDeadLettersSuspendDuration;
        var isForever = pause == Timeout.InfiniteTimeSpan;
        Log(letter, ", no more dead letters will be logged" + (isForever ? "" : $" in next [{pause}]"));
        _suspendedUntil = isForever ? TimeSpan.MaxValue : now + pause;
    }

    private void Log(AllDeadLetters letter, string end)
    {
        var message = letter.Message;
        var inside = message;
        while (inside is IWrappedMessage { Message: { } next })
            inside = next;
        var wrapped = ReferenceEquals(inside, message) ? "" : $" wrapped in [{message.GetType().Name}]";
        var from = IsReal(letter.Sender) ? $" from {letter.Sender}" : "";
        var to = IsReal(letter.Recipient) || letter is DeadLetter ? $" to {letter.Recipient}" : "";
        var fate = letter switch
        {
            Dropped dropped => $"was dropped. {dropped.Reason}. ",
            UnhandledMessage => "was unhandled. ",
            _ => "was not delivered. ",
        };
        var hint =
            letter is DeadLetter
                ? $"If this is not an expected behavior then {letter.Recipient} may have terminated unexpectedly. "
                : "";
        Context.System.EventStream.Publish(
            new Info(
                letter.Recipient.Path.ToString(),
                letter.Recipient.GetType(),
                $"Message [{inside.GetType().Name}]{wrapped}{from}{to} {fate}[{_count}] dead letters encountered{end}. {hint}"
                    + "This logging can be turned off or adjusted with configuration settings 'akka.log-dead-letters' "
                    + $"and 'akka.log-dead-letters-during-shutdown'. Message content: {message}"
            )
        );
    }

    private static bool IsReal(IActorRef actor) => actor is not (null or Nobody or DeadLetterActorRef);

    internal sealed class Silence
    {
        internal static readonly Silence Instance = new();
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
