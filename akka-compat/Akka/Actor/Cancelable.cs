namespace Akka.Actor;

/// <summary>Something that can be called off.</summary>
public interface ICancelable
{
    /// <summary>Cancels now.</summary>
    void Cancel();

    /// <summary>Cancels after a delay on the scheduler's clock.</summary>
    void CancelAfter(TimeSpan delay);

    /// <summary>As <see cref="CancelAfter(TimeSpan)"/>, in milliseconds.</summary>
    void CancelAfter(int millisecondsDelay);

    /// <summary>Cancels; what the token's callbacks throw stops the others if so asked.</summary>
    void Cancel(bool throwOnFirstException);

    /// <summary>Whether it is cancelled.</summary>
    bool IsCancellationRequested { get; }

    /// <summary>Cancelled together with this.</summary>
    CancellationToken Token { get; }
}

/// <summary>Calls off what was scheduled with it. The token behind it is made only when somebody asks for it.</summary>
public class Cancelable : ICancelable, IDisposable
{
    private static readonly CancellationTokenSource Cancelled = CancelledSource();

    private readonly IActionScheduler _scheduler;
    private CancellationTokenSource _source;
    private volatile bool _isCancelled;
    private bool _isDisposed;

    /// <summary>Not cancelled; the scheduler's clock is used by <see cref="CancelAfter(TimeSpan)"/>.</summary>
    public Cancelable(IActionScheduler scheduler)
    {
        _scheduler = scheduler;
    }

    /// <summary>Not cancelled; the scheduler's clock is used by <see cref="CancelAfter(TimeSpan)"/>.</summary>
    public Cancelable(IScheduler scheduler)
        : this(scheduler.Advanced) { }

    /// <summary>Cancels after the delay.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The delay is negative.</exception>
    public Cancelable(IActionScheduler scheduler, TimeSpan delay)
        : this(scheduler)
    {
        CancelAfter(delay);
    }

    /// <summary>Cancels after the delay.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The delay is negative.</exception>
    public Cancelable(IScheduler scheduler, TimeSpan delay)
        : this(scheduler.Advanced, delay) { }

    /// <summary>Cancels after so many milliseconds.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The delay is negative.</exception>
    public Cancelable(IScheduler scheduler, int millisecondsDelay)
        : this(scheduler.Advanced, TimeSpan.FromMilliseconds(millisecondsDelay)) { }

    private Cancelable(IActionScheduler scheduler, CancellationTokenSource source)
        : this(scheduler)
    {
        _source = source;
    }

    /// <inheritdoc/>
    public bool IsCancellationRequested => _isCancelled || (_source?.IsCancellationRequested ?? false);

    /// <summary>Whether it can no longer be cancelled; what was scheduled with it goes on.</summary>
    public bool IsDisposed => _isDisposed;

    /// <inheritdoc/>
    public CancellationToken Token
    {
        get
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            if (_source is null)
            {
                var made = _isCancelled ? Cancelled : new CancellationTokenSource();
                Interlocked.CompareExchange(ref _source, made, null);
                // Cancel may have run before it could see the source.
                if (_isCancelled)
                    _source.Cancel();
            }
            return _source.Token;
        }
    }

    /// <summary>One that is cancelled already.</summary>
    public static ICancelable CreateCanceled()
    {
        var cancelable = new Cancelable((IActionScheduler)null);
        cancelable._isCancelled = true;
        return cancelable;
    }

    /// <summary>Cancelled as soon as one of the others is. Only ours can: cancelling this leaves them alone.</summary>
    public static ICancelable CreateLinkedCancelable(IScheduler scheduler, params ICancelable[] cancelables) =>
        CreateLinkedCancelable(scheduler.Advanced, cancelables);

    /// <summary>Cancelled as soon as one of the others is. Only ours can: cancelling this leaves them alone.</summary>
    public static ICancelable CreateLinkedCancelable(IActionScheduler scheduler, params ICancelable[] cancelables) =>
        CreateLinkedCancelable(scheduler, cancelables.Select(c => c.Token).ToArray());

    /// <summary>Cancelled as soon as one of the tokens is.</summary>
    public static ICancelable CreateLinkedCancelable(
        IScheduler scheduler,
        params CancellationToken[] cancellationTokens
    ) => CreateLinkedCancelable(scheduler.Advanced, cancellationTokens);

    /// <summary>Cancelled as soon as one of the tokens is.</summary>
    public static ICancelable CreateLinkedCancelable(
        IActionScheduler scheduler,
        params CancellationToken[] cancellationTokens
    ) => new Cancelable(scheduler, CancellationTokenSource.CreateLinkedTokenSource(cancellationTokens));

    /// <summary>Cancels; safe on any thread and more than once.</summary>
    /// <exception cref="ObjectDisposedException">It has been disposed of.</exception>
    public void Cancel() => Cancel(false);

    /// <summary>Cancels; safe on any thread and more than once.</summary>
    /// <exception cref="ObjectDisposedException">It has been disposed of.</exception>
    public void Cancel(bool throwOnFirstException)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        _isCancelled = true;
        // The write above must not pass the read below: Token re-checks the flag after it publishes a source.
        Interlocked.MemoryBarrier();
        _source?.Cancel(throwOnFirstException);
    }

    /// <inheritdoc/>
    public void CancelAfter(TimeSpan delay)
    {
        if (delay < TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(delay), $"The delay must be >= 0, it was {delay}");
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        if (IsCancellationRequested)
            return;
        if (delay == TimeSpan.Zero)
            Cancel();
        else
            _scheduler.ScheduleOnce(delay, CancelUnlessDisposed, this);
    }

    /// <inheritdoc/>
    public void CancelAfter(int millisecondsDelay) => CancelAfter(TimeSpan.FromMilliseconds(millisecondsDelay));

    private void CancelUnlessDisposed()
    {
        if (!_isDisposed)
            Cancel();
    }

    /// <summary>Releases the token. Does not cancel.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Releases the token when called from Dispose.</summary>
    protected virtual void Dispose(bool disposing)
    {
        if (_isDisposed || !disposing)
            return;
        _isDisposed = true;
        if (_source is not null && !ReferenceEquals(_source, Cancelled))
            _source.Dispose();
    }

    private static CancellationTokenSource CancelledSource()
    {
        var source = new CancellationTokenSource();
        source.Cancel();
        return source;
    }
}

/// <summary>Calls off what may not be there.</summary>
public static class CancelableExtensions
{
    /// <summary>Cancels, or does nothing with null.</summary>
    public static void CancelIfNotNull(this ICancelable cancelable) => cancelable?.Cancel();
}
