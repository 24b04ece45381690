using Akka.Dispatch;
using Akka.Dispatch.MessageQueues;
using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Actor;

// The runtime's side of one actor. Everything here runs as the actor (inside its mailbox's turn) unless it says
// "any thread". ActorCell.cs: messages and behaviour. .Lifecycle.cs: create, fail, restart, stop. .Children.cs,
// .DeathWatch.cs, .Timeouts.cs: what their names say. State that few actors need is allocated when first used.

/// <summary>The runtime's side of one actor.</summary>
public partial class ActorCell : IUntypedActorContext
{
    /// <summary>The uid of a path that names no incarnation.</summary>
    public const int UndefinedUid = 0;

    [ThreadStatic]
    private static ActorCell _current;

    private readonly ActorSystemImpl _system;
    private readonly LocalActorRef _self;

    /// <summary>The props, or only the producer that they name: see <see cref="Actor.Props.Blueprint"/>.</summary>
    private readonly object _blueprint;

    private readonly IInternalActorRef _parent;
    private readonly MessageDispatcher _dispatcher;
    private ActorBase _actor;

    /// <summary>Where in its mailbox the actor is.</summary>
    internal MailboxCursor Cursor;

    private object _currentMessage;
    private IActorRef _sender;

    internal ActorCell(
        ActorSystemImpl system,
        LocalActorRef self,
        Props props,
        MessageDispatcher dispatcher,
        IInternalActorRef parent
    )
    {
        _system = system;
        _self = self;
        _blueprint = props.Blueprint;
        _dispatcher = dispatcher;
        _parent = parent;
    }

    internal static ActorCell Current => _current;

    internal static ActorCell Enter(ActorCell cell)
    {
        var outer = _current;
        _current = cell;
        return outer;
    }

    internal static void Leave(ActorCell outer) => _current = outer;

    /// <summary>The actor that runs on this thread, or none.</summary>
    public static IActorRef GetCurrentSelfOrNoSender() => _current?._self;

    /// <summary>The sender of the message that the actor on this thread handles, or none.</summary>
    public static IActorRef GetCurrentSenderOrNoSender() => _current?._sender;

    /// <inheritdoc/>
    public ActorSystem System => _system;
    internal ActorSystemImpl SystemImpl => _system;

    /// <summary>The system as its implementation.</summary>
    public ActorSystemImpl SystemImplementation => _system;

    /// <inheritdoc/>
    public IActorRef Self => _self;

    /// <inheritdoc/>
    public Props Props => _blueprint as Props ?? Props.CreateBy((IIndirectActorProducer)_blueprint);

    /// <summary>The strategy that the props give; null for the actor's own.</summary>
    internal SupervisorStrategy StrategyOfProps => (_blueprint as Props)?.SupervisorStrategy;

    /// <inheritdoc/>
    public MessageDispatcher Dispatcher => _dispatcher;

    /// <inheritdoc/>
    public IActorRef Parent => _parent;
    internal IInternalActorRef ParentRef => _parent;
    internal ActorBase Actor => _actor;
    internal Mailbox Mailbox => _self.Mailbox;
    internal bool IsTerminated => Mailbox is { IsClosed: true };

    /// <summary>Whether user messages wait. A hint: it may change at any moment. Any thread.</summary>
    public bool HasMessages => Mailbox.HasMessages;

    /// <summary>How many user messages wait. A hint: it may change at any moment. Any thread.</summary>
    public int NumberOfMessages => Mailbox.NumberOfMessages;

    /// <inheritdoc/>
    public IActorRef Sender
    {
        get
        {
            var sender = _sender;
            return sender is null or Nobody ? _system.DeadLetters : sender;
        }
    }

    internal object CurrentMessage => _currentMessage is StashedMessage stashed ? stashed.Message : _currentMessage;
    internal IActorRef RawSender => _sender;

    internal Envelope CurrentEnvelope => new(CurrentMessage, _sender);

    /// <summary>Whether the message that is being handled has been stashed.</summary>
    internal bool IsCurrentStashed => _currentMessage is StashedMessage;

    internal void MarkCurrentStashed() => _currentMessage = new StashedMessage(_currentMessage);

    /// <summary>Stands for the current message once it is stashed: the same message may come, and be stashed, again.</summary>
    private sealed class StashedMessage(object message)
    {
        internal object Message => message;
    }

    /// <summary>Makes the mailbox and puts the order to create the actor into it.</summary>
    internal void Init(IMessageQueue queue)
    {
        _self.Attach(new Mailbox(this, queue));
        _dispatcher.Attach(this);
    }

    /// <summary>Lets the actor come to life.</summary>
    internal void Start() => Mailbox.PostSystem(new Create());

    /// <summary>Delivers a user message. Any thread.</summary>
    public void SendMessage(object message, IActorRef sender) => _self.Tell(message, sender);

