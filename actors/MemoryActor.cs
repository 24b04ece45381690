using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

// MemoryActor in parts: this file (mappings, files, limits), .Guests (tables shared with devices, and how pages go then).

/// <summary>/user/machine/memory-N: a process's address space, its mappings, and the page sets made of them.</summary>
/// <param name="cell">The page sets.</param>
/// <param name="descriptors">The process's open descriptors: files are mapped by them.</param>
/// <param name="machine">Where files come from.</param>
/// <param name="devices">Who may walk a table that the process shares with devices.</param>
/// <param name="guests">The process's virtual machines; outlives the actor.</param>
public sealed partial class MemoryActor(
    ParticipantCell cell,
    DescriptorTable descriptors,
    HostMachine machine,
    DeviceDirectory devices,
    GuestBook guests
) : ParticipantActor(cell)
{
    private readonly MemoryState _state = (MemoryState)cell.State;

    private ProcessMemory Memory => _state.Memory;

    /// <inheritdoc/>
    protected override bool OnOther(object message)
    {
        switch (message)
        {
            case MapMemory { Kind: MemoryKind.File } map:
                Replace(map, () => MapFile(map));
                return true;
            case MapMemory map:
                Replace(map, () => Map(map));
                return true;
            case MapFileMemory { Address: { } fixedAt } map:
                Change(fixedAt, map.Length, () => MemoryWork.Answer(Memory, map)!);
                return true;
            case UnmapMemory unmap:
                Change(unmap.Address, unmap.Length, () => new HostResult(Memory.Unmap(unmap.Address, unmap.Length)));
                return true;
            case ProtectMemory protect:
                Change(
                    protect.Address,
                    protect.Length,
                    () => new HostResult(Memory.Protect(protect.Address, protect.Length, protect.Protection))
                );
                return true;
            case DiscardMemory discard:
                Change(
                    discard.Address,
                    discard.Length,
                    () => new HostResult(Memory.Discard(discard.Address, discard.Length))
                );
                return true;
            case MakeFile make:
                Sender.Tell(Open(make.Kind, make.Size));
                return true;
            case TruncateFile truncate:
                var file = descriptors.Find(truncate.Fd) as FileDescriptor;
                Sender.Tell(new HostResult(file?.File.Truncate(truncate.Size) ?? Errno.EBADF));
                return true;
            case CopyInto copy:
                Memory.ForkInto(copy.Child);
                copy.ReplyTo.Tell(copy.Answer);
                return true;
            case ChangeLimits change:
                ChangeTo(change);
                Sender.Tell(new HostResult(Errno.OK));
                return true;
            case EndProcess:
                Change(0, ulong.MaxValue, Exit);
                return true;
            default:
                if (MemoryWork.Answer(_state.Memory, message) is not { } answer)
                {
                    return OnGuest(message);
                }

                Sender.Tell(answer);
                return true;
        }
    }

    private MemoryMapped Map(MapMemory map)
    {
        var errno = Memory.Map(map.Address, map.Length, map.Kind, map.Protection, populate: false, out var at);
        return new MemoryMapped(errno, at);
    }

    private HostResult Exit()
    {
        Memory.Exit();
        return new HostResult(Errno.OK);
    }

    private FileOpened Open(MemoryFileKind kind, ulong size)
    {
        if (!MemoryFile.CanHave(kind, size))
        {
            return new FileOpened(Errno.EINVAL, DescriptorTable.None, null);
        }

        var fd = descriptors.Reserve(Memory.RlimitOpenFiles);
        if (fd == DescriptorTable.None)
        {
            return new FileOpened(Errno.EMFILE, fd, null);
        }

        var file = machine.CreateFile(kind, size);
        descriptors.Install(fd, new FileDescriptor(file));
        return new FileOpened(Errno.OK, fd, file);
    }

    // Without a descriptor a file is made for the mapping, and its descriptor is told: MAP_FILE takes it.
    private MemoryMapped MapFile(MapMemory map)
    {
        var whole = (map.Length + HostPage.OffsetMask) & ~HostPage.OffsetMask;
        var fd = map.Fd;
        if (fd < 0)
        {
            var opened = Open(MemoryFileKind.MemfdSparse, map.Offset + whole);
            if (opened.Errno != Errno.OK)
            {
                return new MemoryMapped(opened.Errno == Errno.EINVAL ? Errno.ENOMEM : opened.Errno, 0);
            }

            fd = opened.Descriptor;
        }

        if (descriptors.Find(fd) is not FileDescriptor { File: var file })
        {
            return new MemoryMapped(Errno.EBADF, 0);
        }

        var errno = Memory.MapFile(
            map.Address,
            map.Length,
            file,
            map.Offset,
            map.Protection,
            out var at,
            isPrivate: !map.Shared
        );
        if (errno != Errno.OK && map.Fd < 0)
        {
            descriptors.Close(fd)?.Release();
            fd = -1;
        }

        return new MemoryMapped(errno, at, fd);
    }

    private void ChangeTo(ChangeLimits change)
    {
        if (change.RlimitMemlock is { } limit)
        {
            Memory.RlimitMemlockPages = limit == ulong.MaxValue ? ulong.MaxValue : limit / HostPage.Size;
        }

        Memory.CapIpcLock = change.CapIpcLock ?? Memory.CapIpcLock;
        Memory.CapSysResource = change.CapSysResource ?? Memory.CapSysResource;
        Memory.RlimitOpenFiles = change.RlimitOpenFiles ?? Memory.RlimitOpenFiles;
    }
}
