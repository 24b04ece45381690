using Akka.Actor;
using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Faults;
using Iommufd.Messages;

namespace Iommufd.Actors;

/// <summary>A device's hardware: what outlives a restart of its actor. Only the actor touches it.</summary>
/// <param name="name">The device's name.</param>
/// <param name="engine">Its DMA.</param>
/// <param name="machine">The machine that it is plugged into.</param>
/// <param name="faults">Decides whether it fails; null where nothing does.</param>
public sealed class PhysicalDevice(string name, DmaEngine engine, HostMachine machine, IFaultSource? faults)
{
    // Most devices have their own requests only: what uses PASIDs, or asks for pages, has more.
    private DmaOwner? _owner;
    private SortedDictionary<uint, DmaOwner>? _owners;
    private PageRequests? _requests;

    /// <summary>The device's name.</summary>
    public string Name { get; } = name;

    /// <summary>Its DMA.</summary>
    public DmaEngine Engine { get; } = engine;

    /// <summary>Decides whether it fails; null where nothing does.</summary>
    public IFaultSource? Faults { get; } = faults;

    /// <summary>Whether it was pulled out.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Page requests that wait for a response.</summary>
    internal PageRequests Requests => _requests ??= new PageRequests();

    /// <summary>Whether any page request waits.</summary>
    internal bool HasRequests => _requests is { IsEmpty: false };

    /// <summary>Who is told about faults, by address space.</summary>
    internal IEnumerable<KeyValuePair<uint, DmaOwner>> Owners
    {
        get
        {
            if (_owner is not null)
            {
                yield return new(0, _owner);
            }

            foreach (var one in _owners ?? [])
            {
                yield return one;
            }
        }
    }

    /// <summary>The owner of an address space; of a PASID that the host has not attached, the device's own. Null for nobody.</summary>
    internal DmaOwner? OwnerOf(uint pasid) =>
        pasid != 0 && _owners is not null && _owners.TryGetValue(pasid, out var owner) ? owner : _owner;

    /// <summary>Switches the translation of one address space; null blocks it.</summary>
    internal void Switch(uint pasid, DmaTranslation? translation, DmaOwner? owner)
    {
        if (pasid == 0)
        {
            _owner = owner;
        }
        else if (owner is null)
        {
            _owners?.Remove(pasid);
        }
        else
        {
            (_owners ??= [])[pasid] = owner;
        }

        Engine.Switch(IsGone ? null : translation, pasid);
    }

    /// <summary>Whether the burst that comes next can be done: OK, ENODEV for a device that is gone, EIO where it was aborted.</summary>
    internal Errno FailsNow()
    {
        if (IsGone)
        {
            return Errno.ENODEV;
        }

        if (Faults is null)
        {
            return Errno.OK;
        }

        var site = new FaultSite(0, 0, Device: Name, Operation: OperationWords.Dma);
        if (Faults.ShouldFail(FaultPoints.DeviceRemoved, site))
        {
            IsGone = true;
            machine.RemoveDevice(Name);
            foreach (var (pasid, _) in Owners)
            {
                Engine.Switch(null, pasid);
            }

            return Errno.ENODEV;
        }

        if (Faults.ShouldFail(FaultPoints.DeviceReset, site))
        {
            Engine.Iotlb.Invalidate(IovaRange.All);
            return Errno.EIO;
        }

        return Faults.ShouldFail(FaultPoints.DmaAbort, site) ? Errno.EIO : Errno.OK;
    }
}