    /// <summary>Delivers a system message. Any thread.</summary>
    internal void SendSystemMessage(SystemMessage message)
    {
        if (!Mailbox.PostSystem(message))
            SystemToDeadLetters(message);
    }

    internal void ToDeadLetters(object message, IActorRef sender)
    {
        // A dead subscriber of dead letters would otherwise make a new one of each that it is told of.
        if (message is not AllDeadLetters)
            _system.DeadLetters.Tell(AsDeadLetter(message, sender), sender);
    }

    private AllDeadLetters AsDeadLetter(object message, IActorRef sender)
    {
        var from = sender.OrDeadLetters(_system.Provider);
        return message switch
        {
            IDeadLetterSuppression suppressed => new SuppressedDeadLetter(suppressed, from, _self),
            _ => new DeadLetter(message, from, _self),
        };
    }

    internal void SystemToDeadLetters(SystemMessage message)
    {
        if (message is Watch watch)
            watch.Watcher.SendSystemMessage(new DeathWatchNotification(watch.Watchee, true, false));
        else if (message is ActorTaskStep or ActorTaskEnded)
            _system.DeadLetters.Tell(new DeadLetter(message, _self, _self), _self);
    }

    /// <summary>Handles one user message; failures go to the supervisor.</summary>
    internal void Invoke(object message, IActorRef sender)
    {
        _currentMessage = message;
        _sender = sender;
        try
        {
            if (message is IAutoReceivedMessage)
                AutoReceive(message);
            else
                ReceiveMessage(message);
            if (Timeouts is not null)
                RestartReceiveTimeout(message);
            if (!_awaitsTask)
                _currentMessage = null;
        }
        catch (Exception cause)
        {
            HandleInvokeFailure(cause, null);
        }
    }

    /// <summary>Passes a message through the current behaviour.</summary>
    internal void ReceiveMessage(object message)
    {
        var actor = _actor;
        if (actor is null)
        {
            ToDeadLetters(message, _sender);
            return;
        }
        actor.Dispatch(Behavior, message);
    }

    private void AutoReceive(object message)
    {
        if (_system.Settings.DebugAutoReceive)
            Publish(new Debug(_self.Path.ToString(), ActorType, "received AutoReceiveMessage " + message));
        switch (message)
        {
            case Terminated terminated:
                ReceivedTerminated(terminated);
                break;
            case Kill:
                throw new ActorKilledException("Kill");
            case PoisonPill:
                _self.Stop();
                break;
            case Identify identify:
                Sender.Tell(new ActorIdentity(identify.MessageId, _self), _self);
                break;
            case ActorSelectionMessage selection:
                Akka.Actor.ActorSelection.Deliver(_self, Sender, selection);
                break;
            case TimerMessage timer:
                if (ActiveTimers is not null && timer.BelongsTo(ActiveTimers, out var inner))
                    ReceiveTimer(inner, timer);
                break;
            case ScheduledTell scheduled:
                _currentMessage = scheduled.Message;
                ReceiveMessage(scheduled.Message);
                break;
            default:
                ReceiveMessage(message);
                break;
        }
    }

    private void ReceiveTimer(object inner, TimerMessage timer)
    {
        _currentMessage = inner;
        if (timer.Sender is { } sender)
            _sender = sender;
        if (inner is IAutoReceivedMessage)
            AutoReceive(inner);
        else
            ReceiveMessage(inner);
    }

    /// <inheritdoc/>
    public void Become(Receive receive) => Behavior = receive;

    /// <inheritdoc/>
    public void Become(UntypedReceive receive) => Become(Always(receive));

    /// <inheritdoc/>
    public void BecomeStacked(Receive receive)
    {
        OuterBehaviors ??= new Stack<Receive>();
        OuterBehaviors.Push(Behavior);
        Behavior = receive;
    }

    /// <inheritdoc/>
    public void BecomeStacked(UntypedReceive receive) => BecomeStacked(Always(receive));

    /// <inheritdoc/>
    public void UnbecomeStacked() => Behavior = OuterBehaviors is { Count: > 0 } outer ? outer.Pop() : null;

    private static Receive Always(UntypedReceive receive) =>
        message =>
        {
            receive(message);
            return true;
        };

    internal void Publish(object logEvent)
    {
        try
        {
            _system.EventStream.Publish(logEvent);
        }
        catch (Exception)
        {
            // A logger that fails must not take the actor down with it.
        }
    }

    internal Type ActorType => _actor?.GetType() ?? Props.Type;

    /// <inheritdoc/>
    public ActorSelection ActorSelection(ActorPath actorPath) => _system.Selections.ByPath(actorPath);

    /// <inheritdoc/>
    public ActorSelection ActorSelection(string actorPath) => _system.Selections.FromContext(_self, actorPath);
}
