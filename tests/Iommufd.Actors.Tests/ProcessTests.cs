using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Dma;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Actors.Tests;

/// <summary>Processes: their files, forks, limits, and ends, seen through mappings and devices.</summary>
public sealed class ProcessTests : HostFixture
{
    private const ulong Iova = 0x100000;
    private const ulong FileAt = 0x20_0000_0000;
    private const MemoryProtection ReadWrite = MemoryProtection.Read | MemoryProtection.Write;

    [Fact]
    public void A_file_is_mapped_into_a_process_and_through_MAP_FILE_to_a_device_that_outlives_the_process()
    {
        var ioas = StartWithNic();
        var mapped = Tell<MemoryMapped>(Memory, new MapMemory(FileAt, 0x4000, MemoryKind.File, ReadWrite));
        Assert.Equal(Errno.OK, mapped.Errno);
        Ok(MapFile(ioas, mapped.Fd));
        Assert.Equal(4, Host.State.Physical.TotalPins);
        Assert.Equal(Errno.OK, Tell<HostResult>(Memory, new EndProcess()).Errno);
        Assert.Equal(0ul, Dma(Iova).Faults);
        CloseAndCheck();
    }

    [Fact]
    public void Memory_that_goes_away_stays_with_the_device_and_cannot_be_mapped_again()
    {
        var ioas = StartWithNic();
        var file = Tell<FileOpened>(Memory, new MakeFile(MemoryFileKind.Memfd, 0x4000)).Descriptor;
        Ok(MapFile(ioas, file));
        Ok(MapAt(ioas, 2 * Iova));
        Assert.Equal(Errno.OK, Tell<HostResult>(Memory, new TruncateFile(file, 0)).Errno);
        Assert.Equal(Errno.OK, Tell<HostResult>(Memory, new UnmapMemory(Buffer, 0x4000)).Errno);
        Assert.Equal(8, Host.State.Physical.TotalPins);
        Assert.Equal(0ul, Dma(Iova).Violations);
        Assert.Equal(Errno.EINVAL, Call(MapFile(ioas, file) with { Iova = 3 * Iova }).Errno);
        Assert.Equal(Errno.EFAULT, Call(MapAt(ioas, 3 * Iova)).Errno);
        CloseAndCheck();
    }

    [Fact]
    public void A_forked_child_maps_its_own_copy_through_the_parents_descriptor_and_may_end()
    {
        var ioas = StartWithNic();
        Ok(MapAt(ioas, Iova));
        var child = Tell<ProcessStarted>(Host.Machine, new ForkProcess((uint)ProcessId, "child"));
        var childMemory = Host.State.Process((uint)child.ProcessId).Memory;
        Assert.Equal(Errno.OK, CallAs(child.ProcessId, MapAt(ioas, 2 * Iova)).Errno);
        Assert.Equal((4L, 4L), (Host.State.Process((uint)ProcessId).Memory.PinnedVmPages, childMemory.PinnedVmPages));
        var check = new TestMdCheckMap
        {
            HwptId = Hwpt,
            Iova = 2 * Iova,
            Length = 0x4000,
            Uptr = Buffer,
        };
        Assert.Equal(Errno.OK, CallAs(child.ProcessId, check).Errno);
        Assert.Equal(Errno.EINVAL, Call(check).Errno);
        Tell<HostResult>(child.Memory, new EndProcess());
        Assert.Equal(8, Host.State.Physical.TotalPins);
        Assert.Equal(0ul, Dma(Iova).Violations);
        CloseAndCheck();
    }

    [Fact]
    public void What_a_child_mapped_and_nobody_pinned_is_gone_with_it()
    {
        Start();
        var ioas = AllocIoas();
        var child = Tell<ProcessStarted>(Host.Machine, new ForkProcess((uint)ProcessId, "child"));
        Assert.Equal(Errno.OK, CallAs(child.ProcessId, MapAt(ioas, Iova)).Errno);
        Tell<HostResult>(child.Memory, new EndProcess());
        Assert.Equal(Errno.EFAULT, Call(new AttachDevice(Bind("nic"), ioas)).Errno);
        CloseAndCheck();
    }

