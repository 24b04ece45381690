using Akka.Util;

namespace Akka.Actor;

/// <summary>The decision for a failed child concerns all children.</summary>
public class AllForOneStrategy : SupervisorStrategy, IEquatable<AllForOneStrategy>
{
    private readonly IDecider _decider;

    protected AllForOneStrategy()
        : this(DefaultDecider) { }

    public AllForOneStrategy(
        int? maxNrOfRetries,
        TimeSpan? withinTimeRange,
        Func<Exception, Directive> localOnlyDecider
    )
        : this(maxNrOfRetries, withinTimeRange, Actor.Decider.From(localOnlyDecider)) { }

    public AllForOneStrategy(int? maxNrOfRetries, TimeSpan? withinTimeRange, IDecider decider)
        : this(maxNrOfRetries ?? -1, (int)(withinTimeRange?.TotalMilliseconds ?? -1), decider) { }

    public AllForOneStrategy(
        int maxNrOfRetries,
        int withinTimeMilliseconds,
        Func<Exception, Directive> localOnlyDecider,
        bool loggingEnabled = true
    )
        : this(maxNrOfRetries, withinTimeMilliseconds, Actor.Decider.From(localOnlyDecider), loggingEnabled) { }

    public AllForOneStrategy(
        int maxNrOfRetries,
        int withinTimeMilliseconds,
        IDecider decider,
        bool loggingEnabled = true
    )
    {
        MaxNumberOfRetries = maxNrOfRetries;
        WithinTimeRangeMilliseconds = withinTimeMilliseconds;
        _decider = decider;
        LoggingEnabled = loggingEnabled;
    }

    public AllForOneStrategy(Func<Exception, Directive> localOnlyDecider)
        : this(-1, -1, localOnlyDecider) { }

    public AllForOneStrategy(IDecider decider)
        : this(-1, -1, decider) { }

    /// <summary>Restarts that a child may use up; negative for any number.</summary>
    public int MaxNumberOfRetries { get; }

    /// <summary>The window in which restarts count; not positive for all time.</summary>
    public int WithinTimeRangeMilliseconds { get; }

    public override IDecider Decider => _decider;

    protected override Directive Handle(IActorRef child, Exception exception) => _decider.Decide(exception);

    public override void ProcessFailure(
        IActorContext context,
        bool restart,
        IActorRef child,
        Exception cause,
        ChildRestartStats stats,
        IReadOnlyCollection<ChildRestartStats> children
    )
    {
        var all = restart;
        foreach (var each in children)
            all &= each.RequestRestartPermission(MaxNumberOfRetries, WithinTimeRangeMilliseconds);
        foreach (var each in children)
        {
            if (all)
                RestartChild(each.Child, cause, suspendFirst: !each.Child.Equals(child));
            else
                context.Stop(each.Child);
        }
    }

    public override void HandleChildTerminated(
        IActorContext actorContext,
        IActorRef child,
        IEnumerable<IInternalActorRef> children
    ) { }

    public override ISurrogate ToSurrogate(ActorSystem system) =>
        new AllForOneStrategySurrogate
        {
            MaxNumberOfRetries = MaxNumberOfRetries,
            WithinTimeRangeMilliseconds = WithinTimeRangeMilliseconds,
            Decider = Decider,
            LoggingEnabled = LoggingEnabled,
        };

    public bool Equals(AllForOneStrategy other) =>
        other is not null
        && MaxNumberOfRetries == other.MaxNumberOfRetries
        && WithinTimeRangeMilliseconds == other.WithinTimeRangeMilliseconds
        && LoggingEnabled == other.LoggingEnabled
        && Equals(Decider, other.Decider);

    public override bool Equals(object obj) => Equals(obj as AllForOneStrategy);

    public override int GetHashCode() => HashCode.Combine(MaxNumberOfRetries, WithinTimeRangeMilliseconds);

    /// <summary>The serializable form of the strategy.</summary>
    public class AllForOneStrategySurrogate : ISurrogate
    {
        public int MaxNumberOfRetries { get; set; }
        public int WithinTimeRangeMilliseconds { get; set; }
        public IDecider Decider { get; set; }
        public bool LoggingEnabled { get; set; }

        public ISurrogated FromSurrogate(ActorSystem system) =>
            new AllForOneStrategy(MaxNumberOfRetries, WithinTimeRangeMilliseconds, Decider, LoggingEnabled);
    }
}
