namespace Akka.Actor.Dsl;

/// <summary>Describes an actor in place, without a class.</summary>
public interface IActorDsl
{
    /// <summary>Runs in place of PostRestart; null keeps the usual one.</summary>
    Action<Exception, IActorContext> OnPostRestart { get; set; }

    /// <summary>
    /// Runs in place of PreRestart, with the message at which the actor failed; null keeps the usual one.
    /// </summary>
    Action<Exception, object, IActorContext> OnPreRestart { get; set; }

    /// <summary>Runs in place of PostStop; null keeps the usual one.</summary>
    Action<IActorContext> OnPostStop { get; set; }

    /// <summary>Runs in place of PreStart; null keeps the usual one.</summary>
    Action<IActorContext> OnPreStart { get; set; }

    /// <summary>The strategy for the actor's children; null keeps the usual one. Looked at once.</summary>
    SupervisorStrategy Strategy { get; set; }

    /// <summary>Handles messages of a type.</summary>
    void Receive<T>(Action<T, IActorContext> handler);

    /// <summary>Handles messages of a type that match.</summary>
    void Receive<T>(Predicate<T> shouldHandle, Action<T, IActorContext> handler);

    /// <summary>Handles messages of a type that match.</summary>
    void Receive<T>(Action<T, IActorContext> handler, Predicate<T> shouldHandle);

    /// <summary>Handles every message; nothing can be declared after it.</summary>
    void ReceiveAny(Action<object, IActorContext> handler);

    /// <summary>
    /// Handles messages of a type, those that match if a predicate is given; no other message is handled before the
    /// task ends.
    /// </summary>
    void ReceiveAsync<T>(Func<T, IActorContext, Task> handler, Predicate<T> shouldHandle = null);

    /// <summary>
    /// Handles messages of a type, those that match if a predicate is given; no other message is handled before the
    /// task ends.
    /// </summary>
    void ReceiveAsync<T>(Predicate<T> shouldHandle, Func<T, IActorContext, Task> handler);

    /// <summary>Handles every message; no other is handled before the task ends.</summary>
    void ReceiveAnyAsync(Func<object, IActorContext, Task> handler);

    /// <summary>What PreRestart would have done: stop the children and call PostStop.</summary>
    void DefaultPreRestart(Exception reason, object message);

    /// <summary>What PostRestart would have done: call PreStart.</summary>
    void DefaultPostRestart(Exception reason);

    /// <summary>What PreStart would have done: nothing.</summary>
    void DefaultPreStart();

    /// <summary>What PostStop would have done: nothing.</summary>
    void DefaultPostStop();

    /// <summary>Replaces the current behaviour.</summary>
    void Become(Action<object, IActorContext> handler);

    /// <summary>Puts a behaviour on top of the current one.</summary>
    void BecomeStacked(Action<object, IActorContext> handler);

    /// <summary>Takes the top behaviour off.</summary>
    void UnbecomeStacked();

    /// <summary>Makes a child from a description.</summary>
    IActorRef ActorOf(Action<IActorDsl> config, string name = null);
}

/// <summary>The actor that a description makes.</summary>
public sealed class Act : ReceiveActor, IActorDsl
{
    /// <summary>The description runs inside the constructor, anew for each incarnation.</summary>
    public Act(Action<IActorDsl> config)
    {
        config(this);
    }

    /// <summary>
    /// The description runs inside the constructor, anew for each incarnation, and sees the context too.
    /// </summary>
    public Act(Action<IActorDsl, IActorContext> config)
    {
        config(this, Context);
    }

    /// <inheritdoc/>
    public Action<Exception, IActorContext> OnPostRestart { get; set; }

    /// <inheritdoc/>
    public Action<Exception, object, IActorContext> OnPreRestart { get; set; }

    /// <inheritdoc/>
    public Action<IActorContext> OnPostStop { get; set; }

    /// <inheritdoc/>
    public Action<IActorContext> OnPreStart { get; set; }

