using System.Linq.Expressions;
using Akka.Actor;
using Akka.Actor.Dsl;
using Akka.Util;

namespace Akka.TestKit;

public abstract partial class TestKitBase
{
    /// <summary>Makes an actor under /user.</summary>
    public IActorRef ActorOf(Props props) => Sys.ActorOf(props);

    /// <summary>Makes an actor under /user.</summary>
    public IActorRef ActorOf(Props props, string name) => Sys.ActorOf(props, name);

    /// <summary>Makes an actor under /user.</summary>
    public IActorRef ActorOf<TActor>()
        where TActor : ActorBase, new() => Sys.ActorOf(Props.Create<TActor>());

    /// <summary>Makes an actor under /user.</summary>
    public IActorRef ActorOf<TActor>(string name)
        where TActor : ActorBase, new() => Sys.ActorOf(Props.Create<TActor>(), name);

    /// <summary>Makes an actor under /user.</summary>
    public IActorRef ActorOf<TActor>(Expression<Func<TActor>> factory)
        where TActor : ActorBase => Sys.ActorOf(Props.Create(factory));

    /// <summary>Makes an actor under /user.</summary>
    public IActorRef ActorOf<TActor>(Expression<Func<TActor>> factory, string name)
        where TActor : ActorBase => Sys.ActorOf(Props.Create(factory), name);

    /// <summary>Makes an actor under /user from a description in place.</summary>
    public IActorRef ActorOf(Action<IActorDsl, IActorContext> configure, string name = null) =>
        Sys.ActorOf(configure, name);

    /// <summary>Makes an actor under /user from a description in place.</summary>
    public IActorRef ActorOf(Action<IActorDsl> configure, string name = null) => Sys.ActorOf(configure, name);

    /// <inheritdoc/>
    public ActorSelection ActorSelection(ActorPath actorPath) => Sys.ActorSelection(actorPath);

    /// <inheritdoc/>
    public ActorSelection ActorSelection(string actorPath) => Sys.ActorSelection(actorPath);

    /// <inheritdoc/>
    public ActorSelection ActorSelection(IActorRef anchorRef, string actorPath) =>
        Sys.ActorSelection(anchorRef, actorPath);

    /// <summary>Makes an actor that runs on the calling thread and whose instance the test can look at.</summary>
    public TestActorRef<TActor> ActorOfAsTestActorRef<TActor>(Props props, IActorRef supervisor, string name = null)
        where TActor : ActorBase => new(Sys, props, supervisor, name);

    /// <summary>Makes an actor that runs on the calling thread and whose instance the test can look at.</summary>
    public TestActorRef<TActor> ActorOfAsTestActorRef<TActor>(Props props, string name = null)
        where TActor : ActorBase => new(Sys, props, null, name);

    /// <summary>Makes an actor that runs on the calling thread and whose instance the test can look at.</summary>
    public TestActorRef<TActor> ActorOfAsTestActorRef<TActor>(
        Expression<Func<TActor>> factory,
        IActorRef supervisor,
        string name = null
    )
        where TActor : ActorBase => new(Sys, Props.Create(factory), supervisor, name);

    /// <summary>Makes an actor that runs on the calling thread and whose instance the test can look at.</summary>
    public TestActorRef<TActor> ActorOfAsTestActorRef<TActor>(Expression<Func<TActor>> factory, string name = null)
        where TActor : ActorBase => new(Sys, Props.Create(factory), null, name);

    /// <summary>Makes an actor that runs on the calling thread and whose instance the test can look at.</summary>
    public TestActorRef<TActor> ActorOfAsTestActorRef<TActor>(IActorRef supervisor, string name = null)
        where TActor : ActorBase, new() => new(Sys, Props.Create<TActor>(), supervisor, name);

    /// <summary>Makes an actor that runs on the calling thread and whose instance the test can look at.</summary>
    public TestActorRef<TActor> ActorOfAsTestActorRef<TActor>(string name = null)
        where TActor : ActorBase, new() => new(Sys, Props.Create<TActor>(), null, name);

