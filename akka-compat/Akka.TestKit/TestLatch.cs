using Akka.Pattern;

namespace Akka.TestKit;

/// <summary>Opens when it has been counted down.</summary>
public class TestLatch
{
    private readonly CountdownEvent _count;
    private readonly Func<TimeSpan, TimeSpan> _dilate;
    private readonly TimeSpan _defaultTimeout;

    /// <summary>Opens at the first count; waits for 5 s.</summary>
    public TestLatch()
        : this(1) { }

    /// <summary>Opens after so many counts; waits for 5 s.</summary>
    public TestLatch(int count)
        : this(count, TimeSpan.FromSeconds(5)) { }

    /// <summary>Opens after so many counts; waits for the default time unless told otherwise.</summary>
    public TestLatch(int count, TimeSpan defaultTimeout)
        : this(static t => t, defaultTimeout, count) { }

    /// <summary>Opens after so many counts; the function dilates the times of waits.</summary>
    protected TestLatch(Func<TimeSpan, TimeSpan> dilate, TimeSpan defaultTimeout, int count)
    {
        _dilate = dilate;
        _defaultTimeout = defaultTimeout;
        _count = new CountdownEvent(count);
    }

    internal TestLatch(Func<TimeSpan, TimeSpan> dilate, int count, TimeSpan defaultTimeout)
        : this(dilate, defaultTimeout, count) { }

    /// <summary>Whether it has been counted down.</summary>
    public bool IsOpen => _count.IsSet;

    /// <summary>Counts one; when it is open already, nothing. Any thread.</summary>
    public void CountDown()
    {
        // One count too many is no harm.
        if (!_count.IsSet)
            _count.Signal();
    }

    /// <summary>Opens it, whatever is left to count. Any thread.</summary>
    public void Open()
    {
        while (!_count.IsSet)
            _count.Signal();
    }

    /// <summary>Closes it and counts from the beginning. Not safe while others count or wait.</summary>
    public void Reset() => _count.Reset();

    /// <summary>Waits on this thread until it is open.</summary>
    /// <exception cref="TimeoutException">It was not, in time.</exception>
    public void Ready(TimeSpan timeout)
    {
        if (timeout == TimeSpan.MaxValue)
            throw new ArgumentException("TestLatch does not support waiting for MaxValue", nameof(timeout));
        if (!_count.Wait(_dilate(timeout)))
            throw new TimeoutException($"Timeout of {timeout}");
    }

    /// <summary>As <see cref="Ready(TimeSpan)"/>, for the default time.</summary>
    public void Ready() => Ready(_defaultTimeout);
}

/// <summary>Where several threads wait for each other.</summary>
public class TestBarrier
{
    private readonly TestKitBase _testKit;
    private readonly TimeSpan _timeout;
    private readonly Barrier _barrier;
    private readonly int _count;

    /// <summary>
    /// For so many threads, which are all needed each time; null is akka.test.default-timeout, dilated.
    /// </summary>
    public TestBarrier(TestKitBase testKit, int count, TimeSpan? defaultTimeout = null)
    {
        _testKit = testKit;
        _count = count;
        _timeout = testKit.GetTimeoutOrDefault(defaultTimeout);
        _barrier = new Barrier(count);
    }

    /// <summary>As <see cref="Await(TimeSpan)"/>, for the default time.</summary>
    public void Await() => Await(_timeout);

    /// <summary>Waits on this thread until all have come; then it can be used again.</summary>
    /// <exception cref="TimeoutException">Not all came in time, dilated.</exception>
    public void Await(TimeSpan timeout)
    {
        if (!_barrier.SignalAndWait(_testKit.Dilated(timeout)))
            throw new TimeoutException($"Timed out after {timeout} waiting for {_count} at the barrier");
    }

    /// <summary>Forgets who is waiting. Not safe while somebody is.</summary>
    public void Reset()
    {
        _barrier.RemoveParticipants(_count);
        _barrier.AddParticipants(_count);
    }
}

/// <summary>A circuit breaker with a latch for each of its changes.</summary>
public class TestBreaker
{
    /// <summary>Adds its callbacks to the breaker.</summary>
    public TestBreaker(CircuitBreaker instance)
    {
        Instance = instance;
        instance.OnOpen(() => Signal(OpenLatch));
        instance.OnHalfOpen(() => Signal(HalfOpenLatch));
        instance.OnClose(() => Signal(ClosedLatch));
    }

    /// <summary>Set when the breaker has become half open for the first time.</summary>
    public CountdownEvent HalfOpenLatch { get; } = new(1);

    /// <summary>Set when the breaker has opened for the first time.</summary>
    public CountdownEvent OpenLatch { get; } = new(1);

    /// <summary>Set when the breaker has closed again for the first time.</summary>
    public CountdownEvent ClosedLatch { get; } = new(1);

    /// <summary>The breaker itself.</summary>
    public CircuitBreaker Instance { get; }

    private static void Signal(CountdownEvent latch)
    {
        if (!latch.IsSet)
            latch.Signal();
    }
}
