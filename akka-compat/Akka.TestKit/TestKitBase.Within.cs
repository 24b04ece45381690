namespace Akka.TestKit;

public abstract partial class TestKitBase
{
    /// <summary>
    /// As <see cref="Within(TimeSpan, TimeSpan, Action, string, TimeSpan?, CancellationToken)"/>, without a shortest
    /// time.
    /// </summary>
    public void Within(
        TimeSpan max,
        Action action,
        TimeSpan? epsilonValue = null,
        CancellationToken cancellationToken = default
    ) => Within(TimeSpan.Zero, max, action, null, epsilonValue, cancellationToken);

    /// <inheritdoc cref="Within(TimeSpan, Action, TimeSpan?, CancellationToken)"/>
    public Task WithinAsync(
        TimeSpan max,
        Func<Task> actionAsync,
        TimeSpan? epsilonValue = null,
        CancellationToken cancellationToken = default
    ) => WithinAsync(TimeSpan.Zero, max, actionAsync, null, epsilonValue, cancellationToken);

    /// <summary>
    /// Runs the block and fails unless it takes at least the one and at most the other time; the maximum is dilated,
    /// and exceeded only by more than the tolerance (0.5 s by default). Waits inside, if they are given no time, take
    /// what is left. Blocks may be nested; the tightest limit counts. It is not broken off when time is up.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A time is negative.</exception>
    public void Within(
        TimeSpan min,
        TimeSpan max,
        Action action,
        string hint = null,
        TimeSpan? epsilonValue = null,
        CancellationToken cancellationToken = default
    ) =>
        Within(
            min,
            max,
            () =>
            {
                action();
                return NotUsed.Instance;
            },
            hint,
            epsilonValue,
            cancellationToken
        );

    /// <summary>
    /// Runs the block and fails unless it takes at least the one and at most the other time; the maximum is dilated,
    /// and exceeded only by more than the tolerance (0.5 s by default). Waits inside, if they are given no time, take
    /// what is left. Blocks may be nested; the tightest limit counts. It is not broken off when time is up.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A time is negative.</exception>
    public Task WithinAsync(
        TimeSpan min,
        TimeSpan max,
        Func<Task> actionAsync,
        string hint = null,
        TimeSpan? epsilonValue = null,
        CancellationToken cancellationToken = default
    ) =>
        WithinAsync(
            min,
            max,
            async () =>
            {
                await actionAsync();
                return NotUsed.Instance;
            },
            hint,
            epsilonValue,
            cancellationToken
        );

    /// <summary>
    /// As <see cref="Within(TimeSpan, TimeSpan, Action, string, TimeSpan?, CancellationToken)"/>, without a shortest
    /// time.
    /// </summary>
    public T Within<T>(
        TimeSpan max,
        Func<T> function,
        TimeSpan? epsilonValue = null,
        CancellationToken cancellationToken = default
    ) => Within(TimeSpan.Zero, max, function, null, epsilonValue, cancellationToken);

    /// <inheritdoc cref="Within{T}(TimeSpan, Func{T}, TimeSpan?, CancellationToken)"/>
    public Task<T> WithinAsync<T>(
        TimeSpan max,
        Func<Task<T>> function,
        TimeSpan? epsilonValue = null,
        CancellationToken cancellationToken = default
    ) => WithinAsync(TimeSpan.Zero, max, function, null, epsilonValue, cancellationToken);

    /// <summary>
    /// Runs the block and fails unless it takes at least the one and at most the other time; the maximum is dilated,
    /// and exceeded only by more than the tolerance (0.5 s by default). Waits inside, if they are given no time, take
    /// what is left. Blocks may be nested; the tightest limit counts. It is not broken off when time is up.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A time is negative.</exception>
    public T Within<T>(
        TimeSpan min,
        TimeSpan max,
        Func<T> function,
        string hint = null,
        TimeSpan? epsilonValue = null,
        CancellationToken cancellationToken = default
    )
    {
        var (start, outer, limit) = EnterWithin(min, max);
        T result;
        try
        {
            result = function();
        }
        finally
        {
            _end = outer;
        }
        LeaveWithin(start, min, limit, hint, epsilonValue);
        return result;
    }

    /// <summary>
    /// Runs the block and fails unless it takes at least the one and at most the other time; the maximum is dilated,
    /// and exceeded only by more than the tolerance (0.5 s by default). Waits inside, if they are given no time, take
    /// what is left. Blocks may be nested; the tightest limit counts. It is not broken off when time is up.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">A time is negative.</exception>
    public async Task<T> WithinAsync<T>(
        TimeSpan min,
        TimeSpan max,
        Func<Task<T>> function,
        string hint = null,
        TimeSpan? epsilonValue = null,
        CancellationToken cancellationToken = default
    )
    {
        var (start, outer, limit) = EnterWithin(min, max);
        T result;
        try
        {
            result = await function().WaitAsync(cancellationToken);
        }
        finally
        {
            _end = outer;
        }
        LeaveWithin(start, min, limit, hint, epsilonValue);
        return result;
    }

    private (TimeSpan Start, TimeSpan? Outer, TimeSpan Limit) EnterWithin(TimeSpan min, TimeSpan max)
    {
        if (min < TimeSpan.Zero)
            throw new ArgumentOutOfRangeException(nameof(min), "min duration cannot be negative");
        if (max < TimeSpan.Zero && max != Timeout.InfiniteTimeSpan)
            throw new ArgumentOutOfRangeException(nameof(max), "max duration cannot be negative");
        var limit = Dilated(max);
        var start = Clock;
        var left = _end is { } end ? end - start : TimeSpan.MaxValue;
        _assertions.AssertTrue(left >= min, "Required min time {0} not possible, only {1} left.", min, left);
        _lastWasNoMsg = false;
        var outer = _end;
        var mine = limit < left && limit >= TimeSpan.Zero ? limit : left;
        _end = mine == TimeSpan.MaxValue ? null : start + mine;
        return (start, outer, mine);
    }

    private void LeaveWithin(TimeSpan start, TimeSpan min, TimeSpan limit, string hint, TimeSpan? epsilon)
    {
        var took = Clock - start;
        var text = string.IsNullOrEmpty(hint) ? "" : " - " + hint;
        if (took < min)
            _assertions.Fail("Failed: Block took {0}, should have at least been {1}{2}", took, min, text);
        // A wait inside may end exactly at the limit: that is not a violation, only what was done after it would be.
        var tolerated = epsilon ?? TimeSpan.FromSeconds(0.5);
        if (!_lastWasNoMsg && limit != TimeSpan.MaxValue && took > limit + tolerated)
            _assertions.Fail("Failed: Block took {0}, exceeding {1}{2}", took, limit, text);
    }
}
