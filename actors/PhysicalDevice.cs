using Akka.Actor;
using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.Faults;
using Iommufd.Messages;

namespace Iommufd.Actors;

/// <summary>What the devices of a machine share.</summary>
/// <param name="Machine">The machine that they are plugged into.</param>
/// <param name="Faults">Decides whether they fail; null where nothing does.</param>
/// <param name="MakeEngine">Makes the DMA side of a device, by its name.</param>
public sealed record HardwareBus(
    HostMachine Machine,
    IFaultSource? Faults,
    Func<string, HostMachine, DmaEngine> MakeEngine
);

/// <summary>
/// A device's hardware: what outlives a restart of its actor. Only the actor touches it. It makes its actor too: there may be millions
/// of devices, and a producer apart from them would be an object more for each.
/// </summary>
/// <param name="name">The device's name.</param>
/// <param name="bus">What it shares with the others.</param>
public sealed class PhysicalDevice(string name, HardwareBus bus) : IIndirectActorProducer
{
    // Most devices have their own requests only: what uses PASIDs, or asks for pages, has more.
    private DmaOwner? _owner;
    private Rarities? _rarities;

    // The device's own translation while there is no engine, and the engine once there is DMA: most devices of a fleet do none.
    private object? _translationOrEngine;

    /// <summary>The device's name.</summary>
    public string Name { get; } = name;

    /// <summary>Its DMA.</summary>
    public DmaEngine Engine
    {
        get
        {
            if (_translationOrEngine is not DmaEngine engine)
            {
                engine = bus.MakeEngine(Name, bus.Machine);
                engine.Switch((DmaTranslation?)_translationOrEngine);
                _translationOrEngine = engine;
            }

            return engine;
        }
    }

    /// <summary>Its DMA if there was any: without, its IOTLB holds nothing that could be forgotten.</summary>
    public DmaEngine? EngineOrNone => _translationOrEngine as DmaEngine;

    /// <summary>Decides whether it fails; null where nothing does.</summary>
    public IFaultSource? Faults => bus.Faults;

    /// <inheritdoc/>
    Type IIndirectActorProducer.ActorType => typeof(PhysicalDeviceActor);

    /// <inheritdoc/>
    ActorBase IIndirectActorProducer.Produce() => new PhysicalDeviceActor(this);

    /// <inheritdoc/>
    void IIndirectActorProducer.Release(ActorBase actor) { }

    /// <summary>Whether it was pulled out.</summary>
    public bool IsGone { get; private set; }

    /// <summary>Page requests that wait for a response.</summary>
    internal PageRequests Requests => (_rarities ??= new()).Requests;

    /// <summary>Whether any page request waits.</summary>
    internal bool HasRequests => _rarities is { Requests.IsEmpty: false };

    /// <summary>Who is told about faults, by address space.</summary>
    internal IEnumerable<KeyValuePair<uint, DmaOwner>> Owners
    {
        get
        {
            if (_owner is not null)
            {
                yield return new(0, _owner.Value);
            }

            foreach (var one in _rarities?.Owners ?? [])
            {
                yield return one;
            }
        }
    }

    /// <summary>The owner of an address space; of a PASID that the host has not attached, the device's own. Null for nobody.</summary>
    internal DmaOwner? OwnerOf(uint pasid) =>
        pasid != 0 && _rarities is not null && _rarities.Owners.TryGetValue(pasid, out var owner) ? owner : _owner;

    /// <summary>Switches the translation of one address space; null blocks it.</summary>
    internal void Switch(uint pasid, DmaTranslation? translation, DmaOwner? owner)
    {
        if (pasid == 0)
        {
            _owner = owner;
        }
        else if (owner is null)
        {
            _rarities?.Owners.Remove(pasid);
        }
        else
        {
            (_rarities ??= new()).Owners[pasid] = owner.Value;
        }

        var now = IsGone ? null : translation;
        if (pasid == 0 && _translationOrEngine is not DmaEngine)
        {
            _translationOrEngine = now;
        }
        else
        {
            Engine.Switch(now, pasid);
        }
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
            bus.Machine.RemoveDevice(Name);
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

    private sealed class Rarities
    {
        public SortedDictionary<uint, DmaOwner> Owners { get; } = [];

        public PageRequests Requests { get; } = new();
    }
}
