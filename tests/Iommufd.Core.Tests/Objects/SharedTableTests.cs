using Iommufd.Core.Context;
using Iommufd.Core.PageTables;
using Iommufd.Core.Sharing;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

/// <summary>A virtual machine's table: filled when touched, emptied before a page goes, walked by devices, pinning nothing.</summary>
public sealed class SharedTableTests : ObjectsFixture
{
    private const ulong Page = HostPage.Size;
    private const ulong At = 0x8000_0000;
    private readonly SharedTable _table;
    private readonly int _fd;

    public SharedTableTests()
    {
        Assert.Equal(Errno.OK, Machine.AddIommu(new IommuSpec(0, "amd-v1", new IovaRange(0, (1ul << 48) - 1))));
        Assert.Equal(
            Errno.OK,
            Machine.AddDevice(new DeviceSpec("nic", 1, 0, [new IovaRange(0xfee0_0000, 0xfeef_ffff)]))
        );
        _table = new SharedTable(Client.Memory, IoPageTableFormat.AmdV1);
        Assert.Equal(Errno.OK, _table.AddSlot(new GuestSlot(At, Buffer, 16 * Page, Writable: true)));
        _fd = Client.Descriptors.Open(new GuestDescriptor(_table));
    }

    [Fact]
    public void Nothing_is_there_until_it_is_touched_and_nothing_is_pinned()
    {
        Assert.False(_table.Table.TryTranslate(At, out ulong _));
        Assert.Equal(Errno.OK, _table.Fill(At + Page, Page, write: false));
        Assert.True(_table.Table.TryTranslate(At + Page, out IopteTranslation found));
        Assert.True(Client.Memory.TryGetPfn(Buffer + Page, out var pfn) && pfn == found.Pfn);
        Assert.Equal((0L, 1), (Machine.Physical.TotalPins, Machine.Physical.LentFrames));
        Assert.True(Machine.PinOracle.IsPinned(pfn));
    }

    [Theory]
    [InlineData(At - Page, false, Errno.EFAULT)]
    [InlineData(At + (16 * Page), false, Errno.EFAULT)]
    [InlineData(ulong.MaxValue, false, Errno.EOVERFLOW)]
    public void What_the_guest_does_not_have_is_a_fault(ulong guest, bool write, Errno errno) =>
        Assert.Equal(errno, _table.Fill(guest, Page, write));

    [Fact]
    public void The_process_decides_what_may_be_written()
    {
        Client.Memory.Protect(Buffer, Page, MemoryProtection.Read);
        Assert.Equal(Errno.EFAULT, _table.Fill(At, Page, write: true));
        Assert.Equal(Errno.OK, _table.Fill(At, Page, write: false));
        Assert.True(_table.Table.TryTranslate(At, out IopteTranslation readOnly));
        Assert.Equal(IoptePermissions.Read, readOnly.Permissions);
        Client.Memory.Protect(Buffer, Page, MemoryProtection.Read | MemoryProtection.Write);
        Assert.False(_table.Table.TryTranslate(At, out ulong _));
        Assert.Equal(Errno.OK, _table.Fill(At, Page, write: true));
    }

    [Fact]
    public void A_page_that_goes_takes_its_entry_with_it_and_comes_back_as_another_one()
    {
        _table.Fill(At, 2 * Page, write: true);
        Client.Memory.TryWrite(Buffer, [9]);
        Assert.Equal(Errno.OK, Client.Memory.Discard(Buffer, Page));
        Assert.False(_table.Table.TryTranslate(At, out ulong _));
        Assert.True(_table.Table.TryTranslate(At + Page, out ulong _));
        Assert.Equal(1, Machine.Physical.LentFrames);
        Assert.Equal(Errno.OK, _table.Fill(At, Page, write: true));
        Assert.Equal(0u, Words(Buffer, 1)[0] & 0xff);
        Client.Memory.Unmap(Buffer, Page);
        Assert.Equal(Errno.EFAULT, _table.Fill(At, Page, write: true));
    }

