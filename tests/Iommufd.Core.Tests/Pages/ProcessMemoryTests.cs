using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class ProcessMemoryTests
{
    private const ulong At = PageSetTestHost.BufferAddress;
    private const ulong Page = HostPage.Size;
    private readonly PageSetTestHost _host = new();

    [Fact]
    public void What_is_written_is_read_back_across_pages()
    {
        ProcessMemory process = _host.ProcessWithBuffer(3);
        byte[] bytes = [.. Enumerable.Range(0, 5000).Select(i => (byte)i)];
        Assert.True(process.TryWrite(At + 4000, bytes));
        var back = new byte[5000];
        Assert.True(process.TryRead(At + 4000, back));
        Assert.Equal(bytes, back);
    }

    [Fact]
    public void Reading_memory_that_was_never_touched_gives_zeros_and_allocates_nothing()
    {
        ProcessMemory process = _host.Process();
        process.Map(At, 4 * Page, MemoryKind.Anonymous, MemoryProtection.Read, populate: false, out _);
        byte[] bytes = [1, 2];
        Assert.True(process.TryRead(At + Page, bytes));
        Assert.Equal([0, 0], bytes);
        Assert.Equal(0, _host.Physical.AllocationsInUse);
    }

    [Theory]
    [InlineData(MemoryProtection.None, false, false)]
    [InlineData(MemoryProtection.Read, true, false)]
    [InlineData(MemoryProtection.Read | MemoryProtection.Write, true, true)]
    public void Protection_decides_what_can_be_copied_and_pinned(MemoryProtection protection, bool read, bool write)
    {
        ProcessMemory process = _host.ProcessWithBuffer(1);
        Assert.Equal(Errno.OK, process.Protect(At, Page, protection));
        Assert.Equal(read, process.TryRead(At, new byte[1]));
        Assert.Equal(write, process.TryWrite(At, new byte[1]));
        Assert.Equal(read ? Errno.OK : Errno.EFAULT, process.PinPage(At, write: false, out _));
        Assert.Equal(write ? Errno.OK : Errno.EFAULT, process.PinPage(At, write: true, out _));
        Assert.Equal(read, process.TryGetPfn(At, out _));
    }

    [Fact]
    public void Unmapping_the_middle_leaves_the_sides_and_frees_the_frames_between()
    {
        ProcessMemory process = _host.ProcessWithBuffer(5);
        process.TryWrite(At + (3 * Page), [9]);
        Assert.Equal(Errno.OK, process.Unmap(At + Page, 2 * Page));
        Assert.Equal(3, _host.Physical.AllocationsInUse);
        var kept = new byte[1];
        Assert.True(process.TryRead(At + (3 * Page), kept));
        Assert.Equal(9, kept[0]);
        Assert.False(process.TryRead(At + (3 * Page) - 1, new byte[2]));
        Assert.True(process.TryRead(At, new byte[Page]));
    }

    [Fact]
    public void A_pinned_page_outlives_its_mapping_and_is_not_reused()
    {
        ProcessMemory process = _host.ProcessWithBuffer(1);
        process.TryWrite(At, [5]);
        Assert.Equal(Errno.OK, process.PinPage(At, write: true, out Pfn pfn));
        process.Unmap(At, Page);
        Assert.False(process.TryGetPfn(At, out _));
        var bytes = new byte[1];
        _host.Physical.Read(pfn, 0, bytes);
        Assert.Equal(5, bytes[0]);
        process.Map(At, Page, MemoryKind.Anonymous, PageSetTestHost.ReadWrite, populate: true, out _);
        process.TryGetPfn(At, out Pfn other);
        Assert.NotEqual(pfn, other);
        _host.Physical.Unpin(pfn);
        Assert.Equal(0, _host.Physical.TotalPins);
    }

    [Fact]
    public void A_mapping_at_a_given_address_replaces_what_was_there()
    {
        ProcessMemory process = _host.ProcessWithBuffer(2);
        process.TryWrite(At, [5]);
        Assert.Equal(
            Errno.OK,
            process.Map(At, Page, MemoryKind.Anonymous, PageSetTestHost.ReadWrite, populate: true, out _)
        );
        var bytes = new byte[1];
        process.TryRead(At, bytes);
        Assert.Equal(0, bytes[0]);
        Assert.Equal(2, _host.Physical.AllocationsInUse);
    }

    [Fact]
    public void Mappings_without_an_address_do_not_overlap_and_huge_ones_are_aligned()
    {
        ProcessMemory process = _host.Process();
        process.Map(null, 3 * Page, MemoryKind.Anonymous, PageSetTestHost.ReadWrite, false, out ulong small);
        process.Map(null, 1, MemoryKind.Huge2M, PageSetTestHost.ReadWrite, false, out ulong huge);
        process.Map(null, Page, MemoryKind.Anonymous, PageSetTestHost.ReadWrite, false, out ulong filler);
        Assert.Equal(0ul, huge % ProcessMemory.HugePageSize);
        Assert.True(huge >= small + (3 * Page));
        Assert.True(filler + Page <= huge || filler >= huge + ProcessMemory.HugePageSize);
        Assert.True(process.IsCompound(huge + 0x12345));
        Assert.False(process.IsCompound(small));
        Assert.True(process.TryWrite(huge + ProcessMemory.HugePageSize - 1, [1]));
    }

    [Theory]
    [InlineData(At + 1, 4096ul, Errno.EINVAL)]
    [InlineData(At, 0ul, Errno.EINVAL)]
    [InlineData(0x7fff_ffff_f000ul, 4096ul, Errno.ENOMEM)]
    [InlineData(At, ulong.MaxValue, Errno.ENOMEM)]
    public void Impossible_mappings_are_refused(ulong address, ulong length, Errno expected)
    {
        ProcessMemory process = _host.Process();
        Assert.Equal(expected, process.Map(address, length, MemoryKind.Anonymous, MemoryProtection.Read, false, out _));
    }

    [Fact]
    public void A_huge_page_is_not_cut()
    {
        ProcessMemory process = _host.ProcessWithBuffer(2, kind: MemoryKind.Huge2M);
        Assert.Equal(Errno.EINVAL, process.Unmap(At, Page));
        Assert.Equal(Errno.EINVAL, process.Protect(At + Page, Page, MemoryProtection.None));
        Assert.Equal(Errno.OK, process.Unmap(At, ProcessMemory.HugePageSize));
        Assert.Equal(1, _host.Physical.AllocationsInUse);
    }

    [Fact]
    public void Protecting_a_range_with_a_hole_is_ENOMEM_and_changes_nothing()
    {
        ProcessMemory process = _host.ProcessWithBuffer(3);
        process.Unmap(At + Page, Page);
        Assert.Equal(Errno.ENOMEM, process.Protect(At, 3 * Page, MemoryProtection.None));
        Assert.True(process.TryWrite(At, [1]));
    }

    [Fact]
    public void A_huge_page_is_pinned_as_one_run()
    {
        ProcessMemory process = _host.ProcessWithBuffer(2, kind: MemoryKind.Huge2M);
        Assert.Equal(Errno.OK, process.PinRun(At + Page, 1000, write: true, out PfnRun run));
        Assert.Equal(511ul, run.Count);
        Assert.Equal(511, _host.Physical.TotalPins);
        _host.Physical.UnpinRun(run);
        Assert.Equal(0, _host.Physical.TotalPins);
    }

    [Fact]
    public void After_the_exit_nothing_can_be_pinned_and_only_pinned_frames_remain()
    {
        ProcessMemory process = _host.ProcessWithBuffer(3);
        process.PinPage(At, write: true, out Pfn pfn);
        process.Exit();
        Assert.Equal(Errno.EFAULT, process.PinPage(At, write: false, out _));
        Assert.False(process.TryRead(At, new byte[1]));
        Assert.Equal(1, _host.Physical.AllocationsInUse);
        _host.Physical.Unpin(pfn);
        Assert.Equal(0, _host.Physical.AllocationsInUse);
    }

    [Fact]
    public void A_mapped_file_is_shared_and_ends_at_the_page_of_its_last_byte()
    {
        var file = new MemoryFile(_host.Physical, MemoryFileKind.Memfd, 0x2800);
        ProcessMemory a = _host.Process();
        ProcessMemory b = _host.Process();
        Assert.Equal(Errno.OK, a.MapFile(At, 4 * Page, file, 0, PageSetTestHost.ReadWrite, out _));
        Assert.Equal(Errno.OK, b.MapFile(At, Page, file, Page, MemoryProtection.Read, out _));
        Assert.True(a.TryWrite(At + Page, [3]));
        var bytes = new byte[1];
        Assert.True(b.TryRead(At, bytes));
        Assert.Equal(3, bytes[0]);
        Assert.True(a.TryRead(At + 0x2fff, bytes));
        Assert.False(a.TryRead(At + 0x3000, bytes));
        Assert.Equal(Errno.EFAULT, a.PinPage(At + 0x3000, write: false, out _));
    }

    [Fact]
    public void The_pieces_of_a_cut_file_mapping_keep_the_file_until_the_last_is_gone()
    {
        var file = new MemoryFile(_host.Physical, MemoryFileKind.Memfd, 4 * Page);
        ProcessMemory process = _host.Process();
        process.MapFile(At, 4 * Page, file, 0, PageSetTestHost.ReadWrite, out _);
        file.Release();
        process.Protect(At, Page, MemoryProtection.Read);
        process.Unmap(At + (2 * Page), Page);
        Assert.Equal(4, _host.Physical.AllocationsInUse);
        process.Unmap(At, 2 * Page);
        Assert.Equal(4, _host.Physical.AllocationsInUse);
        process.Unmap(At + (3 * Page), Page);
        Assert.Equal(0, _host.Physical.AllocationsInUse);
    }

    [Fact]
    public void Truncating_drops_pages_and_growing_again_reads_zeros()
    {
        var file = new MemoryFile(_host.Physical, MemoryFileKind.Memfd, 4 * Page);
        Assert.True(file.TryWrite(0x1ffe, [1, 2, 3, 4]));
        Assert.Equal(Errno.OK, file.Truncate(0x1fff));
        Assert.Equal(2, _host.Physical.AllocationsInUse);
        Assert.Equal(Errno.OK, file.Truncate(4 * Page));
        ProcessMemory process = _host.Process();
        process.MapFile(At, 4 * Page, file, 0, PageSetTestHost.ReadWrite, out _);
        var bytes = new byte[4];
        Assert.True(process.TryRead(At + 0x1ffe, bytes));
        Assert.Equal([1, 0, 0, 0], bytes);
    }

    [Fact]
    public void A_file_of_huge_pages_has_whole_huge_pages()
    {
        var file = new MemoryFile(_host.Physical, MemoryFileKind.MemfdHuge2M, 2 * ProcessMemory.HugePageSize);
        Assert.Equal(Errno.EINVAL, file.Truncate(Page));
        Assert.Equal(Errno.OK, file.Truncate(ProcessMemory.HugePageSize));
        Assert.Equal(1, _host.Physical.AllocationsInUse);
        ProcessMemory process = _host.Process();
        Assert.Equal(Errno.OK, process.MapFile(null, 1, file, 0, PageSetTestHost.ReadWrite, out ulong at));
        Assert.True(process.IsCompound(at));
        Assert.False(process.TryRead(at + ProcessMemory.HugePageSize, new byte[1]));
    }

    [Fact]
    public void A_user_is_charged_by_all_processes_up_to_the_limit_of_the_one_that_charges()
    {
        ProcessMemory small = _host.Process(limitPages: 4);
        ProcessMemory large = _host.Process(limitPages: 8);
        Assert.Equal(Errno.OK, small.Charge(AccountingMode.User, 4));
        Assert.Equal(Errno.ENOMEM, small.Charge(AccountingMode.User, 1));
        Assert.Equal(Errno.OK, large.Charge(AccountingMode.User, 4));
        Assert.Equal(Errno.ENOMEM, large.Charge(AccountingMode.User, 1));
        Assert.Equal(8, _host.User.LockedPages);
        Assert.Equal((4L, 4L), (small.PinnedVmPages, large.PinnedVmPages));
        Assert.Equal(0, small.LockedVmPages);
        small.Charge(AccountingMode.User, -4);
        Assert.Equal(4, _host.User.LockedPages);
    }

    [Fact]
    public void Mode_MM_charges_the_mm_alone()
    {
        ProcessMemory process = _host.Process(limitPages: 4);
        Assert.Equal(Errno.OK, process.Charge(AccountingMode.Mm, 4));
        Assert.Equal(Errno.ENOMEM, process.Charge(AccountingMode.Mm, 1));
        Assert.Equal((4L, 4L, 0L), (process.LockedVmPages, process.PinnedVmPages, _host.User.LockedPages));
        process.Charge(AccountingMode.Mm, -4);
        Assert.Equal((0L, 0L), (process.LockedVmPages, process.PinnedVmPages));
    }

    [Fact]
    public void An_injected_fault_fails_the_pin()
    {
        ProcessMemory process = _host.ProcessWithBuffer(2);
        process.PinFault = (address, _) => address == At + Page ? Errno.ENOMEM : Errno.OK;
        Assert.Equal(Errno.OK, process.PinPage(At, write: true, out Pfn pfn));
        Assert.Equal(Errno.ENOMEM, process.PinPage(At + Page, write: true, out _));
        _host.Physical.Unpin(pfn);
        Assert.Equal(0, _host.Physical.TotalPins);
    }

    [Fact]
    public void Pins_that_race_with_unmapping_and_mapping_again_never_reach_a_frame_that_is_free()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4);
        bool done = false;
        Parallel.For(
            0,
            3,
            worker =>
            {
                if (worker == 0)
                {
                    for (int i = 0; i < 5_000; i++)
                    {
                        ulong at = At + ((ulong)(i % 4) * Page);
                        process.Unmap(at, Page);
                        process.Map(at, Page, MemoryKind.Anonymous, PageSetTestHost.ReadWrite, false, out _);
                    }

                    Volatile.Write(ref done, true);
                    return;
                }

                for (int i = 0; !Volatile.Read(ref done) && i < 300_000; i++)
                {
                    ulong at = At + ((ulong)(i % 4) * Page);
                    if (process.PinPage(at, write: true, out Pfn pfn) == Errno.OK)
                    {
                        _host.Physical.Write(pfn, 0, [1]);
                        _host.Physical.Unpin(pfn);
                    }
                }
            }
        );
        Assert.Equal(0, _host.Physical.TotalPins);
        process.Exit();
        Assert.Equal(0, _host.Physical.AllocationsInUse);
    }

    [Fact]
    public void Mappings_and_files_are_limited_to_16_TiB()
    {
        ProcessMemory process = _host.Process();
        Errno mapped = process.Map(
            null,
            (1UL << 44) + 1,
            MemoryKind.Anonymous,
            MemoryProtection.Read,
            populate: false,
            out _
        );
        Assert.Equal(Errno.ENOMEM, mapped);
        var file = new MemoryFile(_host.Physical, MemoryFileKind.MemfdSparse, 0);
        Assert.Equal(Errno.EINVAL, file.Truncate((1UL << 44) + 1));
        Assert.Equal(Errno.OK, file.Truncate(1UL << 32));
        Assert.True(file.TryWrite((1UL << 32) - 1, [1]));
        Assert.False(file.TryWrite(1UL << 32, [1]));
        Assert.Equal(1, _host.Physical.AllocationsInUse);
    }
}
