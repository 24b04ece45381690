using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Actors;

/// <summary>Descriptors on their way from one process to another (SCM_RIGHTS). Used by the machine's actor alone.</summary>
/// <param name="machine">The machine.</param>
/// <param name="follow">Does what is left to do when a process threw a descriptor away.</param>
internal sealed class SharedDescriptors(HostMachine machine, Action<int, VfioRoute> follow)
{
    private readonly Dictionary<string, Descriptor> _offered = new(StringComparer.Ordinal);

    /// <summary>Does what a message asks for; null for another message.</summary>
    public object? Answer(object message) =>
        message switch
        {
            OfferDescriptor offer => new HostResult(Offer(offer)),
            TakeDescriptor take => Take(take),
            _ => null,
        };

    private Errno Offer(OfferDescriptor offer)
    {
        var descriptor = machine.Process((uint)offer.ProcessId).Descriptors.Find(offer.Descriptor);
        if (descriptor is not (FileDescriptor or VfioDescriptor))
        {
            return Errno.EBADF;
        }

        Acquire(descriptor);
        if (_offered.Remove(offer.Name, out var older))
        {
            older.Release();
            follow(offer.ProcessId, VfioCalls.Dropped(older));
        }

        _offered.Add(offer.Name, descriptor);
        return Errno.OK;
    }

    private FileOpened Take(TakeDescriptor take)
    {
        if (!_offered.TryGetValue(take.Name, out var descriptor))
        {
            return new FileOpened(Errno.ENOENT, DescriptorTable.None, null);
        }

        var fd = machine.Process((uint)take.ProcessId).Open(descriptor);
        if (fd == DescriptorTable.None)
        {
            return new FileOpened(Errno.EMFILE, fd, null);
        }

        Acquire(descriptor);
        return new FileOpened(Errno.OK, fd, (descriptor as FileDescriptor)?.File);
    }

    private static void Acquire(Descriptor descriptor)
    {
        descriptor.Acquire();
        (descriptor as VfioDescriptor)?.File.Acquire();
    }
}
