using System.Runtime.ExceptionServices;
using Akka.Dispatch.SysMsg;
using Akka.Event;

namespace Akka.Actor;

public partial class ActorCell
{
    private bool _isStopping;
    private bool _isStopped;

    internal bool IsStopping => _isStopping;

    /// <summary>Handles one system message.</summary>
    internal void SystemInvoke(SystemMessage message)
    {
        try
        {
            HandleSystem(message);
        }
        catch (EscalatedFailure escalated)
        {
            HandleInvokeFailure(escalated.InnerException, (message as Failed)?.Child);
        }
        catch (Exception cause)
        {
            HandleInvokeFailure(cause, (message as Failed)?.Child);
        }
    }

    private void HandleSystem(SystemMessage message)
    {
        switch (message)
        {
            case Create:
                CreateActor();
                break;
            case Recreate recreate:
                FaultRecreate(recreate.Cause);
                break;
            case Suspend:
                SuspendSelf();
                SuspendChildren(null);
                break;
            case Resume resume:
                FaultResume(resume.CausedByFailure);
                break;
            case Terminate:
                TerminateActor();
                break;
            case Watch watch:
                AddWatcher(watch.Watchee, watch.Watcher);
                break;
            case Unwatch unwatch:
                RemoveWatcher(unwatch.Watchee, unwatch.Watcher);
                break;
            case Failed failed:
                HandleFailed(failed);
                break;
            case DeathWatchNotification death:
                WatchedActorTerminated(death);
                break;
            case ActorTaskStep step:
                step.Execute(this);
                break;
            case ActorTaskEnded ended:
                TaskEnded(ended);
                break;
        }
    }

    private void CreateActor()
    {
        if (_isStopping)
            return;
        try
        {
            _actor = NewActor();
            CheckReceiveTimeout();
            _actor.AroundPreStart();
            if (_system.Settings.DebugLifecycle)
                PublishDebug("Started (" + _actor + ")");
        }
        catch (Exception e)
        {
            CancelTimers();
            DiscardActor(_actor);
            var cause = e is System.Reflection.TargetInvocationException { InnerException: { } inner } ? inner : e;
            if (cause is ActorInitializationException)
                ExceptionDispatchInfo.Throw(cause);
            throw new ActorInitializationException(_self, "Exception during creation", cause);
        }
    }

    /// <summary>Makes an instance and gives it what the runtime injects.</summary>
    private ActorBase NewActor()
    {
        Behavior = null;
        OuterBehaviors = null;
        Strategy = null;
        // Timers may be started in the constructor, hence by ActorBase's.
        var actor = _blueprint is Props props ? props.NewActor() : ((IIndirectActorProducer)_blueprint).Produce();
        if (actor is null)
            throw new ActorInitializationException(_self, "Actor instance passed to ActorOf can't be 'null'");
        actor.BindTo(this);
        _actor = actor;
        (actor as IInitializableActor)?.Init();
        _system.PipelineOf(actor.GetType())?.AfterActorIncarnated(actor, this);
        if (actor is IActorStash stashing)
            stashing.Stash = NewStash(isUnbounded: actor is IWithUnboundedStash);
        return actor;
    }

    private void HandleInvokeFailure(Exception cause, IActorRef failedChild)
    {
        if (FailedBecauseOf is not null)
            return;
        try
        {
            SuspendSelf();
            FailedBecauseOf = failedChild as IInternalActorRef ?? _self;
            SuspendChildren(failedChild);
            _parent.SendSystemMessage(new Failed(_self, cause, _self.Uid));
        }
        catch (Exception e)
        {
            Publish(new Error(e, _self.Path.ToString(), ActorType, "emergency stop: " + e.Message));
            _self.Stop();
        }
    }

    internal void SuspendSelf() => Mailbox.SuspendOnce();

    internal void ResumeSelf() => Mailbox.ResumeOnce();

    private void FaultRecreate(Exception cause)
    {
        if (_actor is null && !_isStopping)
        {
            // The actor never came to be: build it as if for the first time, once no child is left over.
            Publish(new Error(null, _self.Path.ToString(), ActorType, $"changing Recreate into Create after {cause}"));
            StopChildren();
            if (!DeferUntilChildrenAreGone(FinishCreate))
                FinishCreate();
            return;
        }
        if (_isStopping)
        {
            FaultResume(null);
            return;
        }
        if (WhenChildrenAreGone is not null)
        {
            FaultResume(null);
            return;
        }
        if (_system.Settings.DebugLifecycle)
            PublishDebug("restarting");
        var failed = _actor;
        try
        {
            CancelTimers();
            var message = CurrentMessage is Failed ? null : CurrentMessage;
            failed.AroundPreRestart(cause, message);
        }
        catch (Exception e)
        {
            var wrapped = new PreRestartException(_self, e, cause, CurrentMessage);
            Publish(new Error(wrapped, _self.Path.ToString(), failed.GetType(), e.Message));
        }
        finally
        {
            DiscardActor(failed);
        }
        if (!DeferUntilChildrenAreGone(() => FinishRecreate(cause, failed)))
            FinishRecreate(cause, failed);
    }

