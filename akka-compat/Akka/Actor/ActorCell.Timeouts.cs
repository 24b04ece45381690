namespace Akka.Actor;

public partial class ActorCell
{
    private ReceiveTimeoutState _timeouts;
    private TimerScheduler _timers;

    /// <inheritdoc/>
    public TimeSpan? ReceiveTimeout => _timeouts?.Duration;

    /// <inheritdoc/>
    public void SetReceiveTimeout(TimeSpan? timeout)
    {
        if (timeout is null || timeout.Value <= TimeSpan.Zero)
        {
            CancelReceiveTimeout(forGood: true);
            return;
        }
        _timeouts ??= new ReceiveTimeoutState();
        _timeouts.Duration = timeout.Value;
        _timeouts.IsNew = true;
    }

    private void RestartReceiveTimeout(object message)
    {
        var timeouts = _timeouts;
        if (timeouts is null || (message is INotInfluenceReceiveTimeout && !timeouts.IsNew))
            return;
        timeouts.IsNew = false;
        CheckReceiveTimeout();
    }

    private void CheckReceiveTimeout()
    {
        if (_timeouts is null)
            return;
        _timeouts.Pending?.Cancel();
        _timeouts.IsNew = false;
        _timeouts.Pending = _system.Scheduler.ScheduleTellOnceCancelable(
            _timeouts.Duration,
            _self,
            Akka.Actor.ReceiveTimeout.Instance,
            _self
        );
    }

    private void CancelReceiveTimeout(bool forGood)
    {
        if (_timeouts is null)
            return;
        _timeouts.Pending?.Cancel();
        _timeouts.Pending = null;
        if (forGood)
            _timeouts = null;
    }

    internal TimerScheduler NewTimers() => _timers = new TimerScheduler(this);

    private void CancelTimers() => _timers?.CancelAll();

    private StashSupport NewStash(bool isUnbounded) =>
        new(this, isUnbounded ? Deploy.NoStashSize : _system.StashCapacityOf(_props));

    private sealed class ReceiveTimeoutState
    {
        internal TimeSpan Duration;
        internal ICancelable Pending;
        internal bool IsNew;
    }
}
