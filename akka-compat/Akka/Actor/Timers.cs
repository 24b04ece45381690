namespace Akka.Actor;

/// <summary>The timers of one actor; they die with its incarnation.</summary>
public interface ITimerScheduler
{
    /// <summary>Sends the actor a message again and again; replaces the key's timer, whose messages no longer count.</summary>
    void StartPeriodicTimer(object key, object msg, TimeSpan interval);

    /// <summary>As <see cref="StartPeriodicTimer(object, object, TimeSpan)"/>, with a sender.</summary>
    void StartPeriodicTimer(object key, object msg, TimeSpan interval, IActorRef sender);

    /// <summary>
    /// As <see cref="StartPeriodicTimer(object, object, TimeSpan)"/>, with another delay before the first message.
    /// </summary>
    void StartPeriodicTimer(object key, object msg, TimeSpan initialDelay, TimeSpan interval);

    /// <summary>
    /// As <see cref="StartPeriodicTimer(object, object, TimeSpan)"/>, with another delay before the first message and a
    /// sender.
    /// </summary>
    void StartPeriodicTimer(object key, object msg, TimeSpan initialDelay, TimeSpan interval, IActorRef sender);

    /// <summary>Sends the actor a message once; replaces the key's timer.</summary>
    void StartSingleTimer(object key, object msg, TimeSpan timeout);

    /// <summary>As <see cref="StartSingleTimer(object, object, TimeSpan)"/>, with a sender.</summary>
    void StartSingleTimer(object key, object msg, TimeSpan timeout, IActorRef sender);

    /// <summary>Whether the key has a timer whose last message has not been handled.</summary>
    bool IsTimerActive(object key);

    /// <summary>Ends a timer; a message of it that already waits in the mailbox is dropped.</summary>
    void Cancel(object key);

    /// <summary>Ends all timers.</summary>
    void CancelAll();

    /// <summary>The keys that have timers.</summary>
    IReadOnlyCollection<object> ActiveTimers { get; }
}

/// <summary>An actor with timers, which are there in its constructor already.</summary>
public interface IWithTimers
{
    /// <summary>Set by the runtime.</summary>
    ITimerScheduler Timers { get; set; }
}

/// <summary>What a timer sends its actor: it counts only while the timer that sent it is the key's current one.</summary>
internal sealed class TimerMessage(TimerScheduler owner, object key, int generation, object message, IActorRef sender)
    : IAutoReceivedMessage,
        INoSerializationVerificationNeeded,
        Event.IDeadLetterSuppression
{
    internal IActorRef Sender => sender;
    internal object Message => message;

    internal bool BelongsTo(TimerScheduler timers, out object inner)
    {
        inner = message;
        return ReferenceEquals(owner, timers) && timers.Accept(key, generation);
    }

    public override string ToString() => $"TimerMsg(key={key}, generation={generation})";
}

/// <summary>A periodic message of a scheduler to an actor, unwrapped before the actor sees it.</summary>
internal sealed class ScheduledTell(object message) : IScheduledTellMsg, IAutoReceivedMessage
{
    /// <inheritdoc/>
    public object Message => message;
}

internal sealed class TimerScheduler(ActorCell cell) : ITimerScheduler
{
    private readonly Dictionary<object, (int Generation, bool Repeats, ICancelable Task)> _timers = [];
    private int _generation;

    /// <inheritdoc/>
    public IReadOnlyCollection<object> ActiveTimers => _timers.Keys.ToArray();

    /// <inheritdoc/>
    public void StartPeriodicTimer(object key, object msg, TimeSpan interval) =>
        Start(key, msg, interval, interval, ActorRefs.NoSender);

    /// <inheritdoc/>
    public void StartPeriodicTimer(object key, object msg, TimeSpan interval, IActorRef sender) =>
        Start(key, msg, interval, interval, sender);

    /// <inheritdoc/>
    public void StartPeriodicTimer(object key, object msg, TimeSpan initialDelay, TimeSpan interval) =>
        Start(key, msg, initialDelay, interval, ActorRefs.NoSender);

    /// <inheritdoc/>
    public void StartPeriodicTimer(
        object key,
        object msg,
        TimeSpan initialDelay,
        TimeSpan interval,
        IActorRef sender
    ) => Start(key, msg, initialDelay, interval, sender);

    /// <inheritdoc/>
    public void StartSingleTimer(object key, object msg, TimeSpan timeout) =>
        Start(key, msg, timeout, null, ActorRefs.NoSender);

    /// <inheritdoc/>
    public void StartSingleTimer(object key, object msg, TimeSpan timeout, IActorRef sender) =>
        Start(key, msg, timeout, null, sender);

    /// <inheritdoc/>
    public bool IsTimerActive(object key) => _timers.ContainsKey(key);

    /// <inheritdoc/>
    public void Cancel(object key)
    {
        if (!_timers.Remove(key, out var timer))
            return;
        Log($"Cancel timer [{key}] with generation [{timer.Generation}]");
        timer.Task.Cancel();
    }

    private void Log(FormattableString text)
    {
        if (cell.System.Settings.DebugTimerScheduler)
            cell.PublishDebug(FormattableString.Invariant(text));
    }

    /// <inheritdoc/>
    public void CancelAll()
    {
        if (_timers.Count == 0)
            return;
        Log($"Cancel all timers");
        foreach (var timer in _timers.Values)
            timer.Task.Cancel();
        _timers.Clear();
    }

    private void Start(object key, object msg, TimeSpan delay, TimeSpan? interval, IActorRef sender)
    {
        Cancel(key);
        var generation = ++_generation;
        Log($"Start timer [{key}] with generation [{generation}]");
        var message = new TimerMessage(this, key, generation, msg, sender);
        var scheduler = cell.System.Scheduler;
        var task = interval is { } every
            ? scheduler.ScheduleTellRepeatedlyCancelable(delay, every, cell.Self, message, cell.Self)
            : scheduler.ScheduleTellOnceCancelable(delay, cell.Self, message, cell.Self);
        _timers[key] = (generation, interval is not null, task);
    }

    /// <summary>Whether a message comes from the present timer of its key; a single timer is done with it.</summary>
    internal bool Accept(object key, int generation)
    {
        if (!_timers.TryGetValue(key, out var timer) || timer.Generation != generation)
            return false;
        if (!timer.Repeats)
            _timers.Remove(key);
        return true;
    }
}
