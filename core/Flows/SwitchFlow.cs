using Iommufd.Core.Context;
using Iommufd.Core.Faults;
using Iommufd.Messages;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Flows that change what a device's DMA goes through: the hardware side of attach, replace and detach.</summary>
public abstract class SwitchFlow(ContextCore context, Caller caller) : AccessFlow(context, caller)
{
    /// <summary>Stops a device's translation of one PASID.</summary>
    protected static FlowWait Block(DeviceObject device, uint pasid) =>
        FlowWait.For(ParticipantKind.Device, device.Id, new SwitchTranslation(pasid, null));

    /// <summary>Switches a device over. ENOENT where its vIOMMU does not know it, ENOMEM; it is then as before.</summary>
    protected IEnumerable<FlowWait> SwitchTo(DeviceObject device, uint pasid, HwPageTableObject hwpt, Outcome outcome)
    {
        var viommu = pasid == 0 ? (hwpt as NestedHwptObject)?.Viommu : null;
        var virtId = 0ul;
        if (viommu is not null)
        {
            if (device.Vdevice is not { } vdevice || !ReferenceEquals(vdevice.Viommu, viommu))
            {
                outcome.Errno = Errno.ENOENT;
                yield break;
            }

            virtId = vdevice.VirtId;
        }

        if (Strikes(FaultPoints.DeviceAttach, device.Traits.Name))
        {
            Context.Faults!.Saw(Sights.SwitchRolledBack);
            outcome.Errno = Errno.ENODEV;
            yield break;
        }

        Link(hwpt, device);
        var change = FlowWait.For(
            ParticipantKind.Device,
            device.Id,
            new SwitchTranslation(pasid, hwpt.Root, viommu?.Id ?? 0, virtId)
        );
        yield return change;
        outcome.Errno = change.Response.Errno;
        if (!outcome.IsOk)
        {
            // The refusal is the change: the device will take the next switch.
            Unlink(hwpt, device);
            Events.Add(new ReservedPasidRefused(device.Id));
        }
    }

    /// <summary>Switches the devices of a group from one HWPT to another, all or none.</summary>
    protected IEnumerable<FlowWait> SwitchAll(
        IReadOnlyList<DeviceObject> devices,
        uint pasid,
        HwPageTableObject old,
        HwPageTableObject hwpt,
        Outcome outcome
    )
    {
        var done = 0;
        for (; done < devices.Count && outcome.IsOk; done++)
        {
            foreach (var wait in SwitchTo(devices[done], pasid, hwpt, outcome))
            {
                yield return wait;
            }
        }

        if (outcome.IsOk)
        {
            foreach (var device in devices)
            {
                Unlink(old, device);
            }

            yield break;
        }

        // Going back needs no check: the devices still count as attached to the old HWPT.
        for (var i = 0; i < done - 1; i++)
        {
            yield return FlowWait.For(
                ParticipantKind.Device,
                devices[i].Id,
                new SwitchTranslation(pasid, old.Root, (old as NestedHwptObject)?.Viommu?.Id ?? 0, VirtIdOf(devices[i]))
            );
            Unlink(hwpt, devices[i]);
        }
    }

    /// <summary>The kernel answers the faults of an attachment that is over: "invalid".</summary>
    protected IEnumerable<FlowWait> DropFaults(HwPageTableObject hwpt, ulong handle)
    {
        if (hwpt.Fault is not { } fault)
        {
            yield break;
        }

        yield return FlowWait.ForLock(fault.Lock, exclusive: true);
        var drop = FlowWait.For(ParticipantKind.Fault, fault.Id, new DropFaults(handle));
        yield return drop;
        foreach (var group in drop.As<FaultsDropped>().Groups)
        {
            if (Context.Objects.Find<DeviceObject>(group.DeviceId) is { } device)
            {
                var response = new RespondToPageRequest(group.Requests[0].GroupId, Success: false);
                Tell(ParticipantKind.Device, device.Id, response);
            }
        }

        Release(fault.Lock);
    }

    /// <summary>A device does not translate through a HWPT any more.</summary>
    protected void Unlink(HwPageTableObject hwpt, DeviceObject device) =>
        Tell(hwpt.Links.Kind, hwpt.Links.Id, new UnlinkDevice(device.Traits.Name));

    /// <summary>Takes a vDEVICE away from its device and its vIOMMU; it is out of the table already.</summary>
    protected IEnumerable<FlowWait> DestroyVdevice(VdeviceObject vdevice)
    {
        var viommu = vdevice.Viommu;
        vdevice.Device.Vdevice = null;
        Context.Engine.Host.Close(new Participant(ParticipantKind.Vdevice, vdevice.Id));
        yield return FlowWait.ForLock(viommu.Lock, exclusive: true);
        yield return FlowWait.For(ParticipantKind.Viommu, viommu.Id, new RemoveVdevice(vdevice.VirtId));
        vdevice.Device.Users--;
        viommu.Users--;
        Release(viommu.Lock);
    }

    private static ulong VirtIdOf(DeviceObject device) => device.Vdevice?.VirtId ?? 0;

    private void Link(HwPageTableObject hwpt, DeviceObject device) =>
        Tell(hwpt.Links.Kind, hwpt.Links.Id, new LinkDevice(device.Traits.Name));
}
