using Iommufd.Core.Context;
using Iommufd.Core.Faults;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>DESTROY (facts sheet A.5), and the destruction of each kind of object.</summary>
public abstract class LifeFlow(ContextCore context, Caller caller) : ObjectLifeFlow(context, caller)
{
    /// <summary>Destroys an object that nobody uses.</summary>
    protected IEnumerable<FlowWait> DestroyObject(ContextObject gone)
    {
        Context.Objects.Hide(gone);
        foreach (var wait in TearDown(gone))
        {
            yield return wait;
        }

        Context.Objects.Remove(gone);
    }

    private IEnumerable<FlowWait> TearDown(ContextObject gone) =>
        gone switch
        {
            IoasObject ioas => EmptyIoas(ioas),
            HwptObject hwpt => DestroyHwpt(hwpt),
            SelftestObject selftest => Unbind(selftest.Device),
            NestedHwptObject nested => DestroyNested(nested),
            SharedHwptObject shared => DestroyShared(shared),
            FaultObject fault => DestroyFault(fault),
            VdeviceObject vdevice => DestroyVdeviceAlone(vdevice),
            VeventqObject veventq => DestroyVeventq(veventq),
            HwQueueObject queue => DestroyHwQueue(queue),
            ViommuObject viommu => DestroyViommu(viommu),
            _ => throw new InvariantBrokenException("only objects that user space may destroy have no users"),
        };

    // As in the kernel, the group's lock keeps an attach away that has found the vDEVICE there: it is over, and journalled, before.
    private IEnumerable<FlowWait> DestroyVdeviceAlone(VdeviceObject vdevice)
    {
        var group = vdevice.Device.Group;
        yield return FlowWait.ForLock(group.Lock, exclusive: true);
        foreach (var wait in DestroyVdevice(vdevice))
        {
            yield return wait;
        }

        Release(group.Lock);
    }

    private IEnumerable<FlowWait> EmptyIoas(IoasObject ioas)
    {
        var outcome = new Outcome();
        foreach (var wait in UnmapRange(ioas, IovaRange.All, outcome))
        {
            yield return wait;
        }

        Invariant.Holds(outcome.IsOk, "an IOAS without users can be emptied");
        Context.Engine.Host.Close(new Participant(ParticipantKind.Ioas, ioas.Id));
    }
}

/// <summary>DESTROY.</summary>
public sealed class DestroyFlow(ContextCore context, Caller caller, Destroy command) : LifeFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        // A vDEVICE goes with its device: as good as gone when that is on its way.
        if (
            Context.Objects.Find<ContextObject>(command.Id) is not { } gone
            || (gone is VdeviceObject { Device: var device } && Context.IsLeaving(device.Id))
        )
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        if (gone.Users != 1)
        {
            Fail(Errno.EBUSY);
            yield break;
        }

        JournalWhenLeft(() => new ObjectDestroyed(command.Id));
        foreach (var wait in DestroyObject(gone))
        {
            yield return wait;
        }

        JournalUnlessLeft();
    }
}

/// <summary>
/// The last descriptor was closed (facts sheet A.8): drivers let go of devices and accesses, queues and windows are closed, then every
/// object that nobody uses is destroyed, pass after pass, in ascending id order, until nothing is left.
/// </summary>
public sealed class CloseFlow(ContextCore context, Caller caller) : LifeFlow(context, caller)
{
    /// <inheritdoc/>
    public override string Operation => OperationWords.Close;

    /// <summary>Objects that could not be destroyed: a bug if not 0.</summary>
    public int Leaked { get; private set; }

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        foreach (var access in Context.Objects.Live.OfType<AccessObject>().Where(a => !a.Internal).ToArray())
        {
            foreach (var wait in Destroy(access))
            {
                yield return wait;
            }
        }

        foreach (var device in Context.Objects.Live.OfType<DeviceObject>().Where(d => d.Owner == 0).ToArray())
        {
            foreach (var wait in Unbind(device))
            {
                yield return wait;
            }
        }

        CloseDescriptors();
        for (var progress = true; progress; )
        {
            progress = false;
            foreach (var gone in Context.Objects.Live.ToArray())
            {
                if (gone.Users != 1 || gone.Phase != ObjectPhase.Live)
                {
                    continue;
                }

                progress = true;
                foreach (var wait in DestroyObject(gone))
                {
                    yield return wait;
                }
            }
        }

        Leaked = Context.Objects.Count;
        Events.Add(new ContextClosed(Leaked));
    }

    // A process that is gone has closed and unmapped everything, in whatever order the door noticed.
    private void CloseDescriptors()
    {
        Caller.Descriptors.CloseAll(d => d.HeldContext == Context.Number);
        foreach (var live in Context.Objects.Live)
        {
            switch (live)
            {
                case FaultObject { DescriptorOpen: true } fault:
                    fault.DescriptorOpen = false;
                    fault.Users--;
                    break;
                case VeventqObject { DescriptorOpen: true } veventq:
                    veventq.DescriptorOpen = false;
                    veventq.Users--;
                    break;
                case ViommuObject { Window: { } window } viommu:
                    viommu.Users -= window.Mappings;
                    window.Mappings = 0;
                    break;
            }
        }
    }
}
