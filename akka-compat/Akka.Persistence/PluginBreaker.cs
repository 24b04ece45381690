using Akka.Actor;
using Akka.Configuration;
using Akka.Pattern;

namespace Akka.Persistence;

/// <summary>
/// Keeps a journal or store that fails again and again from being asked for a while. Tells the time by the actor
/// system's scheduler, and adds nothing to a call that completes at once. One plugin actor uses it at a time.
/// </summary>
internal sealed class PluginBreaker(Config config, IScheduler scheduler)
{
    private readonly int _maxFailures = config.GetInt("max-failures", 10);
    private readonly TimeSpan _callTimeout = config.GetTimeSpan("call-timeout", TimeSpan.FromSeconds(10));
    private readonly TimeSpan _resetTimeout = config.GetTimeSpan("reset-timeout", TimeSpan.FromSeconds(30));
    private readonly Lock _lock = new();
    private int _failures;
    private TimeSpan _openUntil = TimeSpan.MinValue;

    /// <summary>Null when the call may be made; otherwise why not.</summary>
    public Exception Refusal()
    {
        lock (_lock)
        {
            if (_failures < _maxFailures)
                return null;
            var left = _openUntil - scheduler.MonotonicClock;
            if (left <= TimeSpan.Zero)
            {
                // Half open: one call may try; its success closes, its failure opens again.
                _openUntil = scheduler.MonotonicClock + _resetTimeout;
                return null;
            }
            return new OpenCircuitException(
                $"The plugin failed {_failures} times in a row; calls fail without being tried for another {left.TotalSeconds:F1}s.",
                left
            );
        }
    }

    /// <summary>Ends a series of failures.</summary>
    public void Succeeded()
    {
        if (Volatile.Read(ref _failures) == 0)
            return;
        lock (_lock)
            _failures = 0;
    }

    /// <summary>Counts a failure; enough in a row keep calls away for a while.</summary>
    public void Failed()
    {
        lock (_lock)
        {
            if (++_failures >= _maxFailures)
                _openUntil = scheduler.MonotonicClock + _resetTimeout;
        }
    }

    /// <summary>Makes a call that completes by itself, or by failing after the call timeout.</summary>
    public Task<T> Call<T>(Func<Task<T>> body)
    {
        if (Refusal() is { } refusal)
            return Task.FromException<T>(refusal);
        Task<T> task;
        try
        {
            task = body();
        }
        catch (Exception e)
        {
            Failed();
            return Task.FromException<T>(e);
        }
        if (task.IsCompleted)
        {
            Count(task);
            return task;
        }
        return WithTimeout(task);
    }

    /// <summary>As <see cref="Call{T}(Func{Task{T}})"/>, without a result.</summary>
    public Task Call(Func<Task> body) =>
        Call(() =>
        {
            var task = body();
            return task.IsCompletedSuccessfully ? Done : Await(task);
        });

    private static readonly Task<bool> Done = Task.FromResult(true);

    private static async Task<bool> Await(Task task)
    {
        await task.ConfigureAwait(false);
        return true;
    }

    private Task<T> WithTimeout<T>(Task<T> task)
    {
        var promise = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        var timeout = new Cancelable(scheduler.Advanced);
        scheduler.Advanced.ScheduleOnce(
            _callTimeout,
            () =>
            {
                if (promise.TrySetException(new TimeoutException($"Execution did not complete within {_callTimeout}.")))
                    Failed();
            },
            timeout
        );
        _ = task.ContinueWith(
            ended =>
            {
                timeout.Cancel();
                Count(ended);
                if (ended.IsCanceled)
                    promise.TrySetCanceled();
                else if (ended.Exception is { } failure)
                    promise.TrySetException(failure.InnerExceptions);
                else
                    promise.TrySetResult(ended.Result);
            },
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
        return promise.Task;
    }

    private void Count(Task task)
    {
        if (task.IsCompletedSuccessfully)
            Succeeded();
        else
            Failed();
    }
}
