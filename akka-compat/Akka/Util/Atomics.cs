namespace Akka.Util;

/// <summary>A flag that threads may share.</summary>
public class AtomicBoolean(bool initialValue = false)
{
    private int _value = initialValue ? 1 : 0;

    public bool Value
    {
        get => Volatile.Read(ref _value) == 1;
        set => Interlocked.Exchange(ref _value, value ? 1 : 0);
    }

    public bool CompareAndSet(bool expected, bool newValue) =>
        Interlocked.CompareExchange(ref _value, newValue ? 1 : 0, expected ? 1 : 0) == (expected ? 1 : 0);

    public bool GetAndSet(bool newValue) => Interlocked.Exchange(ref _value, newValue ? 1 : 0) == 1;

    public static implicit operator bool(AtomicBoolean atomicBoolean) => atomicBoolean.Value;
}

/// <summary>A reference that threads may share.</summary>
public class AtomicReference<T>
    where T : class
{
    protected T atomicValue;

    public AtomicReference(T originalValue)
    {
        atomicValue = originalValue;
    }

    public AtomicReference() { }

    public T Value
    {
        get => Volatile.Read(ref atomicValue);
        set => Volatile.Write(ref atomicValue, value);
    }

    public bool CompareAndSet(T expected, T newValue) =>
        ReferenceEquals(Interlocked.CompareExchange(ref atomicValue, newValue, expected), expected);

    public T GetAndSet(T newValue) => Interlocked.Exchange(ref atomicValue, newValue);

    public static implicit operator T(AtomicReference<T> atomicReference) => atomicReference.Value;
}

/// <summary>A switch whose flips run an action, at most one at a time.</summary>
public class Switch(bool startAsOn = false)
{
    private readonly object _gate = new();
    private volatile bool _isOn = startAsOn;

    public bool IsOn => _isOn;
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

    public bool SwitchOff(Action action) => TranscendFrom(true, action);

    public bool SwitchOn(Action action) => TranscendFrom(false, action);

    public bool SwitchOff() => SwitchOff(static () => { });

    public bool SwitchOn() => SwitchOn(static () => { });

    public bool IfOn(Action action) => If(true, action);

    public bool IfOff(Action action) => If(false, action);

    public bool WhileOn(Action action)
    {
        lock (_gate)
            return If(true, action);
    }

    public bool WhileOff(Action action)
    {
        lock (_gate)
            return If(false, action);
    }

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
