using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class PageSetCopyTests
{
    private const ulong At = PageSetTestHost.BufferAddress;
    private const ulong Page = HostPage.Size;
    private readonly PageSetTestHost _host = new();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Bytes_are_copied_both_ways_across_pages(bool slow)
    {
        ProcessMemory process = _host.ProcessWithBuffer(4);
        PageSet set = _host.UserPages(process, 4);
        byte[] bytes = [.. Enumerable.Range(0, 9000).Select(i => (byte)(i * 3))];
        Assert.Equal(Errno.OK, set.Copy(0x7ff, bytes, true, slow, process));
        var back = new byte[9000];
        process.TryRead(At + 0x7ff, back);
        Assert.Equal(bytes, back);
        Array.Clear(back);
        Assert.Equal(Errno.OK, set.Copy(0x7ff, back, false, slow, process));
        Assert.Equal(bytes, back);
        Assert.Equal(0, _host.Physical.TotalPins);
        set.CheckInvariants();
    }

    [Fact]
    public void Bytes_before_a_fault_stay_copied_through_the_callers_mappings()
    {
        ProcessMemory process = _host.ProcessWithBuffer(2);
        process.Unmap(At + Page, Page);
        PageSet set = _host.UserPages(process, 2);
        Assert.Equal(Errno.EFAULT, set.Copy(Page - 1, new byte[] { 7, 8 }, true, false, process));
        var first = new byte[1];
        process.TryRead(At + Page - 1, first);
        Assert.Equal(7, first[0]);
    }

    [Fact]
    public void After_munmap_the_callers_way_and_the_one_page_way_fault_though_a_domain_holds_the_page()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4);
        PageSet set = _host.UserPages(process, 4);
        process.TryWrite(At, [5, 6]);
        new TestArea(set, 1, 0, 3).Fill();
        process.Unmap(At, 2 * Page);
        Assert.Equal(Errno.EFAULT, set.Copy(0, new byte[16], false, false, process));
        Assert.Equal(Errno.EFAULT, set.Copy(0, new byte[16], false, true, process));
        var bytes = new byte[Page + 2];
        Assert.Equal(Errno.OK, set.Copy(0, bytes, false, true, process));
        Assert.Equal([5, 6], bytes[..2]);
    }

    [Fact]
    public void Another_process_reaches_one_page_by_pinning_it_for_the_moment()
    {
        ProcessMemory process = _host.ProcessWithBuffer(2, limitPages: 0);
        ProcessMemory other = _host.Process();
        PageSet set = _host.UserPages(process, 2);
        Assert.Equal(Errno.OK, set.Copy(Page, new byte[] { 4 }, true, false, other));
        var bytes = new byte[1];
        process.TryRead(At + Page, bytes);
        Assert.Equal(4, bytes[0]);
        process.Protect(At + Page, Page, MemoryProtection.Read);
        Assert.Equal(Errno.EFAULT, set.Copy(Page, new byte[] { 4 }, true, false, other));
        Assert.Equal(Errno.OK, set.Copy(Page, bytes, false, false, other));
        Assert.Equal((0L, 0L), (_host.Physical.TotalPins, process.PinnedVmPages));
    }

    [Fact]
    public void The_data_of_a_process_that_is_gone_can_be_read_where_it_is_pinned()
    {
        ProcessMemory process = _host.ProcessWithBuffer(3);
        PageSet set = _host.UserPages(process, 3);
        process.TryWrite(At, [1]);
        process.TryWrite(At + Page, [2]);
        set.AccessAdd(0, 0, [], []);
        new TestArea(set, 1, 1, 1).Fill();
        process.Exit();
        ProcessMemory other = _host.Process();
        var bytes = new byte[Page + 1];
        Assert.Equal(Errno.OK, set.Copy(0, bytes, false, false, other));
        Assert.Equal((1, 2), (bytes[0], bytes[Page]));
        Assert.Equal(Errno.EFAULT, set.Copy(2 * Page, new byte[1], false, false, other));
    }

    [Fact]
    public void The_slow_way_copies_nothing_of_a_batch_that_faults()
    {
        ProcessMemory process = _host.ProcessWithBuffer(3);
        PageSet set = _host.UserPages(process, 3);
        process.Unmap(At + (2 * Page), Page);
        var bytes = new byte[2 * Page];
        bytes.AsSpan().Fill(9);
        Assert.Equal(Errno.EFAULT, set.Copy(Page, bytes, true, true, process));
        var first = new byte[1];
        process.TryRead(At + Page, first);
        Assert.Equal(0, first[0]);
        Assert.Equal(0, _host.Physical.TotalPins);
        set.CheckInvariants();
    }

    [Fact]
    public void Writing_needs_a_writable_page_set()
    {
        ProcessMemory process = _host.ProcessWithBuffer(1);
        PageSet set = _host.UserPages(process, 1, writable: false);
        Assert.Equal(Errno.EPERM, set.Copy(0, new byte[1], true, false, process));
        Assert.Equal(Errno.OK, set.Copy(0, new byte[1], false, false, process));
    }

    [Fact]
    public void A_dma_buf_is_not_copied()
    {
        var buffer = new Dmabuf(_host.Physical, 0x4000);
        PageSet.TryCreateDmabuf(1, buffer, 0, 0x4000, out PageSet set);
        Assert.Equal(Errno.EINVAL, set.Copy(0, new byte[1], true, false, _host.Process()));
    }

    [Fact]
    public void A_file_is_copied_by_its_pages_and_a_pinned_page_outlives_truncation()
    {
        var file = new MemoryFile(_host.Physical, MemoryFileKind.Memfd, 2 * Page);
        ProcessMemory process = _host.Process();
        PageSet set = _host.FilePages(process, file, 0, 2 * Page);
        Assert.Equal(Errno.OK, set.Copy(0, new byte[] { 1, 2 }, true, false, process));
        Assert.Equal(Errno.OK, file.Truncate(Page));
        Assert.Equal(Errno.OK, set.Copy(0, new byte[2], false, false, process));
        Assert.Equal(Errno.EINVAL, set.Copy(Page, new byte[2], false, false, process));
        Assert.Equal(Errno.OK, set.AccessAdd(0, 0, [], []));
        Assert.Equal(Errno.EINVAL, set.AccessAdd(1, 1, [], []));
        Assert.Equal(Errno.EINVAL, new TestArea(set, 1, 0, 1).Fill());
        file.Truncate(0);
        var bytes = new byte[2];
        Assert.Equal(Errno.OK, set.Copy(0, bytes, false, false, process));
        Assert.Equal([1, 2], bytes);
        set.AccessRemove(0, 0);
        file.Truncate(Page);
        Assert.Equal(Errno.OK, set.Copy(0, bytes, false, false, process));
        Assert.Equal([0, 0], bytes);
        Assert.Equal(1, _host.Physical.AllocationsInUse);
    }

    [Fact]
    public void Reading_a_sparse_file_fills_its_holes()
    {
        var file = new MemoryFile(_host.Physical, MemoryFileKind.MemfdSparse, 4 * Page);
        PageSet set = _host.FilePages(_host.Process(), file, 0, 4 * Page);
        var bytes = new byte[] { 1 };
        Assert.Equal(Errno.OK, set.Copy(Page, bytes, false, false, set.Owner));
        Assert.Equal(0, bytes[0]);
        Assert.Equal(1, _host.Physical.AllocationsInUse);
    }

    [Fact]
    public void A_copy_of_more_pages_than_a_batch_is_whole()
    {
        ProcessMemory process = _host.Process();
        process.Map(At, 6000 * Page, MemoryKind.Anonymous, PageSetTestHost.ReadWrite, false, out _);
        PageSet set = _host.UserPages(process, 6000);
        process.TryWrite(At + (5999 * Page), [3]);
        process.TryWrite(At + (5460 * Page) + 5, [4]);
        process.TryWrite(At + (5461 * Page) + 5, [5]);
        var bytes = new byte[(5999 * Page) - 3];
        Assert.Equal(Errno.OK, set.Copy(5, bytes, false, true, process));
        Assert.Equal((4, 5), (bytes[5460 * (int)Page], bytes[5461 * (int)Page]));
        Assert.Equal(3, bytes[(5999 * (int)Page) - 5]);
        Assert.Equal(0, _host.Physical.TotalPins);
    }

    [Fact]
    public void A_range_outside_of_the_page_set_is_a_bug_that_is_reported()
    {
        PageSet set = _host.UserPages(_host.ProcessWithBuffer(2), 2);
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Copy(2 * Page, new byte[1], false, false, set.Owner));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Copy(Page, new byte[4097], false, false, set.Owner));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.Copy(0, [], false, false, set.Owner));
    }
}
