using Akka.Actor;
using Akka.Util;

namespace Akka.Pattern;

/// <summary>The breaker is open: the call was not made.</summary>
public class OpenCircuitException : AkkaException
{
    private const string Text = "Circuit Breaker is open; calls are failing fast";

    /// <summary>Does not say how long the breaker stays open.</summary>
    public OpenCircuitException()
        : this(Text) { }

    /// <summary>Does not say how long the breaker stays open.</summary>
    public OpenCircuitException(string message)
        : this(message, TimeSpan.Zero) { }

    /// <summary>Says for how long the breaker stays open.</summary>
    public OpenCircuitException(string message, TimeSpan remainingDuration)
        : base(message)
    {
        RemainingDuration = remainingDuration;
    }

    /// <summary>Does not say how long the breaker stays open.</summary>
    public OpenCircuitException(string message, Exception cause)
        : this(message, cause, TimeSpan.Zero) { }

    /// <summary>Says for how long the breaker stays open.</summary>
    public OpenCircuitException(string message, Exception cause, TimeSpan remainingDuration)
        : base(message, cause)
    {
        RemainingDuration = remainingDuration;
    }

    /// <summary>Does not say how long the breaker stays open.</summary>
    public OpenCircuitException(Exception cause)
        : this(Text, cause, TimeSpan.Zero) { }

    /// <summary>Says for how long the breaker stays open.</summary>
    public OpenCircuitException(Exception cause, TimeSpan remainingDuration)
        : this(Text, cause, remainingDuration) { }

    /// <summary>For how long the breaker stays open; zero when that is not known or a call is being tried.</summary>
    public TimeSpan RemainingDuration { get; }
}

/// <summary>Somebody told the breaker that a call failed.</summary>
public class UserCalledFailException : AkkaException
{
    /// <summary>The failure that <see cref="CircuitBreaker.Fail"/> counts.</summary>
    public UserCalledFailException()
        : base("User code caused CircuitBreaker to fail because it calls the Fail() method.") { }
}

/// <summary>
/// Lets calls through while they succeed; after too many failures in a row, or calls that take too long, fails at
/// once for a time, then tries one call. Safe for any thread.
/// </summary>
public class CircuitBreaker
{
    private enum State
    {
        Closed,
        Open,
        HalfOpen,
    }

    private readonly object _gate = new();
    private readonly List<Action> _onOpen = [];
    private readonly List<Action> _onHalfOpen = [];
    private readonly List<Action> _onClose = [];
    private State _state = State.Closed;
    private long _failures;
    private bool _isTrying;
    private TimeSpan _currentReset;
    private TimeSpan _openedAt;
    private TimeSpan _openFor;

    /// <summary>With a pause that does not grow. Nothing is checked.</summary>
    public CircuitBreaker(IScheduler scheduler, int maxFailures, TimeSpan callTimeout, TimeSpan resetTimeout)
        : this(scheduler, maxFailures, callTimeout, resetTimeout, TimeSpan.FromDays(36500), 1.0) { }

    /// <summary>With a pause that grows by the factor at each failed try, to the maximum.</summary>
    public CircuitBreaker(
        IScheduler scheduler,
        int maxFailures,
        TimeSpan callTimeout,
        TimeSpan resetTimeout,
        TimeSpan maxResetTimeout,
        double exponentialBackoffFactor
    )
        : this(scheduler, maxFailures, callTimeout, resetTimeout, maxResetTimeout, exponentialBackoffFactor, 0) { }

