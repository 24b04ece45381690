using Iommufd.Core.Flows;

namespace Iommufd.Core.Context;

/// <summary>
/// A reader-writer lock that flows hold across steps, standing for one of the kernel's (facts sheet C.13). Strictly
/// first come first served, so an attach that waits for the fills in flight is not overtaken by later maps. Owned by one
/// context and used only there; it never blocks a thread: a flow that must wait is put aside.
/// </summary>
public class FlowLock
{
    // Most locks are never waited for.
    private Queue<(Flow Flow, bool Exclusive)>? _waiting;
    private int _shared;
    private Flow? _exclusive;

    /// <summary>Whether anybody holds it or waits.</summary>
    public bool IsIdle => _shared == 0 && _exclusive is null && !HasWaiters;

    private bool HasWaiters => _waiting is { Count: > 0 };

    /// <summary>Takes the lock, or queues the flow and returns false; the flow is then woken holding it.</summary>
    internal bool TryAcquire(Flow flow, bool exclusive)
    {
        if (HasWaiters || !IsFree(exclusive))
        {
            (_waiting ??= new()).Enqueue((flow, exclusive));
            return false;
        }

        Grant(flow, exclusive);
        return true;
    }

    /// <summary>Gives the lock back and hands it to whoever is next; those flows are added to <paramref name="woken"/>.</summary>
    internal void Release(Flow flow, bool exclusive, Queue<Flow> woken)
    {
        if (exclusive)
        {
            Invariant.Holds(ReferenceEquals(_exclusive, flow), "an exclusive flow lock is released by its holder");
            _exclusive = null;
        }
        else
        {
            Invariant.Holds(_shared > 0, "a shared flow lock is released by a holder");
            _shared--;
        }

        while (_waiting is not null && _waiting.TryPeek(out var next) && IsFree(next.Exclusive))
        {
            _waiting.Dequeue();
            Grant(next.Flow, next.Exclusive);
            woken.Enqueue(next.Flow);
        }
    }

    private bool IsFree(bool exclusive) => _exclusive is null && (!exclusive || _shared == 0);

    private void Grant(Flow flow, bool exclusive)
    {
        if (exclusive)
        {
            _exclusive = flow;
        }
        else
        {
            _shared++;
        }

        flow.Granted(this, exclusive);
    }
}
