// The ioctls of a VFIO device's descriptor (facts sheet B.23, additions C.6): rules about arguments, and which open has what; the work is
// that of every other driver (DeviceFlow).
using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;

namespace Iommufd.Core.Flows;

/// <summary>The flows of VFIO's device commands.</summary>
public static class VfioDeviceCommandFlows
{
    /// <summary>Makes the flow of a command; null for one that is not of these.</summary>
    public static Flow? TryCreate(ContextCore context, Caller caller, IoctlCommand command) =>
        command switch
        {
            VfioDeviceBindIommufd c => new VfioBindFlow(context, caller, c),
            VfioDeviceAttachIommufdPt c => new VfioAttachFlow(context, caller, c),
            VfioDeviceDetachIommufdPt c => new VfioDetachFlow(context, caller, c),
            VfioDeviceGetInfo c => new VfioDeviceInfoFlow(context, caller, c),
            UnbindVfioDevice c => new VfioUnbindFlow(context, caller, c),
            _ => null,
        };
}

/// <summary>VFIO_DEVICE_BIND_IOMMUFD: once in the life of an open, and one open of a device at a time.</summary>
public sealed class VfioBindFlow(ContextCore context, Caller caller, VfioDeviceBindIommufd command)
    : DeviceFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (VfioCalls.FileOf(Caller, command.Descriptor, out var errno) is not { } file)
        {
            Fail(errno);
            yield break;
        }

        errno = VfioCalls.CheckBind(Caller, file, command, out var number);
        Invariant.Holds(errno != Errno.OK || number == Context.Number, "a BIND is carried out by its iommufd");
        if (errno == Errno.OK && !file.TryBeginBind())
        {
            errno = Errno.EINVAL;
        }

        if (errno != Errno.OK)
        {
            Fail(errno);
            yield break;
        }

        errno = Context.Registry.ClaimDevice(file.Device, Context.Number, out var traits);
        if (errno != Errno.OK)
        {
            file.Unbind();
            Fail(errno);
            yield break;
        }

        var device = MakeDevice(traits!, owner: 0);
        file.EndBind(Context.Number, device.Id);
        Context.AddVfioFile(device.Id, file);
        Events.Add(new DeviceBound(device.Id, file.Device, BindFlow.TraitsForEvent(traits!)));
        Succeed(command with { OutDevId = device.Id });
    }
}

/// <summary>A command on a VFIO device that has to be bound.</summary>
public abstract class VfioDeviceFlow(ContextCore context, Caller caller) : DeviceFlow(context, caller)
{
    /// <summary>The DEVICE that an open is bound to here; null fails: EBADF, ENOTTY, and EINVAL for one that is not bound.</summary>
    protected DeviceObject? Find(int fd, out VfioFile? file)
    {
        file = VfioCalls.FileOf(Caller, fd, out var errno);
        if (file?.Bound is { } bound && bound.Context == Context.Number)
        {
            return Context.Objects.Find<DeviceObject>(bound.DeviceId);
        }

        Fail(file is null ? errno : Errno.EINVAL);
        return null;
    }
}

/// <summary>ATTACH_IOMMUFD_PT or DETACH_IOMMUFD_PT: of the device itself, or with the flag of one PASID of it.</summary>
/// <param name="context">The context.</param>
/// <param name="caller">Who calls.</param>
/// <param name="fd">The descriptor that it is called on.</param>
/// <param name="argSz">Bytes of the caller's struct.</param>
/// <param name="flags">The struct's flags.</param>
/// <param name="pasid">The struct's PASID.</param>
/// <param name="sizes">Bytes of the struct without and with the PASID.</param>
public abstract class VfioSwitchFlow(
    ContextCore context,
    Caller caller,
    int fd,
    uint argSz,
    uint flags,
    uint pasid,
    (uint Plain, uint WithPasid) sizes
) : VfioDeviceFlow(context, caller)
{
    // The same bit for both.
    private const uint PasidFlag = VfioDeviceAttachIommufdPt.AttachPasid;

    /// <summary>Whether a PASID is meant.</summary>
    protected bool HasPasid => (flags & PasidFlag) != 0;

    /// <summary>The PASID that is meant; 0 for the device's own requests.</summary>
    protected uint Pasid => HasPasid ? pasid : 0;

    /// <summary>Attaches or detaches, under the lock of the open.</summary>
    protected abstract IEnumerable<FlowWait> Switch(VfioFile file, DeviceObject device);

    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Find(fd, out var file) is not { } device)
        {
            yield break;
        }

        if (argSz < (HasPasid ? sizes.WithPasid : sizes.Plain) || (flags & ~PasidFlag) != 0)
        {
            Fail(Errno.EINVAL);
            yield break;
        }

        yield return FlowWait.ForLock(file!.Lock, exclusive: true);
        if (!ReferenceEquals(Context.VfioFileOf(device.Id), file))
        {
            // It was closed meanwhile.
            Fail(Errno.EINVAL);
            yield break;
        }

        foreach (var wait in Switch(file, device))
        {
            yield return wait;
        }
    }
}

