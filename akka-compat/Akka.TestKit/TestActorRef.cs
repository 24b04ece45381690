using System.Runtime.ExceptionServices;
using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Util;

namespace Akka.TestKit
{
    /// <summary>A reference whose actor runs on the test's own thread, and whose instance the test can look at.</summary>
    public abstract class TestActorRefBase<TActor> : ICanTell, IEquatable<IActorRef>, IInternalActorRef
        where TActor : ActorBase
    {
        /// <summary>
        /// Makes the actor on the calling thread, at once. Without a supervisor /user is it; props that name no
        /// dispatcher get the calling thread's.
        /// </summary>
        protected TestActorRefBase(
            ActorSystem system,
            Props actorProps,
            IActorRef supervisor = null,
            string name = null
        )
        {
            InternalRef = Internal.InternalTestActorRef.Create(system, actorProps, supervisor, name);
        }

        /// <summary>What the reference is made of.</summary>
        protected Internal.InternalTestActorRef InternalRef { get; }

        /// <summary>The actor's present instance.</summary>
        /// <exception cref="IllegalActorStateException">
        /// There is none: it could not be made, or it was stopped.
        /// </exception>
        public TActor UnderlyingActor => (TActor)InternalRef.UnderlyingActor;

        /// <inheritdoc cref="IActorRef.Path"/>
        public ActorPath Path => InternalRef.Ref.Path;

        /// <summary>The plain reference.</summary>
        public IActorRef Ref => InternalRef.Ref;
        private IInternalActorRef Inner => InternalRef.Ref;
        bool IActorRefScope.IsLocal => true;
        IInternalActorRef IInternalActorRef.Parent => Inner.Parent;
        IActorRefProvider IInternalActorRef.Provider => Inner.Provider;
        bool IInternalActorRef.IsTerminated => Inner.IsTerminated;

        /// <summary>Hands a message to the actor past its mailbox; what it throws is thrown here.</summary>
        public void Receive(object message, IActorRef sender = null) => InternalRef.Receive(message, sender);

        /// <summary>Like Receive, and done when an asynchronous handler is.</summary>
        public Task ReceiveAsync(object message, IActorRef sender = null) => InternalRef.ReceiveAsync(message, sender);

        /// <summary>
        /// Tells with the actor on this thread as the sender; on the calling thread's dispatcher the message has been
        /// handled when this returns.
        /// </summary>
        public void Tell(object message) => Inner.Tell(message);

        /// <summary>Passes a message on with the sender of the message that is being handled on this thread.</summary>
        public void Forward(object message) => Inner.Forward(message);

        /// <inheritdoc/>
        public void Tell(object message, IActorRef sender) => Inner.Tell(message, sender);

        /// <summary>Lets the actor watch another one.</summary>
        public void Watch(IActorRef subject) => InternalRef.Ref.Underlying.Watch(subject);

        /// <summary>Lets the actor watch another one no longer.</summary>
        public void Unwatch(IActorRef subject) => InternalRef.Ref.Underlying.Unwatch(subject);

        /// <inheritdoc/>
        public override string ToString() => Inner.ToString();

        /// <inheritdoc/>
        public override int GetHashCode() => Inner.GetHashCode();

        /// <inheritdoc/>
        public override bool Equals(object obj) => obj is IActorRef other && Equals(other);

        /// <summary>Compares path and uid; equal to the plain reference too.</summary>
        public bool Equals(IActorRef other) =>
            other is not null && Path.Uid == other.Path.Uid && Path.Equals(other.Path);

        /// <inheritdoc/>
        public int CompareTo(object obj) => Inner.CompareTo(obj);

        /// <inheritdoc/>
        public int CompareTo(IActorRef other) => Inner.CompareTo(other);

        /// <summary>Compares path and uid; null equals null.</summary>
        public static bool operator ==(TestActorRefBase<TActor> testActorRef, IActorRef actorRef) =>
            testActorRef is null ? actorRef is null : testActorRef.Equals(actorRef);

        /// <summary>The negation of <c>==</c>.</summary>
        public static bool operator !=(TestActorRefBase<TActor> testActorRef, IActorRef actorRef) =>
            !(testActorRef == actorRef);

        /// <summary>Compares path and uid; null equals null.</summary>
        public static bool operator ==(IActorRef actorRef, TestActorRefBase<TActor> testActorRef) =>
            testActorRef == actorRef;

        /// <summary>The negation of <c>==</c>.</summary>
        public static bool operator !=(IActorRef actorRef, TestActorRefBase<TActor> testActorRef) =>
            !(testActorRef == actorRef);

        /// <summary>The plain reference.</summary>
        public static IActorRef ToActorRef(TestActorRefBase<TActor> actorRef) => actorRef.Ref;

        /// <inheritdoc/>
        public void SendSystemMessage(ISystemMessage message, IActorRef sender) => Inner.SendSystemMessage(message);

        /// <inheritdoc/>
        public void SendSystemMessage(ISystemMessage message) => Inner.SendSystemMessage(message);

        ISurrogate ISurrogated.ToSurrogate(ActorSystem system) => Inner.ToSurrogate(system);

        IActorRef IInternalActorRef.GetChild(IReadOnlyList<string> name) => Inner.GetChild(name);

        void IInternalActorRef.Resume(Exception causedByFailure) => Inner.Resume(causedByFailure);

        void IInternalActorRef.Start() => Inner.Start();

        void IInternalActorRef.Stop() => Inner.Stop();

        void IInternalActorRef.Restart(Exception cause) => Inner.Restart(cause);

        void IInternalActorRef.Suspend() => Inner.Suspend();
    }

