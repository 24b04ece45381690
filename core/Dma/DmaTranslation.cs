using Iommufd.Core.Dma.Guest;
using Iommufd.Core.PageTables;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Dma;

/// <summary>A translation that a device's DMA can go through.</summary>
public interface IDmaRoot : ITranslationRoot
{
    /// <summary>How addresses are translated.</summary>
    DmaTranslation Translation { get; }
}

/// <summary>
/// How the addresses of one address space of a device become physical ones: by a page table of ours alone, or by tables that a guest
/// keeps in its memory (the first stage) and then by a page table of ours (the second stage). Safe from any thread.
/// </summary>
public sealed class DmaTranslation
{
    private readonly DmaTranslation? _parent;
    private bool _marksDirty;

    /// <summary>Translates by one page table.</summary>
    /// <param name="table">The table.</param>
    /// <param name="hwptId">The HWPT that it belongs to.</param>
    public DmaTranslation(IoPageTable table, uint hwptId = 0)
    {
        Table = table;
        SecondStage = hwptId;
    }

    /// <summary>Translates by a guest's tables on top of another translation.</summary>
    /// <param name="guest">The guest's tables; null leaves addresses as they are (the selftest's nested HWPT).</param>
    /// <param name="parent">The second stage: not nested itself.</param>
    public DmaTranslation(GuestStage? guest, DmaTranslation parent)
    {
        ArgumentNullException.ThrowIfNull(parent);
        _parent = parent;
        Guest = guest;
        Table = parent.Table;
        SecondStage = parent.SecondStage;
    }

    /// <summary>The page table of the (second) stage that is ours.</summary>
    public IoPageTable Table { get; }

    /// <summary>The HWPT that <see cref="Table"/> belongs to.</summary>
    public uint SecondStage { get; }

    /// <summary>The first stage, in guest memory; null where there is none.</summary>
    public GuestStage? Guest { get; }

    /// <summary>Whether it is a nested HWPT's.</summary>
    public bool IsNested => _parent is not null;

    /// <summary>
    /// Whether writes mark items of <see cref="Table"/> dirty. Devices look at it between batches: an IOTLB invalidation that begins
    /// after a change waits for every batch that has not seen it.
    /// </summary>
    public bool MarksDirty
    {
        get => _parent?.MarksDirty ?? Volatile.Read(ref _marksDirty);
        set => Volatile.Write(ref _marksDirty, value);
    }
}
