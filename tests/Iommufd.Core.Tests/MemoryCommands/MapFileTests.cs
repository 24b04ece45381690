using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Core.Tests.MemoryCommands;

public sealed class MapFileTests : MemoryFixture
{
    private readonly uint _ioas;
    private readonly int _fd;

    public MapFileTests()
    {
        _ioas = Ioas();
        _fd = File(MemoryFileKind.Memfd, 0x8000);
    }

    private IoasMapFile Good => MapFileCommand(_ioas, _fd);

    [Fact]
    public void Errors_come_in_the_kernels_order()
    {
        var all = Good with { Flags = (IoasMapFlags)8, Iova = ulong.MaxValue, IoasId = 99, Length = 0, Fd = -1 };
        Refuses(Errno.EOPNOTSUPP, all);
        all = all with { Flags = IoasMapFlags.FixedIova };
        Refuses(Errno.EOVERFLOW, all);
        Refuses(Errno.EOVERFLOW, all with { Iova = 0, Length = ulong.MaxValue });
        all = all with { Iova = Iova + 1 };
        Refuses(Errno.EINVAL, all);
        all = all with { Flags = FixedReadWrite };
        Refuses(Errno.ENOENT, all);
        all = all with { IoasId = _ioas };
        Refuses(Errno.EINVAL, all);
        Refuses(Errno.EOVERFLOW, all with { Start = ulong.MaxValue, Length = 2 });
        all = all with { Length = 0x1000 };
        Refuses(Errno.EBADF, all);
        Mock(_ioas);
        Refuses(Errno.EINVAL, all with { Fd = _fd });
    }

    [Fact]
    public void Without_a_domain_any_descriptor_can_be_mapped_and_the_attach_meets_the_error()
    {
        var eventFd = File(MemoryFileKind.NotMemory, 0);
        Do(Good with { Fd = eventFd });
        Refuses(Errno.EINVAL, new TestMockDomain { PtId = _ioas });
        Do(new IoasUnmap { IoasId = _ioas, Length = ulong.MaxValue });
        Mock(_ioas);
        Refuses(Errno.EINVAL, Good with { Fd = eventFd });
    }

    [Fact]
    public void Pages_beyond_the_end_of_the_file_are_EINVAL_when_they_are_pinned()
    {
        Mock(_ioas);
        Refuses(Errno.EINVAL, Good with { Start = 0x5000 });
        Do(Good with { Start = 0x4000 });
    }

    [Fact]
    public void A_file_may_be_closed_and_truncated_while_its_pages_are_pinned()
    {
        Mock(_ioas);
        Assert.True(FileOf(_fd).TryWrite(0, [1, 2, 3, 4]));
        Do(Good);
        FileOf(_fd).Truncate(0);
        CloseFd(_fd);
        var access = Do(new CreateAccess(_ioas, NeedsPinPages: true)).OutAccessId;
        var read = Do(new ReadWriteAccess(access, Iova, new byte[4], Write: false));
        Assert.Equal([1, 2, 3, 4], read.Data);
        Do(new DestroyAccess(access));
    }

    [Fact]
    public void The_file_goes_with_its_last_area()
    {
        var inUse = Machine.Physical.AllocationsInUse;
        var fd = File(MemoryFileKind.Memfd, 0x4000);
        Do(MapFileCommand(_ioas, fd));
        Do(
            new IoasCopy
            {
                Flags = FixedReadWrite,
                DstIoasId = _ioas,
                SrcIoasId = _ioas,
                Length = 0x1000,
                DstIova = Iova * 2,
                SrcIova = Iova,
            }
        );
        CloseFd(fd);
        Do(
            new IoasUnmap
            {
                IoasId = _ioas,
                Iova = Iova,
                Length = 0x4000,
            }
        );
        Assert.True(Machine.Physical.AllocationsInUse > inUse);
        Do(new IoasUnmap { IoasId = _ioas, Length = ulong.MaxValue });
        Assert.Equal(inUse, Machine.Physical.AllocationsInUse);
    }

    [Fact]
    public void The_start_decides_the_alignment_of_an_automatic_IOVA()
    {
        var command = Good with { Flags = IoasMapFlags.Readable, Start = 0x1000, Length = 0x2000 };
        Assert.Equal(0x1000ul, Do(command).Iova);
        Assert.Equal(0x4000ul, Do(command with { Start = 0 }).Iova);
    }

    [Fact]
    public void The_event_names_the_file_the_page_set_and_the_frames()
    {
        Mock(_ioas);
        Do(Good with { Start = 0x1000, Length = 0x1000 });
        var mapped = Assert.IsType<FileMapped>(Context.Events[^1]);
        Assert.Equal((FileOf(_fd).Number, 0ul, 0x8000ul), (mapped.FileNumber, (ulong)mapped.FileKind, mapped.FileSize));
        Assert.Equal(4, mapped.Pinned.Length);
        Assert.Equal(mapped.PageSet, mapped.Pinned[0]);
    }
}
