using System.Collections.Concurrent;
using System.Reflection;

namespace Akka.Actor;

/// <summary>Handles a message; false says that it did not.</summary>
public delegate bool Receive(object message);

/// <summary>Handles every message it gets.</summary>
public delegate void UntypedReceive(object message);

/// <summary>An actor, seen from the runtime.</summary>
public interface IInternalActor
{
    IActorContext ActorContext { get; }
}

/// <summary>An actor that has something to set up between its constructor and its first message.</summary>
public interface IInitializableActor
{
    void Init();
}

/// <summary>Marks actors whose handled messages are logged at debug level when akka.actor.debug.receive is on.</summary>
public interface ILogReceive;

/// <summary>What every actor is.</summary>
public abstract class ActorBase : IInternalActor
{
    private static readonly ConcurrentDictionary<Type, bool> Intercepting = new();

    private ActorCell _cell;
    private IActorRef _self;

    /// <summary>Whether messages go through AroundReceive: it is overridden, or they are logged.</summary>
    private bool _intercepts;

    private bool _logsMessages;

    protected ActorBase()
    {
        _cell =
            ActorCell.Current
            ?? throw new ActorInitializationException(
                "There is no active ActorContext: actors are made by ActorOf, never by their constructors alone."
            );
        _self = _cell.Self;
        if (this is IWithTimers timing)
            timing.Timers = _cell.NewTimers();
    }

    IActorContext IInternalActor.ActorContext =>
        _cell
        ?? throw new NotSupportedException("There is no active ActorContext: the actor was stopped or restarted.");

    protected IActorRef Sender => Context.Sender;

    protected IActorRef Self => _self;

    protected static IActorContext Context =>
        ActorCell.Current
        ?? throw new NotSupportedException(
            "There is no active ActorContext, this is most likely due to use of async operations from within this actor."
        );

    protected static Receive EmptyReceive { get; } = _ => false;

    internal ActorCell CellOrNull => _cell;
    internal SupervisorStrategy StrategyInternal =>
        _strategy ??= _cell?.Props.SupervisorStrategy ?? SupervisorStrategy();
    private SupervisorStrategy _strategy;

    internal void BindTo(ActorCell cell)
    {
        _cell = cell;
        _self = cell.Self;
        _logsMessages = this is ILogReceive && cell.SystemImpl.Settings.AddLoggingReceive;
        _intercepts = _logsMessages || Intercepting.GetOrAdd(GetType(), OverridesAroundReceive);
    }

    internal void Unbind() => _cell = null;

    private static bool OverridesAroundReceive(Type type)
    {
        var method = type.GetMethod(
            nameof(AroundReceive),
            BindingFlags.Instance | BindingFlags.NonPublic | BindingFlags.Public,
            [typeof(Receive), typeof(object)]
        );
        return method?.DeclaringType != typeof(ActorBase);
    }

    /// <summary>Passes a message to the current behaviour. The delegate for Receive is made only where somebody sees it.</summary>
    internal void Dispatch(Receive behavior, object message)
    {
        if (_intercepts)
            DispatchSeen(behavior ?? Receive, message);
        else if (!(behavior is null ? Receive(message) : behavior(message)))
            Unhandled(message);
    }

    private void DispatchSeen(Receive behavior, object message)
    {
        var cell = _cell;
        var handled = AroundReceive(behavior, message);
        if (_logsMessages)
            cell.PublishDebug(
                $"received {(handled ? "handled" : "unhandled")} message {message} from {cell.Sender.Path}"
            );
    }

    protected virtual bool AroundReceive(Receive receive, object message)
    {
        var handled = receive(message);
        if (!handled)
            Unhandled(message);
        return handled;
    }

    protected abstract bool Receive(object message);

    protected virtual void Unhandled(object message)
    {
        if (message is Terminated terminated)
            throw new DeathPactException(terminated.ActorRef);
        var cell = (ActorCell)Context;
        cell.System.EventStream.Publish(new Event.UnhandledMessage(message, Sender, Self));
    }

    protected void Become(Receive receive) => Context.Become(receive);

    protected void BecomeStacked(Receive receive) => Context.BecomeStacked(receive);

    protected void UnbecomeStacked() => Context.UnbecomeStacked();

    protected void SetReceiveTimeout(TimeSpan? timeout) => Context.SetReceiveTimeout(timeout);

    public virtual void AroundPreStart() => PreStart();

    protected virtual void PreStart() { }

    public virtual void AroundPreRestart(Exception cause, object message) => PreRestart(cause, message);

    public virtual void AroundPostRestart(Exception cause, object message) => PostRestart(cause);

    protected virtual void PreRestart(Exception reason, object message)
    {
        foreach (var child in Context.GetChildren())
        {
            Context.Unwatch(child);
            Context.Stop(child);
        }
        PostStop();
    }

    protected virtual void PostRestart(Exception reason) => PreStart();

    public virtual void AroundPostStop() => PostStop();

    protected virtual void PostStop() { }

    protected virtual SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.DefaultStrategy;
}