    /// <summary>A reference whose actor runs on the test's own thread.</summary>
    public class TestActorRef<TActor> : TestActorRefBase<TActor>
        where TActor : ActorBase
    {
        /// <inheritdoc cref="TestActorRefBase{TActor}(ActorSystem, Props, IActorRef, string)"/>
        public TestActorRef(ActorSystem system, Props actorProps, IActorRef supervisor = null, string name = null)
            : base(system, actorProps, supervisor, name) { }

        /// <inheritdoc/>
        public override bool Equals(object obj) => base.Equals(obj);

        /// <inheritdoc/>
        public override int GetHashCode() => base.GetHashCode();

        /// <summary>Compares path and uid; null equals null.</summary>
        public static bool operator ==(TestActorRef<TActor> testActorRef, IActorRef actorRef) =>
            testActorRef is null ? actorRef is null : testActorRef.Equals(actorRef);

        /// <summary>The negation of <c>==</c>.</summary>
        public static bool operator !=(TestActorRef<TActor> testActorRef, IActorRef actorRef) =>
            !(testActorRef == actorRef);

        /// <summary>Compares path and uid; null equals null.</summary>
        public static bool operator ==(IActorRef actorRef, TestActorRef<TActor> testActorRef) =>
            testActorRef == actorRef;

        /// <summary>The negation of <c>==</c>.</summary>
        public static bool operator !=(IActorRef actorRef, TestActorRef<TActor> testActorRef) =>
            !(testActorRef == actorRef);
    }
}

namespace Akka.TestKit.Internal
{
    /// <summary>The actor behind a test reference.</summary>
    public sealed class InternalTestActorRef
    {
        private InternalTestActorRef(LocalActorRef actor)
        {
            Ref = actor;
        }

        /// <summary>The plain reference.</summary>
        public LocalActorRef Ref { get; }

        /// <summary>The actor's present instance.</summary>
        /// <exception cref="IllegalActorStateException">
        /// There is none: it could not be made, or it was stopped.
        /// </exception>
        public ActorBase UnderlyingActor =>
            Ref.Underlying.Actor
            ?? throw new IllegalActorStateException(
                $"The actor {Ref} is not there: its constructor failed or it was stopped."
            );

        /// <summary>
        /// Makes the actor; on the calling thread's dispatcher unless the props name one, under /user unless a
        /// supervisor is given.
        /// </summary>
        public static InternalTestActorRef Create(ActorSystem system, Props props, IActorRef supervisor, string name)
        {
            if (props.Deploy.Dispatcher is null)
                props = props.WithDispatcher(CallingThreadDispatcher.Id);
            var parent = (LocalActorRef)(supervisor ?? ((ExtendedActorSystem)system).Guardian);
            return new InternalTestActorRef(parent.Cell.MakeChild(props, name, isSystemService: false));
        }

        /// <summary>
        /// Hands a message to the actor past its mailbox, on this thread; what it throws is thrown here and no
        /// supervisor hears of it.
        /// </summary>
        public void Receive(object message, IActorRef sender)
        {
            var cell = Ref.Underlying;
            var outer = ActorCell.Enter(cell);
            cell.EnterStep(message, sender ?? cell.System.DeadLetters);
            try
            {
                cell.ReceiveMessage(message);
            }
            finally
            {
                cell.LeaveStep();
                ActorCell.Leave(outer);
            }
        }

        /// <summary>As <see cref="Receive(object, IActorRef)"/>, and done when an asynchronous handler is.</summary>
        public async Task ReceiveAsync(object message, IActorRef sender)
        {
            var cell = Ref.Underlying;
            Exception failure = null;
            var ended = new TaskCompletionSource();
            cell.TaskEndedHook = e =>
            {
                failure = e;
                ended.TrySetResult();
            };
            try
            {
                Receive(message, sender);
                if (cell.AwaitsTask)
                    await ended.Task.ConfigureAwait(false);
            }
            finally
            {
                cell.TaskEndedHook = null;
            }
            if (failure is not null)
                ExceptionDispatchInfo.Throw(failure);
        }
    }
}
