namespace Akka.TestKit;

/// <summary>Expects or mutes the log events of some filters.</summary>
public interface IEventFilterApplier
{
    /// <summary>
    /// Runs the action and waits for an event that matches, for at most akka.test.filter-leeway after its end; fails
    /// when none has come, or several have by then.
    /// </summary>
    void ExpectOne(Action action, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs the action and waits for an event that matches, for at most akka.test.filter-leeway after its end; fails
    /// when none has come, or several have by then.
    /// </summary>
    Task ExpectOneAsync(Func<Task> actionAsync, CancellationToken cancellationToken = default);

    /// <summary>As <see cref="ExpectOne(Action, CancellationToken)"/>, within a time that is dilated.</summary>
    void ExpectOne(TimeSpan timeout, Action action, CancellationToken cancellationToken = default);

    /// <summary>As <see cref="ExpectOne(Action, CancellationToken)"/>, within a time that is dilated.</summary>
    Task ExpectOneAsync(TimeSpan timeout, Func<Task> action, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs the action and waits for so many events that match, for at most akka.test.filter-leeway after its end;
    /// fails when fewer have come, or more have by then. With 0 it waits the whole time whether one comes.
    /// </summary>
    void Expect(int expectedCount, Action action, CancellationToken cancellationToken = default);

    /// <summary>
    /// Runs the action and waits for so many events that match, for at most akka.test.filter-leeway after its end;
    /// fails when fewer have come, or more have by then. With 0 it waits the whole time whether one comes.
    /// </summary>
    Task ExpectAsync(int expectedCount, Func<Task> actionAsync, CancellationToken cancellationToken = default);

    /// <summary>
    /// As <see cref="Expect(int, Action, CancellationToken)"/>, within a time that is dilated; null is
    /// akka.test.filter-leeway.
    /// </summary>
    Task ExpectAsync(
        int expectedCount,
        Func<Task> actionAsync,
        TimeSpan? timeout,
        CancellationToken cancellationToken = default
    );

    /// <summary>
    /// As <see cref="Expect(int, Action, CancellationToken)"/>, within a time that is dilated; null is
    /// akka.test.filter-leeway.
    /// </summary>
    void Expect(int expectedCount, TimeSpan timeout, Action action, CancellationToken cancellationToken = default);

    /// <summary>
    /// As <see cref="Expect(int, Action, CancellationToken)"/>, within a time that is dilated; null is
    /// akka.test.filter-leeway.
    /// </summary>
    Task ExpectAsync(
        int expectedCount,
        TimeSpan timeout,
        Func<Task> action,
        CancellationToken cancellationToken = default
    );

    /// <summary>As <see cref="ExpectOne(Action, CancellationToken)"/>; gives the function's result.</summary>
    T ExpectOne<T>(Func<T> func, CancellationToken cancellationToken = default);

    /// <summary>As <see cref="ExpectOne(Action, CancellationToken)"/>; gives the function's result.</summary>
    Task<T> ExpectOneAsync<T>(Func<Task<T>> func, CancellationToken cancellationToken = default);

    /// <summary>
    /// As <see cref="ExpectOne(Action, CancellationToken)"/>, within a time that is dilated; gives the function's
    /// result.
    /// </summary>
    T ExpectOne<T>(TimeSpan timeout, Func<T> func, CancellationToken cancellationToken = default);

    /// <summary>
    /// As <see cref="ExpectOne(Action, CancellationToken)"/>, within a time that is dilated; gives the function's
    /// result.
    /// </summary>
    Task<T> ExpectOneAsync<T>(TimeSpan timeout, Func<Task<T>> func, CancellationToken cancellationToken = default);

    /// <summary>As <see cref="Expect(int, Action, CancellationToken)"/>; gives the function's result.</summary>
    T Expect<T>(int expectedCount, Func<T> func, CancellationToken cancellationToken = default);

    /// <summary>As <see cref="Expect(int, Action, CancellationToken)"/>; gives the function's result.</summary>
    Task<T> ExpectAsync<T>(int expectedCount, Func<Task<T>> func, CancellationToken cancellationToken = default);

    /// <summary>
    /// As <see cref="Expect(int, Action, CancellationToken)"/>, within a time that is dilated; gives the function's
    /// result.
    /// </summary>
    T Expect<T>(int expectedCount, TimeSpan timeout, Func<T> func, CancellationToken cancellationToken = default);

    /// <summary>
    /// As <see cref="Expect(int, Action, CancellationToken)"/>, within a time that is dilated; gives the function's
    /// result.
    /// </summary>
    Task<T> ExpectAsync<T>(
        int expectedCount,
        TimeSpan timeout,
        Func<Task<T>> func,
        CancellationToken cancellationToken = default
    );

    /// <summary>Keeps matching events out of the log while the action runs.</summary>
    T Mute<T>(Func<T> func, CancellationToken cancellationToken = default);

    /// <summary>Keeps matching events out of the log while the action runs.</summary>
    Task<T> MuteAsync<T>(Func<Task<T>> func, CancellationToken cancellationToken = default);

    /// <summary>Keeps matching events out of the log while the action runs.</summary>
    void Mute(Action action, CancellationToken cancellationToken = default);

    /// <summary>Keeps matching events out of the log while the action runs.</summary>
    Task MuteAsync(Func<Task> action, CancellationToken cancellationToken = default);

    /// <summary>Keeps matching events out of the log until the result is disposed of.</summary>
    IUnmutableFilter Mute();

    /// <summary>Adds filters: an event counts that any of them matches.</summary>
    EventFilterFactory And { get; }
}

/// <summary>Filters that stay muted until they are taken back.</summary>
public interface IUnmutableFilter : IDisposable
{
    /// <summary>Lets the events into the log again; more than once is no harm.</summary>
    void Unmute();
}
