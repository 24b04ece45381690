namespace Akka.Util;

/// <summary>A flag that threads may share.</summary>
public class AtomicBoolean(bool initialValue = false)
{
    private int _value = initialValue ? 1 : 0;

    /// <summary>The value now; a write is seen by all threads at once.</summary>
    public bool Value
    {
        get => Volatile.Read(ref _value) == 1;
        set => Interlocked.Exchange(ref _value, value ? 1 : 0);
    }

    /// <summary>Sets the value if it is the expected one; false when it is not.</summary>
    public bool CompareAndSet(bool expected, bool newValue) =>
        Interlocked.CompareExchange(ref _value, newValue ? 1 : 0, expected ? 1 : 0) == (expected ? 1 : 0);

    /// <summary>Sets the value and gives the one before.</summary>
    public bool GetAndSet(bool newValue) => Interlocked.Exchange(ref _value, newValue ? 1 : 0) == 1;

    /// <summary>The value now.</summary>
    public static implicit operator bool(AtomicBoolean atomicBoolean) => atomicBoolean.Value;
}

/// <summary>A reference that threads may share.</summary>
public class AtomicReference<T>
    where T : class
{
    /// <summary>For derived types; everybody else goes through <see cref="Value"/>.</summary>
    protected T atomicValue;

    /// <summary>Begins with the value.</summary>
    public AtomicReference(T originalValue)
    {
        atomicValue = originalValue;
    }

    /// <summary>Begins with null.</summary>
    public AtomicReference() { }

    /// <summary>The value now; a read sees all that the thread that wrote it did before.</summary>
    public T Value
    {
        get => Volatile.Read(ref atomicValue);
        set => Volatile.Write(ref atomicValue, value);
    }

    /// <summary>Sets the value if it is the expected one; false when it is not.</summary>
    public bool CompareAndSet(T expected, T newValue) =>
        ReferenceEquals(Interlocked.CompareExchange(ref atomicValue, newValue, expected), expected);

    /// <summary>Sets the value and gives the one before.</summary>
    public T GetAndSet(T newValue) => Interlocked.Exchange(ref atomicValue, newValue);

    /// <summary>The value now.</summary>
    public static implicit operator T(AtomicReference<T> atomicReference) => atomicReference.Value;
}

/// <summary>A switch whose flips run an action, at most one at a time.</summary>
public class Switch(bool startAsOn = false)
{
    private readonly object _gate = new();
    private volatile bool _isOn = startAsOn;

    /// <summary>Whether it is on; already so while the action of its flip runs.</summary>
    public bool IsOn => _isOn;

    /// <summary>Whether it is off; already so while the action of its flip runs.</summary>
    public bool IsOff => !_isOn;

    /// <summary>Flips; an action that throws flips it back.</summary>
    protected bool TranscendFrom(bool from, Action action)
    {
        lock (_gate)
        {
            if (_isOn != from)
                return false;
            _isOn = !from;
            try
            {
                action();
            }
            catch
            {
                _isOn = from;
                throw;
            }
            return true;
        }
    }

    /// <summary>Turns it off and runs the action; false, without a run, when it is off.</summary>
    public bool SwitchOff(Action action) => TranscendFrom(true, action);

    /// <summary>Turns it on and runs the action; false, without a run, when it is on.</summary>
    public bool SwitchOn(Action action) => TranscendFrom(false, action);

    /// <summary>Turns it off; false when it is off.</summary>
    public bool SwitchOff() => SwitchOff(static () => { });

    /// <summary>Turns it on; false when it is on.</summary>
    public bool SwitchOn() => SwitchOn(static () => { });

    /// <summary>Runs the action if it is on; it may be flipped meanwhile. False when it is off.</summary>
    public bool IfOn(Action action) => If(true, action);

    /// <summary>Runs the action if it is off; it may be flipped meanwhile. False when it is on.</summary>
    public bool IfOff(Action action) => If(false, action);

    /// <summary>
    /// Runs the action if it is on, and lets nobody else flip it before the end. False when it is off.
    /// </summary>
    public bool WhileOn(Action action)
    {
        lock (_gate)
            return If(true, action);
    }

    /// <summary>
    /// Runs the action if it is off, and lets nobody else flip it before the end. False when it is on.
    /// </summary>
    public bool WhileOff(Action action)
    {
        lock (_gate)
            return If(false, action);
    }

    /// <summary>Runs the action, and lets nobody else flip it before the end.</summary>
    public void Locked(Action action)
    {
        lock (_gate)
            action();
    }

    private bool If(bool on, Action action)
    {
        if (_isOn != on)
            return false;
        action();
        return true;
    }
}
