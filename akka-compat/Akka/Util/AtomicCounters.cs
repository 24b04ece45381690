namespace Akka.Util.Internal;

/// <summary>A counter.</summary>
public interface IAtomicCounter<T>
{
    /// <summary>Adds one and gives the new value.</summary>
    T Next();

    /// <summary>Adds one and gives the value before.</summary>
    T GetAndIncrement();

    /// <summary>Adds one and gives the new value.</summary>
    T IncrementAndGet();

    /// <summary>Adds and gives the value before.</summary>
    T GetAndAdd(T amount);

    /// <summary>Adds and gives the new value.</summary>
    T AddAndGet(T amount);

    /// <summary>Back to zero, whatever it began with.</summary>
    void Reset();

    /// <summary>The value now.</summary>
    T Current { get; }
}

/// <summary>A counter that threads may share.</summary>
public class AtomicCounter(int initialValue) : IAtomicCounter<int>
{
    private int _value = initialValue;

    /// <summary>Begins at -1, so that the first <see cref="Next"/> gives 0.</summary>
    public AtomicCounter()
        : this(-1) { }

    /// <inheritdoc/>
    public int Current => Volatile.Read(ref _value);

    /// <inheritdoc/>
    public int Next() => IncrementAndGet();

    /// <summary>Takes one off and gives the new value.</summary>
    public int Decrement() => DecrementAndGet();

    /// <inheritdoc/>
    public int GetAndIncrement() => Interlocked.Increment(ref _value) - 1;

    /// <inheritdoc/>
    public int IncrementAndGet() => Interlocked.Increment(ref _value);

    /// <summary>Takes one off and gives the value before.</summary>
    public int GetAndDecrement() => Interlocked.Decrement(ref _value) + 1;

    /// <summary>Takes one off and gives the new value.</summary>
    public int DecrementAndGet() => Interlocked.Decrement(ref _value);

    /// <inheritdoc/>
    public int GetAndAdd(int amount) => Interlocked.Add(ref _value, amount) - amount;

    /// <inheritdoc/>
    public int AddAndGet(int amount) => Interlocked.Add(ref _value, amount);

    /// <inheritdoc/>
    public void Reset() => Interlocked.Exchange(ref _value, 0);

    /// <summary>Sets the value and gives the one before.</summary>
    public int GetAndSet(int value) => Interlocked.Exchange(ref _value, value);

    /// <summary>Sets the value if it is the expected one; false when it is not.</summary>
    public bool CompareAndSet(int expected, int newValue) =>
        Interlocked.CompareExchange(ref _value, newValue, expected) == expected;
}

/// <summary>A counter that threads may share.</summary>
public class AtomicCounterLong(long value) : IAtomicCounter<long>
{
    private long _value = value;

    /// <summary>Begins at -1, so that the first <see cref="Next"/> gives 0.</summary>
    public AtomicCounterLong()
        : this(-1) { }

    /// <inheritdoc/>
    public long Current => Interlocked.Read(ref _value);

    /// <inheritdoc/>
    public long Next() => IncrementAndGet();

    /// <inheritdoc/>
    public long GetAndIncrement() => Interlocked.Increment(ref _value) - 1;

    /// <inheritdoc/>
    public long IncrementAndGet() => Interlocked.Increment(ref _value);

    /// <summary>Takes one off and gives the new value.</summary>
    public long DecrementAndGet() => Interlocked.Decrement(ref _value);

    /// <inheritdoc/>
    public long GetAndAdd(long amount) => Interlocked.Add(ref _value, amount) - amount;

    /// <inheritdoc/>
    public long AddAndGet(long amount) => Interlocked.Add(ref _value, amount);

    /// <inheritdoc/>
    public void Reset() => Interlocked.Exchange(ref _value, 0);

    /// <summary>Sets the value and gives the one before.</summary>
    public long GetAndSet(long value) => Interlocked.Exchange(ref _value, value);

    /// <summary>Sets the value if it is the expected one; false when it is not.</summary>
    public bool CompareAndSet(long expected, long newValue) =>
        Interlocked.CompareExchange(ref _value, newValue, expected) == expected;
}

/// <summary>Casts that read from left to right.</summary>
public static class Extensions
{
    /// <summary>As a cast: what is of another type throws <see cref="InvalidCastException"/>.</summary>
    public static T AsInstanceOf<T>(this object self) => (T)self;
}
