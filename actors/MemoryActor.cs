using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

/// <summary>/user/machine/memory-N: a process's address space, its mappings, and the page sets made of them.</summary>
/// <param name="cell">The page sets.</param>
/// <param name="descriptors">The process's open descriptors: files are mapped by them.</param>
/// <param name="machine">Where files come from.</param>
public sealed class MemoryActor(ParticipantCell cell, DescriptorTable descriptors, HostMachine machine)
    : ParticipantActor(cell)
{
    private readonly MemoryState _state = (MemoryState)cell.State;

    private ProcessMemory Memory => _state.Memory;

    /// <inheritdoc/>
    protected override bool OnOther(object message)
    {
        switch (message)
        {
            case MapMemory { Kind: MemoryKind.File } map:
                Sender.Tell(MapFile(map));
                return true;
            case MapMemory map:
                var errno = Memory.Map(map.Address, map.Length, map.Kind, map.Protection, populate: false, out var at);
                Sender.Tell(new MemoryMapped(errno, at));
                return true;
            case UnmapMemory unmap:
                Sender.Tell(new HostResult(Memory.Unmap(unmap.Address, unmap.Length)));
                return true;
            case ProtectMemory protect:
                Sender.Tell(new HostResult(Memory.Protect(protect.Address, protect.Length, protect.Protection)));
                return true;
            case MakeFile make:
                var made = Open(make.Kind, make.Size);
                Sender.Tell(new FileMade(made < 0 ? Errno.EINVAL : Errno.OK, made));
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
                Change(change);
                Sender.Tell(new HostResult(Errno.OK));
                return true;
            case EndProcess:
                Memory.Exit();
                Sender.Tell(new HostResult(Errno.OK));
                return true;
            default:
                if (MemoryWork.Answer(_state.Memory, message) is not { } answer)
                {
                    return false;
                }

                Sender.Tell(answer);
                return true;
        }
    }

    private int Open(MemoryFileKind kind, ulong size) =>
        MemoryFile.CanHave(kind, size) ? descriptors.Open(new FileDescriptor(machine.CreateFile(kind, size))) : -1;

    // Without a descriptor a file is made for the mapping, and its descriptor is told: MAP_FILE takes it.
    private MemoryMapped MapFile(MapMemory map)
    {
        var whole = (map.Length + HostPage.OffsetMask) & ~HostPage.OffsetMask;
        var fd = map.Fd < 0 ? Open(MemoryFileKind.MemfdSparse, map.Offset + whole) : map.Fd;
        if (descriptors.Find(fd) is not FileDescriptor { File: var file })
        {
            return new MemoryMapped(map.Fd < 0 ? Errno.ENOMEM : Errno.EBADF, 0);
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

    private void Change(ChangeLimits change)
    {
        if (change.RlimitMemlock is { } limit)
        {
            Memory.RlimitMemlockPages = limit == ulong.MaxValue ? ulong.MaxValue : limit / HostPage.Size;
        }

        Memory.CapIpcLock = change.CapIpcLock ?? Memory.CapIpcLock;
        Memory.CapSysResource = change.CapSysResource ?? Memory.CapSysResource;
    }
}
