using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Akka.Actor;

/// <summary>Tells the time of an actor system.</summary>
public interface ITimeProvider
{
    /// <summary>The time of day; virtual on a simulated system.</summary>
    DateTimeOffset Now { get; }

    /// <summary>A time that only grows; for intervals.</summary>
    TimeSpan MonotonicClock { get; }

    /// <summary>As MonotonicClock, as fine as the machine can.</summary>
    TimeSpan HighResMonotonicClock { get; }
}

/// <summary>A time provider whose Now is the system's clock.</summary>
public interface IDateTimeOffsetNowTimeProvider : ITimeProvider;

/// <summary>Sends messages later.</summary>
public interface ITellScheduler
{
    /// <summary>Tells the receiver once, after the delay.</summary>
    void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender);

    /// <summary>Tells the receiver once, after the delay, unless cancelled before.</summary>
    void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable);

    /// <summary>Tells the receiver after the initial delay and then at each interval, until the system ends.</summary>
    /// <exception cref="ArgumentOutOfRangeException">
    /// The initial delay is negative, or the interval is not positive.
    /// </exception>
    void ScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender
    );

    /// <summary>Tells the receiver after the initial delay and then at each interval, until it is cancelled.</summary>
    void ScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    );
}

/// <summary>Runs runnables later.</summary>
public interface IRunnableScheduler
{
    /// <summary>Runs once, after the delay, unless cancelled before.</summary>
    void ScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable);

    /// <summary>Runs once, after the delay.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The delay is negative.</exception>
    void ScheduleOnce(TimeSpan delay, IRunnable action);

    /// <summary>
    /// Runs after the initial delay and then at each interval until it is cancelled. What it throws ends it and is
    /// logged; on a simulated system it reaches whoever runs the simulation.
    /// </summary>
    void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable);

    /// <summary>Runs after the initial delay and then at each interval until the system ends, or it throws.</summary>
    void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action);
}

/// <summary>Runs actions later.</summary>
public interface IActionScheduler : IRunnableScheduler
{
    /// <summary>Runs once, after the delay, unless cancelled before.</summary>
    void ScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable);

    /// <summary>Runs once, after the delay.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The delay is negative.</exception>
    void ScheduleOnce(TimeSpan delay, Action action);

    /// <summary>
    /// Runs after the initial delay and then at each interval until it is cancelled. What it throws ends it and is
    /// logged; on a simulated system it reaches whoever runs the simulation.
    /// </summary>
    void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable);

    /// <summary>Runs after the initial delay and then at each interval until the system ends, or it throws.</summary>
    void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action);
}

/// <summary>What is not a message can be scheduled here; it runs outside of any actor.</summary>
public interface IAdvancedScheduler : IActionScheduler;

/// <summary>The clock and the timers of an actor system.</summary>
public interface IScheduler : ITellScheduler, ITimeProvider
{
    /// <summary>Schedules what is not a message.</summary>
    IAdvancedScheduler Advanced { get; }
}

/// <summary>Checks arguments for a scheduler and leaves the rest to it.</summary>
public abstract class SchedulerBase : IScheduler, IAdvancedScheduler
{
    /// <summary>The section akka.scheduler.</summary>
    protected readonly Config SchedulerConfig;

    /// <summary>For failures of what was scheduled; may be null.</summary>
    protected readonly ILoggingAdapter Log;

    /// <summary>The constructor that the runtime calls by reflection must have these parameters too.</summary>
    protected SchedulerBase(Config scheduler, ILoggingAdapter log)
    {
        SchedulerConfig = scheduler;
        Log = log;
    }

    IAdvancedScheduler IScheduler.Advanced => this;
    DateTimeOffset ITimeProvider.Now => TimeNow;

    /// <summary>The time of day, behind <see cref="ITimeProvider.Now"/>.</summary>
    protected abstract DateTimeOffset TimeNow { get; }

    /// <inheritdoc/>
    public abstract TimeSpan MonotonicClock { get; }

    /// <inheritdoc/>
    public abstract TimeSpan HighResMonotonicClock { get; }

    /// <summary>
    /// Does the work of <see cref="ITellScheduler"/>; arguments are checked, the cancelable may be null.
    /// </summary>
    protected abstract void InternalScheduleTellOnce(
        TimeSpan delay,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    );

