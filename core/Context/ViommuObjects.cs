namespace Iommufd.Core.Context;

/// <summary>A VIOMMU: a guest's view of a physical IOMMU.</summary>
public sealed class ViommuObject : ContextObject
{
    /// <summary>The nesting parent.</summary>
    public required HwptObject Parent { get; init; }

    /// <summary>The unit behind it.</summary>
    public required IommuTraits Iommu { get; init; }

    /// <summary>Its window for mmap, or null.</summary>
    public MmapWindow? Window { get; set; }

    /// <summary>viommu->vdevs and the mock's queue mutex: virtual devices and hardware queues come and go one at a time.</summary>
    public FlowLock Lock { get; } = new();
}

/// <summary>A VDEVICE: the number under which a guest knows a device.</summary>
public sealed class VdeviceObject : ContextObject
{
    /// <summary>The vIOMMU.</summary>
    public required ViommuObject Viommu { get; init; }

    /// <summary>The device.</summary>
    public required DeviceObject Device { get; init; }

    /// <summary>The number; unique in the vIOMMU.</summary>
    public required ulong VirtId { get; init; }
}

/// <summary>A VEVENTQ. Its descriptor holds a reference.</summary>
public sealed class VeventqObject : ContextObject
{
    /// <summary>The vIOMMU.</summary>
    public required ViommuObject Viommu { get; init; }

    /// <summary>What its events are; one queue of a type in a vIOMMU.</summary>
    public required uint Type { get; init; }

    /// <summary>Events that it holds; 0 where nobody needs to know.</summary>
    public uint Depth { get; init; }

    /// <summary>Whether its descriptor is open.</summary>
    public bool DescriptorOpen { get; set; } = true;

    /// <summary>One reader at a time.</summary>
    public FlowLock Lock { get; } = new();
}

/// <summary>A HW_QUEUE: guest memory that the hardware works on.</summary>
public sealed class HwQueueObject : ContextObject
{
    /// <summary>The vIOMMU.</summary>
    public required ViommuObject Viommu { get; init; }

    /// <summary>The internal access that pins and locks the memory.</summary>
    public AccessObject Access { get; set; } = null!;

    /// <summary>The queue that must outlive it, or null.</summary>
    public HwQueueObject? Previous { get; set; }
}
