using Iommufd.Core.Context;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>
/// How the objects around nesting and virtual IOMMUs go. Each is out of the table already, and nobody uses it; its participant is
/// closed before anything is waited for, because its id may be given out again meanwhile.
/// </summary>
public abstract class ObjectLifeFlow(ContextCore context, Caller caller) : DeviceFlow(context, caller)
{
    /// <summary>Destroys a nested HWPT: its parent or vIOMMU is let go.</summary>
    protected IEnumerable<FlowWait> DestroyNested(NestedHwptObject nested)
    {
        Close(ParticipantKind.NestedHwpt, nested);
        nested.Holds.Users--;
        if (nested.Fault is { } fault)
        {
            fault.Users--;
        }

        return [];
    }

    /// <summary>Destroys the HWPT of a shared table, which lives on with its virtual machine.</summary>
    protected IEnumerable<FlowWait> DestroyShared(SharedHwptObject shared)
    {
        Close(ParticipantKind.Hwpt, shared);
        shared.Table.Release();
        return [];
    }

    /// <summary>Destroys a fault queue; nobody can be attached who has faults in it.</summary>
    protected IEnumerable<FlowWait> DestroyFault(FaultObject fault)
    {
        Close(ParticipantKind.Fault, fault);
        return [];
    }

    /// <summary>Destroys a vIOMMU and takes its window back.</summary>
    protected IEnumerable<FlowWait> DestroyViommu(ViommuObject viommu)
    {
        if (viommu.Window is { } window)
        {
            Context.Windows.Remove(window);
        }

        Close(ParticipantKind.Viommu, viommu);
        viommu.Parent.Users--;
        return [];
    }

    /// <summary>Destroys an event queue with what is in it.</summary>
    protected IEnumerable<FlowWait> DestroyVeventq(VeventqObject veventq)
    {
        Close(ParticipantKind.Veventq, veventq);
        yield return FlowWait.For(ParticipantKind.Viommu, veventq.Viommu.Id, new RemoveVeventq(veventq.Type));
        veventq.Viommu.Users--;
    }

    /// <summary>Destroys a hardware queue: its number first, then its internal access with the pins and locks.</summary>
    protected IEnumerable<FlowWait> DestroyHwQueue(HwQueueObject queue)
    {
        var viommu = queue.Viommu;
        Close(ParticipantKind.HwQueue, queue);
        yield return FlowWait.ForLock(viommu.Lock, exclusive: true);
        if (queue.Previous is { } previous)
        {
            previous.Users--;
        }

        yield return FlowWait.For(ParticipantKind.Viommu, viommu.Id, FreeQueueSlot.Instance);
        Release(viommu.Lock);
        foreach (var wait in Destroy(queue.Access))
        {
            yield return wait;
        }

        viommu.Users--;
    }

    private void Close(ParticipantKind kind, ContextObject gone) =>
        Context.Engine.Host.Close(new Participant(kind, gone.Id));
}
