using Iommufd.Core.PageTables;
using Iommufd.Core.PageTables.Formats;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>Single behaviours of the operations that the random programs do not single out.</summary>
public sealed class TableOperationTests
{
    private const ulong Page = 4096;
    private const ulong Large = 2UL << 20;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_map_whose_table_cannot_be_allocated_is_ENOMEM_and_leaves_nothing(int allowed)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage, new Allowance(allowed));

        Assert.Equal(Errno.ENOMEM, table.Map(Large, Page, 2 * Large, IoptePermissions.ReadWrite));

        Assert.Equal(0, table.GetStatistics().Entries);
        table.CheckInvariants();
    }

    [Theory]
    [InlineData(0UL, 0UL, 0UL, 3, Errno.EINVAL)]
    [InlineData(0UL, 0UL, 0x1000UL, 0, Errno.EINVAL)]
    [InlineData(0UL, 1UL << 52, 0x1000UL, 3, Errno.ERANGE)]
    [InlineData(0xFFFFFFFFFFFFF000UL, 0UL, 0x2000UL, 3, Errno.EOVERFLOW)]
    [InlineData(0x800UL, 0UL, 0x1000UL, 3, Errno.ENXIO)]
    [InlineData(1UL << 48, 0UL, 0x1000UL, 3, Errno.ERANGE)]
    public void A_wrong_map_has_the_kernels_errno(
        ulong iova,
        ulong physical,
        ulong length,
        int permissions,
        Errno errno
    )
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);

        Assert.Equal(errno, table.Map(iova, physical, length, (IoptePermissions)permissions));
    }

    [Theory]
    [InlineData(0x1000UL)]
    [InlineData(0x2000UL)]
    [InlineData(0x20_0000UL)]
    public void A_physical_address_that_wraps_is_ERANGE_where_a_table_is_there(ulong length)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        table.Map(Page, Page, Page, IoptePermissions.Read);

        Assert.Equal(Errno.ERANGE, table.Map(Large - Page, 0xFFFF_FFFF_FFFF_F000, Page, IoptePermissions.Read));
        Assert.Equal(Errno.ERANGE, table.Map(2 * Large, 0 - length, length, IoptePermissions.Read));
        Assert.Equal(Errno.ERANGE, table.Map(4 * Page, 0xFFFF_FFFF_FFFF_F000, 2 * Page, IoptePermissions.Read));

        Assert.Equal(1, table.GetStatistics().Entries);
    }

    [Theory]
    [InlineData(IoPageTableFormat.VtdSecondStage, 300)]
    [InlineData(IoPageTableFormat.VtdSecondStage, 37)]
    [InlineData(IoPageTableFormat.AmdV1, 300)]
    [InlineData(IoPageTableFormat.RiscVSv48, 300)]
    public void A_run_that_meets_an_occupied_entry_leaves_nothing_else(IoPageTableFormat format, int occupied)
    {
        using IoPageTable table = IoPageTable.Create(format);
        table.Map((ulong)occupied * Page, 0x7000, Page, IoptePermissions.Read);

        Errno errno = table.Map(Page, 0, 400 * Page, IoptePermissions.ReadWrite, MapOptions.PageByPage);

        Assert.Equal(Errno.EADDRINUSE, errno);
        Assert.Equal(1, table.GetStatistics().Entries);
        Assert.True(table.TryTranslate((ulong)occupied * Page, out ulong physical));
        Assert.Equal(0x7000UL, physical);
        table.CheckInvariants();
    }

    [Fact]
    public void Ranges_that_share_a_slot_of_the_cache_do_not_mix()
    {
        const ulong Huge = 1UL << 30;
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        // Bits 35:30 folded with 41:36 are the slot: all of these have the same.
        ulong[] places = [.. Enumerable.Range(0, 64).Select(i => ((ulong)i << 36) | ((ulong)i << 30))];
        foreach (ulong place in places)
        {
            Assert.Equal(Errno.OK, table.Map(place, place + Huge, Page, IoptePermissions.Read));
        }

        foreach (ulong place in places)
        {
            Assert.True(table.TryTranslate(place, out ulong physical));
            Assert.Equal(place + Huge, physical);
            Assert.Equal(Page, table.Unmap(place, Page));
            Assert.False(table.TryTranslate(place, out physical));
        }

        Assert.Equal(0, table.GetStatistics().Entries);
    }

    [Fact]
    public void A_large_page_takes_the_place_of_an_empty_table()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.VtdSecondStage);
        table.Map(Large + Page, 0, Page, IoptePermissions.Read);
        Assert.Equal(Errno.EADDRINUSE, table.Map(Large, Large, Large, IoptePermissions.Read));

        table.Unmap(Large + Page, Page);

        Assert.Equal(Errno.OK, table.Map(Large, Large, Large, IoptePermissions.Read));
        Assert.Equal(3, table.GetStatistics().Tables);
    }

    [Fact]
    public void The_last_page_of_a_64_bit_space_can_be_mapped_and_unmapped()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);

        Assert.Equal(Errno.OK, table.Map(0xFFFF_FFFF_FFFF_F000, 0x5000, Page, IoptePermissions.Read));

        Assert.True(table.TryTranslate(ulong.MaxValue, out ulong physical));
        Assert.Equal(0x5FFFUL, physical);
        Assert.Equal(Page, table.Unmap(0xFFFF_FFFF_FFFF_F000, Page));
    }

    [Theory]
    [InlineData(IoPageTableFormat.X8664FirstStage, 0xFFFF_8000_0000_0000)]
    [InlineData(IoPageTableFormat.RiscVSv39, 0xFFFF_FFC0_0000_0000)]
    [InlineData(IoPageTableFormat.RiscVSv48, 0xFFFF_8000_0000_0000)]
    [InlineData(IoPageTableFormat.RiscVSv57, 0xFF00_0000_0000_0000)]
    public void A_format_that_extends_signs_maps_the_upper_half(IoPageTableFormat format, ulong first)
    {
        const ulong Last = 0xFFFF_FFFF_FFFF_F000;
        using IoPageTable table = IoPageTable.Create(format);
        Assert.Equal(new IovaRange(first, ulong.MaxValue), table.UpperInputRange);

        Assert.Equal(Errno.OK, table.Map(first, Page, Page, IoptePermissions.Read));
        Assert.Equal(Errno.OK, table.Map(Last - Large + Page, 0, Large, IoptePermissions.Read));

        Assert.True(table.TryTranslate(ulong.MaxValue, out ulong physical));
        Assert.Equal(Large - 1, physical);
        Assert.True(table.TryTranslate(first, out physical));
        Assert.Equal(Page, physical);
        table.CheckInvariants();
        var text = new StringWriter();
        table.Dump(text);
        Assert.Contains($"0x{first:x} L0 2^12 -> 0x1000", text.ToString(), StringComparison.Ordinal);
        Assert.Equal(Large, table.Unmap(Last - Large + Page, Large));
        Assert.Equal(Page, table.Unmap(first, Page));
        Assert.False(table.TryTranslate(first, out physical));
    }

    [Theory]
    [InlineData(IoPageTableFormat.X8664FirstStage, 47)]
    [InlineData(IoPageTableFormat.RiscVSv39, 38)]
    [InlineData(IoPageTableFormat.RiscVSv48, 47)]
    [InlineData(IoPageTableFormat.RiscVSv57, 56)]
    public void What_lies_between_the_halves_cannot_be_mapped(IoPageTableFormat format, int bits)
    {
        using IoPageTable table = IoPageTable.Create(format);
        ulong afterLower = 1UL << bits;
        ulong upper = ulong.MaxValue << bits;
        Assert.Equal(Errno.OK, table.Map(afterLower - Page, 0, Page, IoptePermissions.Read));
        Assert.Equal(Errno.OK, table.Map(upper, Page, Page, IoptePermissions.Read));

        Assert.Equal(Errno.ERANGE, table.Map(afterLower, 0, Page, IoptePermissions.Read));
        Assert.Equal(Errno.ERANGE, table.Map(afterLower - (2 * Page), 0, 4 * Page, IoptePermissions.Read));
        Assert.Equal(Errno.ERANGE, table.Map(upper - Page, 0, Page, IoptePermissions.Read));
        Assert.Equal(Errno.ERANGE, table.Map(0, 0, upper + Page, IoptePermissions.Read));
        Assert.Equal(0UL, table.Unmap(afterLower - Page, 2 * Page));
        Assert.False(table.TryTranslate(upper - Page, out ulong _));
        Assert.False(table.TryTranslate(afterLower, out ulong _));
        // Alike in all bits that the tables look at.
        Assert.False(table.TryTranslate(upper & ((2 * afterLower) - 1), out ulong _));
        Assert.Equal(2, table.GetStatistics().Entries);
    }

    [Theory]
    [InlineData(IoPageTableFormat.AmdV1Mock)]
    [InlineData(IoPageTableFormat.AmdV1)]
    [InlineData(IoPageTableFormat.VtdSecondStage)]
    [InlineData(IoPageTableFormat.RiscVSv48)]
    public void Translating_scattered_addresses_gives_what_translating_each_gives(IoPageTableFormat format)
    {
        using IoPageTable table = IoPageTable.Create(format);
        table.Map(Large, 0x7000, 300 * Page, IoptePermissions.Read);
        table.Map(4 * Large, 8 * Large, 2 * Large, IoptePermissions.Read);
        var random = new Random(5);
        ulong[] iovas = [.. Enumerable.Range(0, 1000).Select(_ => (ulong)random.NextInt64(0, 8 * (long)Large))];
        var physical = new ulong[iovas.Length];

        int mapped = table.TranslateEach(iovas, physical);

        ulong[] expected =
        [
            .. iovas.Select(iova => table.TryTranslate(iova, out ulong found) ? found : IoPageTable.NotMapped),
        ];
        Assert.Equal(expected, physical);
        Assert.Equal(expected.Count(found => found != IoPageTable.NotMapped), mapped);
        Assert.InRange(mapped, 200, 900);
    }

    [Theory]
    [InlineData(IoPageTableFormat.AmdV1)]
    [InlineData(IoPageTableFormat.ArmV8Lpae4K)]
    [InlineData(IoPageTableFormat.RiscVSv48)]
    public void Translating_pages_at_once_gives_what_translating_each_gives(IoPageTableFormat format)
    {
        using IoPageTable table = IoPageTable.Create(format);
        table.Map(0, 1UL << 30, 3 * Page, IoptePermissions.Read);
        table.Map(3 * Page, 5 * Page, 700 * Page, IoptePermissions.Read);
        table.Map(703 * Page, (1UL << 31) + (703 * Page), 400 * Page, IoptePermissions.Read);
        var pages = new ulong[2000];

        int count = table.TranslatePages(0x123, Page, pages);

        Assert.Equal(1103, count);
        for (int i = 0; i < count; i++)
        {
            Assert.True(table.TryTranslate(((ulong)i * Page) + 0x123, out ulong physical));
            Assert.Equal(physical, pages[i]);
        }
    }

    [Fact]
    public void A_cursor_maps_and_unmaps_as_the_plain_operations_do()
    {
        using var table = new PageTable<VtdSecondStage>();
        var cursor = default(PageTable<VtdSecondStage>.Cursor);
        for (ulong at = 0; at < 1200 * Page; at += Page)
        {
            Assert.Equal(Errno.OK, table.Map(ref cursor, at, at + Large, Page, IoptePermissions.Read));
        }

        Assert.Equal(Errno.EADDRINUSE, table.Map(ref cursor, 7 * Page, 0, Page, IoptePermissions.Read));
        Assert.Equal(512 * Page, table.Unmap(0, 512 * Page));
        Assert.Equal(0UL, table.Unmap(ref cursor, 7 * Page, Page));
        Assert.Equal(Page, table.Unmap(ref cursor, 600 * Page, Page));
        Assert.Equal(687, table.GetStatistics().Entries);
        table.CheckInvariants();
    }

    [Fact]
    public void Equal_mappings_give_equal_dumps_wherever_the_tables_lie()
    {
        Assert.Equal(Dump(), Dump());

        static string Dump()
        {
            using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1);
            table.Map(Large, 3 * Page, 40 * Page, IoptePermissions.ReadWrite);
            table.SetDirty(Large);
            using var writer = new StringWriter();
            table.Dump(writer);
            return writer.ToString();
        }
    }

    [Fact]
    public void Steady_work_allocates_nothing()
    {
        using var table = new PageTable<AmdV1>();
        Allocations.None(() => Work(table));
    }

    private static void Work(PageTable<AmdV1> table)
    {
        for (int i = 0; i < 3000; i++)
        {
            table.Map(Large, Page, 2 * Large, IoptePermissions.ReadWrite);
            table.TryAccess(Large, IoptePermissions.Write, markDirty: true, out _);
            table.TryTranslate(Large, out ulong _);
            table.Unmap(Large, 2 * Large);
        }
    }

    private sealed class Allowance(int tables) : ITableAllocationGate
    {
        private int _left = tables;

        public bool MayAllocate() => _left-- > 0;
    }
}
