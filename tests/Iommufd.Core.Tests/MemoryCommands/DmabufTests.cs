using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Core.Tests.MemoryCommands;

public sealed class DmabufTests : MemoryFixture
{
    private readonly uint _ioas;
    private readonly TestMockDomainFlags _device;
    private readonly uint _dirty;
    private readonly int _fd;

    public DmabufTests()
    {
        _ioas = Ioas();
        _device = Mock(_ioas);
        _dirty = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.DirtyTracking);
        Do(new HwptSetDirtyTracking { HwptId = _dirty, Flags = 1 });
        _fd = Dmabuf();
    }

    [Theory]
    [InlineData(0u, Errno.EINVAL)]
    [InlineData(0x20_0001u, Errno.EINVAL)]
    [InlineData(0x20_0000u, Errno.OK)]
    [InlineData(1u, Errno.OK)]
    public void A_buffer_has_1_to_512_pages(uint length, Errno expected) =>
        Refuses(expected, new TestDmabufGet { Length = length });

    [Fact]
    public void The_size_is_checked_before_the_revocation_and_the_revocation_before_the_IOVA()
    {
        Do(MapFileCommand(_ioas, _fd));
        Do(Revoke(1));
        Refuses(Errno.EINVAL, MapFileCommand(_ioas, _fd, length: 0x4001));
        Refuses(Errno.ENODEV, MapFileCommand(_ioas, _fd));
        Do(Revoke(0));
        Refuses(Errno.EEXIST, MapFileCommand(_ioas, _fd));
    }

    [Fact]
    public void Revoking_checks_its_descriptor()
    {
        Refuses(Errno.EBADF, Revoke(1) with { DmabufFd = 99 });
        Refuses(Errno.EINVAL, Revoke(1) with { DmabufFd = File(MemoryFileKind.Memfd, 0x1000) });
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(0u)]
    public void Revoking_either_way_clears_every_domain_and_the_area_stays(uint revoked)
    {
        Do(MapFileCommand(_ioas, _fd));
        Assert.True(IsMapped());
        Do(Revoke(revoked));
        Assert.False(IsMapped());
        Refuses(Errno.EEXIST, MapCommand(_ioas));
        Assert.Equal(
            0x4000ul,
            Do(
                new IoasUnmap
                {
                    IoasId = _ioas,
                    Iova = Iova,
                    Length = 0x4000,
                }
            ).Length
        );
    }

    [Fact]
    public void A_revoked_area_never_comes_back_and_new_domains_stay_empty_there()
    {
        Do(MapFileCommand(_ioas, _fd));
        Do(Revoke(1));
        Do(Revoke(0));
        var late = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.DirtyTracking);
        Assert.False(IsMapped());
        Do(MapFileCommand(_ioas, _fd, iova: Iova * 2));
        Do(new Destroy { Id = late });
        CheckInvariants();
    }

    [Fact]
    public void An_access_to_it_is_EINVAL_and_a_copy_shares_it()
    {
        Do(MapFileCommand(_ioas, _fd));
        var access = Do(new CreateAccess(_ioas, NeedsPinPages: true)).OutAccessId;
        Refuses(Errno.EINVAL, new PinAccessPages(access, Iova, 0x1000, Write: false));
        Refuses(Errno.EINVAL, new ReadWriteAccess(access, Iova, new byte[4], Write: false));
        Do(new DestroyAccess(access));
        Do(
            new IoasCopy
            {
                Flags = FixedReadWrite,
                DstIoasId = _ioas,
                SrcIoasId = _ioas,
                Length = 0x2000,
                DstIova = Iova * 2,
                SrcIova = Iova,
            }
        );
        Do(Revoke(1));
        CheckInvariants();
    }

    private TestDmabufRevoke Revoke(uint revoked) => new() { DmabufFd = _fd, Revoked = revoked };

    [Theory]
    [InlineData(1u)]
    [InlineData(0u)]
    public void Another_context_that_imported_it_loses_it_at_the_same_time_and_journals_that(uint revoked)
    {
        Do(MapFileCommand(_ioas, _fd));
        var other = new SequentialContext(Machine, 2);
        Assert.Equal(Errno.OK, other.Execute(Client, new IoasAlloc()).Errno);
        Assert.Equal(Errno.OK, other.Execute(Client, new TestMockDomain { PtId = 1 }).Errno);
        Assert.Equal(Errno.OK, other.Execute(Client, MapFileCommand(1, _fd)).Errno);
        Assert.Contains(Lines(), l => l.Contains("pfn:", StringComparison.Ordinal));

        Do(Revoke(revoked));
        Assert.DoesNotContain(Lines(), l => l.Contains("pfn:", StringComparison.Ordinal));
        Assert.Equal(revoked != 0, Assert.IsType<DmabufRevoked>(other.Events[^1]).Revoked);
        Assert.Equal(
            revoked != 0 ? Errno.ENODEV : Errno.OK,
            other.Execute(Client, MapFileCommand(1, _fd, iova: 2 * Iova)).Errno
        );
        var check = (CheckContextFlow)other.Run(new CheckContextFlow(other.Core, Client));
        Assert.Empty(check.Broken);
        Assert.Equal(0, other.Close(Client));

        // One that is closed is not asked.
        Do(Revoke(1));

        IReadOnlyList<string> Lines() =>
            ((DescribeContextFlow)other.Run(new DescribeContextFlow(other.Core, Client, withText: true))).Lines;
    }

    // Only a mapped page keeps a dirty mark.
    private bool IsMapped()
    {
        Client.Memory.TryWrite(Scratch, new byte[] { 1, 0, 0, 0 });
        Do(
            new TestDirty
            {
                HwptId = _dirty,
                Iova = Iova,
                Length = 0x800,
                PageSize = 0x800,
                Uptr = Scratch,
            }
        );
        Client.Memory.TryWrite(Scratch, new byte[8]);
        Do(
            new HwptGetDirtyBitmap
            {
                HwptId = _dirty,
                Iova = Iova,
                Length = 0x4000,
                PageSize = 0x800,
                Data = Scratch,
            }
        );
        return Bytes(Scratch, 1)[0] != 0;
    }
}
