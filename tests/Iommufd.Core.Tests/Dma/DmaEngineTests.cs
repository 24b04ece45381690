using Iommufd.Core.Dma;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Dma;

public sealed class DmaEngineTests
{
    private const ulong Base = 0x100_0000;

    [Theory]
    [InlineData(DmaPatternKind.Ring)]
    [InlineData(DmaPatternKind.Streaming)]
    [InlineData(DmaPatternKind.Random)]
    [InlineData(DmaPatternKind.ScatterGather)]
    public void Traffic_inside_a_mapped_window_has_no_fault_and_no_violation(DmaPatternKind kind)
    {
        using IoPageTable table = MockTable(0x10_0000);
        DmaEngine engine = Engine(table, new Frames(0x4_0000, 0x100));

        DmaReport report = engine.Run(new DmaPattern(kind, new IovaRange(Base, Base + 0xF_FFFF), 1500), 10_000);

        Assert.Equal((10_000UL, 0UL, 0UL), (report.Transfers, report.Faults, report.Violations));
        Assert.True(report.Translations >= 10_000 && report.IotlbHits > 0);
    }

    [Fact]
    public void Traffic_past_the_mapping_faults()
    {
        using IoPageTable table = MockTable(0x1000);
        DmaEngine engine = Engine(table, new Frames(0x4_0000, 1));

        DmaReport report = engine.Run(
            new DmaPattern(DmaPatternKind.Ring, new IovaRange(Base, Base + 0x1FFF), 4096, 0),
            2
        );

        Assert.Equal(1UL, report.Faults);
        Assert.Equal([new DmaFault(Base + 0x1000, IoptePermissions.Read, Present: false)], engine.RecentFaults());
    }

