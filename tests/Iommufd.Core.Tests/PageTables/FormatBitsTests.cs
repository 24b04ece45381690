using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>Entry words against the worked examples of the facts sheet, which come from the specifications.</summary>
public sealed class FormatBitsTests
{
    [Theory]
    [InlineData(IoPageTableFormat.AmdV1, 0x1000, 0x12345000, 3, 0, 1, 0x7000000012345001)]
    [InlineData(IoPageTableFormat.AmdV1, 0x1000, 0x12345000, 1, 0, 1, 0x3000000012345001)]
    [InlineData(IoPageTableFormat.AmdV1, 0x2000, 0x12346000, 3, 0, 2, 0x7000000012346e01)]
    [InlineData(IoPageTableFormat.AmdV1, 0x10000, 0x12340000, 3, 0, 16, 0x7000000012347e01)]
    [InlineData(IoPageTableFormat.AmdV1, 0x100000, 0x12300000, 3, 0, 256, 0x700000001237fe01)]
    [InlineData(IoPageTableFormat.AmdV1, 0x200000, 0x12200000, 3, 1, 1, 0x7000000012200001)]
    [InlineData(IoPageTableFormat.AmdV1, 0x400000, 0x12400000, 3, 1, 2, 0x70000000125ffe01)]
    [InlineData(IoPageTableFormat.AmdV1, 0x40000000, 0x40000000, 3, 2, 1, 0x7000000040000001)]
    [InlineData(IoPageTableFormat.AmdV1, 0x100000000, 0x100000000, 2, 2, 4, 0x500000017ffffe01)]
    [InlineData(IoPageTableFormat.AmdV1, 0x20000000000, 0x20000000000, 3, 3, 4, 0x700002fffffffe01)]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x10000, 0x12340000, 3, 0, 32, 0x600000002468fe01)]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x800, 0x12345000, 3, 0, 1, 0x600000002468a001)]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x800, 0x12345800, 3, 0, 1, 0x600000002468b001)]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x1000, 0x12345000, 3, 0, 2, 0x600000002468ae01)]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x1000, 0x12345000, 1, 0, 2, 0x200000002468ae01)]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x2000, 0x12346000, 3, 0, 4, 0x600000002468de01)]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x100000, 0x12300000, 3, 1, 1, 0x6000000024600001)]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x200000, 0x12200000, 3, 1, 2, 0x60000000245ffe01)]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x20000000, 0x40000000, 3, 2, 1, 0x6000000080000001)]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x40000000, 0x40000000, 3, 2, 2, 0x60000000bffffe01)]
    [InlineData(IoPageTableFormat.AmdV1MockHuge, 0x1000, 0x12345000, 3, 0, 2, 0x600000002468ae01)]
    [InlineData(IoPageTableFormat.AmdV1MockHuge, 0x100000, 0x12300000, 3, 1, 1, 0x6000000024600001)]
    [InlineData(IoPageTableFormat.VtdSecondStage, 0x1000, 0x12345000, 3, 0, 1, 0x12345003)]
    [InlineData(IoPageTableFormat.VtdSecondStage, 0x1000, 0x12345000, 1, 0, 1, 0x12345001)]
    [InlineData(IoPageTableFormat.VtdSecondStage, 0x200000, 0x12200000, 3, 1, 1, 0x12200083)]
    [InlineData(IoPageTableFormat.VtdSecondStage, 0x40000000, 0x40000000, 2, 2, 1, 0x40000082)]
    [InlineData(IoPageTableFormat.X8664FirstStage, 0x1000, 0x12345000, 3, 0, 1, 0x12345067)]
    [InlineData(IoPageTableFormat.X8664FirstStage, 0x1000, 0x12345000, 1, 0, 1, 0x12345025)]
    [InlineData(IoPageTableFormat.X8664FirstStage, 0x200000, 0x12200000, 3, 1, 1, 0x122000e7)]
    [InlineData(IoPageTableFormat.X8664FirstStage, 0x40000000, 0x40000000, 3, 2, 1, 0x400000e7)]
    [InlineData(IoPageTableFormat.RiscVSv39, 0x1000, 0x12345000, 3, 0, 1, 0x48d14df)]
    [InlineData(IoPageTableFormat.RiscVSv39, 0x1000, 0x12345000, 1, 0, 1, 0x48d145b)]
    [InlineData(IoPageTableFormat.RiscVSv39, 0x10000, 0x12340000, 3, 0, 16, 0x80000000048d20df)]
    [InlineData(IoPageTableFormat.RiscVSv48, 0x200000, 0x12200000, 3, 1, 1, 0x48800df)]
    [InlineData(IoPageTableFormat.RiscVSv57, 0x40000000, 0x40000000, 3, 2, 1, 0x100000df)]
    [InlineData(IoPageTableFormat.RiscVSv39, 0x1000, 0x7000, 1, 0, 1, 0x1c5b)]
    [InlineData(IoPageTableFormat.RiscVSv39, 0x1000, 0x7000, 2, 0, 1, 0x1cdf)]
    [InlineData(IoPageTableFormat.ArmV8Lpae4K, 0x1000, 0x12345000, 1, 0, 1, 0x12345fc7)]
    [InlineData(IoPageTableFormat.ArmV8Lpae4K, 0x1000, 0x12345000, 3, 0, 1, 0x8000012345fc7)]
    [InlineData(IoPageTableFormat.ArmV8Lpae4K, 0x200000, 0x12200000, 1, 1, 1, 0x12200fc5)]
    public void A_page_is_the_word_that_the_specification_says(
        IoPageTableFormat format,
        ulong size,
        ulong physical,
        int permissions,
        int level,
        int items,
        ulong word
    )
    {
        using IoPageTable table = IoPageTable.Create(format);
        ulong iova = Math.Max(size, 0x100_0000);

        Assert.Equal(Errno.OK, table.Map(iova, physical, size, (IoptePermissions)permissions));

        ulong[] found = Items(table, iova, level);
        int first = IndexOf(table, iova, level);
        Assert.All(Enumerable.Range(first, items), i => Assert.Equal(word, found[i]));
        Assert.Equal(items, found.Count(item => item == word));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(15)]
    public void The_items_of_an_ARM_contiguous_entry_each_hold_their_own_address(int item)
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.ArmV8Lpae4K);

        Assert.Equal(Errno.OK, table.Map(0x1_0000, 0x1234_0000, 0x1_0000, IoptePermissions.Read));

        Assert.Equal(0x10000012340fc7UL + ((ulong)item << 12), Items(table, 0x1_0000, 0)[16 + item]);
    }

    [Theory]
    [InlineData(IoPageTableFormat.AmdV1, 1, 0x6000000000000201UL)]
    [InlineData(IoPageTableFormat.AmdV1, 2, 0x6000000000000401UL)]
    [InlineData(IoPageTableFormat.VtdSecondStage, 1, 3UL)]
    [InlineData(IoPageTableFormat.X8664FirstStage, 2, 0x27UL)]
    [InlineData(IoPageTableFormat.RiscVSv48, 1, 1UL)]
    [InlineData(IoPageTableFormat.ArmV8Lpae4K, 3, 3UL)]
    public void A_table_pointer_has_the_bits_that_the_specification_says(
        IoPageTableFormat format,
        int level,
        ulong bits
    )
    {
        using IoPageTable table = IoPageTable.Create(format);
        Assert.Equal(Errno.OK, table.Map(0x1000, 0x1000, 0x1000, IoptePermissions.Read));

        ulong pointer = Items(table, 0x1000, level)[IndexOf(table, 0x1000, level)];

        ulong address = format == IoPageTableFormat.RiscVSv48 ? (pointer >> 10) << 12 : pointer & 0xFFFFFFFFFF000;
        ulong addressBits = format == IoPageTableFormat.RiscVSv48 ? (pointer >> 10) << 10 : address;
        Assert.Equal(bits, pointer & ~addressBits);
        Assert.NotEqual(0UL, address);
    }

    [Theory]
    [InlineData(IoPageTableFormat.AmdV1, 0xfff7ffffff000, ulong.MaxValue)]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x1ffffff800, 0x3fffffffffUL)]
    [InlineData(IoPageTableFormat.AmdV1MockHuge, 0x101000, 0x3fffffffffUL)]
    [InlineData(IoPageTableFormat.VtdSecondStage, 0x40201000, 0xffffffffffffUL)]
    [InlineData(IoPageTableFormat.X8664FirstStage, 0x40201000, 0x7fffffffffffUL)]
    [InlineData(IoPageTableFormat.RiscVSv39, 0x40211000, 0x3fffffffffUL)]
    public void Sizes_and_reach_are_what_the_kernel_reports(IoPageTableFormat format, ulong sizes, ulong last)
    {
        using IoPageTable table = IoPageTable.Create(format);

        Assert.Equal(sizes, table.PageSizes);
        Assert.Equal(new IovaRange(0, last), table.InputRange);
    }

    [Fact]
    public void The_default_mock_has_the_kernels_aperture()
    {
        using IoPageTable table = IoPageTable.Create(IoPageTableFormat.AmdV1Mock);

        Assert.Equal(new IovaRange(0x100_0000, 0x7FFF_FFFF), table.Aperture);
    }

    [Theory]
    [InlineData(IoPageTableFormat.VtdSecondStage, 0x3fe400000, 0x3fe400000, 0xc2200000, "21x17 30x3")]
    [InlineData(IoPageTableFormat.AmdV1, 0x3fe400000, 0x3fe400000, 0xc2200000, "21x1 22x2 23x1 24x1 30x1 31x1")]
    [InlineData(IoPageTableFormat.X8664FirstStage, 0xfef80000, 0x208b95d000, 0x20000, "12x32")]
    [InlineData(IoPageTableFormat.AmdV1, 0xfef80000, 0x208b95d000, 0x20000, "12x32")]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x1000000, 0x12340000, 0x10000, "16x1")]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x1000000, 0x12340000, 0x3000, "12x1 13x1")]
    [InlineData(IoPageTableFormat.AmdV1Mock, 0x1000000, 0x40000000, 0x200000, "21x1")]
    [InlineData(IoPageTableFormat.RiscVSv39, 0x10000, 0x80010000, 0x32000, "12x2 16x3")]
    [InlineData(IoPageTableFormat.AmdV1, 0x8000000000, 0x8000000000, 0x8000000000, "38x2")]
    public void A_map_is_cut_as_the_kernel_cuts_it(
        IoPageTableFormat format,
        ulong iova,
        ulong physical,
        ulong length,
        string sizes
    )
    {
        using IoPageTable table = IoPageTable.Create(format);

        Assert.Equal(Errno.OK, table.Map(iova, physical, length, IoptePermissions.ReadWrite));

        IReadOnlyList<long> bySize = table.GetStatistics().EntriesBySize;
        IEnumerable<string> found = Enumerable.Range(0, 64).Where(i => bySize[i] != 0).Select(i => $"{i}x{bySize[i]}");
        Assert.Equal(sizes, string.Join(' ', found));
        table.CheckInvariants();
    }

    private static int Shift(IoPageTable table, int level) =>
        (table.Format is IoPageTableFormat.AmdV1Mock or IoPageTableFormat.AmdV1MockHuge ? 11 : 12) + (9 * level);

    private static int IndexOf(IoPageTable table, ulong iova, int level) => (int)(iova >> Shift(table, level)) & 511;

    private static ulong[] Items(IoPageTable table, ulong iova, int wanted)
    {
        (ulong address, int level) = table.Root;
        for (; level > wanted; level--)
        {
            ulong word = IoPageTable.ReadWord(address, IndexOf(table, iova, level));
            address = table.Format switch
            {
                IoPageTableFormat.AmdV1Mock or IoPageTableFormat.AmdV1MockHuge => (word & 0xFFFFFFFFFF000) >> 1,
                IoPageTableFormat.RiscVSv39 or IoPageTableFormat.RiscVSv48 or IoPageTableFormat.RiscVSv57 => word
                    >> 10
                    << 12,
                _ => word & 0xFFFFFFFFFF000,
            };
        }

        return [.. Enumerable.Range(0, 512).Select(i => IoPageTable.ReadWord(address, i))];
    }
}
