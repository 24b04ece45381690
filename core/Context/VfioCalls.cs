using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Core.Context;

/// <summary>Where a call on a VFIO device's descriptor goes.</summary>
/// <param name="Result">The answer; null where a context gives it.</param>
/// <param name="Context">The number of that context.</param>
/// <param name="Command">What it is asked.</param>
public readonly record struct VfioRoute(IoctlResult? Result, int Context, IoctlCommand? Command);

/// <summary>
/// What a process does with VFIO devices, as the kernel sees it before any iommufd is concerned: opens, duplicates, closes, and the
/// checks that decide which iommufd an ioctl is about. Every door asks here first, one call at a time on a machine.
/// </summary>
public static class VfioCalls
{
    /// <summary>Whether a command is one of these.</summary>
    public static bool Has(IoctlCommand command) =>
        command is VfioDeviceCommand or OpenVfioDevice or DuplicateVfioDevice or CloseVfioDevice;

    /// <summary>Answers a call, or says which context does.</summary>
    public static VfioRoute Route(HostMachine machine, Caller caller, IoctlCommand command) =>
        command switch
        {
            OpenVfioDevice open => Answer(Open(machine, caller, open.Device)),
            DuplicateVfioDevice duplicate => Answer(Duplicate(caller, duplicate.Descriptor)),
            CloseVfioDevice close => caller.Descriptors.Find(close.Descriptor) is VfioDescriptor
                ? Dropped(caller.Descriptors.Close(close.Descriptor))
                : Refuse(Errno.EBADF),
            VfioDeviceCommand call => Route(caller, call),
            _ => Refuse(Errno.ENOTTY),
        };

    /// <summary>
    /// What has to be done when a descriptor was closed, or one on its way to another process was thrown away: the last one of an open
    /// that is bound unbinds the device.
    /// </summary>
    public static VfioRoute Dropped(Descriptor? gone)
    {
        if (gone is VfioDescriptor { File: var file } && file.Release() && file.Bound is { } bound)
        {
            return new VfioRoute(null, bound.Context, new UnbindVfioDevice(bound.DeviceId));
        }

        return new VfioRoute(IoctlResult.Success, 0, null);
    }

    /// <summary>A process ends: what has to be done for each of its VFIO descriptors, which are closed.</summary>
    public static IEnumerable<VfioRoute> CloseAll(Caller caller) =>
        caller.Descriptors.CloseAll(d => d is VfioDescriptor).Select(Dropped);

    /// <summary>
    /// The command that takes another back whose answer could not be written (EFAULT); null where there is nothing to take back. An
    /// attachment of a PASID stays, and the device itself is detached: the kernel forgets the flag here.
    /// </summary>
    public static IoctlCommand? Undo(VfioDeviceCommand command, IoctlResult result) =>
        result.WriteBack switch
        {
            VfioDeviceBindIommufd bound => new UnbindVfioDevice(bound.OutDevId),
            VfioDeviceAttachIommufdPt => new VfioDeviceDetachIommufdPt
            {
                Descriptor = command.Descriptor,
                ArgSz = VfioDeviceDetachIommufdPt.PlainSize,
            },
            _ => null,
        };

    /// <summary>The open that a call is about.</summary>
    /// <param name="caller">Who calls.</param>
    /// <param name="fd">On which descriptor.</param>
    /// <param name="errno">EBADF: not open. ENOTTY: another kind of file.</param>
    internal static VfioFile? FileOf(Caller caller, int fd, out Errno errno)
    {
        var found = caller.Descriptors.Find(fd);
        errno = found switch
        {
            VfioDescriptor => Errno.OK,
            null => Errno.EBADF,
            _ => Errno.ENOTTY,
        };
        return (found as VfioDescriptor)?.File;
    }

    /// <summary>The checks of BIND_IOMMUFD up to the iommufd (facts sheet B.23, additions C.6).</summary>
    /// <param name="caller">Who calls.</param>
    /// <param name="file">On which open.</param>
    /// <param name="command">What is asked.</param>
    /// <param name="context">The iommufd's context.</param>
    internal static Errno CheckBind(Caller caller, VfioFile file, VfioDeviceBindIommufd command, out int context)
    {
        context = 0;
        var badStruct =
            command.ArgSz < VfioDeviceBindIommufd.Size - sizeof(ulong)
            || (command.Flags & ~VfioDeviceBindIommufd.Token) != 0
            || command.Iommufd < 0;

        // No simulated device has a token, so one that is given is one too many.
        if (badStruct || file.Bound is not null || command.Flags != 0)
        {
            return Errno.EINVAL;
        }

        switch (caller.Descriptors.Find(command.Iommufd))
        {
            case null:
                return Errno.EBADF;
            case { IommufdContext: { } number }:
                context = number;
                return Errno.OK;
            default:
                return Errno.EBADFD;
        }
    }

    private static VfioRoute Route(Caller caller, VfioDeviceCommand command)
    {
        if (FileOf(caller, command.Descriptor, out var errno) is not { } file)
        {
            return Refuse(errno);
        }

        if (command is VfioDeviceBindIommufd bind)
        {
            errno = CheckBind(caller, file, bind, out var context);
            return errno == Errno.OK ? new VfioRoute(null, context, command) : Refuse(errno);
        }

        // Before it is bound a device has no ioctl but BIND.
        return file.Bound is { } bound ? new VfioRoute(null, bound.Context, command) : Refuse(Errno.EINVAL);
    }

    private static (Errno Errno, int Fd) Open(HostMachine machine, Caller caller, string device)
    {
        // The number is taken before the name is looked up.
        var fd = caller.Descriptors.Reserve(caller.Memory.RlimitOpenFiles);
        if (fd == DescriptorTable.None)
        {
            return (Errno.EMFILE, fd);
        }

        if (!machine.HasDevice(device))
        {
            caller.Descriptors.Cancel(fd);
            return (Errno.ENOENT, DescriptorTable.None);
        }

        caller.Descriptors.Install(fd, new VfioDescriptor(machine.Vfio.Open(device)));
        return (Errno.OK, fd);
    }

    private static (Errno Errno, int Fd) Duplicate(Caller caller, int fd)
    {
        if (caller.Descriptors.Find(fd) is not VfioDescriptor open)
        {
            return (Errno.EBADF, DescriptorTable.None);
        }

        var made = caller.Open(open);
        if (made == DescriptorTable.None)
        {
            return (Errno.EMFILE, made);
        }

        open.File.Acquire();
        return (Errno.OK, made);
    }

    private static VfioRoute Answer((Errno Errno, int Fd) opened) =>
        opened.Errno == Errno.OK
            ? new VfioRoute(new IoctlResult(Errno.OK, opened.Fd, null), 0, null)
            : Refuse(opened.Errno);

    private static VfioRoute Refuse(Errno errno) => new(IoctlResult.Fail(errno), 0, null);
}
