using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>Translating many pages at once: as pages at a stride, and as runs.</summary>
public sealed class TableRunTests
{
    private const ulong Page = 4096;
    private const ulong Large = 2UL << 20;
    private const ulong Top = 0xFFFF_FFFF_FFFF_F000;
    private const ulong Untouched = 0xDEAD;

    public static TheoryData<IoPageTableFormat, ulong, ulong> Strides
    {
        get
        {
            var cases = new TheoryData<IoPageTableFormat, ulong, ulong>();
            foreach (ulong stride in new ulong[] { 0x800, Page, 2 * Page, 8 * Page, Large })
            {
                foreach (ulong offset in new ulong[] { 0, 0x123, (4 * Page) + 0x10, Large - Page })
                {
                    cases.Add(IoPageTableFormat.AmdV1, stride, offset);
                    cases.Add(IoPageTableFormat.AmdV1Mock, stride, offset);
                    cases.Add(IoPageTableFormat.RiscVSv48, stride, offset);
                }
            }

            return cases;
        }
    }

    [Theory]
    [MemberData(nameof(Strides))]
    public void Pages_at_any_stride_are_what_translating_each_gives(
        IoPageTableFormat format,
        ulong stride,
        ulong offset
    )
    {
        using IoPageTable table = IoPageTable.Create(format);
        // Of tables that follow each other here the later one lies first in memory.
        table.Map(3 * Large, 16 * Large, Large, IoptePermissions.Read);
        table.Map(2 * Large, 8 * Large, Large, IoptePermissions.Read, MapOptions.PageByPage);
        table.Map(Large, 5 * Page, Large, IoptePermissions.Read);
        table.Map(4 * Page, 64 * Page, 4 * Page, IoptePermissions.Read);
        table.Map(8 * Page, Page, Large - (8 * Page), IoptePermissions.Read, MapOptions.PageByPage);
        table.Map(0, 32 * Page, 4 * Page, IoptePermissions.Read);
        ulong[] pages = Buffer(5000);

        int count = table.TranslatePages(offset, stride, pages.AsSpan(0, 4500));

        int expected = 0;
        for (ulong at = offset; expected < 4500 && table.TryTranslate(at, out ulong physical); at += stride)
        {
            Assert.Equal(physical, pages[expected++]);
        }

        Assert.Equal(expected, count);
        Assert.All(pages.Skip(4500), page => Assert.Equal(Untouched, page));
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(0x123UL)]
    public void Nothing_is_written_past_the_last_page_that_is_mapped(ulong offset)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(0, 0x7000, 5 * Page, IoptePermissions.Read, MapOptions.PageByPage);
        ulong[] pages = Buffer(16);

        Assert.Equal(5, table.TranslatePages(offset, Page, pages));

        Assert.All(pages.Skip(5), page => Assert.Equal(Untouched, page));
    }

    [Fact]
    public void A_buffer_that_is_full_ends_the_translation()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(0, 0x7000, 9 * Page, IoptePermissions.Read, MapOptions.PageByPage);
        table.Map(Large, Large, Large, IoptePermissions.Read);
        ulong[] pages = Buffer(4);

        Assert.Equal(3, table.TranslatePages(0, Page, pages.AsSpan(0, 3)));
        Assert.Equal([0x7000UL, 0x8000, 0x9000, Untouched], pages);
        Assert.Equal(2, table.TranslatePages(Large, Page, pages.AsSpan(0, 2)));
        Assert.Equal([Large, Large + Page, 0x9000, Untouched], pages);
        Assert.Equal(0, table.TranslatePages(0, Page, []));
    }

    [Fact]
    public void Pages_and_runs_end_with_the_last_address_there_is()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        table.Map(Top, 0x5000, Page, IoptePermissions.Read);
        table.Map(0, 0x9000, Page, IoptePermissions.Read);

        Assert.Equal(1, table.TranslatePages(Top, Page, new ulong[4]));
        Assert.Equal(1, table.TranslateRuns(Top, 4 * Page, new PfnRun[4], out ulong translated));
        Assert.Equal(Page, translated);
    }

    [Fact]
    public void A_stride_is_a_power_of_two()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);

        Assert.Throws<ArgumentOutOfRangeException>(() => table.TranslatePages(0, 3 * Page, new ulong[4]));
    }

    [Theory]
    [InlineData(0UL, 4 * Page, 4 * Page, 3)]
    [InlineData(0UL, 2 * Page, 2 * Page, 1)]
    [InlineData(0x800UL, Page, Page, 1)]
    [InlineData(0x800UL, 2 * Page, 2 * Page, 2)]
    [InlineData(0x800UL, 0x800UL, 0x800UL, 1)]
    [InlineData(Page, (2 * Page) + 0x800, (2 * Page) + 0x800, 3)]
    [InlineData(0UL, 9 * Page, 4 * Page, 3)]
    [InlineData(5 * Page, Page, 0UL, 0)]
    public void Runs_cover_what_was_asked_for_and_no_byte_more(ulong iova, ulong length, ulong covered, int runs)
    {
        using IoPageTable table = Scattered();
        var found = new PfnRun[8];

        Assert.Equal(runs, table.TranslateRuns(iova, length, found, out ulong translated));

        Assert.Equal(covered, translated);
        ulong pages = ((iova & (Page - 1)) + covered + Page - 1) / Page;
        Assert.Equal(pages, found.Aggregate(0UL, (sum, run) => sum + run.Count));
    }

    [Fact]
    public void Runs_end_where_there_is_no_room_for_another()
    {
        using IoPageTable table = Scattered();
        var found = new PfnRun[2];

        Assert.Equal(2, table.TranslateRuns(0, 4 * Page, found, out ulong translated));

        Assert.Equal(3 * Page, translated);
        Assert.Equal([new PfnRun(new Pfn(0x10), 2), new PfnRun(new Pfn(0x30), 1)], found);
    }

    /// <summary>Four pages: two that follow each other in memory, one elsewhere, and one before that.</summary>
    private static IoPageTable Scattered()
    {
        IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
        PfnRun[] runs = [new(new Pfn(0x10), 2), new(new Pfn(0x30), 1), new(new Pfn(0x20), 1)];
        Assert.Equal(Errno.OK, table.MapPages(0, runs, 0, 4 * Page, IoptePermissions.Read));
        return table;
    }

    private static ulong[] Buffer(int pages) => [.. Enumerable.Repeat(Untouched, pages)];
}