    [Fact]
    public void A_write_through_a_read_only_mapping_faults_also_when_the_entry_is_cached()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);
        table.Map(Base, 0x4000_0000, 0x1000, IoptePermissions.Read);
        DmaEngine engine = Engine(table, new Frames(0x4_0000, 1));

        Assert.True(engine.TryTranslate(Base, IoptePermissions.Read, out _));
        Assert.False(engine.TryTranslate(Base, IoptePermissions.Write, out _));
        Assert.True(engine.RecentFaults()[0].Present);
    }

    [Fact]
    public void The_iotlb_goes_on_translating_until_it_is_invalidated()
    {
        using IoPageTable table = MockTable(0x1000);
        DmaEngine engine = Engine(table, new Frames(0x4_0000, 1));
        Assert.True(engine.TryTranslate(Base, IoptePermissions.Read, out _));

        table.Unmap(Base, 0x1000);
        Assert.True(engine.TryTranslate(Base, IoptePermissions.Read, out _));
        engine.Iotlb.Invalidate(new IovaRange(Base, Base + 0xFFF));

        Assert.False(engine.TryTranslate(Base, IoptePermissions.Read, out _));
        Assert.Equal(0UL, engine.Totals.Violations);
    }

    [Fact]
    public void A_hit_after_a_lost_invalidation_is_a_stale_hit()
    {
        using IoPageTable table = MockTable(0x1000);
        var engine = new DmaEngine(new DeafIotlb(), 1, new Frames(0x4_0000, 1));
        engine.Attach(table);
        Assert.True(engine.TryTranslate(Base, IoptePermissions.Read, out _));

        table.Unmap(Base, 0x1000);
        engine.Iotlb.Invalidate(new IovaRange(Base, Base + 0xFFF));
        engine.TryTranslate(Base, IoptePermissions.Read, out _);

        Assert.Equal(DmaViolationKind.StaleIotlb, engine.Violations[0].Kind);
    }

    [Fact]
    public void A_hit_that_leads_to_a_frame_that_is_not_pinned_any_more_is_a_violation()
    {
        using IoPageTable table = MockTable(0x1000);
        var pins = new Frames(0x4_0000, 1);
        DmaEngine engine = Engine(table, pins);
        Assert.True(engine.TryTranslate(Base, IoptePermissions.Read, out _));

        // Unmapped and unpinned, and nobody told the device.
        table.Unmap(Base, 0x1000);
        pins.UnpinAll();
        engine.TryTranslate(Base, IoptePermissions.Read, out _);

        Assert.Equal(DmaViolationKind.NotPinned, engine.Violations[0].Kind);
    }

    [Fact]
    public void DMA_to_a_frame_that_is_not_pinned_is_a_violation()
    {
        using IoPageTable table = MockTable(0x1000);
        DmaEngine engine = Engine(table, new Frames(0, 0));

        engine.TryTranslate(Base, IoptePermissions.Read, out _);

        Assert.Equal(DmaViolationKind.NotPinned, engine.Violations[0].Kind);
    }

    [Fact]
    public void DMA_through_an_entry_that_no_mapping_covers_is_a_violation()
    {
        using IoPageTable table = MockTable(0x1000);
        var engine = new DmaEngine(new Iotlb(IotlbGeometry.Default), 1, null, new NothingMapped());
        engine.Attach(table);

        engine.TryTranslate(Base, IoptePermissions.Read, out _);

        Assert.Equal(DmaViolationKind.UnmappedSucceeded, engine.Violations[0].Kind);
    }

    [Fact]
    public void A_write_that_hits_a_clean_cached_entry_marks_the_table_dirty_again()
    {
        using IoPageTable table = MockTable(0x1000);
        var engine = new DmaEngine(new Iotlb(IotlbGeometry.Default), 1);
        engine.Attach(table, markDirty: true);
        Assert.True(engine.TryTranslate(Base, IoptePermissions.Read, out _));

        Assert.True(engine.TryTranslate(Base, IoptePermissions.Write, out _));

        Assert.True(table.TryTranslate(Base, out IopteTranslation translation) && translation.Dirty);
    }

    [Fact]
    public void An_address_space_is_seen_only_with_its_pasid()
    {
        using IoPageTable table = MockTable(0x1000);
        var engine = new DmaEngine(new Iotlb(IotlbGeometry.Default), 1);
        engine.Attach(table, pasid: 5);

        Assert.True(engine.TryTranslate(Base, IoptePermissions.Read, out _, pasid: 5));
        Assert.False(engine.TryTranslate(Base, IoptePermissions.Read, out _));
    }

    [Fact]
    public void Equal_seeds_make_equal_traffic()
    {
        using IoPageTable table = MockTable(0x8_0000);
        var pattern = new DmaPattern(DmaPatternKind.ScatterGather, new IovaRange(Base, Base + 0xF_FFFF), 900);

        DmaReport first = Engine(table, new Frames(0x4_0000, 0x100)).Run(pattern, 5000);
        DmaReport second = Engine(table, new Frames(0x4_0000, 0x100)).Run(pattern, 5000);

        Assert.Equal(first, second);
        Assert.NotEqual(0UL, first.Faults);
    }

    [Fact]
    public void Traffic_allocates_nothing()
    {
        using IoPageTable table = MockTable(0x8_0000);
        DmaEngine engine = Engine(table, new Frames(0x4_0000, 0x80));
        var pattern = new DmaPattern(DmaPatternKind.Random, new IovaRange(Base, Base + 0xF_FFFF), 9000);
        Allocations.None(() => engine.Run(pattern, 2000));
    }

    private static IoPageTable MockTable(ulong length)
    {
        IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);
        Assert.Equal(Errno.OK, table.Map(Base, 0x4000_0000, length, IoptePermissions.ReadWrite));
        return table;
    }

    private static DmaEngine Engine(IoPageTable table, IPinOracle pins)
    {
        var engine = new DmaEngine(new Iotlb(IotlbGeometry.Default), seed: 7, pins);
        engine.Attach(table);
        return engine;
    }

    private sealed record Frames(ulong First, ulong Count) : IPinOracle
    {
        private bool _unpinned;

        public bool IsPinned(Pfn pfn) => !_unpinned && pfn.Value - First < Count;

        public void UnpinAll() => _unpinned = true;
    }

    private sealed class DeafIotlb() : Iotlb(IotlbGeometry.Default)
    {
        protected override void Remove(IovaRange range, uint? pasid) { }
    }

    private sealed class NothingMapped : IMappingOracle
    {
        public bool IsMapped(ulong iova) => false;
    }
}
