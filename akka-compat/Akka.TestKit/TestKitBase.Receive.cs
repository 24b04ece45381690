using System.Collections;
using System.Runtime.CompilerServices;

namespace Akka.TestKit;

public abstract partial class TestKitBase
{
    /// <summary>
    /// The next message, or null in time. With block, the wait is on this thread and the task is complete when it is
    /// returned: the methods that block and those that are awaited share all code above this.
    /// </summary>
    private async ValueTask<MessageEnvelope> NextEnvelope(TimeSpan? max, bool peek, bool block, CancellationToken token)
    {
        var timeout = max ?? RemainingOrDefault;
        token.ThrowIfCancellationRequested();
        MessageEnvelope envelope;
        if (SimulationOrNull is { } simulation)
            envelope = PumpForEnvelope(simulation, timeout, peek, token);
        else if (timeout == TimeSpan.Zero || (timeout < TimeSpan.Zero && timeout != Timeout.InfiniteTimeSpan))
            envelope = _queue.TakeNow(peek);
        else if (block)
            envelope = _queue.Take(timeout, peek, token);
        else
            envelope = await _queue.TakeAsync(timeout, peek, token).ConfigureAwait(false);
        _lastWasNoMsg = false;
        _last = envelope ?? NullMessageEnvelope.Instance;
        return envelope;
    }

    private MessageEnvelope PumpForEnvelope(
        Akka.Simulation.SimulationKernel simulation,
        TimeSpan timeout,
        bool peek,
        CancellationToken token
    )
    {
        var late = false;
        if (timeout >= TimeSpan.Zero)
            simulation.Scheduler.At(simulation.Scheduler.VirtualNow + timeout, () => late = true);
        simulation.RunUntil(() => _queue.Count > 0 || late || token.IsCancellationRequested, long.MaxValue);
        // The timer of the deadline may fire before messages of the same instant are handled.
        if (_queue.Count == 0 && late)
            simulation.Run(long.MaxValue, () => _queue.Count > 0, movesTime: false);
        return _queue.TakeNow(peek);
    }

    /// <summary>The result of a task that has been waited for.</summary>
    private static T Done<T>(ValueTask<T> task) => task.AsTask().GetAwaiter().GetResult();

