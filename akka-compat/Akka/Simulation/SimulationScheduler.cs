using Akka.Actor;
using Akka.Dispatch;

namespace Akka.Simulation;

/// <summary>The scheduler of virtual time: nothing fires before the simulation takes it.</summary>
internal sealed class SimulationScheduler : SchedulerBase
{
    private readonly DateTimeOffset _start;
    private readonly SimulationKernel _kernel;
    private readonly TimerQueue _timers = new();
    private long _ticks;

    internal SimulationScheduler(DateTimeOffset start, SimulationKernel kernel)
        : base(Configuration.Config.Empty, Event.NoLogger.Instance)
    {
        _start = start;
        _kernel = kernel;
    }

    internal DateTimeOffset VirtualNow => _start.AddTicks(_ticks);
    protected override DateTimeOffset TimeNow => VirtualNow;
    public override TimeSpan MonotonicClock => TimeSpan.FromTicks(_ticks);
    public override TimeSpan HighResMonotonicClock => MonotonicClock;

    /// <summary>Moves time to the next timer and takes it.</summary>
    internal bool TryTakeNext(out TimerEntry entry, out TimeSpan moved)
    {
        lock (_timers)
        {
            moved = default;
            entry = null;
            if (!_timers.TryPeekDue(out var due))
                return false;
            if (due > _ticks)
            {
                moved = TimeSpan.FromTicks(due - _ticks);
                _ticks = due;
            }
            return _timers.TryTake(_ticks, out entry);
        }
    }

    internal void At(DateTimeOffset when, Action action) =>
        Add(when - VirtualNow, TimeSpan.Zero, new TimerEntry { Action = action });

    private void Add(TimeSpan delay, TimeSpan interval, TimerEntry entry)
    {
        lock (_timers)
        {
            entry.Due = _ticks + delay.Ticks;
            entry.Interval = interval.Ticks;
            _timers.Add(entry);
        }
    }

    protected override void InternalScheduleTellOnce(
        TimeSpan delay,
        ICanTell receiver,
        object message,
        IActorRef sender,
        ICancelable cancelable
    ) => InternalScheduleTellRepeatedly(delay, TimeSpan.Zero, receiver, message, sender, cancelable);

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

    protected override void InternalScheduleOnce(TimeSpan delay, Action action, ICancelable cancelable) =>
        InternalScheduleRepeatedly(delay, TimeSpan.Zero, action, cancelable);

    protected override void InternalScheduleOnce(TimeSpan delay, IRunnable action, ICancelable cancelable) =>
        InternalScheduleRepeatedly(delay, TimeSpan.Zero, action, cancelable);

    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        Action action,
        ICancelable cancelable
    ) => Add(initialDelay, interval, new TimerEntry { Action = action, Cancelable = cancelable });

    protected override void InternalScheduleRepeatedly(
        TimeSpan initialDelay,
        TimeSpan interval,
        IRunnable action,
        ICancelable cancelable
    ) => Add(initialDelay, interval, new TimerEntry { Runnable = action, Cancelable = cancelable });
}
