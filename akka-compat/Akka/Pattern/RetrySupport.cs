using Akka.Actor;
using Akka.Util;

namespace Akka.Pattern;

/// <summary>Tries again what failed.</summary>
public static class RetrySupport
{
    /// <summary>Tries again at once. The attempts are those after the first: 0 tries once.</summary>
    public static Task<T> Retry<T>(Func<Task<T>> attempt, int attempts) =>
        Retry(attempt, attempts, static _ => Option<TimeSpan>.None, null);

    /// <summary>Waits twice as long after each failure, within bounds, and a random part more.</summary>
    public static Task<T> Retry<T>(
        Func<Task<T>> attempt,
        int attempts,
        TimeSpan minBackoff,
        TimeSpan maxBackoff,
        int randomFactor,
        IScheduler scheduler
    )
    {
        if (minBackoff <= TimeSpan.Zero)
            throw new ArgumentException("minBackoff must be > 0", nameof(minBackoff));
        if (maxBackoff < minBackoff)
            throw new ArgumentException("maxBackoff must be >= minBackoff", nameof(maxBackoff));
        if (randomFactor is < 0 or > 1)
            throw new ArgumentException("randomFactor must be between 0.0 and 1.0", nameof(randomFactor));
        return Retry(
            attempt,
            attempts,
            attempted => BackoffDelay.Of(attempted, minBackoff, maxBackoff, randomFactor),
            scheduler
        );
    }

    /// <summary>Waits as long each time.</summary>
    public static Task<T> Retry<T>(Func<Task<T>> attempt, int attempts, TimeSpan delay, IScheduler scheduler) =>
        Retry(attempt, attempts, _ => delay, scheduler);

    /// <summary>
    /// Waits as long as the function says for the number of the failure, from 1 on; without a value not at all. The
    /// last failure is thrown on.
    /// </summary>
    /// <exception cref="ArgumentNullException">There is nothing to try.</exception>
    /// <exception cref="ArgumentException">The attempts are negative.</exception>
    public static Task<T> Retry<T>(
        Func<Task<T>> attempt,
        int attempts,
        Func<int, Option<TimeSpan>> delayFunction,
        IScheduler scheduler
    )
    {
        ArgumentNullException.ThrowIfNull(attempt);
        if (attempts < 0)
            throw new ArgumentException("Parameter attempts must >= 0.", nameof(attempts));
        return Try(attempt, attempts, delayFunction, scheduler);
    }

    private static async Task<T> Try<T>(
        Func<Task<T>> attempt,
        int attempts,
        Func<int, Option<TimeSpan>> delayFunction,
        IScheduler scheduler
    )
    {
        for (var attempted = 0; ; attempted++)
        {
            try
            {
                return await attempt().ConfigureAwait(false);
            }
            catch (Exception) when (attempted < attempts)
            {
                var delay = delayFunction(attempted + 1);
                if (delay.HasValue && delay.Value > TimeSpan.Zero)
                    await Pause(delay.Value, scheduler).ConfigureAwait(false);
            }
        }
    }

    private static Task Pause(TimeSpan delay, IScheduler scheduler)
    {
        var done = new TaskCompletionSource();
        scheduler.Advanced.ScheduleOnce(delay, () => done.TrySetResult());
        return done.Task;
    }
}

/// <summary>Something later.</summary>
public static class FutureTimeoutSupport
{
    /// <summary>
    /// Calls the function after a time on the scheduler's clock, or at once when the time is not positive; gives its
    /// outcome.
    /// </summary>
    public static Task<T> After<T>(TimeSpan duration, IScheduler scheduler, Func<Task<T>> value)
    {
        if (duration <= TimeSpan.Zero)
            return value();
        var done = new TaskCompletionSource<T>();
        scheduler.Advanced.ScheduleOnce(
            duration,
            async () =>
            {
                try
                {
                    done.TrySetResult(await value().ConfigureAwait(false));
                }
                catch (Exception e)
                {
                    done.TrySetException(e);
                }
            }
        );
        return done.Task;
    }
}

internal static class BackoffDelay
{
    /// <summary>The smallest delay doubled for every failure, at most the largest, times 1 to 1 + factor.</summary>
    internal static TimeSpan Of(int failures, TimeSpan min, TimeSpan max, double randomFactor)
    {
        var factor = 1.0 + (ThreadLocalRandom.Current.NextDouble() * randomFactor);
        var ticks = Math.Min(min.Ticks * Math.Pow(2, failures), max.Ticks) * factor;
        return ticks >= TimeSpan.MaxValue.Ticks ? max : TimeSpan.FromTicks((long)ticks);
    }

    internal static void Validate(TimeSpan min, TimeSpan max, double randomFactor)
    {
        if (min <= TimeSpan.Zero)
            throw new ArgumentException("MinBackoff must be greater than 0", nameof(min));
        if (max < min)
            throw new ArgumentException("MaxBackoff must be greater than MinBackoff", nameof(max));
        if (randomFactor is < 0 or > 1)
            throw new ArgumentException("RandomFactor must be between 0.0 and 1.0", nameof(randomFactor));
    }
}