    [Fact]
    public void Between_begin_and_end_nothing_is_filled_in_and_the_frame_stays_lent_until_it_is_forgotten()
    {
        _table.Fill(At, Page, write: true);
        var begun = Assert.Single(_table.Begin(Buffer, Buffer + Page - 1));
        Assert.Equal(new IovaRange(At, At + Page - 1), begun.Range);
        Assert.Equal(Errno.EAGAIN, _table.Fill(At, Page, write: true));
        Assert.Equal(Errno.OK, _table.Fill(At + Page, Page, write: true));
        Assert.Equal(2, Machine.Physical.LentFrames);
        _table.Forgotten(begun);
        Assert.Equal(1, Machine.Physical.LentFrames);
        Assert.Equal(Errno.EAGAIN, _table.Fill(At, Page, write: true));
        _table.End(begun);
        Assert.Equal(Errno.OK, _table.Fill(At, Page, write: true));
    }

    [Fact]
    public void Slots_are_whole_pages_that_do_not_overlap()
    {
        Assert.Equal(Errno.EEXIST, _table.AddSlot(new GuestSlot(At + (15 * Page), Buffer, Page, true)));
        Assert.Equal(Errno.EINVAL, _table.AddSlot(new GuestSlot(0, Buffer + 1, Page, true)));
        Assert.Equal(Errno.EINVAL, _table.AddSlot(new GuestSlot(0, Buffer, 0, true)));
        Assert.Equal(Errno.EINVAL, _table.AddSlot(new GuestSlot(ulong.MaxValue - 0xfff, Buffer, 2 * Page, true)));
        Assert.Null(_table.BeginRemove(At + Page));
        _table.End(_table.BeginRemove(At)!);
        Assert.Equal(Errno.EFAULT, _table.Fill(At, Page, write: false));
    }

    [Fact]
    public void A_shared_files_pages_are_refused_and_a_private_mappings_are_not()
    {
        var file = Machine.CreateFile(Core.Pages.MemoryFileKind.Memfd, Page);
        const MemoryProtection readWrite = MemoryProtection.Read | MemoryProtection.Write;
        Client.Memory.MapFile(Nowhere, Page, file, 0, readWrite, out _);
        _table.AddSlot(new GuestSlot(0, Nowhere, Page, true));
        Assert.Equal(Errno.EFAULT, _table.Fill(0, Page, write: false));
        Client.Memory.MapFile(Nowhere, Page, file, 0, readWrite, out _, isPrivate: true);
        Assert.Equal(Errno.OK, _table.Fill(0, Page, write: false));
    }

    [Fact]
    public void A_HWPT_of_the_table_is_attached_replaced_and_destroyed_like_any_other()
    {
        var device = Do(new BindDevice("nic")).OutDeviceId;
        var hwpt = Do(new AllocateSharedHwpt(device, _fd)).OutHwptId;
        Assert.Equal(new SharedHwptAllocated(hwpt, device, 0, (uint)IoPageTableFormat.AmdV1), Context.Events[^1]);
        Do(new AttachDevice(device, hwpt));
        Refuses(Errno.EBUSY, new Destroy { Id = hwpt });
        Assert.Equal(["nic"], _table.Devices);

        // The device's reserved region is kept free of guest memory.
        Assert.Equal(Errno.EADDRINUSE, _table.AddSlot(new GuestSlot(0xfee0_0000, Buffer, Page, true)));
        var ioas = Ioas();
        Do(new ReplaceDevice(device, ioas));
        Assert.Empty(_table.Devices);
        Assert.Equal(Errno.OK, _table.AddSlot(new GuestSlot(0xfee0_0000, Buffer, Page, true)));
        Refuses(Errno.EADDRINUSE, new ReplaceDevice(device, hwpt));
        Destroy(hwpt);
        Do(new DetachDevice(device));
    }

    [Fact]
    public void The_table_outlives_its_descriptor_while_a_HWPT_uses_it_and_the_end_of_the_process_empties_it()
    {
        var device = Do(new BindDevice("nic")).OutDeviceId;
        var hwpt = Do(new AllocateSharedHwpt(device, _fd)).OutHwptId;
        Client.Descriptors.Close(_fd)!.Release();
        Assert.Equal(Errno.OK, _table.Fill(At, Page, write: true));
        Client.Memory.Exit();
        Assert.Equal(0, Machine.Physical.LentFrames);
        Assert.Equal(Errno.EFAULT, _table.Fill(At, Page, write: true));
        Destroy(hwpt);
    }
}