/// <summary>VFIO_DEVICE_ATTACH_IOMMUFD_PT: attaches, or replaces what the open has attached before.</summary>
public sealed class VfioAttachFlow(ContextCore context, Caller caller, VfioDeviceAttachIommufdPt command)
    : VfioSwitchFlow(
        context,
        caller,
        command.Descriptor,
        command.ArgSz,
        command.Flags,
        command.Pasid,
        (VfioDeviceAttachIommufdPt.PlainSize, VfioDeviceAttachIommufdPt.PasidSize)
    )
{
    /// <inheritdoc/>
    protected override IEnumerable<FlowWait> Switch(VfioFile file, DeviceObject device)
    {
        if (Pasid > int.MaxValue)
        {
            Fail(Errno.ENOSPC);
            yield break;
        }

        var replace = HasPasid ? file.Pasids.Contains(Pasid) : file.IsAttached;
        var outcome = new Outcome();
        foreach (var wait in AttachAndJournal(device, Pasid, command.PtId, replace, outcome))
        {
            yield return wait;
        }

        if (!outcome.IsOk)
        {
            Fail(outcome.Errno);
            yield break;
        }

        if (HasPasid)
        {
            file.Pasids.Add(Pasid);
        }
        else
        {
            file.IsAttached = true;
        }

        Succeed(command with { PtId = UsedHwpt });
    }
}

/// <summary>VFIO_DEVICE_DETACH_IOMMUFD_PT. Detaching what the open has not attached succeeds.</summary>
public sealed class VfioDetachFlow(ContextCore context, Caller caller, VfioDeviceDetachIommufdPt command)
    : VfioSwitchFlow(
        context,
        caller,
        command.Descriptor,
        command.ArgSz,
        command.Flags,
        command.Pasid,
        (VfioDeviceDetachIommufdPt.PlainSize, VfioDeviceDetachIommufdPt.PasidSize)
    )
{
    /// <inheritdoc/>
    protected override IEnumerable<FlowWait> Switch(VfioFile file, DeviceObject device)
    {
        var wasAttached = HasPasid ? file.Pasids.Remove(Pasid) : file.IsAttached;
        file.IsAttached &= HasPasid;
        return wasAttached ? DetachAndJournal(device, Pasid) : [];
    }
}

/// <summary>VFIO_DEVICE_GET_INFO: simulated devices have neither regions nor interrupts to tell of (ENOTTY).</summary>
public sealed class VfioDeviceInfoFlow(ContextCore context, Caller caller, VfioDeviceGetInfo command)
    : VfioDeviceFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (Find(command.Descriptor, out _) is not null)
        {
            Fail(Errno.ENOTTY);
        }

        yield break;
    }
}

/// <summary>The last descriptor of an open was closed: everything is detached, the device unbound, the open forgotten.</summary>
public sealed class VfioUnbindFlow(ContextCore context, Caller caller, UnbindVfioDevice command)
    : DeviceFlow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (
            Context.VfioFileOf(command.DeviceId) is not { } file
            || Context.Objects.Find<DeviceObject>(command.DeviceId) is not { } device
        )
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        // Calls under way on the same open end first: in the kernel they hold it.
        yield return FlowWait.ForLock(file.Lock, exclusive: true);
        foreach (var wait in UnbindAndJournal(device))
        {
            yield return wait;
        }
    }
}
