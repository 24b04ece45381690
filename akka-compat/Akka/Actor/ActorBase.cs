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
    /// <summary>The actor's surroundings.</summary>
    IActorContext ActorContext { get; }
}

/// <summary>An actor that has something to set up between its constructor and its first message.</summary>
public interface IInitializableActor
{
    /// <summary>Called by the runtime, once for each incarnation.</summary>
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

    /// <summary>Throws outside of the runtime's creation of an actor.</summary>
    /// <exception cref="ActorInitializationException">The constructor was called by hand.</exception>
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

    /// <summary>Who sent the message that is being handled. Only inside a handler: asynchronous code outside of ReceiveAsync keeps a copy.</summary>
    protected IActorRef Sender => Context.Sender;

    /// <summary>The actor's own reference.</summary>
    protected IActorRef Self => _self;

    /// <summary>The surroundings of the actor that runs on this thread; throws where none does.</summary>
    protected static IActorContext Context =>
        ActorCell.Current
        ?? throw new NotSupportedException(
            "There is no active ActorContext, this is most likely due to use of async operations from within this actor."
        );

    /// <summary>A behaviour that handles nothing.</summary>
    protected static Receive EmptyReceive { get; } = _ => false;

    internal ActorCell CellOrNull => _cell;
    internal SupervisorStrategy StrategyInternal =>
        _cell is { } cell ? cell.Strategy ??= cell.StrategyOfProps ?? SupervisorStrategy() : SupervisorStrategy();

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

    /// <summary>Passes a message to the behaviour and what that does not handle to Unhandled.</summary>
    protected virtual bool AroundReceive(Receive receive, object message)
    {
        var handled = receive(message);
        if (!handled)
            Unhandled(message);
        return handled;
    }

    /// <summary>Handles a message; false says that it did not.</summary>
    protected abstract bool Receive(object message);

    /// <summary>Called with what no behaviour handled: published as an UnhandledMessage. An unhandled Terminated is a death pact.</summary>
    protected virtual void Unhandled(object message)
    {
        if (message is Terminated terminated)
            throw new DeathPactException(terminated.ActorRef);
        var cell = (ActorCell)Context;
        cell.System.EventStream.Publish(new Event.UnhandledMessage(message, Sender, Self));
    }

    /// <summary>Replaces the current behaviour.</summary>
    protected void Become(Receive receive) => Context.Become(receive);

    /// <summary>Puts a behaviour on top of the current one.</summary>
    protected void BecomeStacked(Receive receive) => Context.BecomeStacked(receive);

    /// <summary>Takes the top behaviour off.</summary>
    protected void UnbecomeStacked() => Context.UnbecomeStacked();

    /// <summary>Asks for a ReceiveTimeout whenever no message came for so long; null ends that.</summary>
    protected void SetReceiveTimeout(TimeSpan? timeout) => Context.SetReceiveTimeout(timeout);

    /// <summary>Calls PreStart.</summary>
    public virtual void AroundPreStart() => PreStart();

    /// <summary>Runs once before the first message of an actor, and by default of each new instance.</summary>
    protected virtual void PreStart() { }

    /// <summary>Calls PreRestart.</summary>
    public virtual void AroundPreRestart(Exception cause, object message) => PreRestart(cause, message);

    /// <summary>Calls PostRestart.</summary>
    public virtual void AroundPostRestart(Exception cause, object message) => PostRestart(cause);

    /// <summary>Runs on the instance that failed, with the message at which it failed. Stops the children and calls PostStop.</summary>
    protected virtual void PreRestart(Exception reason, object message)
    {
        foreach (var child in Context.GetChildren())
        {
            Context.Unwatch(child);
            Context.Stop(child);
        }
        PostStop();
    }

    /// <summary>Runs on the new instance after a restart. Calls PreStart.</summary>
    protected virtual void PostRestart(Exception reason) => PreStart();

    /// <summary>Calls PostStop.</summary>
    public virtual void AroundPostStop() => PostStop();

    /// <summary>Runs after the last message; timers are gone already, children too.</summary>
    protected virtual void PostStop() { }

    /// <summary>How this actor deals with failures of its children. Asked for once.</summary>
    protected virtual SupervisorStrategy SupervisorStrategy() => Akka.Actor.SupervisorStrategy.DefaultStrategy;
}
