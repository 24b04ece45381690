using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

public sealed class HwQueueTests : ObjectsFixture
{
    private readonly uint _ioas;
    private readonly TestMockDomainFlags _device;
    private readonly uint _viommu;

    public HwQueueTests()
    {
        _ioas = Ioas();
        _device = Mock(_ioas);
        _viommu = Viommu(_device.OutIdevId, Paging(_device.OutIdevId, _ioas, HwptAllocFlags.NestParent));
    }

    private HwQueueAlloc Good =>
        new()
        {
            ViommuId = _viommu,
            Type = HwQueueType.Selftest,
            NestingParentIova = Iova,
            Length = HostPage.Size,
        };

    [Fact]
    public void Allocation_refuses_in_the_kernels_order()
    {
        Map(Huge, Iova, 16 * HostPage.Size);
        Refuses(Errno.EOPNOTSUPP, Good with { Flags = 1, Length = 0 });
        Refuses(Errno.EOPNOTSUPP, Good with { Type = HwQueueType.Default, Length = 0 });
        Refuses(Errno.EINVAL, Good with { Length = 0, NestingParentIova = ulong.MaxValue });
        Refuses(Errno.EOVERFLOW, Good with { NestingParentIova = ulong.MaxValue, Length = 2, ViommuId = 99 });
        Refuses(Errno.ENOENT, Good with { ViommuId = 99, Type = 1 });
        Refuses(Errno.EOPNOTSUPP, Good with { Type = 1, Length = 1ul << 40 });
        Refuses(Errno.ERANGE, Good with { NestingParentIova = 1, Length = ulong.MaxValue - 1 });
        Refuses(Errno.ENOMEM, Good with { Length = (2ul << 30) + 1, NestingParentIova = 0 });
        Refuses(
            Errno.ENOENT,
            Good with
            {
                NestingParentIova = Iova + (15 * HostPage.Size),
                Length = 2 * HostPage.Size,
            }
        );
        Refuses(Errno.EINVAL, Good with { Index = 2 });
        Refuses(Errno.EIO, Good with { Index = 1 });
        CheckInvariants();
    }

    [Fact]
    public void Pages_are_looked_at_before_the_number() => Refuses(Errno.ENOENT, Good with { Index = 2 });

    [Fact]
    public void Pages_that_do_not_follow_each_other_are_EFAULT()
    {
        Map(Buffer, Iova, 4 * HostPage.Size);
        Refuses(Errno.EFAULT, Good with { Length = 2 * HostPage.Size });
        Do(Good);
    }

    [Fact]
    public void Memory_that_cannot_be_read_is_EPERM()
    {
        Map(Buffer, Iova, HostPage.Size, IoasMapFlags.Writeable);
        Refuses(Errno.EPERM, Good);
    }

    [Fact]
    public void Areas_that_are_not_page_aligned_anywhere_are_EADDRINUSE()
    {
        Map(Buffer, Iova, HostPage.Size);
        Map(Buffer + 0x800, Iova + 0x10_0800, 0x800);
        Refuses(Errno.EADDRINUSE, Good);
    }

    [Fact]
    public void It_takes_two_ids_and_the_second_cannot_be_destroyed()
    {
        Map(Huge, Iova, HostPage.Size);
        var queue = Do(Good).OutHwQueueId;
        Refuses(Errno.EBUSY, new Destroy { Id = queue + 1 });
        Refuses(Errno.EBUSY, new Destroy { Id = _viommu });
        CheckInvariants();
        Destroy(queue);
        Refuses(Errno.ENOENT, new Destroy { Id = queue + 1 });
        Destroy(_viommu);
    }

    [Fact]
    public void It_locks_the_areas_it_covers_and_no_others()
    {
        Map(Huge, Iova, HostPage.Size);
        Map(Huge + HostPage.Size, Iova + HostPage.Size, HostPage.Size);
        Map(Buffer, Iova + (16 * HostPage.Size), HostPage.Size);
        var queue = Do(Good with { NestingParentIova = Iova + 8, Length = HostPage.Size }).OutHwQueueId;
        Refuses(Errno.EBUSY, Unmap(Iova, HostPage.Size));
        Refuses(Errno.EBUSY, Unmap(Iova + HostPage.Size, HostPage.Size));
        Do(Unmap(Iova + (16 * HostPage.Size), HostPage.Size));
        Destroy(queue);
        Do(Unmap(Iova, 2 * HostPage.Size));
    }

    [Fact]
    public void Unmapping_everything_stops_at_a_locked_area()
    {
        Map(Buffer, Iova, HostPage.Size);
        Map(Huge, Iova + (16 * HostPage.Size), HostPage.Size);
        Do(Good with { NestingParentIova = Iova + (16 * HostPage.Size) });
        Refuses(Errno.EBUSY, Unmap(0, ulong.MaxValue));
        Refuses(Errno.ENOENT, Unmap(Iova, HostPage.Size));
    }

    [Fact]
    public void Its_pages_are_pinned_once_with_the_domains()
    {
        Map(Huge, Iova, HostPage.Size);
        var before = Machine.Physical.TotalPins;
        var queue = Do(Good).OutHwQueueId;
        Assert.Equal(before, Machine.Physical.TotalPins);
        Destroy(queue);
        Assert.Equal(before, Machine.Physical.TotalPins);
    }

    [Fact]
    public void The_first_queue_must_outlive_the_second()
    {
        Map(Huge, Iova, HostPage.Size);
        var first = Do(Good).OutHwQueueId;
        var second = Do(Good with { Index = 1 }).OutHwQueueId;
        Refuses(Errno.EEXIST, Good);
        Refuses(Errno.EEXIST, Good with { Index = 1 });
        Refuses(Errno.EBUSY, new Destroy { Id = first });
        CheckInvariants();
        Destroy(second);
        Destroy(first);
    }

    [Fact]
    public void The_mock_frees_number_zero_whichever_queue_goes_and_number_one_never()
    {
        Map(Huge, Iova, HostPage.Size);
        var first = Do(Good).OutHwQueueId;
        Destroy(Do(Good with { Index = 1 }).OutHwQueueId);
        var third = Do(Good).OutHwQueueId;
        Refuses(Errno.EEXIST, Good with { Index = 1 });
        Destroy(first);
        Destroy(third);
        Refuses(Errno.EEXIST, Good with { Index = 1 });
    }

    [Fact]
    public void Closing_with_a_queue_leaves_nothing_pinned()
    {
        Map(Huge, Iova, HostPage.Size);
        Do(Good);
        Do(Good with { Index = 1 });
    }

    private void Map(
        ulong address,
        ulong iova,
        ulong length,
        IoasMapFlags access = IoasMapFlags.Readable | IoasMapFlags.Writeable
    ) =>
        Do(
            new IoasMap
            {
                IoasId = _ioas,
                Flags = IoasMapFlags.FixedIova | access,
                UserVa = address,
                Length = length,
                Iova = iova,
            }
        );

    private IoasUnmap Unmap(ulong iova, ulong length) =>
        new()
        {
            IoasId = _ioas,
            Iova = iova,
            Length = length,
        };
}