    /// <summary>
    /// Makes a child of the test actor, so that its end and its failures reach the test's side. Waits for at most
    /// akka.test.default-timeout, dilated.
    /// </summary>
    /// <exception cref="AskTimeoutException">It was not made in time.</exception>
    public IActorRef ChildActorOf(
        Props props,
        string name,
        SupervisorStrategy supervisorStrategy,
        CancellationToken cancellationToken = default
    ) => Wait(Spawn(props, name, supervisorStrategy, cancellationToken));

    /// <summary>
    /// Makes a child of the test actor, so that its end and its failures reach the test's side. Waits for at most
    /// akka.test.default-timeout, dilated.
    /// </summary>
    /// <exception cref="AskTimeoutException">It was not made in time.</exception>
    public Task<IActorRef> ChildActorOfAsync(
        Props props,
        string name,
        SupervisorStrategy supervisorStrategy,
        CancellationToken cancellationToken = default
    ) => Spawn(props, name, supervisorStrategy, cancellationToken);

    /// <summary>
    /// Makes a child of the test actor, so that its end and its failures reach the test's side. Waits for at most
    /// akka.test.default-timeout, dilated.
    /// </summary>
    /// <exception cref="AskTimeoutException">It was not made in time.</exception>
    public IActorRef ChildActorOf(
        Props props,
        SupervisorStrategy supervisorStrategy,
        CancellationToken cancellationToken = default
    ) => Wait(Spawn(props, null, supervisorStrategy, cancellationToken));

    /// <summary>
    /// Makes a child of the test actor, so that its end and its failures reach the test's side. Waits for at most
    /// akka.test.default-timeout, dilated.
    /// </summary>
    /// <exception cref="AskTimeoutException">It was not made in time.</exception>
    public Task<IActorRef> ChildActorOfAsync(
        Props props,
        SupervisorStrategy supervisorStrategy,
        CancellationToken cancellationToken = default
    ) => Spawn(props, null, supervisorStrategy, cancellationToken);

    /// <summary>
    /// Makes a child of the test actor, so that its end and its failures reach the test's side. Waits for at most
    /// akka.test.default-timeout, dilated.
    /// </summary>
    /// <exception cref="AskTimeoutException">It was not made in time.</exception>
    public IActorRef ChildActorOf(Props props, string name, CancellationToken cancellationToken = default) =>
        Wait(Spawn(props, name, null, cancellationToken));

    /// <summary>
    /// Makes a child of the test actor, so that its end and its failures reach the test's side. Waits for at most
    /// akka.test.default-timeout, dilated.
    /// </summary>
    /// <exception cref="AskTimeoutException">It was not made in time.</exception>
    public Task<IActorRef> ChildActorOfAsync(Props props, string name, CancellationToken cancellationToken = default) =>
        Spawn(props, name, null, cancellationToken);

    /// <summary>
    /// Makes a child of the test actor, so that its end and its failures reach the test's side. Waits for at most
    /// akka.test.default-timeout, dilated.
    /// </summary>
    /// <exception cref="AskTimeoutException">It was not made in time.</exception>
    public IActorRef ChildActorOf(Props props, CancellationToken cancellationToken = default) =>
        Wait(Spawn(props, null, null, cancellationToken));

    /// <summary>
    /// Makes a child of the test actor, so that its end and its failures reach the test's side. Waits for at most
    /// akka.test.default-timeout, dilated.
    /// </summary>
    /// <exception cref="AskTimeoutException">It was not made in time.</exception>
    public Task<IActorRef> ChildActorOfAsync(Props props, CancellationToken cancellationToken = default) =>
        Spawn(props, null, null, cancellationToken);

    private Task<IActorRef> Spawn(
        Props props,
        string name,
        SupervisorStrategy strategy,
        CancellationToken cancellationToken
    ) =>
        _testActor.Ask<IActorRef>(
            new TestActor.Spawn(props, Option<string>.Create(name), Option<SupervisorStrategy>.Create(strategy)),
            GetTimeoutOrDefault(null),
            cancellationToken
        );

    /// <inheritdoc/>
    IActorRef IActorRefFactory.ActorOf(Props props, string name) => Sys.ActorOf(props, name);
}
