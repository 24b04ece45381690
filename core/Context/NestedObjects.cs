using Iommufd.Core.Sharing;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Context;

/// <summary>What a device can be attached to: a paging or a nested HWPT.</summary>
public abstract class HwPageTableObject : ContextObject
{
    /// <summary>The paging HWPT whose second stage it ends in: itself, or the nesting parent; null for a shared table.</summary>
    public abstract HwptObject? Paging { get; }

    /// <summary>Who keeps the regions free that an attached device reserves: the IOAS, or the shared table itself.</summary>
    public virtual Participant Reserves => new(ParticipantKind.Ioas, Paging!.Ioas.Id);

    /// <summary>Who knows which devices translate through the second stage.</summary>
    public Participant Links => new(ParticipantKind.Hwpt, Paging?.Id ?? Id);

    /// <summary>May be attached to a PASID.</summary>
    public required bool PasidCompatible { get; init; }

    /// <summary>The IOMMU whose format it has: only that unit's devices can use it.</summary>
    public required IommuTraits Iommu { get; init; }

    /// <summary>Where faults of devices attached to it go; null: they are answered "invalid" at once.</summary>
    public FaultObject? Fault { get; set; }

    /// <summary>What devices translate through.</summary>
    public ITranslationRoot? Root { get; set; }
}

/// <summary>A nested HWPT.</summary>
/// <param name="paging">The nesting parent, its own or its vIOMMU's.</param>
/// <param name="viommu">The vIOMMU it was made through, or null.</param>
public sealed class NestedHwptObject(HwptObject paging, ViommuObject? viommu) : HwPageTableObject
{
    /// <inheritdoc/>
    public override HwptObject Paging { get; } = paging;

    /// <summary>The vIOMMU it was made through: it, and not the parent, is then held in use.</summary>
    public ViommuObject? Viommu { get; } = viommu;

    /// <summary>What it holds in use.</summary>
    public ContextObject Holds => (ContextObject?)Viommu ?? Paging;
}

/// <summary>A HWPT whose table is a virtual machine's: it mirrors no IOAS (docs/decisions/0006-kvm-shared-table.md).</summary>
/// <param name="table">The table; the HWPT holds a reference.</param>
public sealed class SharedHwptObject(SharedTable table) : HwPageTableObject
{
    /// <inheritdoc/>
    public override HwptObject? Paging => null;

    /// <inheritdoc/>
    public override Participant Reserves => new(ParticipantKind.Hwpt, Id);

    /// <summary>The table.</summary>
    public SharedTable Table { get; } = table;
}

/// <summary>A FAULT. Its descriptor holds one reference, each HWPT that reports to it another.</summary>
public sealed class FaultObject : ContextObject
{
    /// <summary>Whether its descriptor is open.</summary>
    public bool DescriptorOpen { get; set; } = true;

    /// <summary>fault->mutex: one reader, writer or purge at a time.</summary>
    public FlowLock Lock { get; } = new();
}
