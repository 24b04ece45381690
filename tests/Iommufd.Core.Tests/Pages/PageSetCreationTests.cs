using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class PageSetCreationTests
{
    private readonly PageSetTestHost _host = new();

    [Theory]
    [InlineData(0xffff_ffff_ffff_f000, 0x1000, Errno.EOVERFLOW)]
    [InlineData(0xffff_ffff_ffff_e000, 0x1000, Errno.OK)]
    [InlineData(0xffff_ffff_ffff_e000, 0x2000, Errno.EOVERFLOW)]
    [InlineData(0ul, 0xffff_ffff_ffff_efff, Errno.OK)]
    [InlineData(0ul, 0xffff_ffff_ffff_f001, Errno.EINVAL)]
    [InlineData(0x1000ul, 0ul, Errno.EINVAL)]
    [InlineData(ulong.MaxValue, 0ul, Errno.EINVAL)]
    [InlineData(ulong.MaxValue, 2ul, Errno.EOVERFLOW)]
    public void User_ranges_are_checked_for_overflow_then_for_length(ulong address, ulong length, Errno expected)
    {
        Errno result = PageSet.TryCreateUser(1, _host.Process(), address, length, true, AccountingMode.User, out _);
        Assert.Equal(expected, result);
    }

    [Theory]
    [InlineData(ulong.MaxValue, 0ul, Errno.EINVAL)]
    [InlineData(ulong.MaxValue, 1ul, Errno.OK)]
    [InlineData(ulong.MaxValue, 2ul, Errno.EOVERFLOW)]
    [InlineData(0ul, 0xffff_ffff_ffff_f001, Errno.EINVAL)]
    [InlineData(0ul, 0xffff_ffff_ffff_efff, Errno.OK)]
    public void File_ranges_are_checked_for_length_then_for_overflow(ulong start, ulong length, Errno expected)
    {
        var file = new MemoryFile(_host.Physical, MemoryFileKind.NotMemory, 0);
        Errno result = PageSet.TryCreateFile(1, _host.Process(), file, start, length, true, AccountingMode.User, out _);
        Assert.Equal(expected, result);
    }

    [Fact]
    public void A_range_inside_two_pages_has_two_pages_and_keeps_the_offset()
    {
        PageSet.TryCreateUser(7, _host.Process(), 0x5800, 0x1000, false, AccountingMode.User, out PageSet set);
        Assert.Equal((0x5000ul, 0x800ul, 2ul), (set.BaseAddress, set.FirstByte, set.PageCount));
        Assert.Equal((7u, false, false, false), (set.Number, set.Writable, set.IsFile, set.IsDmabuf));
        Assert.Equal(1, set.References);
    }

    [Theory]
    [InlineData(false, AccountingMode.User, AccountingMode.User)]
    [InlineData(false, AccountingMode.Mm, AccountingMode.Mm)]
    [InlineData(true, AccountingMode.User, AccountingMode.None)]
    [InlineData(true, AccountingMode.Mm, AccountingMode.None)]
    public void CAP_IPC_LOCK_at_the_time_of_the_map_decides_the_mode(
        bool capable,
        AccountingMode context,
        AccountingMode expected
    )
    {
        ProcessMemory process = _host.Process(limitPages: 1);
        process.CapIpcLock = capable;
        PageSet set = _host.UserPages(process, 1, mode: context);
        process.CapIpcLock = !capable;
        Assert.Equal(expected, set.Accounting);
    }

    [Fact]
    public void The_last_area_lets_the_file_go()
    {
        var file = new MemoryFile(_host.Physical, MemoryFileKind.Memfd, 0x2000);
        PageSet set = _host.FilePages(_host.Process(), file, 0, 0x2000);
        set.Acquire();
        file.Release();
        Assert.False(set.Release());
        Assert.Equal(2, _host.Physical.AllocationsInUse);
        Assert.True(set.Release());
        Assert.Equal(0, _host.Physical.AllocationsInUse);
        Assert.Throws<InvalidOperationException>(() => set.Release());
    }

    [Fact]
    public void A_page_set_does_not_go_away_with_pages_covered()
    {
        PageSet set = _host.UserPages(_host.ProcessWithBuffer(1), 1);
        set.AccessAdd(0, 0, [], []);
        Assert.Throws<InvalidOperationException>(() => set.Release());
    }
}
