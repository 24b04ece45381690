using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>What an access by a device is allowed, which marks it leaves, and how marks are set and read by range.</summary>
public sealed class TableAccessTests
{
    private const ulong Page = 4096;
    private const ulong Large = 2UL << 20;
    private const IoptePermissions Read = IoptePermissions.Read;
    private const IoptePermissions Write = IoptePermissions.Write;
    private const IoptePermissions Both = IoptePermissions.ReadWrite;

    [Theory]
    [InlineData(Read, Read, true)]
    [InlineData(Read, Write, false)]
    [InlineData(Read, Both, false)]
    [InlineData(Write, Read, false)]
    [InlineData(Write, Write, true)]
    [InlineData(Both, Both, true)]
    [InlineData(Both, Write, true)]
    public void An_access_needs_every_permission_that_it_uses(
        IoptePermissions mapped,
        IoptePermissions access,
        bool permitted
    )
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(Large, 0x7000, Page, mapped);

        Assert.Equal(permitted, table.TryAccess(Large + 5, access, markDirty: true, out IopteTranslation found));

        Assert.Equal(permitted ? 0x7005UL : 0, found.Physical);
        Assert.Equal(permitted ? mapped : IoptePermissions.None, found.Permissions);
    }

    [Theory]
    [InlineData(Write, true, true)]
    [InlineData(Both, true, true)]
    [InlineData(Read, true, false)]
    [InlineData(Write, false, false)]
    public void Only_a_write_that_is_to_mark_marks(IoptePermissions access, bool markDirty, bool dirty)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(Large, 0x7000, 2 * Page, Both, MapOptions.PageByPage);

        Assert.True(table.TryAccess(Large, access, markDirty, out IopteTranslation answered));

        Assert.Equal(dirty, answered.Dirty);
        Assert.Equal(dirty, IsDirty(table, Large));
        Assert.False(IsDirty(table, Large + Page));
        // What is marked already stays so.
        Assert.True(table.TryAccess(Large, access, markDirty, out answered));
        Assert.Equal(dirty, answered.Dirty);
    }

    [Fact]
    public void A_write_that_is_refused_marks_nothing()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(Large, 0x7000, Page, Read);

        Assert.False(table.TryAccess(Large, Write, markDirty: true, out _));

        Assert.False(IsDirty(table, Large));
    }

    [Fact]
    public void A_format_that_tracks_nothing_lets_writes_through_unmarked()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.RiscVSv48);
        table.Map(Large, 0x7000, Page, Both);
        Assert.True(table.TryTranslate(Large, out IopteTranslation before));

        Assert.True(table.TryAccess(Large, Write, markDirty: true, out IopteTranslation found));

        Assert.Equal(before, found);
        Assert.True(table.TryTranslate(Large, out IopteTranslation after));
        Assert.Equal(before, after);
    }

    [Theory]
    [InlineData(3 * Page)]
    [InlineData(5 * Large)]
    [InlineData(1UL << 60)]
    public void What_is_not_mapped_cannot_be_accessed_or_translated(ulong iova)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(Page, 0x7000, Page, Both);

        Assert.False(table.TryAccess(iova, Read, markDirty: false, out IopteTranslation found));
        Assert.Equal(default, found);
        Assert.False(table.TryTranslate(iova, out found));
        Assert.Equal(default, found);
    }

    [Fact]
    public void Marking_a_range_marks_every_item_that_it_meets_and_counts_them()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(Page, 0x7000, 3 * Page, Both, MapOptions.PageByPage);
        table.Map(6 * Page, 0x1_0000, Page, Both);
        table.Map(Large, 8 * Large, Large, Both);
        table.Map(4 * Large, 0x9000, Page, Both);

        Assert.Equal(4UL, table.SetDirty(new IovaRange(2 * Page, Large)));

        Assert.Equal(
            [false, true, true, true, true, false],
            new[] { Page, 2 * Page, 3 * Page, 6 * Page, Large, 4 * Large }.Select(at => IsDirty(table, at))
        );
        // Those that are marked already count too.
        Assert.Equal(6UL, table.SetDirty(new IovaRange(0, ulong.MaxValue)));
    }

    [Theory]
    [InlineData(Page, (2 * Page) - 1, 1)]
    [InlineData(Page, 2 * Page, 2)]
    [InlineData((2 * Page) - 1, 2 * Page, 2)]
    [InlineData(0UL, Page - 1, 0)]
    public void Marking_a_range_ends_with_the_item_of_its_last_byte(ulong first, ulong last, int marked)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(Page, 0x7000, 3 * Page, Both, MapOptions.PageByPage);

        Assert.Equal((ulong)marked, table.SetDirty(new IovaRange(first, last)));

        Assert.Equal(marked, table.GetStatistics().DirtyEntries);
    }

    [Fact]
    public void A_range_is_marked_only_where_marks_are_kept_and_addresses_can_be()
    {
        using IoPageTable untracked = IoPageTable.Create(IoPageTableFormat.RiscVSv48);
        untracked.Map(Page, 0x7000, Page, Both);
        Assert.Equal(0UL, untracked.SetDirty(new IovaRange(0, Large)));
        Assert.Equal(Errno.EOPNOTSUPP, untracked.SetDirty(Page));

        using IoPageTable narrow = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        narrow.Map((1UL << 48) - Page, 0x7000, Page, Both);
        Assert.Equal(1UL, narrow.SetDirty(new IovaRange((1UL << 48) - (2 * Page), ulong.MaxValue)));
        Assert.Equal(0UL, narrow.SetDirty(new IovaRange(1UL << 48, ulong.MaxValue)));
    }

    [Fact]
    public void Dirty_marks_are_read_only_where_they_are_kept_and_in_the_input_range()
    {
        using IoPageTable untracked = IoPageTable.Create(IoPageTableFormat.RiscVSv48);
        using IoPageTable narrow = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        var spans = new DirtySpans();

        Assert.Equal(Errno.EOPNOTSUPP, untracked.ReadAndClearDirty(new IovaRange(0, Page), spans));
        Assert.Equal(Errno.ERANGE, narrow.ReadAndClearDirty(new IovaRange(0, 1UL << 48), spans));
        Assert.Equal(Errno.OK, narrow.ReadAndClearDirty(new IovaRange(0, (1UL << 48) - 1), spans));
        Assert.Empty(spans.Spans);
    }

    [Theory]
    [InlineData(0x101_0000UL, 0x101_7FFFUL, 0x101_C000UL)]
    [InlineData(0x101_8000UL, 0x101_FFFFUL, 0x101_0000UL)]
    [InlineData(0x101_4000UL, 0x101_7FFFUL, 0x101_8000UL)]
    public void A_mark_in_the_part_of_an_entry_that_a_range_cuts_off_is_read_with_it(
        ulong first,
        ulong last,
        ulong marked
    )
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);
        Assert.Equal(Errno.OK, table.Map(0x101_0000, 0x5_0000, 0x1_0000, Both));
        table.SetDirty(marked);
        var spans = new DirtySpans();

        table.ReadAndClearDirty(new IovaRange(first, last), spans);

        Assert.Equal(first, Assert.Single(spans.Spans).Iova);
        Assert.False(IsDirty(table, marked));
    }

    [Fact]
    public void A_range_without_marks_reports_nothing_beside_one_that_has_them()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(0, 0, 512 * Page, Both, MapOptions.PageByPage);
        table.SetDirty(99 * Page);
        table.SetDirty(110 * Page);
        var spans = new DirtySpans();

        table.ReadAndClearDirty(new IovaRange(100 * Page, (110 * Page) - 1), spans);
        Assert.Empty(spans.Spans);
        table.ReadAndClearDirty(new IovaRange(99 * Page, (111 * Page) - 1), spans);

        Assert.Equal([(99 * Page, Page), (110 * Page, Page)], spans.Spans);
    }

    [Fact]
    public void No_operation_leaves_a_read_section_open()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(0, 0, 4 * Page, Both, MapOptions.PageByPage);

        table.TryTranslate(Page, out IopteTranslation _);
        table.TryTranslate(1UL << 55, out ulong _);
        table.TryAccess(Page, Write, markDirty: true, out _);
        table.TranslatePages(0, Page, new ulong[4]);
        table.TranslateRuns(0, 4 * Page, new PfnRun[4], out _);
        table.SetDirty(Page);
        table.SetDirty(new IovaRange(0, 4 * Page));
        table.ReadAndClearDirty(new IovaRange(0, 4 * Page), new DirtySpans());

        Assert.Equal(0UL, Outer());
    }

    [Fact]
    public void A_sink_that_throws_leaves_no_read_section_open()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(0, 0, Page, Both);
        table.SetDirty(0UL);

        Assert.Throws<NotSupportedException>(() => table.ReadAndClearDirty(new IovaRange(0, Page), new Thrower()));

        Assert.Equal(0UL, Outer());
    }

    private static bool IsDirty(IoPageTable table, ulong iova) =>
        table.TryTranslate(iova, out IopteTranslation found) && found.Dirty;

    /// <summary>The section that this thread is in; 0 for none.</summary>
    private static ulong Outer()
    {
        using TableReclamation.ReadSection section = TableReclamation.Enter();
        return section.Outer;
    }

    private sealed class Thrower : IDirtySink
    {
        public void Report(ulong iova, ulong length) => throw new NotSupportedException();
    }
}
