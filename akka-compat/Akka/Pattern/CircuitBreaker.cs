using Akka.Actor;
using Akka.Util;

namespace Akka.Pattern;

/// <summary>The breaker is open: the call was not made.</summary>
public class OpenCircuitException : AkkaException
{
    private const string Text = "Circuit Breaker is open; calls are failing fast";

    public OpenCircuitException()
        : this(Text) { }

    public OpenCircuitException(string message)
        : this(message, TimeSpan.Zero) { }

    public OpenCircuitException(string message, TimeSpan remainingDuration)
        : base(message)
    {
        RemainingDuration = remainingDuration;
    }

    public OpenCircuitException(string message, Exception cause)
        : this(message, cause, TimeSpan.Zero) { }

    public OpenCircuitException(string message, Exception cause, TimeSpan remainingDuration)
        : base(message, cause)
    {
        RemainingDuration = remainingDuration;
    }

    public OpenCircuitException(Exception cause)
        : this(Text, cause, TimeSpan.Zero) { }

    public OpenCircuitException(Exception cause, TimeSpan remainingDuration)
        : this(Text, cause, remainingDuration) { }

    public TimeSpan RemainingDuration { get; }
}

/// <summary>Somebody told the breaker that a call failed.</summary>
public class UserCalledFailException : AkkaException
{
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

    public CircuitBreaker(IScheduler scheduler, int maxFailures, TimeSpan callTimeout, TimeSpan resetTimeout)
        : this(scheduler, maxFailures, callTimeout, resetTimeout, TimeSpan.FromDays(36500), 1.0) { }

    public CircuitBreaker(
        IScheduler scheduler,
        int maxFailures,
        TimeSpan callTimeout,
        TimeSpan resetTimeout,
        TimeSpan maxResetTimeout,
        double exponentialBackoffFactor
    )
        : this(scheduler, maxFailures, callTimeout, resetTimeout, maxResetTimeout, exponentialBackoffFactor, 0) { }

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

    public IScheduler Scheduler { get; }
    public int MaxFailures { get; }
    public TimeSpan CallTimeout { get; }
    public TimeSpan ResetTimeout { get; }
    public TimeSpan MaxResetTimeout { get; }
    public double ExponentialBackoffFactor { get; }
    public double RandomFactor { get; }
    public Exception LastCaughtException { get; private set; }
    public long CurrentFailureCount => Interlocked.Read(ref _failures);
    public bool IsClosed => _state == State.Closed;
    public bool IsOpen => _state == State.Open;
    public bool IsHalfOpen => _state == State.HalfOpen;

    public static CircuitBreaker Create(
        IScheduler scheduler,
        int maxFailures,
        TimeSpan callTimeout,
        TimeSpan resetTimeout
    ) => new(scheduler, maxFailures, callTimeout, resetTimeout);

    public CircuitBreaker OnOpen(Action callback) => Register(_onOpen, callback);

    public CircuitBreaker OnHalfOpen(Action callback) => Register(_onHalfOpen, callback);

    public CircuitBreaker OnClose(Action callback) => Register(_onClose, callback);

    public CircuitBreaker WithExponentialBackoff(TimeSpan maxResetTimeout) =>
        new(Scheduler, MaxFailures, CallTimeout, ResetTimeout, maxResetTimeout, 2.0, RandomFactor);

    public CircuitBreaker WithRandomFactor(double randomFactor) =>
        new(Scheduler, MaxFailures, CallTimeout, ResetTimeout, MaxResetTimeout, ExponentialBackoffFactor, randomFactor);

    public Task<T> WithCircuitBreaker<T>(Func<Task<T>> body) => Call(body);

    public Task<T> WithCircuitBreaker<T, TState>(TState state, Func<TState, Task<T>> body) => Call(() => body(state));

    public Task WithCircuitBreaker(Func<Task> body) =>
        Call(async () =>
        {
            await body().ConfigureAwait(false);
            return NotUsed.Instance;
        });

    public Task WithCircuitBreaker<TState>(TState state, Func<TState, Task> body) =>
        WithCircuitBreaker(() => body(state));

    public void WithSyncCircuitBreaker(Action body) =>
        WithSyncCircuitBreaker(() =>
        {
            body();
            return NotUsed.Instance;
        });

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

    public void Succeed() => Succeeded();

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
