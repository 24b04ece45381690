using Akka.Dispatch;
using Akka.Event;

namespace Akka.Actor;

/// <summary>Makes and finds references.</summary>
public interface IActorRefProvider
{
    IInternalActorRef RootGuardian { get; }
    LocalActorRef Guardian { get; }
    LocalActorRef SystemGuardian { get; }
    IActorRef DeadLetters { get; }
    IActorRef IgnoreRef { get; }
    ActorPath RootPath { get; }
    Settings Settings { get; }
    Address DefaultAddress { get; }
    IInternalActorRef TempContainer { get; }
    Task TerminationTask { get; }
    IInternalActorRef RootGuardianAt(Address address);
    IActorRef ResolveActorRef(string path);
    IActorRef ResolveActorRef(ActorPath actorPath);
    ActorPath TempPath();
    void RegisterTempActor(IInternalActorRef actorRef, ActorPath path);
    void UnregisterTempActor(ActorPath path);
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

    public ActorPath RootPath { get; }
    public LocalActorRef RootGuardian { get; }
    IInternalActorRef IActorRefProvider.RootGuardian => RootGuardian;
    public LocalActorRef Guardian { get; private set; }
    public LocalActorRef SystemGuardian { get; private set; }
    public IActorRef DeadLetters { get; }
    public IActorRef IgnoreRef { get; }
    public Settings Settings => _system.Settings;
    public Address DefaultAddress => RootPath.Address;
    public IInternalActorRef TempContainer => _temp;
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

    public ActorPath TempPath() => _temp.Path / AutoName.Of(Interlocked.Increment(ref _nextTemp) - 1);

    public void RegisterTempActor(IInternalActorRef actorRef, ActorPath path) => _temp.AddChild(path.Name, actorRef);

    public void UnregisterTempActor(ActorPath path) => _temp.RemoveChild(path.Name);

    public IInternalActorRef RootGuardianAt(Address address) =>
        address == RootPath.Address ? RootGuardian : (IInternalActorRef)DeadLetters;

    public Address GetExternalAddressFor(Address address) => address == RootPath.Address ? address : null;

    public IActorRef ResolveActorRef(string path) =>
        ActorPath.TryParse(path, out var parsed) ? ResolveActorRef(parsed) : DeadLetters;

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