    /// <summary>
    /// The next message, taken; null when none comes in time: the given one (not dilated), else what is left of Within,
    /// else akka.test.single-expect-default. Zero does not wait, infinite waits for ever.
    /// </summary>
    public object ReceiveOne(TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        Done(NextEnvelope(max, false, true, cancellationToken))?.Message;

    /// <inheritdoc cref="ReceiveOne(TimeSpan?, CancellationToken)"/>
    public async ValueTask<object> ReceiveOneAsync(
        TimeSpan? max = null,
        CancellationToken cancellationToken = default
    ) => (await NextEnvelope(max, false, false, cancellationToken).ConfigureAwait(false))?.Message;

    /// <summary>
    /// As <see cref="ReceiveOne(TimeSpan?, CancellationToken)"/>, with the sender; false and an envelope that throws
    /// when none comes.
    /// </summary>
    public bool TryReceiveOne(
        out MessageEnvelope envelope,
        TimeSpan? max = null,
        CancellationToken cancellationToken = default
    )
    {
        envelope = Done(NextEnvelope(max, false, true, cancellationToken));
        return OrNull(ref envelope);
    }

    /// <inheritdoc cref="TryReceiveOne(out MessageEnvelope, TimeSpan?, CancellationToken)"/>
    public async ValueTask<(bool success, MessageEnvelope envelope)> TryReceiveOneAsync(
        TimeSpan? max,
        CancellationToken cancellationToken = default
    )
    {
        var envelope = await NextEnvelope(max, false, false, cancellationToken).ConfigureAwait(false);
        return (OrNull(ref envelope), envelope);
    }

    /// <summary>The next message, which stays; null when none comes in time.</summary>
    public object PeekOne(TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        Done(NextEnvelope(max, true, true, cancellationToken))?.Message;

    /// <summary>The next message, which stays; null when none comes in time.</summary>
    public async ValueTask<object> PeekOneAsync(TimeSpan? max = null, CancellationToken cancellationToken = default) =>
        (await NextEnvelope(max, true, false, cancellationToken).ConfigureAwait(false))?.Message;

    /// <summary>The next message, which stays; waits for ever.</summary>
    public object PeekOne(CancellationToken cancellationToken) => PeekOne(Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>The next message, which stays; waits for ever.</summary>
    public ValueTask<object> PeekOneAsync(CancellationToken cancellationToken) =>
        PeekOneAsync(Timeout.InfiniteTimeSpan, cancellationToken);

    /// <summary>
    /// The next message and its sender, which stay; false and an envelope that throws when none comes.
    /// </summary>
    public bool TryPeekOne(out MessageEnvelope envelope, TimeSpan? max, CancellationToken cancellationToken)
    {
        envelope = Done(NextEnvelope(max, true, true, cancellationToken));
        return OrNull(ref envelope);
    }

    /// <inheritdoc cref="TryPeekOne(out MessageEnvelope, TimeSpan?, CancellationToken)"/>
    public async ValueTask<(bool success, MessageEnvelope envelope)> TryPeekOneAsync(
        TimeSpan? max,
        CancellationToken cancellationToken
    )
    {
        var envelope = await NextEnvelope(max, true, false, cancellationToken).ConfigureAwait(false);
        return (OrNull(ref envelope), envelope);
    }

    private static bool OrNull(ref MessageEnvelope envelope)
    {
        var found = envelope is not null;
        envelope ??= NullMessageEnvelope.Instance;
        return found;
    }

    /// <summary>
    /// Reads messages until one is of the type and accepted; fails when none is in time, dilated. Those before it are
    /// gone.
    /// </summary>
    public object FishForMessage(
        Predicate<object> isMessage,
        TimeSpan? max = null,
        string hint = "",
        CancellationToken cancellationToken = default
    ) => FishForMessage<object>(isMessage, max, hint, cancellationToken);

    /// <inheritdoc cref="FishForMessage(Predicate{object}, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<object> FishForMessageAsync(
        Predicate<object> isMessage,
        TimeSpan? max = null,
        string hint = "",
        CancellationToken cancellationToken = default
    ) => FishForMessageAsync<object>(isMessage, max, hint, cancellationToken);

    /// <summary>
    /// Reads messages until one is of the type and accepted; fails when none is in time, dilated. Those before it are
    /// gone.
    /// </summary>
    public T FishForMessage<T>(
        Predicate<T> isMessage,
        TimeSpan? max = null,
        string hint = "",
        CancellationToken cancellationToken = default
    ) => Done(Fish(isMessage, null, max, hint, true, cancellationToken));

    /// <inheritdoc cref="FishForMessage{T}(Predicate{T}, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> FishForMessageAsync<T>(
        Predicate<T> isMessage,
        TimeSpan? max = null,
        string hint = "",
        CancellationToken cancellationToken = default
    ) => Fish(isMessage, null, max, hint, false, cancellationToken);

    /// <summary>
    /// As <see cref="FishForMessage{T}(Predicate{T}, TimeSpan?, string, CancellationToken)"/>; the messages before it
    /// are collected in the list, which is emptied first.
    /// </summary>
    public T FishForMessage<T>(
        Predicate<T> isMessage,
        ArrayList allMessages,
        TimeSpan? max = null,
        string hint = "",
        CancellationToken cancellationToken = default
    ) => Done(Fish(isMessage, allMessages, max, hint, true, cancellationToken));

    /// <inheritdoc cref="FishForMessage{T}(Predicate{T}, ArrayList, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> FishForMessageAsync<T>(
        Predicate<T> isMessage,
        ArrayList allMessages,
        TimeSpan? max = null,
        string hint = "",
        CancellationToken cancellationToken = default
    ) => Fish(isMessage, allMessages, max, hint, false, cancellationToken);

    private async ValueTask<T> Fish<T>(
        Predicate<T> isMessage,
        ArrayList seen,
        TimeSpan? max,
        string hint,
        bool block,
        CancellationToken token
    )
    {
        var timeout = RemainingOrDilated(max);
        var end = Clock + timeout;
        seen?.Clear();
        while (true)
        {
            var left = end - Clock;
            var envelope = await NextEnvelope(Left(left), false, block, token).ConfigureAwait(false);
            if (envelope is null)
                _assertions.Fail("Timeout ({0}) during fishForMessage{1}", timeout, Hint(hint));
            if (envelope.Message is T typed && isMessage(typed))
                return typed;
            seen?.Add(envelope.Message);
        }
    }

    private static TimeSpan Left(TimeSpan left) => left < TimeSpan.Zero ? TimeSpan.Zero : left;

    private static string Hint(string hint) => string.IsNullOrEmpty(hint) ? "" : ", hint: " + hint;

    /// <summary>
    /// Reads messages until the next one is of the type, which stays, or time is up: dilated, never a failure.
    /// </summary>
    public async Task FishUntilMessageAsync<T>(TimeSpan? max = null, CancellationToken cancellationToken = default)
    {
        await ReceiveWhileAsync<object>(m => m is T ? null : m, max, cancellationToken: cancellationToken)
            .DrainAsync()
            .ConfigureAwait(false);
    }

