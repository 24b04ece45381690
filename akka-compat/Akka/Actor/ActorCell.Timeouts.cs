namespace Akka.Actor;

public partial class ActorCell
{
    /// <inheritdoc/>
    public TimeSpan? ReceiveTimeout => Timeouts?.Duration;

    /// <inheritdoc/>
    public void SetReceiveTimeout(TimeSpan? timeout)
    {
        if (timeout is null || timeout.Value <= TimeSpan.Zero)
        {
            CancelReceiveTimeout(forGood: true);
            return;
        }
        Timeouts ??= new ReceiveTimeoutState();
        Timeouts.Duration = timeout.Value;
        Timeouts.IsNew = true;
    }

    private void RestartReceiveTimeout(object message)
    {
        var timeouts = Timeouts;
        if (timeouts is null || (message is INotInfluenceReceiveTimeout && !timeouts.IsNew))
            return;
        timeouts.IsNew = false;
        CheckReceiveTimeout();
    }

    private void CheckReceiveTimeout()
    {
        if (Timeouts is null)
            return;
        Timeouts.Pending?.Cancel();
        Timeouts.IsNew = false;
        Timeouts.Pending = _system.Scheduler.ScheduleTellOnceCancelable(
            Timeouts.Duration,
            _self,
            Akka.Actor.ReceiveTimeout.Instance,
            _self
        );
    }

    private void CancelReceiveTimeout(bool forGood)
    {
        if (Timeouts is null)
            return;
        Timeouts.Pending?.Cancel();
        Timeouts.Pending = null;
        if (forGood)
            Timeouts = null;
    }

    internal TimerScheduler NewTimers() => ActiveTimers = new TimerScheduler(this);

    private void CancelTimers() => ActiveTimers?.CancelAll();

    private StashSupport NewStash(bool isUnbounded) =>
        new(this, isUnbounded ? Deploy.NoStashSize : _system.StashCapacityOf(Props));

    private sealed class ReceiveTimeoutState
    {
        internal TimeSpan Duration;
        internal ICancelable Pending;
        internal bool IsNew;
    }
}