    private void FinishCreate()
    {
        ResumeSelf();
        FailedBecauseOf = null;
        try
        {
            CreateActor();
        }
        catch (Exception e)
        {
            HandleInvokeFailure(e, null);
        }
    }

    private void FinishRecreate(Exception cause, ActorBase failed)
    {
        var survivors = ChildrenRefs;
        try
        {
            try
            {
                ResumeSelf();
            }
            finally
            {
                FailedBecauseOf = null;
            }
            var fresh = NewActor();
            if (ReferenceEquals(fresh, failed))
                throw new IllegalActorStateException("A factory must return a new instance at a restart.");
            fresh.AroundPostRestart(cause, null);
            CheckReceiveTimeout();
            if (_system.Settings.DebugLifecycle)
                PublishDebug("restarted (" + fresh + ")");
            foreach (var child in survivors)
                child.Restart(cause);
        }
        catch (Exception e)
        {
            CancelTimers();
            DiscardActor(_actor);
            var inner = e is System.Reflection.TargetInvocationException { InnerException: { } i } ? i : e;
            HandleInvokeFailure(new PostRestartException(_self, inner, cause), null);
        }
    }

    private void FaultResume(Exception causedByFailure)
    {
        if (_actor is null && !_isStopping)
        {
            Publish(
                new Error(
                    null,
                    _self.Path.ToString(),
                    ActorType,
                    $"changing Resume into Create after {causedByFailure}"
                )
            );
            StopChildren();
            if (!DeferUntilChildrenAreGone(FinishCreate))
                FinishCreate();
            return;
        }
        var perpetrator = FailedBecauseOf;
        ResumeSelf();
        if (causedByFailure is not null)
            FailedBecauseOf = null;
        _currentMessage = null;
        ResumeChildren(causedByFailure, perpetrator);
    }

    private void StopChildren()
    {
        foreach (var child in ChildrenRefs)
            Stop(child);
    }

    private bool DeferUntilChildrenAreGone(Action then)
    {
        if (_children is not { AnyStopping: true })
            return false;
        WhenChildrenAreGone = then;
        return true;
    }

    private void TerminateActor()
    {
        CancelReceiveTimeout(forGood: true);
        var wasStopping = _isStopping;
        _isStopping = true;
        var children = Volatile.Read(ref _children);
        if (children is not null)
            children.IsClosedForNew = true;
        StopChildren();
        if (DeferUntilChildrenAreGone(FinishTerminate))
        {
            if (wasStopping)
                return;
            SuspendSelf();
            FailedBecauseOf = _self;
            if (_system.Settings.DebugLifecycle)
                PublishDebug("stopping");
        }
        else
        {
            FinishTerminate();
        }
    }

    private void FinishTerminate()
    {
        if (_isStopped)
            return;
        _isStopped = true;
        _isStopping = true;
        var actor = _actor;
        // A child made during PostStop could never be stopped any more.
        if (Interlocked.CompareExchange(ref _children, ChildContainer.NoneAnyMore, null) is { } children)
            children.IsClosedForNew = true;
        try
        {
            CancelTimers();
            actor?.AroundPostStop();
        }
        catch (Exception e)
        {
            Publish(new Error(e, _self.Path.ToString(), ActorType, e.Message));
        }
        try
        {
            DiscardActor(actor);
        }
        finally
        {
            if (_system.Settings.DebugLifecycle)
                PublishDebug("stopped");
            _dispatcher.Detach(this);
            Mailbox.Close();
            _parent.SendSystemMessage(new DeathWatchNotification(_self, true, false));
            TellWatchersWeDied();
            UnwatchWatchedActors();
            ForgetEverything();
        }
    }

    /// <summary>Parts from an instance: its stash goes back into the mailbox, its timers die.</summary>
    private void DiscardActor(ActorBase actor)
    {
        if (actor is null)
            return;
        try
        {
            // Again: the last hooks may have started some.
            CancelTimers();
            _system.PipelineOf(actor.GetType())?.BeforeActorIncarnated(actor, this);
            if (actor is IActorStash { Stash: { } stash })
                stash.UnstashAll();
        }
        finally
        {
            if (_blueprint is Props props)
                props.ReleaseActor(actor);
            else
                Props.Release(_blueprint, actor);
            actor.Unbind();
            _actor = null;
            _currentMessage = null;
            Behavior = null;
            OuterBehaviors = null;
            ActiveTimers = null;
        }
    }

    private void ForgetEverything()
    {
        _currentMessage = null;
        _sender = null;
        Behavior = null;
        Watches = null;
        Timeouts = null;
        OwnTaskScheduler = null;
    }

    internal void PublishDebug(string text) => Publish(new Debug(_self.Path.ToString(), ActorType, text));
}