    [Fact]
    public void A_limit_that_changes_counts_for_what_is_mapped_from_then_on()
    {
        var ioas = StartWithNic();
        Ok(MapAt(ioas, Iova));
        Tell<HostResult>(Memory, new ChangeLimits(RlimitMemlock: 0x4000, CapIpcLock: false));
        Ok(MapAt(ioas, 2 * Iova));
        Assert.Equal(4, Host.State.User.LockedPages);
        Assert.Equal(Errno.ENOMEM, Call(MapAt(ioas, 3 * Iova, length: 0x1000)).Errno);
        Tell<HostResult>(Memory, new ChangeLimits(CapIpcLock: true));
        Ok(MapAt(ioas, 3 * Iova));
        Assert.Equal(
            (4L, 12L),
            (Host.State.User.LockedPages, Host.State.Process((uint)ProcessId).Memory.PinnedVmPages)
        );
        CloseAndCheck();
    }

    [Fact]
    public void An_iommufd_opened_as_container_charges_the_process_and_not_the_user()
    {
        Start();
        Tell<HostResult>(Memory, new ChangeLimits(RlimitMemlock: 0x4000, CapIpcLock: false));
        Reopen(asContainer: true);
        var ioas = AllocIoas();
        Ok(new AttachDevice(Bind("nic"), ioas));
        Ok(MapAt(ioas, Iova));
        var memory = Host.State.Process((uint)ProcessId).Memory;
        Assert.Equal((0L, 4L), (Host.State.User.LockedPages, memory.LockedVmPages));
        Assert.Equal(Errno.ENOMEM, Call(MapAt(ioas, 2 * Iova, length: 0x1000)).Errno);
        var mode = (Option)Call(new Option { Op = OptionOp.Get }).WriteBack!;
        Assert.Equal(1ul, mode.Val64);
        CloseAndCheck();
    }

    [Fact]
    public void Only_pages_that_allow_it_are_pinned()
    {
        var ioas = StartWithNic();
        Tell<HostResult>(Memory, new ProtectMemory(Buffer, 0x2000, MemoryProtection.Read));
        Assert.Equal(Errno.EFAULT, Call(MapAt(ioas, Iova)).Errno);
        Ok(MapAt(ioas, Iova) with { Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable });
        Tell<HostResult>(Memory, new UnmapMemory(Buffer + 0x5000, 0x1000));
        Assert.Equal(Errno.EFAULT, Call(MapAt(ioas, 2 * Iova, offset: 0x4000)).Errno);
        Assert.Equal(4, Host.State.Physical.TotalPins);
        CloseAndCheck();
    }

    [Fact]
    public void Huge_pages_become_one_entry_and_are_pinned_frame_by_frame()
    {
        var ioas = StartWithNic();
        var huge = Tell<MemoryMapped>(Memory, new MapMemory(1ul << 40, 2 << 20, MemoryKind.Huge2M, ReadWrite)).Address;
        Ok(MapAt(ioas, 0x20_0000, length: 2 << 20) with { UserVa = huge });
        Assert.Equal(512, Host.State.Physical.TotalPins);
        Ok(MapAt(ioas, 0x40_0000, length: 0x1000) with { UserVa = huge + 0x1000 });
        Assert.Equal(513, Host.State.Physical.TotalPins);
        CloseAndCheck();
    }

    private uint Hwpt { get; set; }

    private uint StartWithNic()
    {
        Start();
        var ioas = AllocIoas();
        Hwpt = Ok(new AttachDevice(Bind("nic"), ioas)).PtId;
        return ioas;
    }

    private static IoasMapFile MapFile(uint ioas, int fd) =>
        new()
        {
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            IoasId = ioas,
            Fd = fd,
            Length = 0x4000,
            Iova = Iova,
        };
}
