using Akka.Util;

namespace Akka.Actor;

/// <summary>The decision for a failed child concerns that child alone.</summary>
public class OneForOneStrategy : SupervisorStrategy, IEquatable<OneForOneStrategy>
{
    private readonly IDecider _decider;

    /// <summary>With the default decider; any number of restarts.</summary>
    protected OneForOneStrategy()
        : this(DefaultDecider) { }

    /// <summary>Null for the retries is any number, null for the window all time.</summary>
    public OneForOneStrategy(
        int? maxNrOfRetries,
        TimeSpan? withinTimeRange,
        Func<Exception, Directive> localOnlyDecider
    )
        : this(maxNrOfRetries, withinTimeRange, Actor.Decider.From(localOnlyDecider)) { }

    /// <summary>Null for the retries is any number, null for the window all time.</summary>
    public OneForOneStrategy(int? maxNrOfRetries, TimeSpan? withinTimeRange, IDecider decider)
        : this(maxNrOfRetries ?? -1, (int)(withinTimeRange?.TotalMilliseconds ?? -1), decider) { }

    /// <summary>
    /// Retries: negative is any number, 0 none; a window with a negative number allows one restart in it. The window is
    /// in milliseconds, not positive for all time.
    /// </summary>
    public OneForOneStrategy(
        int maxNrOfRetries,
        int withinTimeMilliseconds,
        Func<Exception, Directive> localOnlyDecider,
        bool loggingEnabled = true
    )
        : this(maxNrOfRetries, withinTimeMilliseconds, Actor.Decider.From(localOnlyDecider), loggingEnabled) { }

    /// <summary>
    /// Retries: negative is any number, 0 none; a window with a negative number allows one restart in it. The window is
    /// in milliseconds, not positive for all time.
    /// </summary>
    public OneForOneStrategy(
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
    public OneForOneStrategy(Func<Exception, Directive> localOnlyDecider)
        : this(-1, -1, localOnlyDecider) { }

    /// <summary>Any number of restarts.</summary>
    public OneForOneStrategy(Func<Exception, Directive> localOnlyDecider, bool loggingEnabled = true)
        : this(-1, -1, localOnlyDecider, loggingEnabled) { }

    /// <summary>Any number of restarts.</summary>
    public OneForOneStrategy(IDecider decider)
        : this(-1, -1, decider) { }

    /// <summary>Restarts that a child may use up; negative for any number.</summary>
    public int MaxNumberOfRetries { get; }

    /// <summary>The window in which restarts count; not positive for all time.</summary>
    public int WithinTimeRangeMilliseconds { get; }

    /// <inheritdoc/>
    public override IDecider Decider => _decider;

    /// <summary>A copy with another limit.</summary>
    public OneForOneStrategy WithMaxNrOfRetries(int maxNrOfRetries) =>
        new(maxNrOfRetries, WithinTimeRangeMilliseconds, _decider, LoggingEnabled);

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
        if (restart && stats.RequestRestartPermission(MaxNumberOfRetries, WithinTimeRangeMilliseconds))
            RestartChild(child, cause, suspendFirst: false);
        else
            context.Stop(child);
    }

    /// <inheritdoc/>
    public override void HandleChildTerminated(
        IActorContext actorContext,
        IActorRef child,
        IEnumerable<IInternalActorRef> children
    ) { }

    /// <inheritdoc/>
    public override ISurrogate ToSurrogate(ActorSystem system) =>
        new OneForOneStrategySurrogate
        {
            MaxNumberOfRetries = MaxNumberOfRetries,
            WithinTimeRangeMilliseconds = WithinTimeRangeMilliseconds,
            Decider = Decider,
            LoggingEnabled = LoggingEnabled,
        };

    /// <summary>
    /// Compares limits, logging and the decider; deciders that are code are equal only when they are the same.
    /// </summary>
    public bool Equals(OneForOneStrategy other) =>
        other is not null
        && MaxNumberOfRetries == other.MaxNumberOfRetries
        && WithinTimeRangeMilliseconds == other.WithinTimeRangeMilliseconds
        && LoggingEnabled == other.LoggingEnabled
        && Equals(Decider, other.Decider);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as OneForOneStrategy);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(MaxNumberOfRetries, WithinTimeRangeMilliseconds);

    /// <summary>The serializable form of the strategy.</summary>
    public class OneForOneStrategySurrogate : ISurrogate
    {
        /// <inheritdoc cref="OneForOneStrategy.MaxNumberOfRetries"/>
        public int MaxNumberOfRetries { get; set; }

        /// <inheritdoc cref="OneForOneStrategy.WithinTimeRangeMilliseconds"/>
        public int WithinTimeRangeMilliseconds { get; set; }

        /// <inheritdoc cref="OneForOneStrategy.Decider"/>
        public IDecider Decider { get; set; }

        /// <summary>Whether failures are logged.</summary>
        public bool LoggingEnabled { get; set; }

        /// <inheritdoc/>
        public ISurrogated FromSurrogate(ActorSystem system) =>
            new OneForOneStrategy(MaxNumberOfRetries, WithinTimeRangeMilliseconds, Decider, LoggingEnabled);
    }
}
