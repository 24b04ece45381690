using Akka.Actor;
using Akka.Event;

namespace Akka.Pattern;

/// <summary>What supervisors that wait before they start their child again have in common.</summary>
public abstract class BackoffSupervisorBase : ActorBase
{
    internal BackoffSupervisorBase(
        Props childProps,
        string childName,
        IBackoffReset reset,
        object replyWhileStopped,
        Func<object, bool> finalStopMessage
    )
    {
        ChildProps = childProps;
        ChildName = childName;
        Reset = reset;
        ReplyWhileStopped = replyWhileStopped;
        FinalStopMessage = finalStopMessage;
    }

    protected Props ChildProps { get; }
    protected string ChildName { get; }
    protected IBackoffReset Reset { get; }
    protected object ReplyWhileStopped { get; }
    protected Func<object, bool> FinalStopMessage { get; }
    protected IActorRef Child { get; set; }
    protected int RestartCountN { get; set; }
    protected bool FinalStopMessageReceived { get; set; }

    protected override void PreStart()
    {
        StartChildActor();
        base.PreStart();
    }

    private void StartChildActor() => Child ??= Context.Watch(Context.ActorOf(ChildProps, ChildName));

    internal void ScheduleStart(TimeSpan delay) =>
        Context.System.Scheduler.ScheduleTellOnce(delay, Self, BackoffSupervisor.StartChild.Instance, Self);

    protected bool HandleBackoff(object message)
    {
        switch (message)
        {
            case BackoffSupervisor.StartChild:
                StartChildActor();
                if (Reset is AutoReset auto)
                    Context.System.Scheduler.ScheduleTellOnce(
                        auto.ResetBackoff,
                        Self,
                        new BackoffSupervisor.ResetRestartCount(RestartCountN),
                        Self
                    );
                return true;
            case BackoffSupervisor.Reset:
                if (Reset is ManualReset)
                    RestartCountN = 0;
                else
                    Unhandled(message);
                return true;
            case BackoffSupervisor.ResetRestartCount count:
                if (count.Current == RestartCountN)
                    RestartCountN = 0;
                return true;
            case BackoffSupervisor.GetRestartCount:
                Sender.Tell(new BackoffSupervisor.RestartCount(RestartCountN));
                return true;
            case BackoffSupervisor.GetCurrentChild:
                Sender.Tell(new BackoffSupervisor.CurrentChild(Child));
                return true;
            default:
                PassOn(message);
                return true;
        }
    }

    /// <summary>From the child to the parent, from everybody else to the child.</summary>
    private void PassOn(object message)
    {
        var isFinal = FinalStopMessage?.Invoke(message) ?? false;
        if (Child is not null)
        {
            if (Child.Equals(Sender))
            {
                Context.Parent.Forward(message);
                return;
            }
            Child.Forward(message);
            FinalStopMessageReceived |= isFinal;
            return;
        }
        if (ReplyWhileStopped is not null)
            Sender.Tell(ReplyWhileStopped);
        else
            Context.System.DeadLetters.Forward(message);
        if (isFinal)
            Context.Stop(Self);
    }
}

/// <summary>Starts its child again, after a growing pause, whenever it has stopped.</summary>
public sealed class BackoffSupervisor : BackoffSupervisorBase
{
    private readonly TimeSpan _min;
    private readonly TimeSpan _max;
    private readonly double _randomFactor;
    private readonly SupervisorStrategy _strategy;

    public BackoffSupervisor(
        Props childProps,
        string childName,
        TimeSpan minBackoff,
        TimeSpan maxBackoff,
        double randomFactor
    )
        : this(
            childProps,
            childName,
            minBackoff,
            maxBackoff,
            new AutoReset(minBackoff),
            randomFactor,
            Akka.Actor.SupervisorStrategy.DefaultStrategy
        ) { }

    public BackoffSupervisor(
        Props childProps,
        string childName,
        TimeSpan minBackoff,
        TimeSpan maxBackoff,
        IBackoffReset reset,
        double randomFactor,
        SupervisorStrategy strategy,
        object replyWhileStopped = null,
        Func<object, bool> finalStopMessage = null
    )
        : base(childProps, childName, reset, replyWhileStopped, finalStopMessage)
    {
        _min = minBackoff;
        _max = maxBackoff;
        _randomFactor = randomFactor;
        _strategy = strategy;
    }

    protected override SupervisorStrategy SupervisorStrategy() => _strategy;

    protected override bool Receive(object message)
    {
        if (message is Terminated terminated && terminated.ActorRef.Equals(Child))
        {
            ChildGone();
            return true;
        }
        return HandleBackoff(message);
    }

    private void ChildGone()
    {
        Child = null;
        var limit = _strategy is OneForOneStrategy one ? one.MaxNumberOfRetries : -1;
        if (FinalStopMessageReceived || (limit >= 0 && RestartCountN >= limit))
        {
            Context.Stop(Self);
            return;
        }
        ScheduleStart(BackoffDelay.Of(RestartCountN, _min, _max, _randomFactor));
        RestartCountN++;
    }

