using Akka.Actor;

namespace Akka.TestKit;

public abstract partial class TestKitBase
{
    /// <summary>
    /// Fails unless the next message is of this type, is from this sender and comes in time: the duration (dilated),
    /// else what is left of Within, else akka.test.single-expect-default.
    /// </summary>
    public T ExpectMsgFrom<T>(
        IActorRef sender,
        TimeSpan? duration = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Expect<T>(
                RemainingOrDilated(duration),
                null,
                (_, s) => SenderIs(sender, s, hint),
                hint,
                true,
                cancellationToken
            )
        );

    /// <inheritdoc cref="ExpectMsgFrom{T}(IActorRef, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgFromAsync<T>(
        IActorRef sender,
        TimeSpan? duration = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Expect<T>(
            RemainingOrDilated(duration),
            null,
            (_, s) => SenderIs(sender, s, hint),
            hint,
            false,
            cancellationToken
        );

    /// <summary>
    /// As <see cref="ExpectMsgFrom{T}(IActorRef, TimeSpan?, string, CancellationToken)"/>, for a message that is equal
    /// to this one.
    /// </summary>
    public T ExpectMsgFrom<T>(
        IActorRef sender,
        T message,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Expect<T>(
                RemainingOrDilated(timeout),
                null,
                (m, s) =>
                {
                    SenderIs(sender, s, hint);
                    _assertions.AssertEqual(message, m);
                },
                hint,
                true,
                cancellationToken
            )
        );

    /// <inheritdoc cref="ExpectMsgFrom{T}(IActorRef, T, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgFromAsync<T>(
        IActorRef sender,
        T message,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Expect<T>(
            RemainingOrDilated(timeout),
            null,
            (m, s) =>
            {
                SenderIs(sender, s, hint);
                _assertions.AssertEqual(message, m);
            },
            hint,
            false,
            cancellationToken
        );

    /// <summary>
    /// As <see cref="ExpectMsgFrom{T}(IActorRef, TimeSpan?, string, CancellationToken)"/>, for a message that the
    /// function accepts.
    /// </summary>
    public T ExpectMsgFrom<T>(
        IActorRef sender,
        Predicate<T> isMessage,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Expect<T>(
                RemainingOrDilated(timeout),
                null,
                (m, s) =>
                {
                    SenderIs(sender, s, hint);
                    Holds(isMessage(m), m, hint);
                },
                hint,
                true,
                cancellationToken
            )
        );

    /// <inheritdoc cref="ExpectMsgFrom{T}(IActorRef, Predicate{T}, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgFromAsync<T>(
        IActorRef sender,
        Predicate<T> isMessage,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Expect<T>(
            RemainingOrDilated(timeout),
            null,
            (m, s) =>
            {
                SenderIs(sender, s, hint);
                Holds(isMessage(m), m, hint);
            },
            hint,
            false,
            cancellationToken
        );

    /// <summary>
    /// As <see cref="ExpectMsgFrom{T}(IActorRef, TimeSpan?, string, CancellationToken)"/>, for a sender and a message
    /// that the functions accept.
    /// </summary>
    public T ExpectMsgFrom<T>(
        Predicate<IActorRef> isSender,
        Predicate<T> isMessage,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Expect<T>(
                RemainingOrDilated(timeout),
                null,
                (m, s) =>
                {
                    Holds(isSender(s), s, hint);
                    Holds(isMessage(m), m, hint);
                },
                hint,
                true,
                cancellationToken
            )
        );

    /// <inheritdoc cref="ExpectMsgFrom{T}(Predicate{IActorRef}, Predicate{T}, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgFromAsync<T>(
        Predicate<IActorRef> isSender,
        Predicate<T> isMessage,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Expect<T>(
            RemainingOrDilated(timeout),
            null,
            (m, s) =>
            {
                Holds(isSender(s), s, hint);
                Holds(isMessage(m), m, hint);
            },
            hint,
            false,
            cancellationToken
        );

    /// <summary>
    /// As <see cref="ExpectMsgFrom{T}(IActorRef, TimeSpan?, string, CancellationToken)"/>; the action asserts something
    /// of the message.
    /// </summary>
    public T ExpectMsgFrom<T>(
        IActorRef sender,
        Action<T> assertMessage,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Expect<T>(
                RemainingOrDilated(timeout),
                null,
                (m, s) =>
                {
                    SenderIs(sender, s, hint);
                    assertMessage(m);
                },
                hint,
                true,
                cancellationToken
            )
        );

    /// <inheritdoc cref="ExpectMsgFrom{T}(IActorRef, Action{T}, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgFromAsync<T>(
        IActorRef sender,
        Action<T> assertMessage,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Expect<T>(
            RemainingOrDilated(timeout),
            null,
            (m, s) =>
            {
                SenderIs(sender, s, hint);
                assertMessage(m);
            },
            hint,
            false,
            cancellationToken
        );

    /// <summary>
    /// As <see cref="ExpectMsgFrom{T}(IActorRef, TimeSpan?, string, CancellationToken)"/>; the actions assert something
    /// of sender and message.
    /// </summary>
    public T ExpectMsgFrom<T>(
        Action<IActorRef> assertSender,
        Action<T> assertMessage,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Done(
            Expect<T>(
                RemainingOrDilated(timeout),
                null,
                (m, s) =>
                {
                    assertSender(s);
                    assertMessage(m);
                },
                hint,
                true,
                cancellationToken
            )
        );

    /// <inheritdoc cref="ExpectMsgFrom{T}(Action{IActorRef}, Action{T}, TimeSpan?, string, CancellationToken)"/>
    public ValueTask<T> ExpectMsgFromAsync<T>(
        Action<IActorRef> assertSender,
        Action<T> assertMessage,
        TimeSpan? timeout = null,
        string hint = null,
        CancellationToken cancellationToken = default
    ) =>
        Expect<T>(
            RemainingOrDilated(timeout),
            null,
            (m, s) =>
            {
                assertSender(s);
                assertMessage(m);
            },
            hint,
            false,
            cancellationToken
        );
}
