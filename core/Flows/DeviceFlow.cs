using Iommufd.Core.Context;
using Iommufd.Core.Faults;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Flows that bind, attach, replace and detach devices, and that make and destroy paging HWPTs (facts sheet D).</summary>
public abstract partial class DeviceFlow(ContextCore context, Caller caller) : SwitchFlow(context, caller)
{
    private Func<ContextEvent>? _whenLeft;

    /// <summary>
    /// Sets the event of a command that takes a device off a HWPT. It is journalled at the moment of leaving, because an automatic HWPT
    /// may go then: what other commands do from now on sees it gone, and their events have to come later.
    /// </summary>
    protected void JournalWhenLeft(Func<ContextEvent> make) => _whenLeft = make;

    /// <summary>The command succeeded: journals its event unless that was done when the device left.</summary>
    protected void JournalUnlessLeft()
    {
        if (_whenLeft is { } make)
        {
            _whenLeft = null;
            Events.Add(make());
        }
    }

    /// <summary>The HWPT that an attach or replace used.</summary>
    protected uint UsedHwpt { get; private set; }

    /// <summary>Attaches a device to whatever an id names (D.2).</summary>
    protected IEnumerable<FlowWait> Attach(DeviceObject device, uint pasid, uint ptId, bool replace, Outcome outcome)
    {
        switch (Context.Objects.Find<ContextObject>(ptId))
        {
            case null:
                outcome.Errno = Errno.ENOENT;
                return [];
            case HwPageTableObject hwpt:
                return AttachToNamed(device, pasid, hwpt, replace, outcome);
            case IoasObject ioas:
                return AttachToIoas(device, pasid, ioas, replace, outcome);
            default:
                outcome.Errno = Errno.EINVAL;
                return [];
        }
    }

    /// <summary>Detaches a device; what is not attached stays as it is (D.7).</summary>
    protected IEnumerable<FlowWait> Detach(DeviceObject device, uint pasid)
    {
        var left = new Departure();
        foreach (var wait in Leave(device, pasid, left))
        {
            yield return wait;
        }

        if (left.Hwpt is { } hwpt)
        {
            foreach (var wait in PutHwpt(hwpt, 1, leaves: true))
            {
                yield return wait;
            }
        }
    }

    /// <summary>The DEVICE that a driver names, kept in use; null fails: ENOENT, and EBUSY for one that VFIO drives.</summary>
    protected DeviceObject? FindDriven(uint deviceId)
    {
        if (Get<DeviceObject>(deviceId) is not { } device)
        {
            Fail(Errno.ENOENT);
            return null;
        }

        if (Context.VfioFileOf(deviceId) is null)
        {
            return device;
        }

        Fail(Errno.EBUSY);
        return null;
    }

    /// <summary>Attaches a device, or moves it, and journals it (B.23, D.2, D.6).</summary>
    protected IEnumerable<FlowWait> AttachAndJournal(
        DeviceObject device,
        uint pasid,
        uint ptId,
        bool replace,
        Outcome outcome
    )
    {
        if (replace)
        {
            JournalWhenLeft(() => new DeviceReplaced(device.Id, pasid, ptId, UsedHwpt, PinnedForEvent()));
        }

        foreach (var wait in Attach(device, pasid, ptId, replace, outcome))
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            yield break;
        }

