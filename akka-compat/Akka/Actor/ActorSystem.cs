using Akka.Actor.Setup;
using Akka.Configuration;
using Akka.Dispatch;
using Akka.Event;

namespace Akka.Actor;

/// <summary>A tree of actors with everything they share.</summary>
public abstract class ActorSystem : IActorRefFactory, IDisposable
{
    public abstract Settings Settings { get; }
    public abstract string Name { get; }
    public abstract Serialization.Serialization Serialization { get; }
    public abstract EventStream EventStream { get; }
    public abstract IActorRef DeadLetters { get; }
    public abstract IActorRef IgnoreRef { get; }
    public abstract Dispatchers Dispatchers { get; }
    public abstract Mailboxes Mailboxes { get; }
    public abstract IScheduler Scheduler { get; }
    public abstract ILoggingAdapter Log { get; }
    public TimeSpan StartTime { get; internal set; }
    public TimeSpan Uptime => Scheduler.MonotonicClock - StartTime;
    public abstract Task WhenTerminated { get; }

    public static ActorSystem Create(string name) => Create(name, Config.Empty);

    public static ActorSystem Create(string name, Config config) =>
        ActorSystemImpl.CreateAndStart(name, config, ActorSystemSetup.Empty);

    public static ActorSystem Create(string name, BootstrapSetup setup) => Create(name, ActorSystemSetup.Create(setup));

    public static ActorSystem Create(string name, ActorSystemSetup setup)
    {
        var bootstrap = setup.Get<BootstrapSetup>();
        var config = bootstrap.HasValue ? bootstrap.Value.Config.GetOrElse(Config.Empty) : Config.Empty;
        return ActorSystemImpl.CreateAndStart(name, config, setup);
    }

    public abstract object GetExtension(IExtensionId extensionId);
    public abstract T GetExtension<T>()
        where T : class, IExtension;
    public abstract bool HasExtension(Type type);
    public abstract bool HasExtension<T>()
        where T : class, IExtension;
    public abstract bool TryGetExtension(Type extensionType, out object extension);
    public abstract bool TryGetExtension<T>(out T extension)
        where T : class, IExtension;
    public abstract object RegisterExtension(IExtensionId extension);
    public abstract void RegisterOnTermination(Action code);
    public abstract Task Terminate();
    public abstract void Stop(IActorRef actor);
    public abstract IActorRef ActorOf(Props props, string name = null);
    public abstract ActorSelection ActorSelection(ActorPath actorPath);
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

    public override string ToString() => "akka://" + Name;
}

/// <summary>What extensions and the runtime need of a system.</summary>
public abstract class ExtendedActorSystem : ActorSystem
{
    public abstract IActorRefProvider Provider { get; }
    public abstract IInternalActorRef Guardian { get; }
    public abstract IInternalActorRef LookupRoot { get; }
    public abstract IInternalActorRef SystemGuardian { get; }
    public abstract ActorProducerPipelineResolver ActorPipelineResolver { get; }
    public abstract IActorRef SystemActorOf(Props props, string name = null);
    public abstract IActorRef SystemActorOf<TActor>(string name = null)
        where TActor : ActorBase, new();
    public abstract void Abort();
    public abstract string PrintTree();
}