    /// <inheritdoc/>
    public SupervisorStrategy Strategy { get; set; }

    /// <inheritdoc/>
    public void Receive<T>(Action<T, IActorContext> handler) => Receive<T>(m => handler(m, Context));

    /// <inheritdoc/>
    public void Receive<T>(Predicate<T> shouldHandle, Action<T, IActorContext> handler) =>
        Receive<T>(m => handler(m, Context), shouldHandle);

    /// <inheritdoc/>
    public void Receive<T>(Action<T, IActorContext> handler, Predicate<T> shouldHandle) =>
        Receive(shouldHandle, handler);

    /// <inheritdoc/>
    public void ReceiveAny(Action<object, IActorContext> handler) => ReceiveAny(m => handler(m, Context));

    /// <inheritdoc/>
    public void ReceiveAsync<T>(Func<T, IActorContext, Task> handler, Predicate<T> shouldHandle = null) =>
        ReceiveAsync<T>(m => handler(m, Context), shouldHandle);

    /// <inheritdoc/>
    public void ReceiveAsync<T>(Predicate<T> shouldHandle, Func<T, IActorContext, Task> handler) =>
        ReceiveAsync(handler, shouldHandle);

    /// <inheritdoc/>
    public void ReceiveAnyAsync(Func<object, IActorContext, Task> handler) => ReceiveAnyAsync(m => handler(m, Context));

    /// <inheritdoc/>
    public void Become(Action<object, IActorContext> handler) => Become(m => handler(m, Context));

    /// <inheritdoc/>
    public void BecomeStacked(Action<object, IActorContext> handler) => BecomeStacked(m => handler(m, Context));

    void IActorDsl.UnbecomeStacked() => UnbecomeStacked();

    /// <inheritdoc/>
    public IActorRef ActorOf(Action<IActorDsl> config, string name = null) => Context.ActorOf(config, name);

    /// <inheritdoc/>
    public void DefaultPreRestart(Exception reason, object message) => base.PreRestart(reason, message);

    /// <inheritdoc/>
    public void DefaultPostRestart(Exception reason) => base.PostRestart(reason);

    /// <inheritdoc/>
    public void DefaultPreStart() => base.PreStart();

    /// <inheritdoc/>
    public void DefaultPostStop() => base.PostStop();

    /// <inheritdoc/>
    protected override void PreStart()
    {
        if (OnPreStart is null)
            base.PreStart();
        else
            OnPreStart(Context);
    }

    /// <inheritdoc/>
    protected override void PostStop()
    {
        if (OnPostStop is null)
            base.PostStop();
        else
            OnPostStop(Context);
    }

    /// <inheritdoc/>
    protected override void PreRestart(Exception reason, object message)
    {
        if (OnPreRestart is null)
            base.PreRestart(reason, message);
        else
            OnPreRestart(reason, message, Context);
    }

    /// <inheritdoc/>
    protected override void PostRestart(Exception reason)
    {
        if (OnPostRestart is null)
            base.PostRestart(reason);
        else
            OnPostRestart(reason, Context);
    }

    /// <inheritdoc/>
    protected override SupervisorStrategy SupervisorStrategy() => Strategy ?? base.SupervisorStrategy();
}

/// <summary>Makes actors from descriptions.</summary>
public static class ActExtensions
{
    /// <summary>Makes an actor from a description, which runs anew for each incarnation.</summary>
    public static IActorRef ActorOf(this IActorRefFactory factory, Action<IActorDsl> config, string name = null) =>
        factory.ActorOf(Props.Create(() => new Act(config)), name);

    /// <summary>
    /// Makes an actor from a description, which runs anew for each incarnation and sees the context too.
    /// </summary>
    public static IActorRef ActorOf(
        this IActorRefFactory factory,
        Action<IActorDsl, IActorContext> config,
        string name = null
    ) => factory.ActorOf(Props.Create(() => new Act(config)), name);
}
