using Akka.Util;

namespace Akka.Actor;

/// <summary>The decision for a failed child concerns all children.</summary>
public class AllForOneStrategy : SupervisorStrategy, IEquatable<AllForOneStrategy>
{
    private readonly IDecider _decider;

    /// <summary>With the default decider; any number of restarts.</summary>
    protected AllForOneStrategy()
        : this(DefaultDecider) { }

    /// <summary>Null for the retries is any number, null for the window all time.</summary>
    public AllForOneStrategy(
        int? maxNrOfRetries,
        TimeSpan? withinTimeRange,
        Func<Exception, Directive> localOnlyDecider
    )
        : this(maxNrOfRetries, withinTimeRange, Actor.Decider.From(localOnlyDecider)) { }

    /// <summary>Null for the retries is any number, null for the window all time.</summary>
    public AllForOneStrategy(int? maxNrOfRetries, TimeSpan? withinTimeRange, IDecider decider)
        : this(maxNrOfRetries ?? -1, (int)(withinTimeRange?.TotalMilliseconds ?? -1), decider) { }

    /// <summary>
    /// Retries: negative is any number, 0 none; a window with a negative number allows one restart in it. The window is
    /// in milliseconds, not positive for all time. Each child has its own count, and one that has used it up stops them
    /// all.
    /// </summary>
    public AllForOneStrategy(
        int maxNrOfRetries,
        int withinTimeMilliseconds,
        Func<Exception, Directive> localOnlyDecider,
        bool loggingEnabled = true
    )
        : this(maxNrOfRetries, withinTimeMilliseconds, Actor.Decider.From(localOnlyDecider), loggingEnabled) { }

    /// <summary>
    /// Retries: negative is any number, 0 none; a window with a negative number allows one restart in it. The window is
    /// in milliseconds, not positive for all time. Each child has its own count, and one that has used it up stops them
    /// all.
    /// </summary>
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

    /// <summary>Any number of restarts.</summary>
    public AllForOneStrategy(Func<Exception, Directive> localOnlyDecider)
        : this(-1, -1, localOnlyDecider) { }

    /// <summary>Any number of restarts.</summary>
    public AllForOneStrategy(IDecider decider)
        : this(-1, -1, decider) { }

    /// <summary>Restarts that a child may use up; negative for any number.</summary>
    public int MaxNumberOfRetries { get; }

    /// <summary>The window in which restarts count; not positive for all time.</summary>
    public int WithinTimeRangeMilliseconds { get; }

    /// <inheritdoc/>
    public override IDecider Decider => _decider;

    /// <inheritdoc/>
    protected override Directive Handle(IActorRef child, Exception exception) => _decider.Decide(exception);

    /// <inheritdoc/>
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

    /// <inheritdoc/>
    public override void HandleChildTerminated(
        IActorContext actorContext,
        IActorRef child,
        IEnumerable<IInternalActorRef> children
    ) { }

    /// <inheritdoc/>
    public override ISurrogate ToSurrogate(ActorSystem system) =>
        new AllForOneStrategySurrogate
        {
            MaxNumberOfRetries = MaxNumberOfRetries,
            WithinTimeRangeMilliseconds = WithinTimeRangeMilliseconds,
            Decider = Decider,
            LoggingEnabled = LoggingEnabled,
        };

    /// <summary>
    /// Compares limits, logging and the decider; deciders that are code are equal only when they are the same.
    /// </summary>
    public bool Equals(AllForOneStrategy other) =>
        other is not null
        && MaxNumberOfRetries == other.MaxNumberOfRetries
        && WithinTimeRangeMilliseconds == other.WithinTimeRangeMilliseconds
        && LoggingEnabled == other.LoggingEnabled
        && Equals(Decider, other.Decider);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as AllForOneStrategy);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(MaxNumberOfRetries, WithinTimeRangeMilliseconds);

    /// <summary>The serializable form of the strategy.</summary>
    public class AllForOneStrategySurrogate : ISurrogate
    {
        /// <inheritdoc cref="AllForOneStrategy.MaxNumberOfRetries"/>
        public int MaxNumberOfRetries { get; set; }

        /// <inheritdoc cref="AllForOneStrategy.WithinTimeRangeMilliseconds"/>
        public int WithinTimeRangeMilliseconds { get; set; }

        /// <inheritdoc cref="AllForOneStrategy.Decider"/>
        public IDecider Decider { get; set; }

        /// <summary>Whether failures are logged.</summary>
        public bool LoggingEnabled { get; set; }

        /// <inheritdoc/>
        public ISurrogated FromSurrogate(ActorSystem system) =>
            new AllForOneStrategy(MaxNumberOfRetries, WithinTimeRangeMilliseconds, Decider, LoggingEnabled);
    }
}