    /// <summary>
    /// Does the work of <see cref="ITellScheduler"/>; arguments are checked, the cancelable may be null.
    /// </summary>
    protected abstract void InternalScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    );

    /// <summary>Does the work of scheduling; arguments are checked, the cancelable may be null.</summary>
    protected abstract void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable);

    /// <summary>Does the work of scheduling; arguments are checked, the cancelable may be null.</summary>
    protected abstract void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable);

    /// <summary>Does the work of scheduling; arguments are checked, the cancelable may be null.</summary>
    protected abstract void InternalScheduleRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        Action action,
        ICancelable cancelable
    );

    /// <summary>Does the work of scheduling; arguments are checked, the cancelable may be null.</summary>
    protected abstract void InternalScheduleRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        IRunnable action,
        ICancelable cancelable
    );

    /// <summary>Throws unless the interval is positive.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is not.</exception>
    protected static void ValidateInterval(TimeSpan interval, string parameterName)
    {
        if (interval <= TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(parameterName, $"Interval must be > 0. It was {interval}");
    }

    /// <summary>Throws when the delay is negative.</summary>
    /// <exception cref="ArgumentOutOfRangeException">It is.</exception>
    protected static void ValidateDelay(TimeSpan delay, string parameterName)
    {
        if (delay < TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(parameterName, $"Delay must be >= 0. It was {delay}");
    }

    void ITellScheduler.ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender) =>
        TellOnce(delay, receiver, message, sender, null);

    void ITellScheduler.ScheduleTellOnce(
        TimeSpan delay,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    ) => TellOnce(delay, receiver, message, sender, cancelable);

    void ITellScheduler.ScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender
    ) => TellRepeatedly(initialDelay, interval, receiver, message, sender, null);

    void ITellScheduler.ScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    ) => TellRepeatedly(initialDelay, interval, receiver, message, sender, cancelable);

    private void TellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender, ICancelable cancelable)
    {
        ValidateDelay(delay, nameof(delay));
        InternalScheduleTellOnce(delay, receiver, message, sender, cancelable);
    }

    private void TellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    )
    {
        ValidateDelay(initialDelay, nameof(initialDelay));
        ValidateInterval(interval, nameof(interval));
        InternalScheduleTellRepeatedly(initialDelay, interval, receiver, message, sender, cancelable);
    }

    void IActionScheduler.ScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) =>
        Once(delay, action, cancelable);

    void IActionScheduler.ScheduleOnce(TimeSpan delay, Action action) => Once(delay, action, null);

    private void Once(TimeSpan delay, Action action, ICancelable cancelable)
    {
        ValidateDelay(delay, nameof(delay));
        InternalScheduleOnce(delay, action, cancelable);
    }

    void IActionScheduler.ScheduleRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        Action action,
        ICancelable cancelable
    ) => Repeatedly(initialDelay, interval, action, cancelable);

    void IActionScheduler.ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action) =>
        Repeatedly(initialDelay, interval, action, null);

    private void Repeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable)
    {
        ValidateDelay(initialDelay, nameof(initialDelay));
        ValidateInterval(interval, nameof(interval));
        InternalScheduleRepeatedly(initialDelay, interval, action, cancelable);
    }

    /// <inheritdoc/>
    public void ScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable)
    {
        ValidateDelay(delay, nameof(delay));
        InternalScheduleOnce(delay, action, cancelable);
    }

    /// <inheritdoc/>
    public void ScheduleOnce(TimeSpan delay, IRunnable action) => ScheduleOnce(delay, action, null);

    /// <inheritdoc/>
    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action, ICancelable cancelable)
    {
        ValidateDelay(initialDelay, nameof(initialDelay));
        ValidateInterval(interval, nameof(interval));
        InternalScheduleRepeatedly(initialDelay, interval, action, cancelable);
    }

    /// <inheritdoc/>
    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action) =>
        ScheduleRepeatedly(initialDelay, interval, action, null);
}

/// <summary>Shorter ways to schedule.</summary>
public static class SchedulerExtensions
{
    /// <summary>Delay in milliseconds.</summary>
    public static void ScheduleTellOnce(
        this ITellScheduler scheduler,
        int millisecondsDelay,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable = null
    ) => scheduler.ScheduleTellOnce(Ms(millisecondsDelay), receiver, message, sender, cancelable);

