using Akka.Actor;
using Akka.Event;
using Akka.TestKit.TestEvent;

namespace Akka.TestKit.Internal;

internal sealed class EventFilterApplier(
    TestKitBase testkit,
    IReadOnlyList<EventFilterBase> filters,
    ActorSystem system
) : IEventFilterApplier
{
    /// <inheritdoc/>
    public EventFilterFactory And => new(testkit, system, filters);

    private ActorSystem System => system ?? testkit.Sys;

    /// <inheritdoc/>
    public void ExpectOne(Action action, CancellationToken cancellationToken = default) =>
        Count(1, null, action, cancellationToken);

    /// <inheritdoc/>
    public void ExpectOne(TimeSpan timeout, Action action, CancellationToken cancellationToken = default) =>
        Count(1, timeout, action, cancellationToken);

    /// <inheritdoc/>
    public void Expect(int expectedCount, Action action, CancellationToken cancellationToken = default) =>
        Count(expectedCount, null, action, cancellationToken);

    /// <inheritdoc/>
    public void Expect(
        int expectedCount,
        TimeSpan timeout,
        Action action,
        CancellationToken cancellationToken = default
    ) => Count(expectedCount, timeout, action, cancellationToken);

    /// <inheritdoc/>
    public T ExpectOne<T>(Func<T> func, CancellationToken cancellationToken = default) =>
        Count(1, null, func, cancellationToken);

    /// <inheritdoc/>
    public T ExpectOne<T>(TimeSpan timeout, Func<T> func, CancellationToken cancellationToken = default) =>
        Count(1, timeout, func, cancellationToken);

    /// <inheritdoc/>
    public T Expect<T>(int expectedCount, Func<T> func, CancellationToken cancellationToken = default) =>
        Count(expectedCount, null, func, cancellationToken);

    /// <inheritdoc/>
    public T Expect<T>(
        int expectedCount,
        TimeSpan timeout,
        Func<T> func,
        CancellationToken cancellationToken = default
    ) => Count(expectedCount, timeout, func, cancellationToken);

    /// <inheritdoc/>
    public Task ExpectOneAsync(Func<Task> actionAsync, CancellationToken cancellationToken = default) =>
        CountAsync(1, null, actionAsync, cancellationToken);

    /// <inheritdoc/>
    public Task ExpectOneAsync(TimeSpan timeout, Func<Task> action, CancellationToken cancellationToken = default) =>
        CountAsync(1, timeout, action, cancellationToken);

    /// <inheritdoc/>
    public Task ExpectAsync(int expectedCount, Func<Task> actionAsync, CancellationToken cancellationToken = default) =>
        CountAsync(expectedCount, null, actionAsync, cancellationToken);

    /// <inheritdoc/>
    public Task ExpectAsync(
        int expectedCount,
        Func<Task> actionAsync,
        TimeSpan? timeout,
        CancellationToken cancellationToken = default
    ) => CountAsync(expectedCount, timeout, actionAsync, cancellationToken);

    /// <inheritdoc/>
    public Task ExpectAsync(
        int expectedCount,
        TimeSpan timeout,
        Func<Task> action,
        CancellationToken cancellationToken = default
    ) => CountAsync(expectedCount, timeout, action, cancellationToken);

    /// <inheritdoc/>
    public Task<T> ExpectOneAsync<T>(Func<Task<T>> func, CancellationToken cancellationToken = default) =>
        CountAsync(1, null, func, cancellationToken);

    /// <inheritdoc/>
    public Task<T> ExpectOneAsync<T>(
        TimeSpan timeout,
        Func<Task<T>> func,
        CancellationToken cancellationToken = default
    ) => CountAsync(1, timeout, func, cancellationToken);

    /// <inheritdoc/>
    public Task<T> ExpectAsync<T>(
        int expectedCount,
        Func<Task<T>> func,
        CancellationToken cancellationToken = default
    ) => CountAsync(expectedCount, null, func, cancellationToken);

    /// <inheritdoc/>
    public Task<T> ExpectAsync<T>(
        int expectedCount,
        TimeSpan timeout,
        Func<Task<T>> func,
        CancellationToken cancellationToken = default
    ) => CountAsync(expectedCount, timeout, func, cancellationToken);

    /// <inheritdoc/>
    public IUnmutableFilter Mute() => new Muting(this);

    /// <inheritdoc/>
    public void Mute(Action action, CancellationToken cancellationToken = default)
    {
        using var muting = new Muting(this);
        action();
    }

    /// <inheritdoc/>
    public T Mute<T>(Func<T> func, CancellationToken cancellationToken = default)
    {
        using var muting = new Muting(this);
        return func();
    }

    /// <inheritdoc/>
    public async Task MuteAsync(Func<Task> action, CancellationToken cancellationToken = default)
    {
        using var muting = new Muting(this);
        await action();
    }

    /// <inheritdoc/>
    public async Task<T> MuteAsync<T>(Func<Task<T>> func, CancellationToken cancellationToken = default)
    {
        using var muting = new Muting(this);
        return await func();
    }

    private void Count(int expected, TimeSpan? timeout, Action action, CancellationToken token) =>
        Count(
            expected,
            timeout,
            () =>
            {
                action();
                return NotUsed.Instance;
            },
            token
        );

    private T Count<T>(int expected, TimeSpan? timeout, Func<T> func, CancellationToken token)
    {
        var limit = Limit(timeout);
        using var matches = new Counting(this);
        var result = func();
        var done = testkit.AwaitConditionNoThrow(() => matches.IsDone(expected), limit, null, token);
        Check(expected, limit, matches.Count, done);
        return result;
    }

    private Task CountAsync(int expected, TimeSpan? timeout, Func<Task> action, CancellationToken token) =>
        CountAsync(
            expected,
            timeout,
            async () =>
            {
                await action();
                return NotUsed.Instance;
            },
            token
        );

    private async Task<T> CountAsync<T>(int expected, TimeSpan? timeout, Func<Task<T>> func, CancellationToken token)
    {
        var limit = Limit(timeout);
        using var matches = new Counting(this);
        var result = await func();
        var done = await testkit.AwaitConditionNoThrowAsync(() => matches.IsDone(expected), limit, null, token);
        Check(expected, limit, matches.Count, done);
        return result;
    }

    private TimeSpan Limit(TimeSpan? timeout) =>
        timeout is { } given ? testkit.Dilated(given) : testkit.TestKitSettings.TestEventFilterLeeway;

    private void Check(int expected, TimeSpan limit, int actual, bool done)
    {
        var filter = string.Join(" or ", filters);
        if (!done && expected > 0)
            testkit.AssertionsInternal.Fail(
                "Timeout ({0}) while waiting for messages. Only received {1}/{2} messages that matched filter [{3}]",
                limit,
                actual,
                expected,
                filter
            );
        if (actual > expected)
            testkit.AssertionsInternal.Fail(
                "Received {0} messages too many. Expected {1} but received {2} that matched filter [{3}]",
                actual - expected,
                expected,
                actual,
                filter
            );
    }

    /// <summary>Filters that are muted as long as this lives.</summary>
    private class Muting : IUnmutableFilter
    {
        private readonly EventFilterApplier _applier;

        internal Muting(EventFilterApplier applier)
        {
            _applier = applier;
            applier.System.EventStream.Publish(new Mute(applier.Filters));
        }

        /// <inheritdoc/>
        public void Unmute() => _applier.System.EventStream.Publish(new Unmute(_applier.Filters));

        /// <inheritdoc/>
        public virtual void Dispose() => Unmute();
    }

    private IReadOnlyList<EventFilterBase> Filters => filters;

    /// <summary>Counts the matches of the filters while it lives.</summary>
    private sealed class Counting : Muting
    {
        private readonly EventFilterApplier _applier;
        private int _count;

        internal Counting(EventFilterApplier applier)
            : base(applier)
        {
            _applier = applier;
            foreach (var filter in applier.Filters)
                filter.EventMatched += Matched;
        }

        internal int Count => Volatile.Read(ref _count);

        internal bool IsDone(int expected) => expected > 0 ? Count >= expected : Count > 0;

        public override void Dispose()
        {
            foreach (var filter in _applier.Filters)
                filter.EventMatched -= Matched;
            base.Dispose();
        }

        private void Matched(EventFilterBase filter, LogEvent entry) => Interlocked.Increment(ref _count);
    }
}
