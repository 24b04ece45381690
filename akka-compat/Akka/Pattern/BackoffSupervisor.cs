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

    /// <summary>What the child is made from.</summary>
    protected Props ChildProps { get; }

    /// <summary>The child's name.</summary>
    protected string ChildName { get; }

    /// <summary>When the pauses start from the shortest again.</summary>
    protected IBackoffReset Reset { get; }

    /// <summary>The answer to messages that come while there is no child; null makes them dead letters.</summary>
    protected object ReplyWhileStopped { get; }

    /// <summary>Which message is the last; null for none.</summary>
    protected Func<object, bool> FinalStopMessage { get; }

    /// <summary>The child; null while there is none.</summary>
    protected IActorRef Child { get; set; }

    /// <summary>New starts since the last reset.</summary>
    protected int RestartCountN { get; set; }

    /// <summary>Whether the last message came, so that the child's next end is the supervisor's too.</summary>
    protected bool FinalStopMessageReceived { get; set; }

    /// <inheritdoc/>
    protected override void PreStart()
    {
        StartChildActor();
        base.PreStart();
    }

    private void StartChildActor() => Child ??= Context.Watch(Context.ActorOf(ChildProps, ChildName));

    internal void ScheduleStart(TimeSpan delay) =>
        Context.System.Scheduler.ScheduleTellOnce(delay, Self, BackoffSupervisor.StartChild.Instance, Self);

    /// <summary>
    /// Handles the messages of this class and passes all others on: the child's to the parent, everybody else's to the
    /// child.
    /// </summary>
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

    /// <summary>Resets by itself when the child has lived for the shortest pause; with the default strategy.</summary>
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

    /// <summary>
    /// The random factor makes each pause up to so much longer, 0.2 being 20 %. A one-for-one strategy also limits the
    /// new starts. Nothing is checked here; <see cref="Props(Props, string, TimeSpan, TimeSpan, double)"/> does.
    /// </summary>
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

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => _strategy;

    /// <inheritdoc/>
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

    /// <summary>A supervisor with the default strategy that resets by itself.</summary>
    /// <exception cref="ArgumentException">
    /// The shortest pause is not positive, the longest is below it, or the factor is not within 0 and 1.
    /// </exception>
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

    /// <summary>
    /// As <see cref="Props(Props, string, TimeSpan, TimeSpan, double)"/>; it stops after so many new starts without a
    /// reset.
    /// </summary>
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

    /// <summary>A supervisor as described.</summary>
    /// <exception cref="ArgumentException">
    /// The shortest pause is not positive, the longest is below it, or the factor is not within 0 and 1.
    /// </exception>
    public static Props Props(BackoffOptions options) => options.Props;

    /// <summary>
    /// As <see cref="Props(Props, string, TimeSpan, TimeSpan, double)"/>, with a strategy for the child's failures; a
    /// one-for-one strategy also limits the new starts.
    /// </summary>
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
        /// <summary>The only one.</summary>
        public static readonly GetCurrentChild Instance = new();

        private GetCurrentChild() { }
    }

    /// <summary>The child, or null while there is none.</summary>
    public sealed class CurrentChild(IActorRef @ref)
    {
        /// <summary>The child; null while there is none.</summary>
        public IActorRef Ref { get; } = @ref;
    }

    /// <summary>Says that all is well: the pauses start from the shortest again.</summary>
    public new sealed class Reset
    {
        /// <summary>The only one.</summary>
        public static readonly Reset Instance = new();

        private Reset() { }
    }

    /// <summary>Asks how often the child was started again; answered with RestartCount.</summary>
    public sealed class GetRestartCount
    {
        /// <summary>The only one.</summary>
        public static readonly GetRestartCount Instance = new();

        private GetRestartCount() { }
    }

    /// <summary>How often the child was started again since the last reset.</summary>
    public sealed class RestartCount(int count)
    {
        /// <summary>New starts since the last reset.</summary>
        public int Count { get; } = count;
    }

    /// <summary>The pause is over.</summary>
    public sealed class StartChild : IDeadLetterSuppression
    {
        /// <summary>The only one.</summary>
        public static readonly StartChild Instance = new();

        private StartChild() { }
    }

    /// <summary>The child has lived long enough, unless it was started again since.</summary>
    public sealed class ResetRestartCount(int current) : IDeadLetterSuppression
    {
        /// <summary>The count at the child's start; a reset happens only if it is still that.</summary>
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

    /// <summary>Made by <see cref="BackoffOptions"/> alone, which checks the arguments.</summary>
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
