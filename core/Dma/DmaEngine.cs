using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

// DmaEngine in parts: this file (translation through IOTLB and table, with the checks), .Patterns (batches of traffic).

/// <summary>
/// A device's DMA: translates addresses through its IOTLB and the page tables it is attached to, and checks every translation
/// (DESIGN, section 5). Allocates nothing once attached.
/// </summary>
/// <remarks>
/// One thread at a time drives an engine; <see cref="Iotlb.Invalidate"/> may come from any thread meanwhile. Page tables may be
/// changed by others at any time.
/// </remarks>
public sealed partial class DmaEngine
{
    private const int Kept = 16;

    private readonly IPinOracle? _pins;
    private readonly IMappingOracle? _mappings;

    // The device's own requests (PASID 0), and the rest once there is one.
    private Space _own;
    private Dictionary<uint, Space>? _spaces;

    // Most devices never have one.
    private DmaViolation[]? _violations;
    private DmaFault[]? _faults;
    private int _violationsKept;
    private ulong _transfers;
    private ulong _translations;
    private ulong _hits;
    private ulong _faultCount;
    private ulong _violationCount;
    private ulong _bytes;

    /// <summary>Makes a device that is attached to nothing.</summary>
    /// <param name="iotlb">Its IOTLB, used by no other engine.</param>
    /// <param name="seed">Seed of its traffic.</param>
    /// <param name="pins">Knows which frames are pinned; null leaves that check out.</param>
    /// <param name="mappings">Knows which IOVAs are mapped by right; null leaves that check out.</param>
    public DmaEngine(Iotlb iotlb, ulong seed, IPinOracle? pins = null, IMappingOracle? mappings = null)
    {
        Iotlb = iotlb;
        _random = new DmaRandom(seed);
        _pins = pins;
        _mappings = mappings;
    }

    /// <summary>The device's IOTLB.</summary>
    public Iotlb Iotlb { get; }

    /// <summary>Everything done so far.</summary>
    public DmaReport Totals => new(_transfers, _translations, _hits, _faultCount, _violationCount, _bytes);

    /// <summary>The first violations, at most 16; <see cref="DmaReport.Violations"/> counts all.</summary>
    public ReadOnlySpan<DmaViolation> Violations => (_violations ?? []).AsSpan(0, _violationsKept);

    /// <summary>The latest faults, at most 16, newest last.</summary>
    public DmaFault[] RecentFaults()
    {
        var count = (int)Math.Min(_faultCount, Kept);
        var faults = new DmaFault[count];
        for (int i = 0; i < count; i++)
        {
            faults[i] = _faults![(_faultCount - (ulong)count + (ulong)i) % Kept];
        }

        return faults;
    }

    /// <summary>
    /// Switches an address space of the device to a page table, or to none (every DMA faults), and empties the IOTLB of that
    /// address space. Waits for a batch that is under way.
    /// </summary>
    /// <param name="table">The table; null detaches.</param>
    /// <param name="pasid">The address space; 0 is the device's own.</param>
    /// <param name="markDirty">Whether writes mark the table's items dirty.</param>
    public void Attach(IoPageTable? table, uint pasid = 0, bool markDirty = false)
    {
        lock (Iotlb.Gate)
        {
            Space space = table is null ? default : new Space(table, markDirty);
            if (pasid == 0)
            {
                _own = space;
            }
            else if (table is null)
            {
                _spaces?.Remove(pasid);
            }
            else
            {
                (_spaces ??= [])[pasid] = space;
            }
        }

        Iotlb.Invalidate(IovaRange.All, pasid);
    }

    /// <summary>
    /// Translates one address as a DMA does: IOTLB, then table. False when the IOMMU refuses.
    /// </summary>
    public bool TryTranslate(ulong iova, IoptePermissions access, out ulong physical, uint pasid = 0)
    {
        lock (Iotlb.Gate)
        {
            return Translate(SpaceOf(pasid), pasid, iova, access, out physical);
        }
    }

    private Space SpaceOf(uint pasid) =>
        pasid == 0 ? _own
        : _spaces is not null && _spaces.TryGetValue(pasid, out Space space) ? space
        : default;

    private bool Translate(in Space space, uint pasid, ulong iova, IoptePermissions access, out ulong physical)
    {
        _translations++;
        IotlbResult result = Iotlb.TryFind(pasid, iova, out int index);
        if (result != IotlbResult.Miss)
        {
            ref Iotlb.Entry entry = ref Iotlb.At(index);
            bool needsMark = space.MarkDirty && access != IoptePermissions.Read && !entry.Dirty;
            if ((entry.Permissions & access) == access && !needsMark)
            {
                _hits++;
                physical = entry.PagePhysical | (iova & ((1UL << entry.PageSizeShift) - 1));
                if (result == IotlbResult.Stale)
                {
                    Report(DmaViolationKind.StaleIotlb, iova, physical, access);
                }

                return true;
            }
        }

        return Walk(space, pasid, iova, access, out physical);
    }

    private bool Walk(in Space space, uint pasid, ulong iova, IoptePermissions access, out ulong physical)
    {
        if (space.Table is null || !space.Table.TryAccess(iova, access, space.MarkDirty, out IopteTranslation found))
        {
            bool present = space.Table is not null && space.Table.TryTranslate(iova, out ulong _);
            (_faults ??= new DmaFault[Kept])[_faultCount++ % Kept] = new DmaFault(iova, access, present);
            physical = 0;
            return false;
        }

        physical = found.Physical;
        if ((found.Permissions & access) != access)
        {
            Report(DmaViolationKind.PermissionIgnored, iova, physical, access);
        }

        // While the gate is held no invalidation completes, so nothing behind a translation of this batch is unpinned, and no
        // unmap of it replies: both checks are exact, without a lock of their own.
        if (_mappings is not null && !_mappings.IsMapped(iova))
        {
            Report(DmaViolationKind.UnmappedSucceeded, iova, physical, access);
        }

        if (_pins is not null && !_pins.IsPinned(found.Pfn))
        {
            Report(DmaViolationKind.NotPinned, iova, physical, access);
        }

        Iotlb.Fill(pasid, iova, found);
        return true;
    }

    private void Report(DmaViolationKind kind, ulong iova, ulong physical, IoptePermissions access)
    {
        _violationCount++;
        if (_violationsKept < Kept)
        {
            (_violations ??= new DmaViolation[Kept])[_violationsKept++] = new DmaViolation(
                kind,
                iova,
                physical,
                access,
                _transfers
            );
        }
    }

    /// <summary>One address space of the device.</summary>
    private readonly record struct Space(IoPageTable? Table, bool MarkDirty)
    {
        /// <summary>Offset bits of the smallest page.</summary>
        internal ulong StepMask { get; } = (Table?.SmallestPage ?? HostPage.Size) - 1;
    }
}
