using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Akka.Actor;

/// <summary>A tree of actors with everything they share.</summary>
public abstract class ActorSystem : IActorRefFactory, IDisposable
{
    /// <summary>The configuration, read.</summary>
    public abstract Settings Settings { get; }

    /// <summary>Part of every path: akka://name.</summary>
    public abstract string Name { get; }

    /// <summary>The serializers and what they are bound to.</summary>
    public abstract Serialization.Serialization Serialization { get; }

    /// <summary>The system's own bus: log events, dead letters, whatever is published.</summary>
    public abstract EventStream EventStream { get; }

    /// <summary>Takes what cannot be delivered.</summary>
    public abstract IActorRef DeadLetters { get; }

    /// <summary>Takes everything and does nothing with it.</summary>
    public abstract IActorRef IgnoreRef { get; }

    /// <summary>The dispatchers by the path of their configuration.</summary>
    public abstract Dispatchers Dispatchers { get; }

    /// <summary>The kinds of mailboxes by the path of their configuration.</summary>
    public abstract Mailboxes Mailboxes { get; }

    /// <summary>The system's clock and timers.</summary>
    public abstract IScheduler Scheduler { get; }

    /// <summary>Logs as the system.</summary>
    public abstract ILoggingAdapter Log { get; }

    /// <summary>When the system started, on the scheduler's clock.</summary>
    public TimeSpan StartTime { get; internal set; }

    /// <summary>For how long the system has been running.</summary>
    public TimeSpan Uptime => Scheduler.MonotonicClock - StartTime;

    /// <summary>Completes when the last actor is gone.</summary>
    public abstract Task WhenTerminated { get; }

    /// <summary>Starts a system with the default configuration.</summary>
    public static ActorSystem Create(string name) => Create(name, Config.Empty);

    /// <summary>Starts a system; what the configuration leaves out has its default.</summary>
    public static ActorSystem Create(string name, Config config) =>
        ActorSystemImpl.CreateAndStart(name, config, ActorSystemSetup.Empty);

    /// <summary>Starts a system from a bootstrap setup.</summary>
    public static ActorSystem Create(string name, BootstrapSetup setup) => Create(name, ActorSystemSetup.Create(setup));

    /// <summary>Starts a system from setups, the bootstrap setup with its configuration among them.</summary>
    public static ActorSystem Create(string name, ActorSystemSetup setup)
    {
        var bootstrap = setup.Get<BootstrapSetup>();
        var config = bootstrap.HasValue ? bootstrap.Value.Config.GetOrElse(Config.Empty) : Config.Empty;
        return ActorSystemImpl.CreateAndStart(name, config, setup);
    }

    /// <summary>An extension that is registered; null otherwise.</summary>
    public abstract object GetExtension(IExtensionId extensionId);

    /// <summary>The extension of a type that is registered; null otherwise.</summary>
    public abstract T GetExtension<T>()
        where T : class, IExtension;

    /// <summary>Whether an extension of this type is registered.</summary>
    public abstract bool HasExtension(Type type);

    /// <summary>Whether an extension of this type is registered.</summary>
    public abstract bool HasExtension<T>()
        where T : class, IExtension;

    /// <summary>
    /// The extension of a type if it is registered, else null and false. Waits when another thread is making it.
    /// </summary>
    public abstract bool TryGetExtension(Type extensionType, out object extension);

    /// <summary>
    /// The extension of a type if it is registered, else null and false. Waits when another thread is making it.
    /// </summary>
    public abstract bool TryGetExtension<T>(out T extension)
        where T : class, IExtension;

    /// <summary>Makes an extension, or gives the one that is there.</summary>
    public abstract object RegisterExtension(IExtensionId extension);

    /// <summary>Runs code when the last actor is gone; last registered, first run.</summary>
    public abstract void RegisterOnTermination(Action code);

    /// <summary>Ends the system, through coordinated shutdown unless configured otherwise; gives WhenTerminated.</summary>
    public abstract Task Terminate();

    /// <summary>Stops an actor after the message that it handles.</summary>
    public abstract void Stop(IActorRef actor);

    /// <summary>Makes an actor under /user.</summary>
    public abstract IActorRef ActorOf(Props props, string name = null);

    /// <summary>The actors on a path, from the root of its address on; the uid is not looked at.</summary>
    public abstract ActorSelection ActorSelection(ActorPath actorPath);

    /// <summary>
    /// The actors on a path with wildcards; a relative one begins at the root (<c>user/name</c>). A text that is no
    /// path gives dead letters.
    /// </summary>
    public abstract ActorSelection ActorSelection(string actorPath);

    /// <summary>Starts the termination; <see cref="WhenTerminated"/> tells when it is done.</summary>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    private void Dispose(bool disposing)
    {
        if (disposing && !WhenTerminated.IsCompleted)
            _ = Terminate();
    }

    /// <inheritdoc/>
    public override string ToString() => "akka://" + Name;
}

/// <summary>What extensions and the runtime need of a system.</summary>
public abstract class ExtendedActorSystem : ActorSystem
{
    /// <summary>Makes and finds references.</summary>
    public abstract IActorRefProvider Provider { get; }

    /// <summary>The actor /user.</summary>
    public abstract IInternalActorRef Guardian { get; }

    /// <summary>The actor /.</summary>
    public abstract IInternalActorRef LookupRoot { get; }

    /// <summary>The actor /system.</summary>
    public abstract IInternalActorRef SystemGuardian { get; }

    /// <summary>The plugins that see each actor after its construction and before its release.</summary>
    public abstract ActorProducerPipelineResolver ActorPipelineResolver { get; }

    /// <summary>Makes an actor under /system.</summary>
    public abstract IActorRef SystemActorOf(Props props, string name = null);

    /// <summary>Makes an actor of a type under /system.</summary>
    public abstract IActorRef SystemActorOf<TActor>(string name = null)
        where TActor : ActorBase, new();

    /// <summary>Ends the system without coordinated shutdown.</summary>
    public abstract void Abort();

    /// <summary>The actors that live, indented by depth.</summary>
    public abstract string PrintTree();
}
