using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class ForkTests
{
    private const ulong At = PageSetTestHost.BufferAddress;
    private const ulong Page = HostPage.Size;
    private const MemoryProtection ReadWrite = MemoryProtection.Read | MemoryProtection.Write;
    private readonly PageSetTestHost _host = new();

    [Fact]
    public void A_child_has_the_parents_bytes_and_neither_sees_what_the_other_writes_then()
    {
        ProcessMemory parent = _host.ProcessWithBuffer(2);
        parent.TryWrite(At, [1]);
        ProcessMemory child = Fork(parent);
        Assert.Equal(1, ByteAt(child, At));
        parent.TryWrite(At, [2]);
        child.TryWrite(At + Page, [3]);
        Assert.Equal(
            (2, 0, 1, 3),
            (ByteAt(parent, At), ByteAt(parent, At + Page), ByteAt(child, At), ByteAt(child, At + Page))
        );
        End(parent, child);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_pinned_frame_stays_with_the_parent(bool write)
    {
        ProcessMemory parent = _host.ProcessWithBuffer(1);
        parent.TryWrite(At, [7]);
        parent.PinPage(At, write, out Pfn pinned);
        ProcessMemory child = Fork(parent);
        Assert.True(parent.TryGetPfn(At, out Pfn still) && child.TryGetPfn(At, out Pfn other) && other != pinned);
        Assert.Equal(pinned, still);
        Assert.Equal(1, _host.Physical.TotalPins);
        parent.TryWrite(At, [8]);
        Assert.Equal((8, 7), (Frame(pinned), ByteAt(child, At)));
        _host.Physical.Unpin(pinned);
        End(parent, child);
    }

    [Fact]
    public void Files_stay_shared_and_absent_pages_stay_absent()
    {
        ProcessMemory parent = _host.Process();
        var file = new MemoryFile(_host.Physical, MemoryFileKind.MemfdSparse, 2 * Page);
        parent.MapFile(At, 2 * Page, file, 0, ReadWrite, out _);
        ProcessMemory child = Fork(parent);
        Assert.Equal(0, _host.Physical.AllocationsInUse);
        child.TryWrite(At, [5]);
        Assert.Equal(5, ByteAt(parent, At));
        file.Release();
        End(parent, child);
    }

    [Fact]
    public void A_huge_page_is_copied_whole()
    {
        ProcessMemory parent = _host.Process();
        parent.Map(1ul << 40, 2ul << 20, MemoryKind.Huge2M, ReadWrite, populate: true, out ulong at);
        parent.TryWrite(at + 0x10_0000, [9]);
        ProcessMemory child = Fork(parent);
        Assert.True(child.IsCompound(at));
        Assert.Equal(9, ByteAt(child, at + 0x10_0000));
        End(parent, child);
    }

    [Fact]
    public void Pinning_a_private_mapping_of_a_file_for_reading_unshares_the_page_so_that_later_writes_are_seen()
    {
        ProcessMemory process = _host.Process();
        var file = new MemoryFile(_host.Physical, MemoryFileKind.Memfd, Page);
        file.TryWrite(0, [4, 4]);
        process.MapFile(At, Page, file, 0, ReadWrite, out _, isPrivate: true);
        Assert.Equal(4, ByteAt(process, At));
        Assert.Equal(Errno.OK, process.PinPage(At, write: false, out Pfn pinned));
        process.TryWrite(At, [6]);
        Assert.Equal(6, Frame(pinned));
        Assert.Equal(4, ByteAt(process, At + 1));
        Assert.True(process.TryGetPfn(At, out Pfn seen) && seen == pinned);
        ProcessMemory other = _host.Process();
        other.MapFile(At, Page, file, 0, ReadWrite, out _);
        Assert.Equal(4, ByteAt(other, At));
        _host.Physical.Unpin(pinned);
        file.Release();
        End(process, other);
    }

    [Fact]
    public void A_child_of_a_private_mapping_has_the_parents_pages_and_the_files_where_there_are_none()
    {
        ProcessMemory parent = _host.Process();
        var file = new MemoryFile(_host.Physical, MemoryFileKind.Memfd, 2 * Page);
        parent.MapFile(At, 2 * Page, file, 0, ReadWrite, out _, isPrivate: true);
        parent.TryWrite(At, [1]);
        file.TryWrite(Page, [2]);
        ProcessMemory child = Fork(parent);
        Assert.Equal((1, 2), (ByteAt(child, At), ByteAt(child, At + Page)));
        Assert.Equal(Errno.OK, child.Unmap(At, Page));
        file.Release();
        End(parent, child);
    }

    private ProcessMemory Fork(ProcessMemory parent)
    {
        ProcessMemory child = _host.Process();
        parent.ForkInto(child);
        return child;
    }

    private static int ByteAt(ProcessMemory process, ulong address)
    {
        var read = new byte[1];
        Assert.True(process.TryRead(address, read));
        return read[0];
    }

    private int Frame(Pfn pfn)
    {
        var read = new byte[1];
        _host.Physical.Read(pfn, 0, read);
        return read[0];
    }

    private void End(params ReadOnlySpan<ProcessMemory> processes)
    {
        foreach (ProcessMemory process in processes)
        {
            process.Exit();
        }

        Assert.Equal(0, _host.Physical.AllocationsInUse);
    }
}
