using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Context;

/// <summary>An IOAS: its locks and the order of its domains. The IOVA map itself is with the participant.</summary>
public sealed class IoasObject : ContextObject
{
    /// <summary>ioas->mutex: automatic HWPT search, creation, attach.</summary>
    public FlowLock Mutex { get; } = new();

    /// <summary>domains_rwsem: shared by MAP and UNMAP, exclusive for joining and leaving domains and accesses.</summary>
    public FlowLock DomainsLock { get; } = new();

    /// <summary>iova_rwsem: shared by accesses while they pin or copy, exclusive while a domain is filled or an unmap selects.</summary>
    public FlowLock IovaLock { get; } = new();

    /// <summary>The HWPTs that mirror it; the first is the storage of every area. A dense array as in the kernel.</summary>
    public List<uint> Domains { get; } = [];

    /// <summary>All its paging HWPTs in the order in which they were made.</summary>
    public List<uint> Hwpts { get; } = [];

    /// <summary>How large its HWPTs keep their entries: what a new one starts with.</summary>
    public EntryPolicy Entries { get; set; }

    /// <summary>Accesses attached to it, in the order in which they came.</summary>
    public List<uint> Accesses { get; } = [];
}

/// <summary>A paging HWPT.</summary>
public sealed class HwptObject : HwPageTableObject
{
    /// <inheritdoc/>
    public override HwptObject Paging => this;

    /// <summary>The IOAS that it mirrors.</summary>
    public required IoasObject Ioas { get; init; }

    /// <summary>Made by an attach to an IOAS id, and gone with its last device.</summary>
    public required bool Auto { get; init; }

    /// <summary>May be the parent of nested HWPTs.</summary>
    public required bool NestParent { get; init; }

    /// <summary>Tracks dirty pages.</summary>
    public required bool Dirty { get; init; }

    /// <summary>The page table's format.</summary>
    public required IoPageTableFormat Format { get; init; }

    /// <summary>The smallest page, in bytes.</summary>
    public ulong SmallestPage { get; set; }

    /// <summary>What it can translate.</summary>
    public IovaRange Aperture { get; set; }
}

/// <summary>A DEVICE: a physical device bound to this context.</summary>
public sealed class DeviceObject : ContextObject
{
    /// <summary>What the hardware is.</summary>
    public required DeviceTraits Traits { get; init; }

    /// <summary>Its isolation group in this context.</summary>
    public required DeviceGroup Group { get; init; }

    /// <summary>The selftest object that owns it, 0 for none: then a driver unbinds it.</summary>
    public uint Owner { get; init; }

    /// <summary>Its vDEVICE, null for none: it has at most one, in whatever vIOMMU.</summary>
    public VdeviceObject? Vdevice { get; set; }
}

/// <summary>A mock device of the selftest: destroying it detaches and unbinds the device.</summary>
public sealed class SelftestObject : ContextObject
{
    /// <summary>The DEVICE that it made.</summary>
    public DeviceObject Device { get; set; } = null!;
}

/// <summary>An ACCESS.</summary>
public sealed class AccessObject : ContextObject
{
    /// <summary>The IOAS it is attached to, null for none.</summary>
    public IoasObject? Ioas { get; set; }

    /// <summary>Whether it pins pages.</summary>
    public required bool Pins { get; init; }

    /// <summary>Made for a HW queue: it locks the areas it pins, is never asked to let go, and goes with its queue.</summary>
    public bool Internal { get; init; }

    /// <summary>access->ioas_lock: which IOAS it uses.</summary>
    public FlowLock Lock { get; } = new();

    /// <summary>The number that the next pin gets.</summary>
    public uint NextPin { get; set; }
}

/// <summary>An IOMMU group as one context sees it. It is its own lock: there may be as many groups as devices.</summary>
public sealed class DeviceGroup(int number) : FlowLock
{
    private AttachmentTable _attachments;

    /// <summary>The machine's number for it.</summary>
    public int Number { get; } = number;

    /// <summary>igroup->lock: attachments.</summary>
    public FlowLock Lock => this;

    /// <summary>Attachments by PASID; 0 is the devices' own requests.</summary>
    public ref AttachmentTable Attachments => ref _attachments;

    /// <summary>Devices bound in this context.</summary>
    public int Devices { get; set; }
}

/// <summary>What one PASID of a group is attached to.</summary>
public sealed class Attachment(HwPageTableObject hwpt, ulong handle)
{
    private IdSet _devices;

    /// <summary>The HWPT.</summary>
    public HwPageTableObject Hwpt { get; set; } = hwpt;

    /// <summary>Names this attachment to this HWPT, for the faults reported through it; another number after a replace.</summary>
    public ulong Handle { get; set; } = handle;

    /// <summary>The devices that called attach, by DEVICE id.</summary>
    public ref IdSet Devices => ref _devices;
}

/// <summary>What an IOMMU unit is, as drivers see it.</summary>
/// <param name="Index">Its number on the machine; -1 for the selftest's mock.</param>
/// <param name="Format">Format of automatic and plain HWPTs.</param>
/// <param name="Aperture">What its domains translate.</param>
public sealed record IommuTraits(int Index, IoPageTableFormat Format, IovaRange Aperture);

/// <summary>What a physical device is.</summary>
/// <param name="Name">Its name on the machine.</param>
/// <param name="Group">Its group on the machine.</param>
/// <param name="Iommu">The unit that translates for it.</param>
/// <param name="Reserved">IOVAs it cannot use.</param>
/// <param name="DirtyTracking">Whether dirty pages can be tracked for it.</param>
/// <param name="MaxPasids">Number of PASIDs; a mock device without the flag has 1.</param>
public sealed record DeviceTraits(
    string Name,
    int Group,
    IommuTraits Iommu,
    IReadOnlyList<IovaRange> Reserved,
    bool DirtyTracking,
    uint MaxPasids
)
{
    /// <summary>Whether it is one of the selftest's mock devices.</summary>
    public bool IsMock => Iommu.Index < 0;
}