    /// <summary>
    /// With a pause that grows by the factor at each failed try, to the maximum, and is drawn up to the random factor
    /// longer.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The growth is below 1.</exception>
    /// <exception cref="ArgumentException">The random factor is not within 0 and 1.</exception>
    public CircuitBreaker(
        IScheduler scheduler,
        int maxFailures,
        TimeSpan callTimeout,
        TimeSpan resetTimeout,
        TimeSpan maxResetTimeout,
        double exponentialBackoffFactor,
        double randomFactor
    )
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(exponentialBackoffFactor, 1.0);
        if (randomFactor is < 0 or > 1)
            throw new ArgumentException("RandomFactor must be between 0.0 and 1.0", nameof(randomFactor));
        Scheduler = scheduler;
        MaxFailures = maxFailures;
        CallTimeout = callTimeout;
        ResetTimeout = resetTimeout;
        MaxResetTimeout = maxResetTimeout;
        ExponentialBackoffFactor = exponentialBackoffFactor;
        RandomFactor = randomFactor;
        _currentReset = resetTimeout;
    }

    /// <summary>Whose clock and timers are used.</summary>
    public IScheduler Scheduler { get; }

    /// <summary>Failures in a row at which the breaker opens.</summary>
    public int MaxFailures { get; }

    /// <summary>How long a call may take. A later result counts as a failure; the call itself is not stopped.</summary>
    public TimeSpan CallTimeout { get; }

    /// <summary>How long the breaker stays open before it tries a call.</summary>
    public TimeSpan ResetTimeout { get; }

    /// <summary>The longest that the pause grows to; random part not counted.</summary>
    public TimeSpan MaxResetTimeout { get; }

    /// <summary>By how much the pause grows at each failed try; 1 for not at all.</summary>
    public double ExponentialBackoffFactor { get; }

    /// <summary>The random part of each pause, as a share of it.</summary>
    public double RandomFactor { get; }

    /// <summary>The last failure; null before the first and after a try that succeeded.</summary>
    public Exception LastCaughtException { get; private set; }

    /// <summary>Failures in a row.</summary>
    public long CurrentFailureCount => Interlocked.Read(ref _failures);

    /// <summary>Whether calls are let through.</summary>
    public bool IsClosed => _state == State.Closed;

    /// <summary>Whether calls fail at once.</summary>
    public bool IsOpen => _state == State.Open;

    /// <summary>Whether the next call is let through as a try.</summary>
    public bool IsHalfOpen => _state == State.HalfOpen;

    /// <summary>A breaker with a pause that does not grow.</summary>
    public static CircuitBreaker Create(
        IScheduler scheduler,
        int maxFailures,
        TimeSpan callTimeout,
        TimeSpan resetTimeout
    ) => new(scheduler, maxFailures, callTimeout, resetTimeout);

    /// <summary>
    /// Runs code each time that the breaker opens; on the thread that made it open, which gets what the code throws.
    /// </summary>
    public CircuitBreaker OnOpen(Action callback) => Register(_onOpen, callback);

    /// <summary>Runs code each time that the pause is over; on the scheduler's thread.</summary>
    public CircuitBreaker OnHalfOpen(Action callback) => Register(_onHalfOpen, callback);

    /// <summary>Runs code each time that a try succeeded; on the thread that made the call.</summary>
    public CircuitBreaker OnClose(Action callback) => Register(_onClose, callback);

    /// <summary>A new breaker, closed and without callbacks, whose pause doubles to the maximum.</summary>
    public CircuitBreaker WithExponentialBackoff(TimeSpan maxResetTimeout) =>
        new(Scheduler, MaxFailures, CallTimeout, ResetTimeout, maxResetTimeout, 2.0, RandomFactor);

    /// <summary>A new breaker, closed and without callbacks, with a random part in its pauses.</summary>
    public CircuitBreaker WithRandomFactor(double randomFactor) =>
        new(Scheduler, MaxFailures, CallTimeout, ResetTimeout, MaxResetTimeout, ExponentialBackoffFactor, randomFactor);

    /// <summary>Makes a call unless the breaker is open; what it throws is counted and thrown on.</summary>
    /// <exception cref="OpenCircuitException">The call was not made.</exception>
    /// <exception cref="TimeoutException">It took longer than <see cref="CallTimeout"/>.</exception>
    public Task<T> WithCircuitBreaker<T>(Func<Task<T>> body) => Call(body);

    /// <summary>As <see cref="WithCircuitBreaker{T}(Func{Task{T}})"/>.</summary>
    public Task<T> WithCircuitBreaker<T, TState>(TState state, Func<TState, Task<T>> body) => Call(() => body(state));

    /// <summary>As <see cref="WithCircuitBreaker{T}(Func{Task{T}})"/>.</summary>
    public Task WithCircuitBreaker(Func<Task> body) =>
        Call(async () =>
        {
            await body().ConfigureAwait(false);
            return NotUsed.Instance;
        });

    /// <summary>As <see cref="WithCircuitBreaker{T}(Func{Task{T}})"/>.</summary>
    public Task WithCircuitBreaker<TState>(TState state, Func<TState, Task> body) =>
        WithCircuitBreaker(() => body(state));

    /// <summary>
    /// As <see cref="WithCircuitBreaker{T}(Func{Task{T}})"/>, on this thread: the time is looked at only when the call
    /// is over.
    /// </summary>
    public void WithSyncCircuitBreaker(Action body) =>
        WithSyncCircuitBreaker(() =>
        {
            body();
            return NotUsed.Instance;
        });

    /// <summary>
    /// As <see cref="WithCircuitBreaker{T}(Func{Task{T}})"/>, on this thread: the time is looked at only when the call
    /// is over.
    /// </summary>
    public T WithSyncCircuitBreaker<T>(Func<T> body)
    {
        Enter();
        var started = Scheduler.MonotonicClock;
        T result;
        try
        {
            result = body();
        }
        catch (Exception e)
        {
            Failed(e);
            throw;
        }
        if (Scheduler.MonotonicClock - started <= CallTimeout)
        {
            Succeeded();
            return result;
        }
        var late = Late();
        Failed(late);
        throw late;
    }

    /// <summary>Counts a success without a call.</summary>
    public void Succeed() => Succeeded();

    /// <summary>Counts a failure without a call.</summary>
    public void Fail() => Failed(new UserCalledFailException());

    private TimeoutException Late() => new($"Execution did not complete within the time allotted {CallTimeout}");

    private async Task<T> Call<T>(Func<Task<T>> body)
    {
        Enter();
        using var timer = new Cancelable(Scheduler);
        var late = new TaskCompletionSource<T>();
        Scheduler.Advanced.ScheduleOnce(CallTimeout, () => late.TrySetException(Late()), timer);
        try
        {
            var first = await Task.WhenAny(body(), late.Task).ConfigureAwait(false);
            var result = await first.ConfigureAwait(false);
            Succeeded();
            return result;
        }
        catch (Exception e)
        {
            Failed(e);
            throw;
        }
        finally
        {
            timer.Cancel();
        }
    }

    private void Enter()
    {
        lock (_gate)
        {
            if (_state == State.Closed)
                return;
            if (_state == State.HalfOpen && !_isTrying)
            {
                _isTrying = true;
                return;
            }
            var left = _state == State.Open ? _openedAt + _openFor - Scheduler.MonotonicClock : TimeSpan.Zero;
            throw new OpenCircuitException(LastCaughtException, left > TimeSpan.Zero ? left : TimeSpan.Zero);
        }
    }

    private void Succeeded()
    {
        List<Action> callbacks = null;
        lock (_gate)
        {
            Interlocked.Exchange(ref _failures, 0);
            if (_state == State.HalfOpen)
            {
                _state = State.Closed;
                _isTrying = false;
                _currentReset = ResetTimeout;
                LastCaughtException = null;
                callbacks = [.. _onClose];
            }
        }
        Run(callbacks);
    }

    private void Failed(Exception cause)
    {
        List<Action> callbacks = null;
        lock (_gate)
        {
            LastCaughtException = cause;
            var count = Interlocked.Increment(ref _failures);
            if (_state == State.HalfOpen || (_state == State.Closed && count >= MaxFailures))
            {
                if (_state == State.HalfOpen)
                    _currentReset = Min(_currentReset * ExponentialBackoffFactor, MaxResetTimeout);
                Open();
                callbacks = [.. _onOpen];
            }
        }
        Run(callbacks);
    }

    private void Open()
    {
        _state = State.Open;
        _isTrying = false;
        _openedAt = Scheduler.MonotonicClock;
        _openFor = _currentReset * (1.0 + (ThreadLocalRandom.Current.NextDouble() * RandomFactor));
        Scheduler.Advanced.ScheduleOnce(_openFor, AttemptReset);
    }

    private void AttemptReset()
    {
        List<Action> callbacks;
        lock (_gate)
        {
            if (_state != State.Open)
                return;
            _state = State.HalfOpen;
            _isTrying = false;
            callbacks = [.. _onHalfOpen];
        }
        Run(callbacks);
    }

    private CircuitBreaker Register(List<Action> callbacks, Action callback)
    {
        lock (_gate)
            callbacks.Add(callback);
        return this;
    }

    private static void Run(List<Action> callbacks)
    {
        foreach (var callback in callbacks ?? [])
            callback();
    }

    private static TimeSpan Min(TimeSpan left, TimeSpan right) => left < right ? left : right;
}