    /// <summary>Reads until nothing came for a while; returns what came.</summary>
    public async Task<ArrayList> WaitForRadioSilenceAsync(
        TimeSpan? max = null,
        uint? maxMessages = null,
        CancellationToken cancellationToken = default
    )
    {
        var silence = RemainingOrDilated(max);
        var messages = new ArrayList();
        for (uint count = 0; ; count++)
        {
            var envelope = await NextEnvelope(silence, false, false, cancellationToken).ConfigureAwait(false);
            if (envelope is null)
                return messages;
            messages.Add(envelope.Message);
            if (maxMessages is { } limit && count > limit)
                _assertions.Fail("{0} exceeds the {1} messages allowed before radio silence", count, limit);
        }
    }

    /// <summary>
    /// Takes messages as long as the function gives something for each, none has to be waited for longer than the idle
    /// time, and neither the maximum time (dilated) nor the number is reached. The first for which it gives null stays.
    /// </summary>
    public IReadOnlyList<T> ReceiveWhile<T>(
        TimeSpan? max,
        Func<object, T> filter,
        int msgs = int.MaxValue,
        CancellationToken cancellationToken = default
    ) => Done(Collect(While(filter, max, null, msgs, true, cancellationToken)));

    /// <inheritdoc cref="ReceiveWhile{T}(TimeSpan?, Func{object, T}, int, CancellationToken)"/>
    public IAsyncEnumerable<T> ReceiveWhileAsync<T>(
        TimeSpan? max,
        Func<object, T> filter,
        int msgs = int.MaxValue,
        CancellationToken cancellationToken = default
    ) => While(filter, max, null, msgs, false, cancellationToken);

    /// <summary>
    /// Takes messages as long as the function gives something for each, none has to be waited for longer than the idle
    /// time, and neither the maximum time (dilated) nor the number is reached. The first for which it gives null stays.
    /// </summary>
    public IReadOnlyList<T> ReceiveWhile<T>(
        TimeSpan? max,
        TimeSpan? idle,
        Func<object, T> filter,
        int msgs = int.MaxValue,
        CancellationToken cancellationToken = default
    ) => Done(Collect(While(filter, max, idle, msgs, true, cancellationToken)));

    /// <inheritdoc cref="ReceiveWhile{T}(TimeSpan?, TimeSpan?, Func{object, T}, int, CancellationToken)"/>
    public IAsyncEnumerable<T> ReceiveWhileAsync<T>(
        TimeSpan? max,
        TimeSpan? idle,
        Func<object, T> filter,
        int msgs = int.MaxValue,
        CancellationToken cancellationToken = default
    ) => While(filter, max, idle, msgs, false, cancellationToken);

    /// <summary>
    /// Takes messages as long as the function gives something for each, none has to be waited for longer than the idle
    /// time, and neither the maximum time (dilated) nor the number is reached. The first for which it gives null stays.
    /// </summary>
    public IReadOnlyList<T> ReceiveWhile<T>(
        Func<object, T> filter,
        TimeSpan? max = null,
        TimeSpan? idle = null,
        int msgs = int.MaxValue,
        CancellationToken cancellationToken = default
    ) => Done(Collect(While(filter, max, idle, msgs, true, cancellationToken)));

    /// <inheritdoc cref="ReceiveWhile{T}(Func{object, T}, TimeSpan?, TimeSpan?, int, CancellationToken)"/>
    public IAsyncEnumerable<T> ReceiveWhileAsync<T>(
        Func<object, T> filter,
        TimeSpan? max = null,
        TimeSpan? idle = null,
        int msgs = int.MaxValue,
        CancellationToken cancellationToken = default
    ) => While(filter, max, idle, msgs, false, cancellationToken);

    /// <summary>
    /// As <see cref="ReceiveWhile{T}(Func{object, T}, TimeSpan?, TimeSpan?, int, CancellationToken)"/>, for messages of
    /// one type that the function accepts; those of other types are dropped, or end it when they are not to be ignored.
    /// </summary>
    public IReadOnlyList<T> ReceiveWhile<T>(
        Predicate<T> shouldContinue,
        TimeSpan? max = null,
        TimeSpan? idle = null,
        int msgs = int.MaxValue,
        bool shouldIgnoreOtherMessageTypes = true,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Collect(WhileTyped(shouldContinue, max, idle, msgs, shouldIgnoreOtherMessageTypes, true, cancellationToken))
        );

    /// <inheritdoc cref="ReceiveWhile{T}(Predicate{T}, TimeSpan?, TimeSpan?, int, bool, CancellationToken)"/>
    public IAsyncEnumerable<T> ReceiveWhileAsync<T>(
        Predicate<T> shouldContinue,
        TimeSpan? max = null,
        TimeSpan? idle = null,
        int msgs = int.MaxValue,
        bool shouldIgnoreOtherMessageTypes = true,
        CancellationToken cancellationToken = default
    ) => WhileTyped(shouldContinue, max, idle, msgs, shouldIgnoreOtherMessageTypes, false, cancellationToken);

