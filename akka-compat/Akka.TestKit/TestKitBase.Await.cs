using System.Runtime.ExceptionServices;
using Akka.Event;

namespace Akka.TestKit;

public abstract partial class TestKitBase
{
    private static readonly TimeSpan DefaultInterval = TimeSpan.FromMilliseconds(20);

    /// <summary>As the overload with an interval.</summary>
    public void AwaitCondition(Func<bool> conditionIsFulfilled, CancellationToken cancellationToken = default) =>
        AwaitCondition(conditionIsFulfilled, null, null, null, cancellationToken);

    /// <summary>As the overload with an interval.</summary>
    public Task AwaitConditionAsync(
        Func<Task<bool>> conditionIsFulfilled,
        CancellationToken cancellationToken = default
    ) => AwaitConditionAsync(conditionIsFulfilled, null, null, null, cancellationToken);

    /// <summary>As the overload with an interval.</summary>
    public Task AwaitConditionAsync(Func<bool> conditionIsFulfilled, CancellationToken cancellationToken = default) =>
        AwaitConditionAsync(conditionIsFulfilled, null, null, null, cancellationToken);

    /// <summary>As the overload with an interval.</summary>
    public void AwaitCondition(
        Func<bool> conditionIsFulfilled,
        TimeSpan? max,
        CancellationToken cancellationToken = default
    ) => AwaitCondition(conditionIsFulfilled, max, null, null, cancellationToken);

    /// <summary>As the overload with an interval.</summary>
    public Task AwaitConditionAsync(
        Func<Task<bool>> conditionIsFulfilled,
        TimeSpan? max,
        CancellationToken cancellationToken = default
    ) => AwaitConditionAsync(conditionIsFulfilled, max, null, null, cancellationToken);

    /// <summary>As the overload with an interval.</summary>
    public void AwaitCondition(
        Func<bool> conditionIsFulfilled,
        TimeSpan? max,
        string message,
        CancellationToken cancellationToken = default
    ) => AwaitCondition(conditionIsFulfilled, max, null, message, cancellationToken);

    /// <summary>As the overload with an interval.</summary>
    public Task AwaitConditionAsync(
        Func<Task<bool>> conditionIsFulfilled,
        TimeSpan? max,
        string message,
        CancellationToken cancellationToken = default
    ) => AwaitConditionAsync(conditionIsFulfilled, max, null, message, cancellationToken);

    /// <summary>As the overload with an interval.</summary>
    public Task AwaitConditionAsync(
        Func<bool> conditionIsFulfilled,
        TimeSpan? max,
        string message,
        CancellationToken cancellationToken = default
    ) => AwaitConditionAsync(conditionIsFulfilled, max, null, message, cancellationToken);

    /// <summary>
    /// Asks again and again, every 20 ms unless an interval is given, and fails unless the condition holds in time: the
    /// maximum (dilated), else what is left of Within, else akka.test.single-expect-default. What the condition throws
    /// is thrown on. On a simulated system it is asked before every step, in virtual time.
    /// </summary>
    public void AwaitCondition(
        Func<bool> conditionIsFulfilled,
        TimeSpan? max,
        TimeSpan? interval,
        string message = null,
        CancellationToken cancellationToken = default
    )
    {
        var limit = RemainingOrDilated(max);
        if (!AwaitConditionNoThrow(conditionIsFulfilled, limit, interval, cancellationToken))
            FailCondition(limit, message);
    }

    /// <inheritdoc cref="AwaitCondition(Func{bool}, TimeSpan?, TimeSpan?, string, CancellationToken)"/>
    public Task AwaitConditionAsync(
        Func<bool> conditionIsFulfilled,
        TimeSpan? max,
        TimeSpan? interval,
        string message = null,
        CancellationToken cancellationToken = default
    ) => AwaitConditionAsync(() => Task.FromResult(conditionIsFulfilled()), max, interval, message, cancellationToken);

