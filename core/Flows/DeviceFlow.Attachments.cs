using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

// One device and one HWPT: joining, leaving, moving, and who may (facts sheet D.4 to D.7).
public abstract partial class DeviceFlow
{
    // D.4, under the group's lock.
    private IEnumerable<FlowWait> Join(DeviceObject device, uint pasid, HwPageTableObject hwpt, Outcome outcome)
    {
        var group = device.Group;
        yield return FlowWait.ForLock(group.Lock, exclusive: true);
        group.Attachments.TryGetValue(pasid, out var attachment);
        if (attachment is not null && attachment.Devices.Contains(device.Id))
        {
            outcome.Errno = Errno.EBUSY;
        }
        else if (attachment is not null && !ReferenceEquals(attachment.Hwpt, hwpt))
        {
            outcome.Errno = Errno.EINVAL;
        }

        var reserves = outcome.IsOk && pasid == 0 && device.Traits.Reserved.Count > 0;
        if (reserves)
        {
            var reserve = Reserve(device, hwpt);
            yield return reserve;
            outcome.Errno = reserve.Response.Errno;
            reserves = outcome.IsOk;
        }

        if (outcome.IsOk && attachment is null)
        {
            outcome.Errno = CheckCompatible(device, pasid, hwpt);
        }

        if (outcome.IsOk)
        {
            foreach (var wait in SwitchTo(device, pasid, hwpt, outcome))
            {
                yield return wait;
            }
        }

        if (!outcome.IsOk)
        {
            if (reserves)
            {
                yield return Unreserve(device, hwpt);
            }

            Release(group.Lock);
            yield break;
        }

        if (attachment is null)
        {
            attachment = new Attachment(hwpt, Context.TakeAttachHandle());
            group.Attachments.Add(pasid, attachment);
        }

        attachment.Devices.Add(device.Id);
        hwpt.Users++;
        device.Users++;
        Release(group.Lock);
    }

    // D.7, under the group's lock. The device is off its HWPT then, whose reference is still to be put.
    private IEnumerable<FlowWait> Leave(DeviceObject device, uint pasid, Departure left)
    {
        var group = device.Group;
        yield return FlowWait.ForLock(group.Lock, exclusive: true);
        if (!group.Attachments.TryGetValue(pasid, out var attachment) || !attachment.Devices.Remove(device.Id))
        {
            Release(group.Lock);
            yield break;
        }

        var hwpt = attachment.Hwpt;
        if (attachment.Devices.Count == 0)
        {
            group.Attachments.Remove(pasid);
        }

        yield return Block(device, pasid);
        Unlink(hwpt, device);
        if (attachment.Devices.Count == 0)
        {
            foreach (var wait in DropFaults(hwpt, attachment.Handle))
            {
                yield return wait;
            }
        }

        if (pasid == 0 && device.Traits.Reserved.Count > 0)
        {
            yield return Unreserve(device, hwpt);
        }

        Release(group.Lock);
        device.Users--;
        left.Hwpt = hwpt;
    }

    // D.6, under the group's lock: the whole group moves, or nobody.
    private IEnumerable<FlowWait> Move(DeviceObject device, uint pasid, HwPageTableObject hwpt, Outcome outcome)
    {
        var group = device.Group;
        yield return FlowWait.ForLock(group.Lock, exclusive: true);
        if (!group.Attachments.TryGetValue(pasid, out var attachment) || !attachment.Devices.Contains(device.Id))
        {
            outcome.Errno = Errno.EINVAL;
            Release(group.Lock);
            yield break;
        }

        var old = attachment.Hwpt;
        if (ReferenceEquals(old, hwpt))
        {
            Release(group.Lock);
            yield break;
        }

        var members = attachment.Devices.Select(id => Context.Objects.Find<DeviceObject>(id)!).ToArray();
        var changesIoas = pasid == 0 && old.Reserves != hwpt.Reserves;
        var reserved = new List<DeviceObject>();
        if (changesIoas)
        {
            foreach (var member in members.Where(m => m.Traits.Reserved.Count > 0))
            {
                var reserve = Reserve(member, hwpt);
                yield return reserve;
                outcome.Errno = reserve.Response.Errno;
                if (!outcome.IsOk)
                {
                    break;
                }

                reserved.Add(member);
            }
        }

        if (outcome.IsOk)
        {
            outcome.Errno = CheckCompatible(device, pasid, hwpt);
        }

        if (outcome.IsOk)
        {
            foreach (var wait in SwitchAll(members, pasid, old, hwpt, outcome))
            {
                yield return wait;
            }
        }

        if (outcome.IsOk)
        {
            attachment.Hwpt = hwpt;
            hwpt.Users += members.Length;
            foreach (var wait in DropFaults(old, attachment.Handle))
            {
                yield return wait;
            }

            attachment.Handle = Context.TakeAttachHandle();
        }

        foreach (var member in reserved)
        {
            yield return Unreserve(member, outcome.IsOk ? old : hwpt);
        }

        Release(group.Lock);
        if (outcome.IsOk)
        {
            UsedHwpt = hwpt.Id;
            foreach (var wait in PutHwpt(old, members.Length, leaves: true))
            {
                yield return wait;
            }
        }
    }

    private IEnumerable<FlowWait> PutHwpt(HwPageTableObject hwpt, int references, bool leaves = false)
    {
        if (leaves && _whenLeft is { } make)
        {
            _whenLeft = null;
            Context.Engine.Commit(make());
        }

        hwpt.Users -= references;
        if (hwpt is not HwptObject { Auto: true, Phase: ObjectPhase.Live } auto || hwpt.Users != 1)
        {
            yield break;
        }

        Context.Objects.Hide(auto);
        foreach (var wait in DestroyHwpt(auto))
        {
            yield return wait;
        }

        Context.Objects.Remove(auto);
    }

    private static Errno CheckCompatible(DeviceObject device, uint pasid, HwPageTableObject hwpt)
    {
        var group = device.Group;
        if (pasid == 0 && !hwpt.PasidCompatible && group.Attachments.HasPasids)
        {
            return Errno.EINVAL;
        }

        if (pasid != 0)
        {
            if (!hwpt.PasidCompatible)
            {
                return Errno.EINVAL;
            }

            if (group.Attachments.TryGetValue(0, out var own) && !own.Hwpt.PasidCompatible)
            {
                return Errno.EINVAL;
            }

            if (pasid >= device.Traits.MaxPasids)
            {
                return Errno.EINVAL;
            }
        }

        if (!ReferenceEquals(hwpt.Iommu, device.Traits.Iommu) && hwpt.Iommu != device.Traits.Iommu)
        {
            return Errno.EINVAL;
        }

        return pasid == 0 && hwpt is HwptObject { Dirty: true } && !device.Traits.DirtyTracking
            ? Errno.EINVAL
            : Errno.OK;
    }

    private static FlowWait Reserve(DeviceObject device, HwPageTableObject hwpt) =>
        FlowWait.For(hwpt.Reserves.Kind, hwpt.Reserves.Id, new ReserveRanges(device.Id, device.Traits.Reserved));

    private static FlowWait Unreserve(DeviceObject device, HwPageTableObject hwpt) =>
        FlowWait.For(hwpt.Reserves.Kind, hwpt.Reserves.Id, new ReleaseRanges(device.Id));

    /// <summary>What a device left.</summary>
    private sealed class Departure
    {
        /// <summary>The HWPT, which is still counted as used by the device; null where the device was not attached.</summary>
        public HwPageTableObject? Hwpt { get; set; }
    }
}
