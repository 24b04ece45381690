using Akka.Pattern;

namespace Akka.TestKit;

/// <summary>Opens when it has been counted down.</summary>
public class TestLatch
{
    private readonly CountdownEvent _count;
    private readonly Func<TimeSpan, TimeSpan> _dilate;
    private readonly TimeSpan _defaultTimeout;

    public TestLatch()
        : this(1) { }

    public TestLatch(int count)
        : this(count, TimeSpan.FromSeconds(5)) { }

    public TestLatch(int count, TimeSpan defaultTimeout)
        : this(static t => t, defaultTimeout, count) { }

    protected TestLatch(Func<TimeSpan, TimeSpan> dilate, TimeSpan defaultTimeout, int count)
    {
        _dilate = dilate;
        _defaultTimeout = defaultTimeout;
        _count = new CountdownEvent(count);
    }

    internal TestLatch(Func<TimeSpan, TimeSpan> dilate, int count, TimeSpan defaultTimeout)
        : this(dilate, defaultTimeout, count) { }

    public bool IsOpen => _count.IsSet;

    public void CountDown()
    {
        // One count too many is no harm.
        if (!_count.IsSet)
            _count.Signal();
    }

    public void Open()
    {
        while (!_count.IsSet)
            _count.Signal();
    }

    public void Reset() => _count.Reset();

    public void Ready(TimeSpan timeout)
    {
        if (timeout == TimeSpan.MaxValue)
            throw new ArgumentException("TestLatch does not support waiting for MaxValue", nameof(timeout));
        if (!_count.Wait(_dilate(timeout)))
            throw new TimeoutException($"Timeout of {timeout}");
    }

    public void Ready() => Ready(_defaultTimeout);
}

/// <summary>Where several threads wait for each other.</summary>
public class TestBarrier
{
    private readonly TestKitBase _testKit;
    private readonly TimeSpan _timeout;
    private readonly Barrier _barrier;
    private readonly int _count;

    public TestBarrier(TestKitBase testKit, int count, TimeSpan? defaultTimeout = null)
    {
        _testKit = testKit;
        _count = count;
        _timeout = testKit.GetTimeoutOrDefault(defaultTimeout);
        _barrier = new Barrier(count);
    }

    public void Await() => Await(_timeout);

    public void Await(TimeSpan timeout)
    {
        if (!_barrier.SignalAndWait(_testKit.Dilated(timeout)))
            throw new TimeoutException($"Timed out after {timeout} waiting for {_count} at the barrier");
    }

    public void Reset()
    {
        _barrier.RemoveParticipants(_count);
        _barrier.AddParticipants(_count);
    }
}

/// <summary>A circuit breaker with a latch for each of its changes.</summary>
public class TestBreaker
{
    public TestBreaker(CircuitBreaker instance)
    {
        Instance = instance;
        instance.OnOpen(() => Signal(OpenLatch));
        instance.OnHalfOpen(() => Signal(HalfOpenLatch));
        instance.OnClose(() => Signal(ClosedLatch));
    }

    public CountdownEvent HalfOpenLatch { get; } = new(1);
    public CountdownEvent OpenLatch { get; } = new(1);
    public CountdownEvent ClosedLatch { get; } = new(1);
    public CircuitBreaker Instance { get; }

    private static void Signal(CountdownEvent latch)
    {
        if (!latch.IsSet)
            latch.Signal();
    }
}
