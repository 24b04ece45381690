namespace Akka.TestKit.Extensions;

/// <summary>Waiting for tasks in tests.</summary>
public static class TaskExtensions
{
    /// <summary>True when the task ended in time.</summary>
    public static async Task<bool> AwaitWithTimeout(
        this Task parentTask,
        TimeSpan timeout,
        CancellationToken cancellationToken = default
    )
    {
        try
        {
            await parentTask.WaitAsync(timeout, cancellationToken);
            return true;
        }
        catch (TimeoutException) when (!parentTask.IsCompleted)
        {
            return false;
        }
    }

    /// <summary>The task's result.</summary>
    /// <exception cref="TimeoutException">It did not end in time.</exception>
    public static Task<T> WithTimeout<T>(
        this Task<T> parentTask,
        TimeSpan timeout,
        CancellationToken cancellationToken = default
    ) => parentTask.WaitAsync(timeout, cancellationToken);

    /// <summary>Waits for the task and compares its result.</summary>
    /// <exception cref="TimeoutException">It did not end in time.</exception>
    /// <exception cref="InvalidOperationException">It ended with another result.</exception>
    public static async Task ShouldCompleteWithin<T>(
        this Task<T> task,
        T expected,
        TimeSpan timeout,
        string because = "",
        params object[] becauseArgs
    )
    {
        var actual = await task.WaitAsync(timeout);
        if (!Equals(expected, actual))
            throw new InvalidOperationException(
                $"Expected {expected} but got {actual}. {string.Format(because, becauseArgs)}"
            );
    }

    /// <summary>Waits for the task; the reason is for the reader of the test only.</summary>
    /// <exception cref="TimeoutException">It did not end in time.</exception>
    public static Task<T> ShouldCompleteWithin<T>(
        this Task<T> task,
        TimeSpan timeout,
        string because = "",
        params object[] becauseArgs
    ) => task.WaitAsync(timeout);

    /// <summary>Waits for the task; the reason is for the reader of the test only.</summary>
    /// <exception cref="TimeoutException">It did not end in time.</exception>
    public static Task ShouldCompleteWithin(
        this Task task,
        TimeSpan timeout,
        string because = "",
        params object[] becauseArgs
    ) => task.WaitAsync(timeout);

    /// <summary>Waits for the task and expects a failure with the same message.</summary>
    /// <exception cref="InvalidOperationException">It did not fail, or with another message.</exception>
    public static async Task ShouldThrowWithin<T>(
        this Task task,
        T expected,
        TimeSpan timeout,
        string because = "",
        params object[] becauseArgs
    )
        where T : Exception
    {
        var thrown = await task.ShouldThrowWithin<T>(timeout, because, becauseArgs);
        if (thrown.Message != expected.Message)
            throw new InvalidOperationException($"Expected {expected.Message} but got {thrown.Message}.");
    }

    /// <summary>Waits for the task and gives its failure. One of another type is thrown on.</summary>
    /// <exception cref="InvalidOperationException">It did not fail.</exception>
    public static async Task<T> ShouldThrowWithin<T>(
        this Task task,
        TimeSpan timeout,
        string because = "",
        params object[] becauseArgs
    )
        where T : Exception
    {
        try
        {
            await task.WaitAsync(timeout);
        }
        catch (T thrown)
        {
            return thrown;
        }
        throw new InvalidOperationException(
            $"Expected a {typeof(T)} but nothing was thrown. {string.Format(because, becauseArgs)}"
        );
    }
}
