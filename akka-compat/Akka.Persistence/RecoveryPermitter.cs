using Akka.Actor;

namespace Akka.Persistence;

/// <summary>To the permitter: may I recover?</summary>
internal sealed class RequestRecoveryPermit : INoSerializationVerificationNeeded
{
    /// <summary>The only one.</summary>
    public static readonly RequestRecoveryPermit Instance = new();
}

/// <summary>From the permitter: yes, now.</summary>
internal sealed class RecoveryPermitGranted : INoSerializationVerificationNeeded
{
    /// <summary>The only one.</summary>
    public static readonly RecoveryPermitGranted Instance = new();
}

/// <summary>To the permitter: I have recovered, or given up.</summary>
internal sealed class ReturnRecoveryPermit : INoSerializationVerificationNeeded
{
    /// <summary>The only one.</summary>
    public static readonly ReturnRecoveryPermit Instance = new();
}

/// <summary>Lets a bounded number of actors recover at a time, first come first served; watches them, so none is lost.</summary>
internal sealed class RecoveryPermitter(int maxPermits) : UntypedActor
{
    private readonly LinkedList<IActorRef> _waiting = new();
    private readonly HashSet<IActorRef> _holders = [];

    /// <summary>A permitter that lets so many recover at a time.</summary>
    public static Props Props(int maxPermits) => Akka.Actor.Props.Create(() => new RecoveryPermitter(maxPermits));

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case RequestRecoveryPermit:
                Context.Watch(Sender);
                if (_holders.Count < maxPermits)
                    Grant(Sender);
                else
                    _waiting.AddLast(Sender);
                break;
            case ReturnRecoveryPermit:
                Release(Sender);
                break;
            case Terminated terminated:
                if (!_waiting.Remove(terminated.ActorRef))
                    Release(terminated.ActorRef);
                break;
            default:
                Unhandled(message);
                break;
        }
    }

    private void Grant(IActorRef actor)
    {
        _holders.Add(actor);
        actor.Tell(RecoveryPermitGranted.Instance, Self);
    }

    private void Release(IActorRef actor)
    {
        if (!_holders.Remove(actor))
            return;
        Context.Unwatch(actor);
        if (_waiting.First is not { } next)
            return;
        _waiting.RemoveFirst();
        Grant(next.Value);
    }
}
