using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

/// <summary>Says which physical frames are pinned now. Called from device threads, for every IOTLB fill: must be cheap and free of locks.</summary>
public interface IPinOracle
{
    /// <summary>Whether a frame is pinned. A frame has to count as pinned until every IOTLB invalidation that its unmap needs has completed.</summary>
    bool IsPinned(Pfn pfn);
}

/// <summary>Says which IOVAs are mapped by right, from a record that is not the page table. Called from device threads, for every IOTLB fill.</summary>
public interface IMappingOracle
{
    /// <summary>Whether an IOVA is mapped or may be: true from before the entry is installed until after its unmap has replied.</summary>
    bool IsMapped(ulong iova);
}

/// <summary>What a DMA check found wrong. Each is a bug of the simulator, or an injected one; none is a device's fault.</summary>
public enum DmaViolationKind
{
    /// <summary>DMA went through to an IOVA that no mapping covers.</summary>
    UnmappedSucceeded,

    /// <summary>An IOTLB entry was used after an invalidation that covers it had completed.</summary>
    StaleIotlb,

    /// <summary>A write went through a mapping that allows only reads (or a read through a write-only one).</summary>
    PermissionIgnored,

    /// <summary>DMA reached a frame that is not pinned.</summary>
    NotPinned,
}

/// <summary>One violation.</summary>
/// <param name="Kind">Which check.</param>
/// <param name="Iova">The address the device used.</param>
/// <param name="Physical">Where it led.</param>
/// <param name="Access">What the device wanted.</param>
/// <param name="Transfer">The number of the transfer in this engine's life.</param>
public readonly record struct DmaViolation(
    DmaViolationKind Kind,
    ulong Iova,
    ulong Physical,
    IoptePermissions Access,
    ulong Transfer
);

/// <summary>A DMA that the IOMMU refused.</summary>
/// <param name="Iova">The address the device used.</param>
/// <param name="Access">What the device wanted.</param>
/// <param name="Present">Whether the address is mapped at all (then the permission was missing).</param>
/// <param name="Pasid">The address space; 0 is the device's own.</param>
public readonly record struct DmaFault(ulong Iova, IoptePermissions Access, bool Present, uint Pasid = 0);

/// <summary>Counts of DMA work.</summary>
/// <param name="Transfers">Blocks transferred or tried.</param>
/// <param name="Translations">Page translations asked for.</param>
/// <param name="IotlbHits">Of these, found in the IOTLB.</param>
/// <param name="Faults">Of these, refused.</param>
/// <param name="Violations">Of these, found wrong by a check.</param>
/// <param name="Bytes">Bytes of translated blocks.</param>
public readonly record struct DmaReport(
    ulong Transfers,
    ulong Translations,
    ulong IotlbHits,
    ulong Faults,
    ulong Violations,
    ulong Bytes
)
{
    /// <summary>Adds two counts.</summary>
    public static DmaReport operator +(DmaReport a, DmaReport b) =>
        new(
            a.Transfers + b.Transfers,
            a.Translations + b.Translations,
            a.IotlbHits + b.IotlbHits,
            a.Faults + b.Faults,
            a.Violations + b.Violations,
            a.Bytes + b.Bytes
        );

    /// <summary>Subtracts an earlier count.</summary>
    public static DmaReport operator -(DmaReport a, DmaReport b) =>
        new(
            a.Transfers - b.Transfers,
            a.Translations - b.Translations,
            a.IotlbHits - b.IotlbHits,
            a.Faults - b.Faults,
            a.Violations - b.Violations,
            a.Bytes - b.Bytes
        );
}
