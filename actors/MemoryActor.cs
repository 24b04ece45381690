using Akka.Actor;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

/// <summary>/user/machine/memory-N: a process's address space, its mappings, and the page sets made of them.</summary>
public sealed class MemoryActor(ParticipantCell cell) : ParticipantActor(cell)
{
    private readonly MemoryState _state = (MemoryState)cell.State;

    /// <inheritdoc/>
    protected override bool OnOther(object message)
    {
        switch (message)
        {
            case MapMemory map:
                var errno = _state.Memory.Map(
                    map.Address,
                    map.Length,
                    map.Kind,
                    map.Protection,
                    populate: false,
                    out var at
                );
                Sender.Tell(new MemoryMapped(errno, at));
                return true;
            case WriteMemory write:
                var written = _state.Memory.TryWrite(write.Address, write.Bytes);
                Sender.Tell(new HostResult(written ? Errno.OK : Errno.EFAULT));
                return true;
            case EndProcess:
                _state.Memory.Exit();
                return true;
            case UnmapMemory unmap:
                Sender.Tell(new HostResult(_state.Memory.Unmap(unmap.Address, unmap.Length)));
                return true;
            case ProtectMemory protect:
                Sender.Tell(new HostResult(_state.Memory.Protect(protect.Address, protect.Length, protect.Protection)));
                return true;
            default:
                return false;
        }
    }
}
