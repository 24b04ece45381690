using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

// DmaEngine in parts: this file (translation through IOTLB and table, with the checks), .Nested (guest tables), .Patterns (batches of
// traffic), .Requests (traffic that waits for missing pages).

/// <summary>
/// A device's DMA: translates addresses through its IOTLB and the page tables it is attached to, and checks every translation
/// (DESIGN, section 5). Allocates nothing once attached.
/// </summary>
/// <remarks>
/// One thread at a time drives an engine; <see cref="Iotlb.Invalidate"/> may come from any thread meanwhile. Page tables may be
/// changed by others at any time.
/// </remarks>
public partial class DmaEngine
{
    private const int Kept = 16;

    private readonly IPinOracle? _pins;
    private readonly IMappingOracle? _mappings;
    private readonly PhysicalMemory? _memory;

    // The device's own requests (PASID 0), and the rest once there is one.
    private DmaTranslation? _own;
    private Dictionary<uint, DmaTranslation>? _translations;

    // Most devices never have one.
    private DmaViolation[]? _violations;
    private DmaFault[]? _faults;

    // Of the translation that was refused last: only then it is looked at, so that no other pays for it.
    private DmaFault _refused;
    private int _violationsKept;
    private ulong _transfers;
    private ulong _translationCount;
    private ulong _hits;
    private ulong _faultCount;
    private ulong _violationCount;
    private ulong _bytes;

    /// <summary>Makes a device that is attached to nothing.</summary>
    /// <param name="iotlb">Its IOTLB, used by no other engine.</param>
    /// <param name="seed">Seed of its traffic.</param>
    /// <param name="pins">Knows which frames are pinned; null leaves that check out.</param>
    /// <param name="mappings">Knows which IOVAs are mapped by right; null leaves that check out.</param>
    /// <param name="memory">The machine's memory, for data and for guest tables; null for neither.</param>
    public DmaEngine(
        Iotlb iotlb,
        ulong seed,
        IPinOracle? pins = null,
        IMappingOracle? mappings = null,
        PhysicalMemory? memory = null
    )
    {
        Iotlb = iotlb;
        _traffic = new DmaTraffic(seed);
        _pins = pins;
        _mappings = mappings;
        _memory = memory;
    }

    /// <summary>The device's IOTLB.</summary>
    public Iotlb Iotlb { get; }

    /// <summary>Everything done so far.</summary>
    public DmaReport Totals => new(_transfers, _translationCount, _hits, _faultCount, _violationCount, _bytes);

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
    public void Attach(IoPageTable? table, uint pasid = 0, bool markDirty = false) =>
        Switch(table is null ? null : new DmaTranslation(table) { MarksDirty = markDirty }, pasid);

    /// <summary>As <see cref="Attach"/>, with any translation.</summary>
    /// <param name="translation">The translation; null detaches.</param>
    /// <param name="pasid">The address space; 0 is the device's own, and those that a guest manages behind it.</param>
    public virtual void Switch(DmaTranslation? translation, uint pasid = 0)
    {
        bool hadPasids;
        lock (Iotlb.Gate)
        {
            DmaTranslation? old = TranslationOf(pasid);
            hadPasids = old?.Guest is { Root.HasPasids: true };
            if (pasid == 0)
            {
                _own = translation;
            }
            else if (translation is null)
            {
                _translations?.Remove(pasid);
            }
            else
            {
                (_translations ??= [])[pasid] = translation;
            }
        }

        Iotlb.Invalidate(IovaRange.All, hadPasids ? null : pasid);
    }

    /// <summary>
    /// Translates one address as a DMA does: IOTLB, then table. False when the IOMMU refuses.
    /// </summary>
    public bool TryTranslate(ulong iova, IoptePermissions access, out ulong physical, uint pasid = 0)
    {
        lock (Iotlb.Gate)
        {
            using TableReclamation.ReadSection section = TableReclamation.Enter();
            if (Translate(SpaceOf(pasid), pasid, iova, access, out physical))
            {
                return true;
            }

            CountRefusal();
            return false;
        }
    }

    private DmaTranslation? TranslationOf(uint pasid) => pasid == 0 ? _own : _translations?.GetValueOrDefault(pasid);

    /// <summary>False when the IOMMU refuses; <see cref="_refused"/> says why. Inside the gate and a read section.</summary>
    private bool Translate(in Space space, uint pasid, ulong iova, IoptePermissions access, out ulong physical)
    {
        _translationCount++;
        IotlbResult result = Iotlb.TryFind(pasid, iova, out int index);
        if (result != IotlbResult.Miss)
        {
            ref Iotlb.Entry entry = ref Iotlb.At(index);
            bool needsMark = space.WritesMark && access != IoptePermissions.Read && !entry.Dirty;
            if ((entry.Permissions & access) == access && !needsMark)
            {
                _hits++;
                physical = entry.PagePhysical | (iova & Iotlb.OffsetMaskAt(index));
                if (result == IotlbResult.Stale)
                {
                    Report(DmaViolationKind.StaleIotlb, iova, physical, access);
                }
                else if (_pins is not null && !_pins.IsPinned(Pfn.Containing(physical)))
                {
                    // Nobody told this device that the page goes: no invalidation came that could have made the entry stale.
                    Report(DmaViolationKind.NotPinned, iova, physical, access);
                }

                return true;
            }
        }

        return Walk(space, pasid, iova, access, out physical);
    }

    private bool Walk(in Space space, uint pasid, ulong iova, IoptePermissions access, out ulong physical)
    {
        physical = 0;
        IopteTranslation found;
        if (space.Translation?.Guest is { } guest)
        {
            if (!WalkNested(space, guest, pasid, iova, access, out found, out bool present))
            {
                _refused = new DmaFault(iova, access, present, pasid);
                return false;
            }
        }
        else if (space.Table is null || !space.Table.TryAccessInSection(iova, access, space.MarksDirty, out found))
        {
            bool present = space.Table is not null && space.Table.TryTranslate(iova, out ulong _);
            _refused = new DmaFault(iova, access, present, pasid);
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

    private void CountRefusal() => Count(_refused);

    private void Count(in DmaFault fault) => (_faults ??= new DmaFault[Kept])[_faultCount++ % Kept] = fault;

    // Inside the gate: a PASID that the host has not attached belongs to the guest where the guest keeps a table of PASIDs.
    private Space SpaceOf(uint pasid)
    {
        if (TranslationOf(pasid) is { } own)
        {
            return new Space(own);
        }

        return _own is { Guest.Root.HasPasids: true } ? new Space(_own) : default;
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

    /// <summary>One address space of the device, as it is during a batch.</summary>
    private readonly struct Space(DmaTranslation translation)
    {
        internal DmaTranslation? Translation { get; } = translation;

        internal IoPageTable? Table { get; } = translation.Table;

        /// <summary>Whether writes mark items of the table.</summary>
        internal bool MarksDirty { get; } = translation.MarksDirty;

        /// <summary>Whether a write needs more than an IOTLB entry that a read has filled: a mark in the table, or in the guest's.</summary>
        internal bool WritesMark { get; } = translation.MarksDirty || translation.Guest is not null;

        /// <summary>Offset bits of the smallest page.</summary>
        internal ulong StepMask { get; } = translation.Table.SmallestPage - 1;
    }
}
