using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>The kernel mock's table, against answers that were recorded on Linux 7.2.</summary>
public sealed class MockTableTests
{
    private const ulong Base = 0x100_0000;

    [Fact]
    public void A_mapped_page_translates_and_stops_translating_after_unmap()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);

        Assert.Equal(Errno.OK, table.Map(Base, 0x1234_5000, 0x1000, IoptePermissions.ReadWrite));
        Assert.True(table.TryTranslate(Base + 0x123, out IopteTranslation translation));
        Assert.Equal(new IopteTranslation(0x1234_5123, 12, IoptePermissions.ReadWrite, Dirty: false), translation);
        table.CheckInvariants();

        Assert.Equal(0x1000UL, table.Unmap(Base, 0x1000));
        Assert.False(table.TryTranslate(Base, out ulong _));
    }

    [Fact]
    public void Pages_are_cut_greedily()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);

        Assert.Equal(Errno.OK, table.Map(0x100_1000, 0x1234_1000, 0x1_0000, IoptePermissions.ReadWrite));

        IReadOnlyList<long> sizes = table.GetStatistics().EntriesBySize;
        Assert.Equal([2, 1, 1, 1], [sizes[12], sizes[13], sizes[14], sizes[15]]);
        table.CheckInvariants();
    }

    [Fact]
    public void A_contiguous_entry_reports_one_item_less_than_it_has()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);
        Assert.Equal(Errno.OK, table.Map(0x101_0000, 0x5_0000, 0x1_0000, IoptePermissions.ReadWrite));
        Assert.Equal(Errno.OK, table.SetDirty(0x101_3000));
        var spans = new DirtySpans();

        Assert.Equal(Errno.OK, table.ReadAndClearDirty(new IovaRange(0x101_0000, 0x101_FFFF), spans));

        Assert.Equal([(0x101_0000UL, 0xF800UL)], spans.Spans);
    }

    [Fact]
    public void A_dirty_read_that_begins_inside_an_entry_reports_up_to_the_end_of_the_range()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);
        Assert.Equal(Errno.OK, table.Map(0x101_0000, 0x5_0000, 0x1_0000, IoptePermissions.ReadWrite));
        Assert.Equal(Errno.OK, table.SetDirty(0x101_0000));
        var spans = new DirtySpans();

        Assert.Equal(Errno.OK, table.ReadAndClearDirty(new IovaRange(0x101_4000, 0x101_7FFF), spans));
        Assert.Equal(Errno.OK, table.ReadAndClearDirty(new IovaRange(0x101_0000, 0x101_FFFF), spans));

        Assert.Equal([(0x101_4000UL, 0x4000UL)], spans.Spans);
    }

    [Fact]
    public void A_large_dirty_entry_reports_past_the_end_of_the_range()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);
        Assert.Equal(Errno.OK, table.Map(0x120_0000, 0x4000_0000, 0x20_0000, IoptePermissions.ReadWrite));
        Assert.Equal(Errno.OK, table.SetDirty(0x120_0000));
        var spans = new DirtySpans();

        Assert.Equal(Errno.OK, table.ReadAndClearDirty(new IovaRange(0x128_0000, 0x12F_FFFF), spans));

        Assert.Equal([(0x128_0000UL, 0x10_0000UL)], spans.Spans);
    }

    [Fact]
    public void A_map_that_meets_a_mapping_leaves_nothing_behind()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);
        Assert.Equal(Errno.OK, table.Map(Base + 0x4000, 0x8000, 0x1000, IoptePermissions.Read));

        PfnRun[] runs = [new(new Pfn(0x100), 2), new(new Pfn(0x200), 1), new(new Pfn(0x300), 3)];
        Assert.Equal(Errno.EADDRINUSE, table.MapPages(Base, runs, 0, 0x6000, IoptePermissions.Read));

        Assert.Equal(0x1000UL, table.GetStatistics().MappedBytes);
    }

    [Fact]
    public void Page_by_page_mapping_makes_no_large_entry()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);

        PfnRun[] runs = [new(new Pfn(0x400), 16)];
        Assert.Equal(Errno.OK, table.MapPages(Base, runs, 0, 0x1_0000, IoptePermissions.Read, MapOptions.PageByPage));

        Assert.Equal(16, table.GetStatistics().EntriesBySize[12]);
        Assert.Equal(16, table.GetStatistics().Entries);
    }

    [Fact]
    public void Scattered_frames_with_an_offset_are_read_back_as_runs()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);
        PfnRun[] runs = [new(new Pfn(0x100), 2), new(new Pfn(0x200), 1)];

        Assert.Equal(Errno.OK, table.MapPages(Base + 0x800, runs, 0x800, 0x2000, IoptePermissions.Read));

        var found = new PfnRun[8];
        int count = table.TranslateRuns(Base + 0x800, 0x2000, found, out ulong translated);
        Assert.Equal(0x2000UL, translated);
        Assert.Equal([new PfnRun(new Pfn(0x100), 2), new PfnRun(new Pfn(0x200), 1)], found.Take(count));
    }

    [Fact]
    public void Unmapping_the_start_of_a_large_entry_takes_the_whole_entry()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);
        Assert.Equal(Errno.OK, table.Map(0x120_0000, 0x4000_0000, 0x20_0000, IoptePermissions.ReadWrite));

        Assert.Equal(0x20_0000UL, table.Unmap(0x120_0000, 0x1000));
    }

    [Fact]
    public void A_cutting_unmap_splits_when_asked_and_refuses_when_asked()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);
        Assert.Equal(Errno.OK, table.Map(0x120_0000, 0x4000_0000, 0x20_0000, IoptePermissions.ReadWrite));

        Assert.Equal(0UL, table.Unmap(0x128_0000, 0x1000, UnmapCut.Refuse));
        Assert.Equal(0x1000UL, table.Unmap(0x128_0000, 0x1000, UnmapCut.Split));

        table.CheckInvariants();
        Assert.False(table.TryTranslate(0x128_0800, out ulong _));
        Assert.True(table.TryTranslate(0x128_1000, out ulong physical));
        Assert.Equal(0x4008_1000UL, physical);
    }
}
