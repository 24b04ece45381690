using Iommufd.Core.PageTables;
using Iommufd.Core.PageTables.Formats;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>Maps and unmaps at the edges of tables, entries and the space, and what happens to tables that are not needed.</summary>
public sealed class TableEdgeTests
{
    private const ulong Page = 4096;
    private const ulong Large = 2UL << 20;
    private const ulong Huge = 1UL << 30;
    private const IoptePermissions Read = IoptePermissions.Read;

    [Theory]
    [InlineData(0UL, 0UL, 1UL)]
    [InlineData(0UL, 0x800UL, 0x1000UL)]
    [InlineData(0x800UL, 0UL, 0x1000UL)]
    [InlineData(0UL, 0UL, 0x1800UL)]
    [InlineData((1UL << 48) + 0x800, 0UL, 0x1000UL)]
    public void What_is_not_whole_pages_is_ENXIO_before_anything_else_is_wrong(ulong iova, ulong physical, ulong length)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);

        Assert.Equal(Errno.ENXIO, table.Map(iova, physical, length, Read));

        Assert.Equal(1, table.GetStatistics().Tables);
    }

    [Theory]
    [InlineData(Page)]
    [InlineData(3 * Page)]
    [InlineData(Large)]
    [InlineData(Huge)]
    public void Memory_up_to_the_output_width_can_be_mapped(ulong length)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        ulong physical = (1UL << 52) - length;

        Assert.Equal(Errno.OK, table.Map(Huge, physical, length, Read));

        Assert.True(table.TryTranslate(Huge + length - 1, out ulong last));
        Assert.Equal((1UL << 52) - 1, last);
        Assert.Equal(Errno.ERANGE, table.Map(4 * Huge, physical, 2 * length, Read));
    }

    [Theory]
    [InlineData(0x1000UL, 0x1000UL)]
    [InlineData(0UL, 0UL)]
    [InlineData(0x2000UL, 0x1000UL)]
    public void Scattered_frames_begin_inside_the_first_one_and_have_bytes(ulong offset, ulong length)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);
        PfnRun[] runs = [new(new Pfn(0x100), 4)];

        Assert.Equal(Errno.EINVAL, table.MapPages(Large, runs, offset, length, Read));

        Assert.Equal(0, table.GetStatistics().Entries);
    }

    [Fact]
    public void Scattered_frames_that_are_too_few_leave_nothing_and_those_too_many_are_not_used()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        PfnRun[] runs = [new(new Pfn(0x100), 2), new(new Pfn(0x200), 2), new(new Pfn(0x300), 2)];
        Assert.Equal(Errno.EINVAL, table.MapPages(Large, runs, 0, 7 * Page, Read));
        Assert.Equal(0, table.GetStatistics().Entries);

        Assert.Equal(Errno.OK, table.MapPages(Large, runs, 0, 4 * Page, Read));

        Assert.Equal(4, table.GetStatistics().Entries);
    }

    [Fact]
    public void Scattered_frames_that_pass_the_end_of_the_space_leave_nothing()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        PfnRun[] runs = [new(new Pfn(0x100), 1), new(new Pfn(0x200), 1), new(new Pfn(0x300), 1)];

        Assert.Equal(Errno.ERANGE, table.MapPages((1UL << 48) - (2 * Page), runs, 0, 3 * Page, Read));

        Assert.Equal(0, table.GetStatistics().Entries);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_map_is_ENOMEM_also_where_only_one_table_is_refused(int refused)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage, new OneRefusal(refused));

        Assert.Equal(Errno.ENOMEM, table.Map(Large, Page, 2 * Large, Read));

        Assert.Equal(0, table.GetStatistics().Entries);
        table.CheckInvariants();
    }

    [Fact]
    public void A_large_page_of_two_items_takes_the_place_of_one_empty_table()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(3 * Large, 0, Page, Read);
        table.Unmap(3 * Large, Page);

        Assert.Equal(Errno.OK, table.Map(2 * Large, 2 * Large, 2 * Large, Read));

        Assert.Equal(1, table.GetStatistics().EntriesBySize[22]);
        table.CheckInvariants();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_huge_page_takes_the_place_of_tables_only_where_nothing_is_mapped(bool empty)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        table.Map(Huge, 0, Page, Read);
        table.Map(Huge + (7 * Large), 0, Page, Read);
        table.Unmap(Huge, Page);
        if (empty)
        {
            table.Unmap(Huge + (7 * Large), Page);
        }

        Assert.Equal(empty ? Errno.OK : Errno.EADDRINUSE, table.Map(Huge, Huge, Huge, Read));

        Assert.Equal(empty, table.TryTranslate(Huge + 5, out ulong physical) && physical == Huge + 5);
        Assert.Equal(empty ? 2 : 5, table.GetStatistics().Tables);
        Assert.Equal(1, table.GetStatistics().Entries);
        table.CheckInvariants();
    }

    [Fact]
    public void A_huge_page_does_not_take_the_place_of_a_large_one()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        table.Map(Huge + (3 * Large), 0, Large, Read);

        Assert.Equal(Errno.EADDRINUSE, table.Map(Huge, Huge, Huge, Read));

        Assert.Equal(1, table.GetStatistics().Entries);
    }

    [Fact]
    public void A_cursor_does_not_write_into_a_table_that_a_large_page_has_replaced()
    {
        using var table = new PageTable<VtdSecondStage>();
        var cursor = default(PageTable<VtdSecondStage>.Cursor);
        Assert.Equal(Errno.OK, table.Map(ref cursor, Large, 0, Page, Read));
        Assert.Equal(Errno.OK, table.Map(ref cursor, Large + Page, 0, Page, Read));
        Assert.Equal(Page, table.Unmap(ref cursor, Large, Page));
        Assert.Equal(Page, table.Unmap(ref cursor, Large + Page, Page));
        Assert.Equal(Errno.OK, table.Map(Large, Large, Large, Read));

        Assert.Equal(Errno.EADDRINUSE, table.Map(ref cursor, Large, 0, Page, Read));
    }

    [Fact]
    public void A_table_of_large_pages_goes_when_all_of_them_are_unmapped()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        // Not alike up to a huge page.
        table.Map(Huge, Large, Huge, Read);
        Assert.Equal((512L, 3L), (table.GetStatistics().Entries, table.GetStatistics().Tables));

        Assert.Equal(Huge, table.Unmap(Huge, Huge));

        Assert.Equal((0L, 2L), (table.GetStatistics().Entries, table.GetStatistics().Tables));
        Assert.Equal(Errno.OK, table.Map(Huge + Large, 0, Large, Read));
        Assert.Equal(1, table.GetStatistics().Entries);
        table.CheckInvariants();
    }

    [Fact]
    public void Tables_that_an_unmap_covers_whole_go_and_those_at_its_edges_stay()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        table.Map(0, Page, 4 * Large, Read);
        Assert.Equal(7, table.GetStatistics().Tables);

        Assert.Equal((3 * Large) - Page, table.Unmap(Page, (3 * Large) - Page));

        Assert.Equal(5, table.GetStatistics().Tables);
        Assert.Equal(513, table.GetStatistics().Entries);
        Assert.Equal(Errno.OK, table.Map(Large, 0, Large, Read));
        table.CheckInvariants();
    }

    [Fact]
    public void An_unmap_takes_the_whole_entry_that_its_last_byte_lies_in()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(0, 0x7000, 3 * Page, Read, MapOptions.PageByPage);
        table.Map(4 * Large, 4 * Large, 2 * Large, Read);

        Assert.Equal(2 * Page, table.Unmap(0, Page + 1));
        Assert.Equal(2 * Large, table.Unmap(4 * Large, Large));

        Assert.Equal(Page, table.GetStatistics().MappedBytes);
    }

    [Fact]
    public void Nothing_is_unmapped_by_no_bytes_or_beyond_the_tables_that_there_are()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(0, 0x7000, Page, Read);

        Assert.Equal(0UL, table.Unmap(0, 0));
        Assert.Equal(0UL, table.Unmap(1UL << 50, Page));
        Assert.Equal(0UL, table.Unmap(1UL << 50, 4 * Large));
        Assert.Equal(0UL, table.Unmap(0xFFFF_FFFF_FFFF_F000, 2 * Page));

        Assert.Equal(1, table.GetStatistics().Entries);
    }

    [Theory]
    [InlineData(0x1000UL, 0x1000UL)]
    [InlineData(0UL, 0x1000UL)]
    [InlineData(Large - 0x1000, 0x1000UL)]
    public void An_unmap_that_has_no_memory_to_cut_an_entry_leaves_it_whole(ulong offset, ulong length)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage, new OneRefusal(2));
        Assert.Equal(Errno.OK, table.Map(Large, Large, Large, Read));

        Assert.Equal(0UL, table.Unmap(Large + offset, length, UnmapCut.Split));

        Assert.Equal(1, table.GetStatistics().EntriesBySize[21]);
    }

    /// <summary>Refuses one table, counted from 0 and without the top one, and allows all others.</summary>
    private sealed class OneRefusal(int refused) : ITableAllocationGate
    {
        private int _asked;

        public bool MayAllocate() => _asked++ != refused;
    }
}