    /// <summary>
    /// Asks again and again, every 20 ms unless an interval is given, and fails unless the condition holds in time: the
    /// maximum (dilated), else what is left of Within, else akka.test.single-expect-default. What the condition throws
    /// is thrown on. On a simulated system it is asked before every step, in virtual time.
    /// </summary>
    public async Task AwaitConditionAsync(
        Func<Task<bool>> conditionIsFulfilled,
        TimeSpan? max,
        TimeSpan? interval,
        string message = null,
        CancellationToken cancellationToken = default
    )
    {
        var limit = RemainingOrDilated(max);
        if (!await AwaitConditionNoThrowAsync(conditionIsFulfilled, limit, interval, cancellationToken))
            FailCondition(limit, message);
    }

    private void FailCondition(TimeSpan max, string message) =>
        _assertions.Fail(
            "Timeout {0} expired while waiting for condition.{1}",
            max,
            message is null ? "" : " " + message
        );

    /// <summary>
    /// As <see cref="AwaitCondition(Func{bool}, TimeSpan?, TimeSpan?, string, CancellationToken)"/>, but false when the
    /// condition does not hold in time, which is not dilated here.
    /// </summary>
    public bool AwaitConditionNoThrow(
        Func<bool> conditionIsFulfilled,
        TimeSpan max,
        TimeSpan? interval = null,
        CancellationToken cancellationToken = default
    )
    {
        if (SimulationOrNull is not null)
            return PumpUntil(conditionIsFulfilled, max);
        return InternalAwaitCondition(conditionIsFulfilled, max, interval, null, cancellationToken);
    }

    /// <inheritdoc cref="AwaitConditionNoThrow(Func{bool}, TimeSpan, TimeSpan?, CancellationToken)"/>
    public Task<bool> AwaitConditionNoThrowAsync(
        Func<Task<bool>> conditionIsFulfilled,
        TimeSpan max,
        TimeSpan? interval = null,
        CancellationToken cancellationToken = default
    )
    {
        if (SimulationOrNull is not null)
            return Task.FromResult(PumpUntil(() => conditionIsFulfilled() is { IsCompleted: true } t && t.Result, max));
        return InternalAwaitConditionAsync(conditionIsFulfilled, max, interval, null, cancellationToken);
    }

    /// <summary>
    /// As <see cref="AwaitCondition(Func{bool}, TimeSpan?, TimeSpan?, string, CancellationToken)"/>, but false when the
    /// condition does not hold in time, which is not dilated here.
    /// </summary>
    public Task<bool> AwaitConditionNoThrowAsync(
        Func<bool> conditionIsFulfilled,
        TimeSpan max,
        TimeSpan? interval = null,
        CancellationToken cancellationToken = default
    ) => AwaitConditionNoThrowAsync(() => Task.FromResult(conditionIsFulfilled()), max, interval, cancellationToken);

    /// <summary>Runs a simulated system until a condition holds, for at most a span of its virtual time.</summary>
    private bool PumpUntil(Func<bool> condition, TimeSpan max)
    {
        var simulation = SimulationOrNull;
        var late = false;
        simulation.Scheduler.At(simulation.Scheduler.VirtualNow + max, () => late = true);
        simulation.RunUntil(() => late || condition(), long.MaxValue);
        return condition();
    }

    /// <summary>
    /// Asks again and again, in real time, whether the condition holds; false when time is up, and then the function,
    /// if there is one, is called with a text. The logger is not used.
    /// </summary>
    protected static bool InternalAwaitCondition(
        Func<bool> conditionIsFulfilled,
        TimeSpan max,
        TimeSpan? interval,
        Action<string, object[]> fail,
        CancellationToken cancellationToken = default
    ) => InternalAwaitCondition(conditionIsFulfilled, max, interval, fail, null, cancellationToken);

