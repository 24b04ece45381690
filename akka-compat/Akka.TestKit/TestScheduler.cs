using Akka.Actor;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Akka.TestKit;

/// <summary>A scheduler whose time the test moves.</summary>
public class TestScheduler : IScheduler, IAdvancedScheduler
{
    private readonly TimerQueue _timers = new();
    private readonly object _gate = new();
    private DateTimeOffset _now = DateTimeOffset.UtcNow;
    private readonly DateTimeOffset _start;

    /// <summary>Begins with the time of day. Nothing is read from the section.</summary>
    public TestScheduler(Config schedulerConfig, ILoggingAdapter log)
    {
        _start = _now;
    }

    /// <inheritdoc/>
    public DateTimeOffset Now => _now;

    /// <inheritdoc cref="Now"/>
    protected DateTimeOffset TimeNow => _now;

    /// <inheritdoc/>
    public TimeSpan MonotonicClock => _now - _start;

    /// <inheritdoc/>
    public TimeSpan HighResMonotonicClock => MonotonicClock;

    /// <inheritdoc/>
    public IAdvancedScheduler Advanced => this;

    /// <summary>Moves time on; all that falls due on the way fires, in order, before this returns.</summary>
    public void Advance(TimeSpan offset)
    {
        var target = _now + offset;
        while (TryTake(target, out var entry))
            entry.Fire();
        _now = target;
    }

    /// <summary>Moves time on to a moment; see <see cref="Advance"/>.</summary>
    /// <exception cref="InvalidOperationException">The moment is in the past.</exception>
    public void AdvanceTo(DateTimeOffset when)
    {
        if (when < _now)
            throw new InvalidOperationException("You can't reverse time...");
        Advance(when - _now);
    }

    private bool TryTake(DateTimeOffset until, out TimerEntry entry)
    {
        lock (_gate)
        {
            entry = null;
            if (!_timers.TryPeekDue(out var due) || due > until.UtcTicks)
                return false;
            if (due > _now.UtcTicks)
                _now = new DateTimeOffset(due, TimeSpan.Zero);
            return _timers.TryTake(due, out entry);
        }
    }

    private void Add(TimeSpan delay, TimeSpan interval, TimerEntry entry)
    {
        lock (_gate)
        {
            entry.Due = _now.UtcTicks + delay.Ticks;
            entry.Interval = interval.Ticks;
            _timers.Add(entry);
        }
    }

    /// <inheritdoc/>
    public void ScheduleTellOnce(TimeSpan delay, ICanTell receiver, object message, IActorRef sender) =>
        ScheduleTellOnce(delay, receiver, message, sender, null);

    /// <inheritdoc/>
    public void ScheduleTellOnce(
        TimeSpan delay,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    ) => ScheduleTellRepeatedly(delay, TimeSpan.Zero, receiver, message, sender, cancelable);

    /// <inheritdoc/>
    public void ScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender
    ) => ScheduleTellRepeatedly(initialDelay, interval, receiver, message, sender, null);

    /// <inheritdoc/>
    public void ScheduleTellRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    ) =>
        Add(
            initialDelay,
            interval,
            new TimerEntry
            {
                Receiver = receiver,
                Message = message,
                Sender = sender,
                Cancelable = cancelable,
            }
        );

    /// <inheritdoc/>
    public void ScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) =>
        ScheduleRepeatedly(delay, TimeSpan.Zero, action, cancelable);

    /// <inheritdoc/>
    public void ScheduleOnce(TimeSpan delay, Action action) => ScheduleOnce(delay, action, null);

    /// <inheritdoc/>
    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action, ICancelable cancelable) =>
        Add(initialDelay, interval, new TimerEntry { Action = action, Cancelable = cancelable });

    /// <inheritdoc/>
    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, Action action) =>
        ScheduleRepeatedly(initialDelay, interval, action, null);

    /// <inheritdoc/>
    public void ScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) =>
        ScheduleRepeatedly(delay, TimeSpan.Zero, action, cancelable);

    /// <inheritdoc/>
    public void ScheduleOnce(TimeSpan delay, IRunnable action) => ScheduleOnce(delay, action, null);

    /// <inheritdoc/>
    public void ScheduleRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        IRunnable action,
        ICancelable cancelable
    ) => Add(initialDelay, interval, new TimerEntry { Runnable = action, Cancelable = cancelable });

    /// <inheritdoc/>
    public void ScheduleRepeatedly(TimeSpan initialDelay, TimeSpan interval, IRunnable action) =>
        ScheduleRepeatedly(initialDelay, interval, action, null);
}
