using Akka.Dispatch.SysMsg;

namespace Akka.Actor;

public partial class ActorCell
{
    private ChildContainer _children;

    private ChildContainer Children
    {
        get
        {
            var children = Volatile.Read(ref _children);
            if (children is not null)
                return children;
            Interlocked.CompareExchange(ref _children, new ChildContainer(), null);
            return _children;
        }
    }

    /// <summary>Makes a child. Inside the actor, and for the guardians from any thread.</summary>
    public IActorRef ActorOf(Props props, string name = null) => MakeChild(props, name, isSystemService: false);

    internal LocalActorRef MakeChild(Props props, string name, bool isSystemService)
    {
        if (name is not null)
            CheckName(name);
        var children = Children;
        if (children.IsClosedForNew)
            throw new InvalidOperationException("Cannot create new children while terminating or terminated");
        if (_system.VerifiesCreators && !isSystemService && props.Deploy.Scope is not LocalScope)
            _system.VerifyCreator(props);
        name ??= children.NextName();
        var uid = _system.NextUid();
        if (_system.HasDeployments)
            props = _system.Deployed(props, new ChildActorPath(_self.Path, name, uid));
        var child = _system.NewLocalActor(props, _self, name, uid);
        children.Add(name, child, _self);
        try
        {
            _system.InitLocalActor(child, props);
        }
        catch
        {
            children.Remove(child);
            throw;
        }
        child.Start();
        return child;
    }

    /// <summary>Puts a child that was built elsewhere under this actor. Any thread.</summary>
    internal string ReserveChildName(string name)
    {
        if (name is not null)
            CheckName(name);
        return name ?? Children.NextName();
    }

    internal void AdoptChild(LocalActorRef child) => Children.Add(child.Name, child, _self);

    private static void CheckName(string name)
    {
        if (name.Length == 0)
            throw new InvalidActorNameException("Actor name must not be empty.");
        if (!ActorPath.IsValidPathElement(name))
            throw new InvalidActorNameException(
                $"Illegal actor name [{name}]. Actor paths MUST: not start with `$`, include only ASCII letters and "
                    + $"can only contain these special characters: ${ActorPath.ValidSymbols}."
            );
    }

    /// <inheritdoc/>
    public IActorRef Child(string name) => GetSingleChild(name);

    /// <summary>The child of a name, which may carry a uid, or Nobody. Any thread.</summary>
    internal IInternalActorRef GetSingleChild(string name)
    {
        var children = Volatile.Read(ref _children);
        if (children is null)
            return ActorRefs.Nobody;
        var hash = name.IndexOf('#', StringComparison.Ordinal);
        if (hash < 0)
            return children.Find(name) ?? (IInternalActorRef)ActorRefs.Nobody;
        var found = children.Find(name[..hash]);
        return found is not null && name.AsSpan(hash + 1).SequenceEqual(found.Uid.ToString())
            ? found
            : ActorRefs.Nobody;
    }

    /// <inheritdoc/>
    public IEnumerable<IActorRef> GetChildren() => Volatile.Read(ref _children)?.Snapshot() ?? [];

    internal IReadOnlyList<IInternalActorRef> ChildrenRefs => Volatile.Read(ref _children)?.Snapshot() ?? [];

    /// <summary>Stops a child, or any other actor.</summary>
    public void Stop(IActorRef child)
    {
        if (child is IInternalActorRef target)
        {
            Volatile.Read(ref _children)?.MarkStopping(target);
            target.Stop();
        }
    }

    private void SuspendChildren(IActorRef except)
    {
        foreach (var child in ChildrenRefs)
        {
            if (!child.Equals(except))
                child.Suspend();
        }
    }

    private void ResumeChildren(Exception causedByFailure, IInternalActorRef perpetrator)
    {
        foreach (var child in ChildrenRefs)
            child.Resume(child.Equals(perpetrator) ? causedByFailure : null);
    }

    private void HandleFailed(Failed failed)
    {
        _currentMessage = failed;
        var stats = Volatile.Read(ref _children)?.StatsOf(failed.Child, failed.Uid);
        if (stats is null)
            return;
        _sender = failed.Child;
        var all = _children.AllStats();
        if (!EffectiveStrategy.HandleFailure(this, failed.Child, failed.Cause, stats, all))
            throw new EscalatedFailure(failed.Cause);
    }

    private SupervisorStrategy EffectiveStrategy => _actor.StrategyInternal ?? SupervisorStrategy.DefaultStrategy;

    private void HandleChildTerminated(IActorRef child)
    {
        var children = Volatile.Read(ref _children);
        if (children is null || !children.Remove(child))
            return;
        if (_actor is not null)
        {
            try
            {
                EffectiveStrategy.HandleChildTerminated(this, child, children.WhenAsked());
            }
            catch (Exception e)
            {
                Publish(new Event.Error(e, _self.Path.ToString(), ActorType, "HandleChildTerminated failed"));
            }
        }
        var pending = WhenChildrenAreGone;
        if (pending is null || children.AnyStopping)
            return;
        WhenChildrenAreGone = null;
        pending();
    }

    /// <summary>Carries the failure of a child that this actor passes up; the cause keeps its stack.</summary>
    private sealed class EscalatedFailure(Exception cause) : Exception("escalated", cause);
}