    /// <summary>
    /// Asks again and again, in real time, whether the condition holds; false when time is up, and then the function,
    /// if there is one, is called with a text. The logger is not used.
    /// </summary>
    protected static bool InternalAwaitCondition(
        Func<bool> conditionIsFulfilled,
        TimeSpan max,
        TimeSpan? interval,
        Action<string, object[]> fail,
        ILoggingAdapter logger,
        CancellationToken cancellationToken = default
    )
    {
        var end = Now + max;
        using var never = new ManualResetEventSlim();
        while (!conditionIsFulfilled())
        {
            var left = end - Now;
            if (left <= TimeSpan.Zero)
            {
                fail?.Invoke("Timeout {0} expired while waiting for condition.", [max]);
                return false;
            }
            var pause = interval ?? DefaultInterval;
            never.Wait(pause < left ? pause : left, cancellationToken);
        }
        return true;
    }

    /// <inheritdoc cref="InternalAwaitCondition(Func{bool}, TimeSpan, TimeSpan?, Action{string, object[]}, ILoggingAdapter, CancellationToken)"/>
    protected static Task<bool> InternalAwaitConditionAsync(
        Func<Task<bool>> conditionIsFulfilled,
        TimeSpan max,
        TimeSpan? interval,
        Action<string, object[]> fail,
        CancellationToken cancellationToken = default
    ) => InternalAwaitConditionAsync(conditionIsFulfilled, max, interval, fail, null, cancellationToken);

    /// <summary>
    /// Asks again and again, in real time, whether the condition holds; false when time is up, and then the function,
    /// if there is one, is called with a text. The logger is not used.
    /// </summary>
    protected static async Task<bool> InternalAwaitConditionAsync(
        Func<Task<bool>> conditionIsFulfilled,
        TimeSpan max,
        TimeSpan? interval,
        Action<string, object[]> fail,
        ILoggingAdapter logger,
        CancellationToken cancellationToken = default
    )
    {
        var end = Now + max;
        while (!await conditionIsFulfilled())
        {
            var left = end - Now;
            if (left <= TimeSpan.Zero)
            {
                fail?.Invoke("Timeout {0} expired while waiting for condition.", [max]);
                return false;
            }
            var pause = interval ?? DefaultInterval;
            await Task.Delay(pause < left ? pause : left, cancellationToken);
        }
        return true;
    }

    /// <summary>
    /// Runs the assertion again and again until it throws nothing; fails with the last failure when time is up:
    /// dilated, or what is left of Within.
    /// </summary>
    public void AwaitAssert(
        Action assertion,
        TimeSpan? duration = null,
        TimeSpan? interval = null,
        CancellationToken cancellationToken = default
    )
    {
        Exception last = null;
        if (
            !AwaitConditionNoThrow(
                () => Holds(assertion, out last),
                RemainingOrDilated(duration),
                interval,
                cancellationToken
            )
        )
            ExceptionDispatchInfo.Throw(last);
    }

    /// <inheritdoc cref="AwaitAssert(Action, TimeSpan?, TimeSpan?, CancellationToken)"/>
    public async Task AwaitAssertAsync(
        Action assertion,
        TimeSpan? duration = null,
        TimeSpan? interval = null,
        CancellationToken cancellationToken = default
    )
    {
        Exception last = null;
        var held = await AwaitConditionNoThrowAsync(
            () => Holds(assertion, out last),
            RemainingOrDilated(duration),
            interval,
            cancellationToken
        );
        if (!held)
            ExceptionDispatchInfo.Throw(last);
    }

    /// <summary>
    /// Runs the assertion again and again until it throws nothing; fails with the last failure when time is up:
    /// dilated, or what is left of Within.
    /// </summary>
    public async Task AwaitAssertAsync(
        Func<Task> assertion,
        TimeSpan? duration = null,
        TimeSpan? interval = null,
        CancellationToken cancellationToken = default
    )
    {
        Exception last = null;
        var held = await AwaitConditionNoThrowAsync(
            async () =>
            {
                try
                {
                    await assertion();
                    return true;
                }
                catch (Exception e)
                {
                    last = e;
                    return false;
                }
            },
            RemainingOrDilated(duration),
            interval,
            cancellationToken
        );
        if (!held)
            ExceptionDispatchInfo.Throw(last);
    }

    private static bool Holds(Action assertion, out Exception failure)
    {
        try
        {
            assertion();
            failure = null;
            return true;
        }
        catch (Exception e)
        {
            failure = e;
            return false;
        }
    }
}
