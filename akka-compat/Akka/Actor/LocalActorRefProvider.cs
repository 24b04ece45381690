using Akka.Dispatch;
using Akka.Event;

namespace Akka.Actor;

/// <summary>Makes and finds references.</summary>
public interface IActorRefProvider
{
    /// <summary>The actor /.</summary>
    IInternalActorRef RootGuardian { get; }

    /// <summary>The actor /user.</summary>
    LocalActorRef Guardian { get; }

    /// <summary>The actor /system.</summary>
    LocalActorRef SystemGuardian { get; }

    /// <summary>Publishes everything that could not be delivered.</summary>
    IActorRef DeadLetters { get; }

    /// <summary>Swallows what it is told.</summary>
    IActorRef IgnoreRef { get; }

    /// <summary>The path of the root, with the system's address.</summary>
    ActorPath RootPath { get; }

    /// <summary>The settings of the system.</summary>
    Settings Settings { get; }

    /// <summary>The address of the system, without a host.</summary>
    Address DefaultAddress { get; }

    /// <summary>The node /temp, under which the references of asks can be found.</summary>
    IInternalActorRef TempContainer { get; }

    /// <summary>Completes when the last actor is gone.</summary>
    Task TerminationTask { get; }

    /// <summary>The root guardian when the address is the system's own, else dead letters.</summary>
    IInternalActorRef RootGuardianAt(Address address);

    /// <summary>
    /// The actor at a path, whatever its state. A reference that makes dead letters when none is there or the uid
    /// differs.
    /// </summary>
    IActorRef ResolveActorRef(string path);

    /// <summary>
    /// The actor at a path, whatever its state. A reference that makes dead letters when none is there or the uid
    /// differs.
    /// </summary>
    IActorRef ResolveActorRef(ActorPath actorPath);

    /// <summary>A path below /temp that nobody else gets.</summary>
    ActorPath TempPath();

    /// <summary>Makes a reference under /temp findable by its path.</summary>
    void RegisterTempActor(IInternalActorRef actorRef, ActorPath path);

    /// <summary>Undoes <see cref="RegisterTempActor"/>; of no effect when it was not registered.</summary>
    void UnregisterTempActor(ActorPath path);

    /// <summary>The address under which another system reaches this one; null for every address but its own.</summary>
    Address GetExternalAddressFor(Address address);
}

/// <summary>The provider of a system that lives in one process.</summary>
public sealed class LocalActorRefProvider : IActorRefProvider
{
    private readonly ActorSystemImpl _system;
    private readonly VirtualPathContainer _temp;
    private readonly Dictionary<string, IInternalActorRef> _extraNames = new(StringComparer.Ordinal);
    private long _nextTemp;

    internal ActorSystemImpl System => _system;

    internal LocalActorRefProvider(ActorSystemImpl system)
    {
        _system = system;
        RootPath = new RootActorPath(new Address("akka", system.Name));
        DeadLetters = new DeadLetterActorRef(this, RootPath / "deadLetters", system.EventStream);
        IgnoreRef = new IgnoreActorRef(this, RootPath.Address);
        RootGuardian = new LocalActorRef(
            system,
            Props.CreateBy<RootGuardianActor>(() => new RootGuardianActor()),
            GuardianDispatcher,
            new TreeTop(system, this, RootPath / "bubble-walker"),
            RootPath
        );
        _temp = new VirtualPathContainer(this, RootPath / "temp", RootGuardian);
        _extraNames["temp"] = _temp;
        _extraNames["deadLetters"] = (IInternalActorRef)DeadLetters;
    }

    private MessageDispatcher GuardianDispatcher => _system.Dispatchers.Lookup(Dispatchers.InternalDispatcherId);

    /// <inheritdoc/>
    public ActorPath RootPath { get; }

    /// <inheritdoc/>
    public LocalActorRef RootGuardian { get; }
    IInternalActorRef IActorRefProvider.RootGuardian => RootGuardian;

    /// <inheritdoc/>
    public LocalActorRef Guardian { get; private set; }

    /// <inheritdoc/>
    public LocalActorRef SystemGuardian { get; private set; }

    /// <inheritdoc/>
    public IActorRef DeadLetters { get; }

