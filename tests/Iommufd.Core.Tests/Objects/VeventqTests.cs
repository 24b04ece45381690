using FsCheck;
using FsCheck.Fluent;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

public sealed class VeventqTests : ObjectsFixture
{
    private const ulong EventSize = 12;
    private readonly uint _ioas;
    private readonly TestMockDomainFlags _device;
    private readonly uint _parent;
    private readonly uint _viommu;
    private readonly uint _queue;
    private uint _vdevice;
    private uint _nested;

    public VeventqTests()
    {
        _ioas = Ioas();
        _device = Mock(_ioas);
        _parent = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.NestParent);
        _viommu = Viommu(_device.OutIdevId, _parent);
        _queue = Do(Good).OutVeventqId;
    }

    private VeventqAlloc Good =>
        new()
        {
            ViommuId = _viommu,
            Type = VeventqType.Selftest,
            VeventqDepth = 2,
        };

    [Fact]
    public void Allocation_refuses_in_the_kernels_order()
    {
        Refuses(Errno.EOPNOTSUPP, Good with { Flags = 1, VeventqDepth = 0 });
        Refuses(Errno.EOPNOTSUPP, Good with { Reserved = 1, VeventqDepth = 0 });
        Refuses(Errno.EOPNOTSUPP, Good with { Type = VeventqType.Default, VeventqDepth = 0 });
        Refuses(Errno.EINVAL, Good with { VeventqDepth = 0, ViommuId = 99 });
        Refuses(Errno.EINVAL, Good with { VeventqDepth = (1 << 19) + 1, ViommuId = 99 });
        Refuses(Errno.ENOENT, Good with { ViommuId = _parent });
        Refuses(Errno.EEXIST, Good);
        Do(Good with { Type = VeventqType.ArmSmmuV3, VeventqDepth = 1 << 19 });
    }

    [Fact]
    public void It_goes_when_its_descriptor_is_closed_and_lets_its_vIOMMU_go()
    {
        Refuses(Errno.EBUSY, new Destroy { Id = _queue });
        Do(new CloseVeventq(_queue));
        Refuses(Errno.EBUSY, new Destroy { Id = _viommu });
        Destroy(_queue);
        Destroy(_viommu);
    }

    [Fact]
    public void An_event_needs_a_device_attached_through_the_vIOMMU()
    {
        Refuses(Errno.ENOENT, Trigger with { DevId = 99 });
        Refuses(Errno.ENOENT, Trigger);
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = Nested(_device.OutIdevId, _parent) });
        Refuses(Errno.ENOENT, Trigger);
        AttachAs(0);
        Refuses(Errno.ENOENT, Trigger);
    }

    [Fact]
    public void An_event_without_a_queue_of_its_type_is_EOPNOTSUPP()
    {
        AttachAs(7);
        Do(new CloseVeventq(_queue));
        Destroy(_queue);
        Refuses(Errno.EOPNOTSUPP, Trigger);
    }

    [Fact]
    public void An_event_is_read_with_the_low_half_of_the_guests_number()
    {
        AttachAs(0x1_0000_0007);
        Do(Trigger);
        Assert.Equal((long)EventSize, Read(100));
        Assert.Equal<uint>([0, 0, 7], Words(Scratch, 3));
        Assert.Equal(0, Read(100));
    }

    [Fact]
    public void Events_go_on_under_the_old_number_when_the_vDEVICE_is_destroyed()
    {
        AttachAs(7);
        Destroy(_vdevice);
        Vdevice(_viommu, _device.OutIdevId, 8);
        Do(Trigger);
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = Nested(_device.OutIdevId, _viommu) });
        Do(Trigger);
        Read(100);
        Assert.Equal<uint>([0, 0, 7, 0, 1, 7], Words(Scratch, 6));
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _parent });
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _nested });
        Do(Trigger);
        Read(100);
        Assert.Equal<uint>([0, 2, 8], Words(Scratch, 3));
    }

    [Fact]
    public void A_full_queue_counts_lost_events_and_marks_the_last()
    {
        AttachAs(7);
        for (var i = 0; i < 4; i++)
        {
            Do(Trigger);
        }

        Assert.Equal(32, Read(36));
        Assert.Equal<uint>([0, 0, 7, 0, 1, 7, 1, 3], Words(Scratch, 8));
    }

    [Fact]
    public void The_mark_goes_when_an_event_is_queued_behind_it()
    {
        AttachAs(7);
        for (var i = 0; i < 3; i++)
        {
            Do(Trigger);
        }

        Assert.Equal((long)EventSize, Read(EventSize));
        Do(Trigger);
        Assert.Equal(24, Read(100));
        Assert.Equal<uint>([0, 1, 7, 0, 3, 7], Words(Scratch, 6));
    }

    [Fact]
    public void Reads_below_a_header_are_EINVAL_even_when_empty()
    {
        Refuses(Errno.EINVAL, new ReadVeventq(_queue, Scratch, 7));
        Refuses(Errno.EINVAL, new ReadVeventq(_queue, Scratch, 0));
        Assert.Equal(0, Read(8));
        Refuses(Errno.ENOENT, new ReadVeventq(99, Scratch, 8));
    }

    [Fact]
    public void An_event_that_does_not_fit_stays()
    {
        AttachAs(7);
        Do(Trigger);
        Do(Trigger);
        Refuses(Errno.EINVAL, new ReadVeventq(_queue, Scratch, EventSize - 1));
        Assert.Equal((long)EventSize, Read((2 * EventSize) - 1));
        Assert.Equal((long)EventSize, Read(100));
    }

    [Fact]
    public void A_reader_who_cannot_be_written_to_loses_no_event()
    {
        AttachAs(7);
        for (var i = 0; i < 3; i++)
        {
            Do(Trigger);
        }

        Refuses(Errno.EFAULT, new ReadVeventq(_queue, Nowhere, 100));
        Assert.Equal(24, Read(24));
        Refuses(Errno.EFAULT, new ReadVeventq(_queue, Nowhere, 100));
        Assert.Equal(8, Read(8));
        Assert.Equal<uint>([1, 2], Words(Scratch, 2));
    }

    [Fact]
    public void Poll_says_IN_when_there_is_anything_and_never_OUT()
    {
        Assert.Equal(0, Value(new PollVeventq(_queue)));
        AttachAs(7);
        Do(Trigger);
        Assert.Equal(1, Value(new PollVeventq(_queue)));
        Refuses(Errno.ENOENT, new PollVeventq(99));
    }

    [Fact]
    public void Numbers_go_on_while_the_descriptor_is_closed()
    {
        AttachAs(7);
        Do(new CloseVeventq(_queue));
        Do(Trigger);
        CheckInvariants();
    }

    // Against a list that knows nothing of marks: an event is lost exactly when the queue is full, and numbers never repeat.
    [Fact]
    public void Whatever_is_reported_and_read_every_number_is_seen_or_was_lost() =>
        Prop.ForAll(
                ArbMap.Default.ArbFor<bool[]>(),
                reports =>
                {
                    var queue = new VeventqState(3);
                    var model = new Queue<uint>();
                    uint? lost = null;
                    var next = 0u;
                    return reports.All(report =>
                    {
                        if (report)
                        {
                            queue.Handle(new ReportEvent([1, 2, 3, 4]));
                            lost = model.Count < 3 ? null : next;
                            if (lost is null)
                            {
                                model.Enqueue(next);
                            }

                            next++;
                            return true;
                        }

                        var read = ((EventTaken)queue.Handle(new TakeEvent(12))).Event;
                        if (model.TryDequeue(out var expected))
                        {
                            return read is { Flags: 0 } && read.Sequence == expected;
                        }

                        var mark = lost;
                        lost = null;
                        return mark is null ? read is null : read!.Flags == 1 && read.Sequence == mark;
                    });
                }
            )
            .Check(RandomCases.Try(100));

    private TestTriggerVevent Trigger => new() { DevId = _device.OutIdevId };

    private long Read(ulong count) => Value(new ReadVeventq(_queue, Scratch, count));

    private void AttachAs(ulong virtId)
    {
        _vdevice = Vdevice(_viommu, _device.OutIdevId, virtId);
        _nested = Nested(_device.OutIdevId, _viommu);
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _nested });
    }
}