    public static Props Props(
        Props childProps,
        string childName,
        TimeSpan minBackoff,
        TimeSpan maxBackoff,
        double randomFactor
    ) =>
        PropsWithSupervisorStrategy(
            childProps,
            childName,
            minBackoff,
            maxBackoff,
            randomFactor,
            Akka.Actor.SupervisorStrategy.DefaultStrategy
        );

    public static Props Props(
        Props childProps,
        string childName,
        TimeSpan minBackoff,
        TimeSpan maxBackoff,
        double randomFactor,
        int maxNrOfRetries
    ) =>
        PropsWithSupervisorStrategy(
            childProps,
            childName,
            minBackoff,
            maxBackoff,
            randomFactor,
            new OneForOneStrategy(Akka.Actor.SupervisorStrategy.DefaultDecider).WithMaxNrOfRetries(maxNrOfRetries)
        );

    public static Props Props(BackoffOptions options) => options.Props;

    public static Props PropsWithSupervisorStrategy(
        Props childProps,
        string childName,
        TimeSpan minBackoff,
        TimeSpan maxBackoff,
        double randomFactor,
        SupervisorStrategy strategy
    )
    {
        BackoffDelay.Validate(minBackoff, maxBackoff, randomFactor);
        var reset = new AutoReset(minBackoff);
        return Actor.Props.Create(() =>
            new BackoffSupervisor(
                childProps,
                childName,
                minBackoff,
                maxBackoff,
                reset,
                randomFactor,
                strategy,
                null,
                null
            )
        );
    }

    /// <summary>Asks for the child; answered with CurrentChild.</summary>
    public sealed class GetCurrentChild
    {
        public static readonly GetCurrentChild Instance = new();

        private GetCurrentChild() { }
    }

    /// <summary>The child, or null while there is none.</summary>
    public sealed class CurrentChild(IActorRef @ref)
    {
        public IActorRef Ref { get; } = @ref;
    }

    /// <summary>Says that all is well: the pauses start from the shortest again.</summary>
    public new sealed class Reset
    {
        public static readonly Reset Instance = new();

        private Reset() { }
    }

    /// <summary>Asks how often the child was started again; answered with RestartCount.</summary>
    public sealed class GetRestartCount
    {
        public static readonly GetRestartCount Instance = new();

        private GetRestartCount() { }
    }

    /// <summary>How often the child was started again since the last reset.</summary>
    public sealed class RestartCount(int count)
    {
        public int Count { get; } = count;
    }

    /// <summary>The pause is over.</summary>
    public sealed class StartChild : IDeadLetterSuppression
    {
        public static readonly StartChild Instance = new();

        private StartChild() { }
    }

    /// <summary>The child has lived long enough, unless it was started again since.</summary>
    public sealed class ResetRestartCount(int current) : IDeadLetterSuppression
    {
        public int Current { get; } = current;
    }
}

/// <summary>Starts its child again, after a growing pause, whenever it has failed.</summary>
internal sealed class BackoffOnRestartSupervisor : BackoffSupervisorBase
{
    private readonly TimeSpan _min;
    private readonly TimeSpan _max;
    private readonly double _randomFactor;
    private readonly OneForOneStrategy _strategy;

    /// <summary>Set between a failure and the child's death: the pause that follows.</summary>
    private TimeSpan? _pauseAfterDeath;

    public BackoffOnRestartSupervisor(
        Props childProps,
        string childName,
        TimeSpan min,
        TimeSpan max,
        IBackoffReset reset,
        double randomFactor,
        OneForOneStrategy strategy,
        object replyWhileStopped
    )
        : base(childProps, childName, reset, replyWhileStopped, null)
    {
        _min = min;
        _max = max;
        _randomFactor = randomFactor;
        _strategy = strategy;
    }

    protected override SupervisorStrategy SupervisorStrategy() =>
        new OneForOneStrategy(
            _strategy.MaxNumberOfRetries,
            _strategy.WithinTimeRangeMilliseconds,
            Decider.From(cause =>
            {
                var directive = _strategy.Decider.Decide(cause);
                return directive == Directive.Restart ? StopInsteadOfRestart() : directive;
            })
        );

    private Directive StopInsteadOfRestart()
    {
        var limit = _strategy.MaxNumberOfRetries;
        if (limit >= 0 && RestartCountN >= limit)
        {
            Context.Stop(Self);
            return Directive.Stop;
        }
        _pauseAfterDeath = BackoffDelay.Of(RestartCountN, _min, _max, _randomFactor);
        RestartCountN++;
        return Directive.Stop;
    }

    protected override bool Receive(object message)
    {
        if (message is not Terminated terminated || !terminated.ActorRef.Equals(Child))
            return HandleBackoff(message);
        Child = null;
        if (_pauseAfterDeath is { } pause)
        {
            _pauseAfterDeath = null;
            ScheduleStart(pause);
        }
        else
        {
            Context.Stop(Self);
        }
        return true;
    }
}
