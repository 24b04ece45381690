using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

/// <summary>Memory files of processes, and descriptors on their way from one to another. Used by the machine's actor alone.</summary>
internal sealed class SharedDescriptors(HostMachine machine)
{
    private const ulong MostBytes = 1UL << 44;
    private readonly Dictionary<string, FileDescriptor> _offered = new(StringComparer.Ordinal);

    /// <summary>Does what a message asks for; null for another message.</summary>
    public object? Answer(object message) =>
        message switch
        {
            CreateMemoryFile create => Create(create),
            OfferDescriptor offer => new HostResult(Offer(offer)),
            TakeDescriptor take => Take(take),
            _ => null,
        };

    private FileOpened Create(CreateMemoryFile create)
    {
        var huge = create.Kind == MemoryFileKind.MemfdHuge2M;
        if (create.Size > MostBytes || (huge && create.Size % ProcessMemory.HugePageSize != 0))
        {
            return new FileOpened(Errno.EINVAL, 0, null);
        }

        return Open(create.ProcessId, new FileDescriptor(machine.CreateFile(create.Kind, create.Size)));
    }

    private Errno Offer(OfferDescriptor offer)
    {
        if (machine.Process((uint)offer.ProcessId).Descriptors.Find(offer.Descriptor) is not FileDescriptor file)
        {
            return Errno.EBADF;
        }

        file.Acquire();
        if (_offered.Remove(offer.Name, out var older))
        {
            older.Release();
        }

        _offered.Add(offer.Name, file);
        return Errno.OK;
    }

    private FileOpened Take(TakeDescriptor take)
    {
        if (!_offered.TryGetValue(take.Name, out var file))
        {
            return new FileOpened(Errno.ENOENT, 0, null);
        }

        file.Acquire();
        return Open(take.ProcessId, file);
    }

    private FileOpened Open(int process, FileDescriptor file) =>
        new(Errno.OK, machine.Process((uint)process).Descriptors.Open(file), file.File);
}