    /// <inheritdoc/>
    public IActorRef IgnoreRef { get; }

    /// <inheritdoc/>
    public Settings Settings => _system.Settings;

    /// <inheritdoc/>
    public Address DefaultAddress => RootPath.Address;

    /// <inheritdoc/>
    public IInternalActorRef TempContainer => _temp;

    /// <inheritdoc/>
    public Task TerminationTask => _system.WhenTerminated;

    internal void Init()
    {
        RootGuardian.Cell.Init(null);
        SystemGuardian = MakeGuardian("system", Props.CreateBy<SystemGuardianActor>(() => new SystemGuardianActor()));
        var strategy = SupervisorStrategyConfigurator.CreateConfigurator(Settings.SupervisorStrategyClass).Create();
        Guardian = MakeGuardian("user", Props.CreateBy<GuardianActor>(() => new GuardianActor(strategy)));
        RootGuardian.Start();
        SystemGuardian.Start();
        Guardian.Start();
        SystemGuardian.Tell(new SystemGuardianActor.Guard(Guardian), ActorRefs.NoSender);
        RootGuardian.Tell(new SystemGuardianActor.Guard(SystemGuardian), ActorRefs.NoSender);
    }

    private LocalActorRef MakeGuardian(string name, Props props)
    {
        var guardian = new LocalActorRef(
            _system,
            props,
            GuardianDispatcher,
            RootGuardian,
            new ChildActorPath(RootPath, name, 0)
        );
        RootGuardian.Cell.AdoptChild(guardian);
        guardian.Cell.Init(null);
        return guardian;
    }

    /// <inheritdoc/>
    public ActorPath TempPath() => _temp.Path / AutoName.Of(Interlocked.Increment(ref _nextTemp) - 1);

    /// <inheritdoc/>
    public void RegisterTempActor(IInternalActorRef actorRef, ActorPath path) => _temp.AddChild(path.Name, actorRef);

    /// <inheritdoc/>
    public void UnregisterTempActor(ActorPath path) => _temp.RemoveChild(path.Name);

    /// <inheritdoc/>
    public IInternalActorRef RootGuardianAt(Address address) =>
        address == RootPath.Address ? RootGuardian : (IInternalActorRef)DeadLetters;

    /// <inheritdoc/>
    public Address GetExternalAddressFor(Address address) => address == RootPath.Address ? address : null;

    /// <inheritdoc/>
    public IActorRef ResolveActorRef(string path) =>
        ActorPath.TryParse(path, out var parsed) ? ResolveActorRef(parsed) : DeadLetters;

    /// <inheritdoc/>
    public IActorRef ResolveActorRef(ActorPath actorPath)
    {
        if (actorPath.Address != RootPath.Address)
            return DeadLetters;
        if (IgnoreActorRef.IsIgnoreRefPath(actorPath))
            return IgnoreRef;
        var names = actorPath.Elements.ToList();
        if (names.Count > 0 && actorPath.Uid != 0)
            names[^1] += "#" + actorPath.Uid;
        var found = Resolve(names);
        return found is Nobody ? new EmptyLocalActorRef(this, actorPath, _system.EventStream) : found;
    }

    internal IActorRef Resolve(IReadOnlyList<string> names)
    {
        if (names.Count > 0 && _extraNames.TryGetValue(names[0], out var extra))
            return extra.GetChild(names.Skip(1).ToList());
        return RootGuardian.GetChild(names);
    }
}

/// <summary>The parent of the root: its child's death ends the system.</summary>
internal sealed class TreeTop(ActorSystemImpl system, IActorRefProvider provider, ActorPath path) : MinimalActorRef
{
    public override ActorPath Path => path;
    public override IActorRefProvider Provider => provider;

    public override void SendSystemMessage(Dispatch.SysMsg.ISystemMessage message)
    {
        switch (message)
        {
            case Dispatch.SysMsg.Failed failed:
                system.EventStream.Publish(
                    new Error(failed.Cause, path.ToString(), typeof(TreeTop), "guardian failed, shutting down system")
                );
                ((IInternalActorRef)failed.Child).Stop();
                break;
            case Dispatch.SysMsg.DeathWatchNotification:
                system.Terminated();
                break;
        }
    }
}
