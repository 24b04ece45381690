using Akka.Dispatch;
using Akka.Dispatch.SysMsg;

namespace Akka.Actor;

/// <summary>A reference with an actor cell behind it.</summary>
public abstract class ActorRefWithCell : InternalActorRefBase
{
    /// <summary>The cell of the actor.</summary>
    public abstract ActorCell Underlying { get; }
}

/// <summary>The reference of every actor of this process.</summary>
public class LocalActorRef : ActorRefWithCell, ILocalRef
{
    private readonly ActorCell _cell;
    private readonly long _uid;

    /// <summary>The path, or only the name as long as nobody asked for the path: of most actors nobody does.</summary>
    private object _pathOrName;

    /// <summary>Kept here too: telling must not read the cell, which the actor writes for every message.</summary>
    private Mailbox _mailbox;

    internal LocalActorRef(
        ActorSystemImpl system,
        Props props,
        MessageDispatcher dispatcher,
        IInternalActorRef supervisor,
        ActorPath path
    )
    {
        _pathOrName = path;
        _uid = path.Uid;
        _cell = NewCell(system, props, dispatcher, supervisor);
    }

    /// <summary>A child of the supervisor, whose path is made when it is asked for.</summary>
    internal LocalActorRef(
        ActorSystemImpl system,
        Props props,
        MessageDispatcher dispatcher,
        IInternalActorRef supervisor,
        string name,
        long uid
    )
    {
        _pathOrName = name;
        _uid = uid;
        _cell = NewCell(system, props, dispatcher, supervisor);
    }

    private protected virtual ActorCell NewCell(
        ActorSystemImpl system,
        Props props,
        MessageDispatcher dispatcher,
        IInternalActorRef supervisor
    ) => new(system, this, props, dispatcher, supervisor);

    /// <inheritdoc/>
    public override ActorPath Path => Volatile.Read(ref _pathOrName) as ActorPath ?? MakePath();

    /// <summary>The last element of the path.</summary>
    internal string Name
    {
        get
        {
            var known = Volatile.Read(ref _pathOrName);
            return known as string ?? ((ActorPath)known).Name;
        }
    }

    internal override long Uid => _uid;

    // Two threads may make it: equal paths serve alike, and the first one that is there stays.
    private ActorPath MakePath()
    {
        if (Volatile.Read(ref _pathOrName) is string name)
            Interlocked.CompareExchange(ref _pathOrName, new ChildActorPath(_cell.ParentRef.Path, name, _uid), name);
        return (ActorPath)_pathOrName;
    }

    /// <inheritdoc/>
    public override ActorCell Underlying => _cell;
    internal ActorCell Cell => _cell;

    /// <inheritdoc/>
    public override IInternalActorRef Parent => _cell.ParentRef;

    /// <inheritdoc/>
    public override IActorRefProvider Provider => _cell.SystemImpl.Provider;

    /// <inheritdoc/>
    public override bool IsTerminated => _cell.IsTerminated;

    /// <inheritdoc/>
    public override IActorRef GetChild(IReadOnlyList<string> name)
    {
        IInternalActorRef current = this;
        for (var i = 0; i < name.Count; i++)
        {
            if (name[i].Length == 0)
                continue;
            if (current is not LocalActorRef local)
                return current.GetChild(name.Skip(i).ToList());
            current = name[i] is ".." ? local.Parent : local._cell.GetSingleChild(name[i]);
            if (current is Nobody)
                return current;
        }
        return current;
    }

    internal Mailbox Mailbox => _mailbox;

    internal void Attach(Mailbox mailbox) => _mailbox = mailbox;

    /// <inheritdoc/>
    protected override void TellInternal(object message, IActorRef sender)
    {
        if (_mailbox.VerifiesSerialization)
            message = _cell.SystemImpl.RoundTrip(message);
        _mailbox.Post(message, sender);
    }

    /// <inheritdoc/>
    public override void SendSystemMessage(ISystemMessage message) => _cell.SendSystemMessage((SystemMessage)message);

    /// <inheritdoc/>
    public override void Start() => _cell.Start();

    /// <inheritdoc/>
    public override void Stop() => _cell.SendSystemMessage(new Terminate());

    /// <inheritdoc/>
    public override void Suspend() => _cell.SendSystemMessage(new Suspend());

    /// <inheritdoc/>
    public override void Resume(Exception causedByFailure = null) =>
        _cell.SendSystemMessage(new Resume(causedByFailure));

    /// <inheritdoc/>
    public override void Restart(Exception cause) => _cell.SendSystemMessage(new Recreate(cause));
}