        if (replace)
        {
            JournalUnlessLeft();
        }
        else
        {
            Events.Add(new DeviceAttached(device.Id, pasid, ptId, UsedHwpt, PinnedForEvent()));
        }
    }

    /// <summary>Detaches a device and journals it, also where it was not attached.</summary>
    protected IEnumerable<FlowWait> DetachAndJournal(DeviceObject device, uint pasid)
    {
        JournalWhenLeft(() => new DeviceDetached(device.Id, pasid));
        foreach (var wait in Detach(device, pasid))
        {
            yield return wait;
        }

        JournalUnlessLeft();
    }

    /// <summary>Unbinds a device and journals it.</summary>
    protected IEnumerable<FlowWait> UnbindAndJournal(DeviceObject device)
    {
        JournalWhenLeft(() => new DeviceUnbound(device.Id));
        foreach (var wait in Unbind(device))
        {
            yield return wait;
        }

        JournalUnlessLeft();
    }

    /// <summary>
    /// Detaches a device everywhere, PASIDs first by ascending number, and forgets it. Nobody finds it from now on; commands that have
    /// found it end first (A.3), so that their events come before its own.
    /// </summary>
    protected IEnumerable<FlowWait> Unbind(DeviceObject device)
    {
        Context.SetLeaving(device.Id, leaves: true);
        yield return FlowWait.ForLock(Context.Engine.LockOfUsers(this, device), exclusive: true);
        while (device.Vdevice is { Phase: not ObjectPhase.Live })
        {
            // A DESTROY of it stands in line for the lock, or has it: it comes first, in the journal, too. No other one begins.
            yield return FlowWait.ForLock(device.Group.Lock, exclusive: true);
            Release(device.Group.Lock);
        }

        foreach (
            var pasid in device
                .Group.Attachments.Where(a => a.Value.Devices.Contains(device.Id))
                .Select(a => a.Key)
                .OrderBy(p => p == 0)
                .ThenBy(p => p)
                .ToArray()
        )
        {
            foreach (var wait in Detach(device, pasid))
            {
                yield return wait;
            }
        }

        yield return FlowWait.ForLock(device.Group.Lock, exclusive: true);
        if (device.Vdevice is { } vdevice)
        {
            // The hardware goes, so the guest's device goes with it; its id is not given out again.
            Context.Objects.Remove(vdevice, tombstone: true);
            foreach (var wait in DestroyVdevice(vdevice))
            {
                yield return wait;
            }
        }

        Context.Objects.Remove(device);
        Context.SetLeaving(device.Id, leaves: false);
        Release(device.Group.Lock);
        Context.Engine.Host.Close(new Participant(ParticipantKind.Device, device.Id));
        Context.LeaveGroup(device.Group);
        Context.Registry.ReleaseDevice(device.Traits.Name);
        Context.ReleaseVfioFile(device.Id);
    }

    /// <summary>Makes a DEVICE object of claimed hardware; its driver holds one reference.</summary>
    protected DeviceObject MakeDevice(DeviceTraits traits, uint owner)
    {
        var group = Context.GroupOf(traits.Group);
        group.Devices++;
        var device = Context.Reserve(
            new DeviceObject
            {
                Traits = traits,
                Group = group,
                Owner = owner,
            }
        );
        device.Users = 2;
        Context.Engine.Host.Open(
            new Participant(ParticipantKind.Device, device.Id),
            new DeviceState(traits.Name, traits.IsMock)
        );
        Context.Objects.Publish(device);
        return device;
    }

    /// <summary>Makes a paging HWPT that nobody can find yet and that mirrors nothing yet.</summary>
    protected HwptObject MakeHwpt(IoasObject ioas, DeviceTraits traits, HwptAllocFlags flags, uint tableType, bool auto)
    {
        var format = tableType == 1 ? PageTables.IoPageTableFormat.AmdV1MockHuge : traits.Iommu.Format;
        var hwpt = Context.Reserve(
            new HwptObject
            {
                Ioas = ioas,
                Auto = auto,
                NestParent = flags.HasFlag(HwptAllocFlags.NestParent),
                Dirty = flags.HasFlag(HwptAllocFlags.DirtyTracking),
                PasidCompatible = flags.HasFlag(HwptAllocFlags.Pasid),
                Iommu = traits.Iommu,
                Format = format,
            }
        );
        var registry = Context.Registry;
        var state = new HwptState(hwpt.Id, format, ioas.Entries, canFail: Context.Faults is not null)
        {
            Freed = () => registry.CountTables(-1),
        };
        registry.CountTables(1);
        hwpt.SmallestPage = state.SmallestPage;
        hwpt.Aperture = tableType == 1 ? state.TableRange : traits.Iommu.Aperture;
        hwpt.Root = state;
        Context.Engine.Host.Open(new Participant(ParticipantKind.Hwpt, hwpt.Id), state);
        ioas.Users++;
        return hwpt;
    }

    /// <summary>Gives up a HWPT that could not be finished.</summary>
    protected void AbandonHwpt(HwptObject hwpt)
    {
        hwpt.Ioas.Hwpts.Remove(hwpt.Id);
        hwpt.Ioas.Users--;
        Context.Objects.Remove(hwpt);
        Context.Engine.Host.Close(new Participant(ParticipantKind.Hwpt, hwpt.Id));
    }

    /// <summary>Takes a paging HWPT out of its IOAS and forgets it; it is out of the table already.</summary>
    protected IEnumerable<FlowWait> DestroyHwpt(HwptObject hwpt)
    {
        foreach (var wait in RemoveDomain(hwpt))
        {
            yield return wait;
        }

        hwpt.Ioas.Hwpts.Remove(hwpt.Id);
        Context.Engine.Host.Close(new Participant(ParticipantKind.Hwpt, hwpt.Id));
        hwpt.Ioas.Users--;
        if (hwpt.Fault is { } fault)
        {
            fault.Users--;
        }
    }

    private IEnumerable<FlowWait> AttachToNamed(
        DeviceObject device,
        uint pasid,
        HwPageTableObject hwpt,
        bool replace,
        Outcome outcome
    )
    {
        hwpt.Users++;
        foreach (var wait in replace ? Move(device, pasid, hwpt, outcome) : Join(device, pasid, hwpt, outcome))
        {
            yield return wait;
        }

        if (outcome.IsOk)
        {
            UsedHwpt = hwpt.Id;
        }

        // An automatic HWPT that lost its last device meanwhile goes now: nobody else would take it away.
        foreach (var wait in PutHwpt(hwpt, 1))
        {
            yield return wait;
        }
    }

    // D.3: every automatic HWPT of the IOAS is tried; EINVAL means "not compatible, try the next".
    private IEnumerable<FlowWait> AttachToIoas(
        DeviceObject device,
        uint pasid,
        IoasObject ioas,
        bool replace,
        Outcome outcome
    )
    {
        ioas.Users++;
        yield return FlowWait.ForLock(ioas.Mutex, exclusive: true);
        var tried = false;
        foreach (var id in ioas.Hwpts.ToArray())
        {
            // While an earlier one was tried, this one may have gone, and its number been given to another IOAS's.
            if (
                Context.Objects.Find<HwptObject>(id) is not { Auto: true } candidate
                || !ReferenceEquals(candidate.Ioas, ioas)
            )
            {
                continue;
            }

            outcome.Errno = Errno.OK;
            foreach (var wait in AttachToNamed(device, pasid, candidate, replace, outcome))
            {
                yield return wait;
            }

            tried = outcome.Errno != Errno.EINVAL;
            if (tried)
            {
                break;
            }
        }

        if (!tried)
        {
            outcome.Errno = Errno.OK;
            foreach (var wait in AttachToNewAuto(device, pasid, ioas, replace, outcome))
            {
                yield return wait;
            }
        }

        Release(ioas.Mutex);
        ioas.Users--;
    }

    private IEnumerable<FlowWait> AttachToNewAuto(
        DeviceObject device,
        uint pasid,
        IoasObject ioas,
        bool replace,
        Outcome outcome
    )
    {
        if (Strikes(FaultPoints.HwptAlloc, device.Traits.Name))
        {
            outcome.Errno = Errno.ENOMEM;
            yield break;
        }

        var hwpt = MakeHwpt(ioas, device.Traits, HwptAllocFlags.None, 0, auto: true);

        // An attach switches the device first and fills then, a replace fills first: the device never loses its old pages
        // before the new ones are there.
        if (!replace)
        {
            foreach (var wait in Join(device, pasid, hwpt, outcome))
            {
                yield return wait;
            }

            if (!outcome.IsOk)
            {
                AbandonHwpt(hwpt);
                yield break;
            }
        }

        foreach (var wait in AddDomain(hwpt, outcome))
        {
            yield return wait;
        }

        var filled = outcome.IsOk;
        if (filled && replace)
        {
            foreach (var wait in Move(device, pasid, hwpt, outcome))
            {
                yield return wait;
            }
        }

        if (outcome.IsOk)
        {
            ioas.Hwpts.Add(hwpt.Id);
            Context.Objects.Publish(hwpt);
            UsedHwpt = hwpt.Id;
            yield break;
        }

        if (!replace)
        {
            foreach (var wait in Leave(device, pasid, new Departure()))
            {
                yield return wait;
            }

            hwpt.Users--;
        }

        if (filled)
        {
            Pinned.Clear();
            foreach (var wait in RemoveDomain(hwpt))
            {
                yield return wait;
            }
        }

        AbandonHwpt(hwpt);
    }
}
