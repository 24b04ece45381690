using Akka.Actor;

namespace Akka.TestKit;

public abstract partial class TestKitBase
{
    /// <summary>
    /// Fails unless the next message is of this type and comes in time: the duration (dilated), else what is left of
    /// Within, else akka.test.single-expect-default. Gives the message; one that does not fit is gone.
    /// </summary>
    public T ExpectMsg<T>(
        TimeSpan? duration = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) => Done(Expect<T>(RemainingOrDilated(duration), null, null, hint, true, cancellationToken));

    /// <inheritdoc cref="ExpectMsg{T}(TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgAsync<T>(
        TimeSpan? duration = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) => Expect<T>(RemainingOrDilated(duration), null, null, hint, false, cancellationToken);

    /// <summary>
    /// As <see cref="ExpectMsg{T}(TimeSpan?, string, CancellationToken)"/>, for a message that is equal to this one.
    /// </summary>
    public T ExpectMsg<T>(
        T message,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Expect<T>(
                RemainingOrDilated(timeout),
                m => _assertions.AssertEqual(message, m),
                null,
                hint,
                true,
                cancellationToken
            )
        );

    /// <inheritdoc cref="ExpectMsg{T}(T, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgAsync<T>(
        T message,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Expect<T>(
            RemainingOrDilated(timeout),
            m => _assertions.AssertEqual(message, m),
            null,
            hint,
            false,
            cancellationToken
        );

    /// <summary>
    /// As <see cref="ExpectMsg{T}(TimeSpan?, string, CancellationToken)"/>, for a message that the function accepts.
    /// </summary>
    public T ExpectMsg<T>(
        Predicate<T> isMessage,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Expect<T>(
                RemainingOrDilated(timeout),
                m => Holds(isMessage(m), m, hint),
                null,
                hint,
                true,
                cancellationToken
            )
        );

    /// <inheritdoc cref="ExpectMsg{T}(Predicate{T}, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgAsync<T>(
        Predicate<T> isMessage,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Expect<T>(RemainingOrDilated(timeout), m => Holds(isMessage(m), m, hint), null, hint, false, cancellationToken);

    /// <summary>
    /// As <see cref="ExpectMsg{T}(TimeSpan?, string, CancellationToken)"/>; the action asserts something of the
    /// message.
    /// </summary>
    public T ExpectMsg<T>(
        Action<T> assert,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) => Done(Expect(RemainingOrDilated(timeout), assert, null, hint, true, cancellationToken));

    /// <inheritdoc cref="ExpectMsg{T}(Action{T}, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgAsync<T>(
        Action<T> assert,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) => Expect(RemainingOrDilated(timeout), assert, null, hint, false, cancellationToken);

    /// <summary>
    /// As <see cref="ExpectMsg{T}(TimeSpan?, string, CancellationToken)"/>, for a message and sender that the function
    /// accepts.
    /// </summary>
    public T ExpectMsg<T>(
        Func<T, IActorRef, bool> isMessageAndSender,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Expect<T>(
                RemainingOrDilated(timeout),
                null,
                (m, s) => Holds(isMessageAndSender(m, s), m, hint),
                hint,
                true,
                cancellationToken
            )
        );

    /// <inheritdoc cref="ExpectMsg{T}(Func{T, IActorRef, bool}, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgAsync<T>(
        Func<T, IActorRef, bool> isMessageAndSender,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Expect<T>(
            RemainingOrDilated(timeout),
            null,
            (m, s) => Holds(isMessageAndSender(m, s), m, hint),
            hint,
            false,
            cancellationToken
        );

    /// <summary>
    /// As <see cref="ExpectMsg{T}(TimeSpan?, string, CancellationToken)"/>; the action asserts something of the message
    /// and its sender.
    /// </summary>
    public T ExpectMsg<T>(
        Action<T, IActorRef> assertMessageAndSender,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) => Done(Expect(RemainingOrDilated(timeout), null, assertMessageAndSender, hint, true, cancellationToken));

    /// <inheritdoc cref="ExpectMsg{T}(Action{T, IActorRef}, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgAsync<T>(
        Action<T, IActorRef> assertMessageAndSender,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) => Expect(RemainingOrDilated(timeout), null, assertMessageAndSender, hint, false, cancellationToken);

    /// <summary>
    /// As <see cref="ExpectMsg{T}(TimeSpan?, string, CancellationToken)"/>, for a message that is equal to this one in
    /// the eyes of the function.
    /// </summary>
    public T ExpectMsg<T>(
        T expected,
        Func<T, T, bool> comparer,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Expect<T>(
                RemainingOrDilated(timeout),
                m => _assertions.AssertEqual(expected, m, comparer),
                null,
                hint,
                true,
                cancellationToken
            )
        );

    /// <inheritdoc cref="ExpectMsg{T}(T, Func{T, T, bool}, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgAsync<T>(
        T expected,
        Func<T, T, bool> comparer,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Expect<T>(
            RemainingOrDilated(timeout),
            m => _assertions.AssertEqual(expected, m, comparer),
            null,
            hint,
            false,
            cancellationToken
        );

    /// <summary>
    /// As <see cref="ExpectMsg{T}(TimeSpan?, string, CancellationToken)"/>, for the Terminated of this actor, which the
    /// test actor has to watch.
    /// </summary>
    public Terminated ExpectTerminated(
        IActorRef target,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Expect<Terminated>(
                RemainingOrDilated(timeout),
                m => _assertions.AssertEqual(target, m.ActorRef, "Terminated actor"),
                null,
                hint,
                true,
                cancellationToken
            )
        );

    /// <inheritdoc cref="ExpectTerminated(IActorRef, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<Terminated> ExpectTerminatedAsync(
        IActorRef target,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Expect<Terminated>(
            RemainingOrDilated(timeout),
            m => _assertions.AssertEqual(target, m.ActorRef, "Terminated actor"),
            null,
            hint,
            false,
            cancellationToken
        );

    private async ValueTask<T> Expect<T>(
        TimeSpan timeout,
        Action<T> check,
        Action<T, IActorRef> checkWithSender,
        string hint,
        bool block,
        CancellationToken token
    )
    {
        var envelope = await NextEnvelope(timeout, false, block, token).ConfigureAwait(false);
        if (envelope is null)
            _assertions.Fail(
                "Failed: Timeout {0} while waiting for a message of type {1} {2}",
                timeout,
                typeof(T),
                hint
            );
        if (envelope.Message is not T typed)
        {
            _assertions.Fail(
                "Failed: Expected a message of type {0}, but received {{{1}}} (type {2}) instead {3} from {4}",
                typeof(T),
                envelope.Message,
                envelope.Message.GetType(),
                hint,
                envelope.Sender
            );
            return default;
        }
        check?.Invoke(typed);
        checkWithSender?.Invoke(typed, envelope.Sender);
        return typed;
    }

    private void Holds(bool condition, object what, string hint) =>
        _assertions.AssertTrue(
            condition,
            "Got a message of the expected type <{0}>. Also expected {1} but the message {{{2}}} of type <{3}> did not match",
            what?.GetType(),
            hint ?? "the predicate to return true",
            what,
            what?.GetType()
        );

    private void SenderIs(IActorRef expected, IActorRef actual, string hint) =>
        _assertions.AssertEqual(expected, actual, "Sender does not match. {0}", hint ?? "");

    /// <summary>Fails if a message comes within what is left of Within, else akka.test.single-expect-default.</summary>
    public void ExpectNoMsg(CancellationToken cancellationToken = default) =>
        Done(Nothing(RemainingOrDefault, true, cancellationToken));

    /// <summary>Fails if a message comes within what is left of Within, else akka.test.single-expect-default.</summary>
    public async ValueTask ExpectNoMsgAsync(CancellationToken cancellationToken = default) =>
        await Nothing(RemainingOrDefault, false, cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Fails if a message comes within this time, dilated. A second such wait inside Within takes no time.
    /// </summary>
    public void ExpectNoMsg(TimeSpan duration, CancellationToken cancellationToken = default) =>
        Done(Nothing(Dilated(duration), true, cancellationToken));

    /// <inheritdoc cref="ExpectNoMsg(TimeSpan, CancellationToken)"/>
    public async ValueTask ExpectNoMsgAsync(TimeSpan duration, CancellationToken cancellationToken = default) =>
        await Nothing(Dilated(duration), false, cancellationToken).ConfigureAwait(false);

    /// <summary>
    /// Fails if a message comes within this time, dilated. A second such wait inside Within takes no time.
    /// </summary>
    public void ExpectNoMsg(int milliseconds, CancellationToken cancellationToken = default) =>
        ExpectNoMsg(TimeSpan.FromMilliseconds(milliseconds), cancellationToken);

    /// <inheritdoc cref="ExpectNoMsg(int, CancellationToken)"/>
    public ValueTask ExpectNoMsgAsync(int milliseconds, CancellationToken cancellationToken = default) =>
        ExpectNoMsgAsync(TimeSpan.FromMilliseconds(milliseconds), cancellationToken);

    private async ValueTask<bool> Nothing(TimeSpan duration, bool block, CancellationToken token)
    {
        var wait = _lastWasNoMsg && _end is not null ? TimeSpan.Zero : duration;
        var envelope = await NextEnvelope(wait, false, block, token).ConfigureAwait(false);
        if (envelope is not null)
            _assertions.Fail("Failed: Expected no messages during {0}, instead we received {1}", duration, envelope);
        _lastWasNoMsg = true;
        return true;
    }
}
