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
        protected TestActorRefBase(
            ActorSystem system,
            Props actorProps,
            IActorRef supervisor = null,
            string name = null
        )
        {
            InternalRef = Internal.InternalTestActorRef.Create(system, actorProps, supervisor, name);
        }

        protected Internal.InternalTestActorRef InternalRef { get; }

        public TActor UnderlyingActor => (TActor)InternalRef.UnderlyingActor;
        public ActorPath Path => InternalRef.Ref.Path;
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

        public void Tell(object message) => Inner.Tell(message);

        public void Forward(object message) => Inner.Forward(message);

        public void Tell(object message, IActorRef sender) => Inner.Tell(message, sender);

        public void Watch(IActorRef subject) => InternalRef.Ref.Underlying.Watch(subject);

        public void Unwatch(IActorRef subject) => InternalRef.Ref.Underlying.Unwatch(subject);

        public override string ToString() => Inner.ToString();

        public override int GetHashCode() => Inner.GetHashCode();

        public override bool Equals(object obj) => obj is IActorRef other && Equals(other);

        public bool Equals(IActorRef other) =>
            other is not null && Path.Uid == other.Path.Uid && Path.Equals(other.Path);

        public int CompareTo(object obj) => Inner.CompareTo(obj);

        public int CompareTo(IActorRef other) => Inner.CompareTo(other);

        public static bool operator ==(TestActorRefBase<TActor> testActorRef, IActorRef actorRef) =>
            testActorRef is null ? actorRef is null : testActorRef.Equals(actorRef);

        public static bool operator !=(TestActorRefBase<TActor> testActorRef, IActorRef actorRef) =>
            !(testActorRef == actorRef);

        public static bool operator ==(IActorRef actorRef, TestActorRefBase<TActor> testActorRef) =>
            testActorRef == actorRef;

        public static bool operator !=(IActorRef actorRef, TestActorRefBase<TActor> testActorRef) =>
            !(testActorRef == actorRef);

        public static IActorRef ToActorRef(TestActorRefBase<TActor> actorRef) => actorRef.Ref;

        public void SendSystemMessage(ISystemMessage message, IActorRef sender) => Inner.SendSystemMessage(message);

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
        public TestActorRef(ActorSystem system, Props actorProps, IActorRef supervisor = null, string name = null)
            : base(system, actorProps, supervisor, name) { }

        public override bool Equals(object obj) => base.Equals(obj);

        public override int GetHashCode() => base.GetHashCode();

        public static bool operator ==(TestActorRef<TActor> testActorRef, IActorRef actorRef) =>
            testActorRef is null ? actorRef is null : testActorRef.Equals(actorRef);

        public static bool operator !=(TestActorRef<TActor> testActorRef, IActorRef actorRef) =>
            !(testActorRef == actorRef);

        public static bool operator ==(IActorRef actorRef, TestActorRef<TActor> testActorRef) =>
            testActorRef == actorRef;

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

        public LocalActorRef Ref { get; }

        public ActorBase UnderlyingActor =>
            Ref.Underlying.Actor
            ?? throw new IllegalActorStateException(
                $"The actor {Ref} is not there: its constructor failed or it was stopped."
            );

        public static InternalTestActorRef Create(ActorSystem system, Props props, IActorRef supervisor, string name)
        {
            if (props.Deploy.Dispatcher is null)
                props = props.WithDispatcher(CallingThreadDispatcher.Id);
            var parent = (LocalActorRef)(supervisor ?? ((ExtendedActorSystem)system).Guardian);
            return new InternalTestActorRef(parent.Cell.MakeChild(props, name, isSystemService: false));
        }

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