    /// <summary>Delay and interval in milliseconds.</summary>
    public static void ScheduleTellRepeatedly(
        this ITellScheduler scheduler,
        int initialMillisecondsDelay,
        int millisecondsInterval,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable = null
    ) =>
        scheduler.ScheduleTellRepeatedly(
            Ms(initialMillisecondsDelay),
            Ms(millisecondsInterval),
            receiver,
            message,
            sender,
            cancelable
        );

    /// <summary>Tells once; what it returns calls it off.</summary>
    public static ICancelable ScheduleTellOnceCancelable(
        this IScheduler scheduler,
        TimeSpan delay,
        ICanTell receiver,
        object message,
        IActorRef sender
    )
    {
        var cancelable = new Cancelable(scheduler.Advanced);
        scheduler.ScheduleTellOnce(delay, receiver, message, sender, cancelable);
        return cancelable;
    }

    /// <summary>Tells once, after milliseconds; what it returns calls it off.</summary>
    public static ICancelable ScheduleTellOnceCancelable(
        this IScheduler scheduler,
        int millisecondsDelay,
        ICanTell receiver,
        object message,
        IActorRef sender
    ) => scheduler.ScheduleTellOnceCancelable(Ms(millisecondsDelay), receiver, message, sender);

    /// <summary>Tells again and again; what it returns ends it.</summary>
    public static ICancelable ScheduleTellRepeatedlyCancelable(
        this IScheduler scheduler,
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender
    )
    {
        var cancelable = new Cancelable(scheduler.Advanced);
        scheduler.ScheduleTellRepeatedly(initialDelay, interval, receiver, message, sender, cancelable);
        return cancelable;
    }

    /// <summary>Tells again and again, in milliseconds; what it returns ends it.</summary>
    public static ICancelable ScheduleTellRepeatedlyCancelable(
        this IScheduler scheduler,
        int initialMillisecondsDelay,
        int millisecondsInterval,
        ICanTell receiver,
        object message,
        IActorRef sender
    ) =>
        scheduler.ScheduleTellRepeatedlyCancelable(
            Ms(initialMillisecondsDelay),
            Ms(millisecondsInterval),
            receiver,
            message,
            sender
        );

    /// <summary>Delay in milliseconds.</summary>
    public static void ScheduleOnce(
        this IActionScheduler scheduler,
        int millisecondsDelay,
        Action action,
        ICancelable cancelable = null
    ) => scheduler.ScheduleOnce(Ms(millisecondsDelay), action, cancelable);

    /// <summary>Delay and interval in milliseconds.</summary>
    public static void ScheduleRepeatedly(
        this IActionScheduler scheduler,
        int initialMillisecondsDelay,
        int millisecondsInterval,
        Action action,
        ICancelable cancelable = null
    ) => scheduler.ScheduleRepeatedly(Ms(initialMillisecondsDelay), Ms(millisecondsInterval), action, cancelable);

    /// <summary>Runs once; what it returns calls it off.</summary>
    public static ICancelable ScheduleOnceCancelable(this IActionScheduler scheduler, TimeSpan delay, Action action)
    {
        var cancelable = new Cancelable(scheduler);
        scheduler.ScheduleOnce(delay, action, cancelable);
        return cancelable;
    }

    /// <summary>Runs once, after milliseconds; what it returns calls it off.</summary>
    public static ICancelable ScheduleOnceCancelable(
        this IActionScheduler scheduler,
        int millisecondsDelay,
        Action action
    ) => scheduler.ScheduleOnceCancelable(Ms(millisecondsDelay), action);

    /// <summary>Runs again and again; what it returns ends it.</summary>
    public static ICancelable ScheduleRepeatedlyCancelable(
        this IActionScheduler scheduler,
        TimeSpan initialDelay,
        TimeSpan interval,
        Action action
    )
    {
        var cancelable = new Cancelable(scheduler);
        scheduler.ScheduleRepeatedly(initialDelay, interval, action, cancelable);
        return cancelable;
    }

    /// <summary>Runs again and again, in milliseconds; what it returns ends it.</summary>
    public static ICancelable ScheduleRepeatedlyCancelable(
        this IActionScheduler scheduler,
        int initialMillisecondsDelay,
        int millisecondsInterval,
        Action action
    ) => scheduler.ScheduleRepeatedlyCancelable(Ms(initialMillisecondsDelay), Ms(millisecondsInterval), action);

    private static TimeSpan Ms(int milliseconds) => TimeSpan.FromMilliseconds(milliseconds);
}
