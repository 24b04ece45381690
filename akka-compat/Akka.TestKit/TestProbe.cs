using Akka.Actor;
using Akka.Dispatch.SysMsg;
using Akka.Util;

namespace Akka.TestKit;

/// <summary>A test actor of its own, which is a reference too.</summary>
public class TestProbe : TestKitBase, INoImplicitSender, IInternalActorRef
{
    /// <summary>Made by <see cref="TestKitBase.CreateTestProbe(string)"/>.</summary>
    public TestProbe(ActorSystem system, ITestKitAssertions assertions, string testProbeName = null)
        : base(assertions, system, testProbeName) { }

    /// <summary>The probe's actor; the probe itself can be told and passed on as well.</summary>
    public IActorRef Ref => TestActor;

    /// <summary>The sender of the last message.</summary>
    public IActorRef Sender => LastSender;

    private IInternalActorRef Inner => (IInternalActorRef)TestActor;

    ActorPath IActorRef.Path => TestActor.Path;
    bool IActorRefScope.IsLocal => true;
    IInternalActorRef IInternalActorRef.Parent => Inner.Parent;
    IActorRefProvider IInternalActorRef.Provider => Inner.Provider;
    bool IInternalActorRef.IsTerminated => Inner.IsTerminated;

    /// <summary>Tells an actor with the probe as the sender.</summary>
    public void Send(IActorRef actor, object message) => actor.Tell(message, TestActor);

    /// <summary>Tells an actor with the sender of the last message as the sender.</summary>
    public void Forward(IActorRef actor, object message) => actor.Tell(message, Sender);

    /// <summary>Passes the last message on, with its sender.</summary>
    public void Forward(IActorRef actor) => actor.Tell(LastMessage, Sender);

    /// <summary>Tells the sender of the last message, with the probe as the sender.</summary>
    public void Reply(object message) => Sender.Tell(message, TestActor);

    void ICanTell.Tell(object message, IActorRef sender) => TestActor.Tell(message, sender);

    IActorRef IInternalActorRef.GetChild(IReadOnlyList<string> name) => Inner.GetChild(name);

    void IInternalActorRef.Resume(Exception causedByFailure) => Inner.Resume(causedByFailure);

    void IInternalActorRef.Start() => Inner.Start();

    void IInternalActorRef.Stop() => Inner.Stop();

    void IInternalActorRef.Restart(Exception cause) => Inner.Restart(cause);

    void IInternalActorRef.Suspend() => Inner.Suspend();

    /// <inheritdoc/>
    public void SendSystemMessage(ISystemMessage message) => Inner.SendSystemMessage(message);

    /// <inheritdoc/>
    public void SendSystemMessage(ISystemMessage message, IActorRef sender) => Inner.SendSystemMessage(message);

    ISurrogate ISurrogated.ToSurrogate(ActorSystem system) => TestActor.ToSurrogate(system);

    /// <inheritdoc/>
    public int CompareTo(object obj) => TestActor.CompareTo(obj is TestProbe probe ? probe.TestActor : obj);

    int IComparable<IActorRef>.CompareTo(IActorRef other) => CompareTo(other);

    bool IEquatable<IActorRef>.Equals(IActorRef other) => Equals(other);

    /// <inheritdoc/>
    public override bool Equals(object obj) =>
        ReferenceEquals(this, obj)
        || (obj is IActorRef other && TestActor.Path.Uid == other.Path.Uid && TestActor.Path.Equals(other.Path));

    /// <inheritdoc/>
    public override int GetHashCode() => TestActor.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => TestActor.ToString();

    /// <inheritdoc/>
    public override TestProbe CreateTestProbe(ActorSystem system, string name = null) =>
        throw new NotSupportedException("Cannot create a TestProbe from a TestProbe");

    /// <inheritdoc/>
    public override TestLatch CreateTestLatch(int count = 1) =>
        throw new NotSupportedException("Cannot create a TestLatch from a TestProbe");

    /// <summary>Makes a child of the probe; see ChildActorOf with props.</summary>
    public IActorRef ChildActorOf<T>(
        string name,
        SupervisorStrategy supervisorStrategy,
        CancellationToken cancellationToken = default
    )
        where T : ActorBase => ChildActorOf(Props.Create<T>(), name, supervisorStrategy, cancellationToken);

    /// <summary>Makes a child of the probe; see ChildActorOf with props.</summary>
    public Task<IActorRef> ChildActorOfAsync<T>(
        string name,
        SupervisorStrategy supervisorStrategy,
        CancellationToken cancellationToken = default
    )
        where T : ActorBase => ChildActorOfAsync(Props.Create<T>(), name, supervisorStrategy, cancellationToken);

    /// <summary>Makes a child of the probe; see ChildActorOf with props.</summary>
    public IActorRef ChildActorOf<T>(
        SupervisorStrategy supervisorStrategy,
        CancellationToken cancellationToken = default
    )
        where T : ActorBase => ChildActorOf(Props.Create<T>(), supervisorStrategy, cancellationToken);

    /// <summary>Makes a child of the probe; see ChildActorOf with props.</summary>
    public Task<IActorRef> ChildActorOfAsync<T>(
        SupervisorStrategy supervisorStrategy,
        CancellationToken cancellationToken = default
    )
        where T : ActorBase => ChildActorOfAsync(Props.Create<T>(), supervisorStrategy, cancellationToken);

    /// <summary>Makes a child of the probe; see ChildActorOf with props.</summary>
    public IActorRef ChildActorOf<T>(string name, CancellationToken cancellationToken = default)
        where T : ActorBase => ChildActorOf(Props.Create<T>(), name, cancellationToken);

    /// <summary>Makes a child of the probe; see ChildActorOf with props.</summary>
    public Task<IActorRef> ChildActorOfAsync<T>(string name, CancellationToken cancellationToken = default)
        where T : ActorBase => ChildActorOfAsync(Props.Create<T>(), name, cancellationToken);

    /// <summary>Makes a child of the probe; see ChildActorOf with props.</summary>
    public IActorRef ChildActorOf<T>(CancellationToken cancellationToken = default)
        where T : ActorBase => ChildActorOf(Props.Create<T>(), cancellationToken);

    /// <summary>Makes a child of the probe; see ChildActorOf with props.</summary>
    public Task<IActorRef> ChildActorOfAsync<T>(CancellationToken cancellationToken = default)
        where T : ActorBase => ChildActorOfAsync(Props.Create<T>(), cancellationToken);
}
