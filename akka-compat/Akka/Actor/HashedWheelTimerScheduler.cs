using System.Diagnostics;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Akka.Actor;

/// <summary>
/// The scheduler of real time: one thread that sleeps until the next timer is due. It bears the name that
/// configurations know; inside it keeps a heap, so its precision is that of the operating system's wait, not of a tick.
/// </summary>
public sealed class HashedWheelTimerScheduler : SchedulerBase, IDateTimeOffsetNowTimeProvider, IDisposable
{
    private readonly TimerQueue _timers = new();
    private readonly object _gate = new();
    private readonly long _started = Stopwatch.GetTimestamp();
    private Thread _thread;
    private bool _isStopped;

    /// <summary>
    /// The thread starts with the first timer. Nothing is read from the section: ticks and wheel size have no meaning
    /// here.
    /// </summary>
    public HashedWheelTimerScheduler(Config scheduler, ILoggingAdapter log)
        : base(scheduler, log) { }

    /// <inheritdoc/>
    protected override DateTimeOffset TimeNow => DateTimeOffset.UtcNow;

    /// <inheritdoc/>
    public override TimeSpan MonotonicClock => Stopwatch.GetElapsedTime(_started);

    /// <inheritdoc/>
    public override TimeSpan HighResMonotonicClock => MonotonicClock;

    /// <inheritdoc/>
    protected override void InternalScheduleTellOnce(
        TimeSpan delay,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    ) =>
        Add(
            delay,
            TimeSpan.Zero,
            new TimerEntry
            {
                Receiver = receiver,
                Message = message,
                Sender = sender,
                Cancelable = cancelable,
            }
        );

    /// <inheritdoc/>
    protected override void InternalScheduleTellRepeatedly(
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
    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) =>
        Add(delay, TimeSpan.Zero, new TimerEntry { Action = action, Cancelable = cancelable });

    /// <inheritdoc/>
    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) =>
        Add(delay, TimeSpan.Zero, new TimerEntry { Runnable = action, Cancelable = cancelable });

    /// <inheritdoc/>
    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        Action action,
        ICancelable cancelable
    ) => Add(initialDelay, interval, new TimerEntry { Action = action, Cancelable = cancelable });

    /// <inheritdoc/>
    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        IRunnable action,
        ICancelable cancelable
    ) => Add(initialDelay, interval, new TimerEntry { Runnable = action, Cancelable = cancelable });

    private void Add(TimeSpan delay, TimeSpan interval, TimerEntry entry)
    {
        lock (_gate)
        {
            if (_isStopped)
                throw new SchedulerException("cannot enqueue after timer shutdown");
            entry.Due = MonotonicClock.Ticks + delay.Ticks;
            entry.Interval = interval.Ticks;
            var wasFirst = !_timers.TryPeekDue(out var first) || entry.Due < first;
            _timers.Add(entry);
            if (_thread is null)
            {
                _thread = new Thread(Loop) { IsBackground = true, Name = "actor-system-timers" };
                _thread.Start();
            }
            else if (wasFirst)
            {
                Monitor.Pulse(_gate);
            }
        }
    }

    private void Loop()
    {
        while (true)
        {
            TimerEntry entry;
            lock (_gate)
            {
                while (!_timers.TryTake(MonotonicClock.Ticks, out entry))
                {
                    if (_isStopped)
                        return;
                    Wait();
                }
                if (_isStopped)
                    return;
            }
            try
            {
                entry.Fire();
            }
            catch (Exception e)
            {
                Log?.Error(e, "Exception while executing timer task.");
                if (entry.Interval > 0)
                    entry.Cancelable = Cancelable.CreateCanceled();
            }
        }
    }

    private void Wait()
    {
        if (!_timers.TryPeekDue(out var due))
        {
            Monitor.Wait(_gate);
            return;
        }
        // Rounded up: waking early would mean waking again.
        var wait = (due - MonotonicClock.Ticks + TimeSpan.TicksPerMillisecond - 1) / TimeSpan.TicksPerMillisecond;
        if (wait > 0)
            Monitor.Wait(_gate, (int)Math.Min(wait, int.MaxValue));
    }

    /// <summary>Forgets all timers and takes no more.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _isStopped = true;
            Monitor.Pulse(_gate);
        }
    }
}