    /// <summary>Messages as long as the filter maps them to something; the first that it does not stays in the queue.</summary>
    private async IAsyncEnumerable<T> While<T>(
        Func<object, T> filter,
        TimeSpan? max,
        TimeSpan? idle,
        int msgs,
        bool block,
        [EnumeratorCancellation] CancellationToken token
    )
    {
        var end = Clock + RemainingOrDilated(max);
        for (var count = 0; count < msgs; count++)
        {
            var wait = Left(end - Clock);
            if (idle is { } pause && pause < wait)
                wait = pause;
            var envelope = await NextEnvelope(wait, true, block, token).ConfigureAwait(false);
            if (envelope is null || filter(envelope.Message) is not { } result)
                break;
            Consume(envelope);
            yield return result;
        }
        _lastWasNoMsg = true;
    }

    private async IAsyncEnumerable<T> WhileTyped<T>(
        Predicate<T> shouldContinue,
        TimeSpan? max,
        TimeSpan? idle,
        int msgs,
        bool ignoresOthers,
        bool block,
        [EnumeratorCancellation] CancellationToken token
    )
    {
        var end = Clock + RemainingOrDilated(max);
        for (var count = 0; count < msgs; )
        {
            var wait = Left(end - Clock);
            if (idle is { } pause && pause < wait)
                wait = pause;
            var envelope = await NextEnvelope(wait, true, block, token).ConfigureAwait(false);
            if (envelope is null)
                break;
            if (envelope.Message is T typed)
            {
                if (!shouldContinue(typed))
                    break;
                Consume(envelope);
                count++;
                yield return typed;
            }
            else if (ignoresOthers)
            {
                Consume(envelope);
            }
            else
            {
                break;
            }
        }
        _lastWasNoMsg = true;
    }

    private void Consume(MessageEnvelope envelope)
    {
        _queue.TakeNow(peek: false);
        _last = envelope;
    }

    /// <summary>
    /// Takes so many messages; fails when they don't all come within what is left of Within, else
    /// akka.test.single-expect-default.
    /// </summary>
    public IReadOnlyCollection<object> ReceiveN(int numberOfMessages, CancellationToken cancellationToken = default) =>
        Done(Collect(Many(numberOfMessages, RemainingOrDefault, true, cancellationToken)));

    /// <inheritdoc cref="ReceiveN(int, CancellationToken)"/>
    public IAsyncEnumerable<object> ReceiveNAsync(
        int numberOfMessages,
        CancellationToken cancellationToken = default
    ) => Many(numberOfMessages, RemainingOrDefault, false, cancellationToken);

    /// <summary>
    /// As <see cref="ReceiveN(int, CancellationToken)"/>, within this time for all together, dilated.
    /// </summary>
    public IReadOnlyCollection<object> ReceiveN(
        int numberOfMessages,
        TimeSpan max,
        CancellationToken cancellationToken = default
    ) => Done(Collect(Many(numberOfMessages, Dilated(max), true, cancellationToken)));

    /// <inheritdoc cref="ReceiveN(int, TimeSpan, CancellationToken)"/>
    public IAsyncEnumerable<object> ReceiveNAsync(
        int numberOfMessages,
        TimeSpan max,
        CancellationToken cancellationToken = default
    ) => Many(numberOfMessages, Dilated(max), false, cancellationToken);

    private async IAsyncEnumerable<object> Many(
        int count,
        TimeSpan max,
        bool block,
        [EnumeratorCancellation] CancellationToken token
    )
    {
        var end = Clock + max;
        for (var i = 0; i < count; i++)
        {
            var envelope = await NextEnvelope(Left(end - Clock), false, block, token).ConfigureAwait(false);
            if (envelope is null)
                _assertions.Fail(
                    "Timeout ({0}) while expecting {1} messages. Only got {2} after {3}.",
                    max,
                    count,
                    i,
                    max
                );
            yield return envelope.Message;
        }
    }

    private static async ValueTask<IReadOnlyList<T>> Collect<T>(IAsyncEnumerable<T> items)
    {
        var all = new List<T>();
        await foreach (var item in items.ConfigureAwait(false))
            all.Add(item);
        return all;
    }
}

internal static class AsyncDrain
{
    internal static async Task DrainAsync<T>(this IAsyncEnumerable<T> items)
    {
        await foreach (var item in items.ConfigureAwait(false))
            _ = item;
    }
}
