using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

public sealed class FaultQueueTests : ObjectsFixture
{
    private const ulong Record = 40;
    private readonly uint _ioas;
    private readonly TestMockDomainFlags _device;
    private readonly uint _parent;
    private readonly uint _fault;
    private readonly uint _nested;

    public FaultQueueTests()
    {
        _ioas = Ioas();
        _device = Mock(_ioas, MockDeviceFlags.Pasid);
        _parent = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.NestParent | HwptAllocFlags.Pasid);
        _fault = Do(new FaultQueueAlloc()).OutFaultId;
        _nested = Nested(_device.OutIdevId, _parent, HwptAllocFlags.FaultIdValid | HwptAllocFlags.Pasid, _fault);
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _nested });
    }

    [Fact]
    public void Flags_are_EOPNOTSUPP() => Refuses(Errno.EOPNOTSUPP, new FaultQueueAlloc { Flags = 1 });

    [Fact]
    public void A_queue_can_be_destroyed_when_neither_a_descriptor_nor_a_HWPT_holds_it()
    {
        var fault = Do(new FaultQueueAlloc()).OutFaultId;
        var nested = Nested(_device.OutIdevId, _parent, HwptAllocFlags.FaultIdValid, fault);
        Refuses(Errno.EBUSY, new Destroy { Id = fault });
        Do(new CloseFaultQueue(fault));
        Refuses(Errno.EBUSY, new Destroy { Id = fault });
        Destroy(nested);
        Destroy(fault);
        Refuses(Errno.ENOENT, new CloseFaultQueue(fault));
    }

    [Fact]
    public void A_paging_HWPT_can_report_faults_unless_it_is_a_nesting_parent()
    {
        var flags = HwptAllocFlags.FaultIdValid;
        Refuses(Errno.EOPNOTSUPP, PagingCommand(flags | HwptAllocFlags.NestParent, _fault));
        Refuses(Errno.ENOENT, PagingCommand(flags, 99));
        Refuses(Errno.ENOENT, PagingCommand(flags, _ioas));
        CheckInvariants();
        var paging = Do(PagingCommand(flags, _fault)).OutHwptId;
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = paging });
        Report(1);
        Assert.Equal((long)Record, Read(Record));
    }

    [Fact]
    public void A_fault_is_read_as_it_was_reported()
    {
        Report(group: 2, permissions: 3, address: 0xdead_beaf_0000);
        Assert.Equal((long)Record, Read(10 * Record));
        Assert.Equal<uint>([2, _device.OutIdevId, 0, 2, 3, 0, 0xbeaf_0000, 0xdead, 0, 1], Words(Scratch, 10));
        Assert.Equal(0, Read(Record));
    }

    [Fact]
    public void Counts_that_are_no_multiple_of_a_record_are_ESPIPE()
    {
        Refuses(Errno.ESPIPE, new ReadFaultQueue(_fault, Scratch, 39));
        Refuses(Errno.ESPIPE, new WriteFaultQueue(_fault, Scratch, 7));
        Refuses(Errno.ENOENT, new ReadFaultQueue(99, Scratch, Record));
        Refuses(Errno.ENOENT, new WriteFaultQueue(99, Scratch, 8));
        Refuses(Errno.ENOENT, new PollFaultQueue(_ioas));
    }

    [Fact]
    public void Reading_nothing_is_EINVAL_when_a_fault_waits_and_zero_when_none_does()
    {
        Assert.Equal(0, Read(0));
        Report(1);
        Refuses(Errno.EINVAL, new ReadFaultQueue(_fault, Scratch, 0));
    }

    [Fact]
    public void A_reader_who_cannot_be_written_to_loses_no_fault()
    {
        Report(1);
        Refuses(Errno.EFAULT, new ReadFaultQueue(_fault, Nowhere, Record));
        Assert.Equal((long)Record, Read(Record));
        Assert.Equal(1u, Words(Scratch, 10)[9]);
    }

    [Fact]
    public void What_was_read_before_an_unwritable_page_counts()
    {
        Report(1);
        Report(2);
        var end = Scratch + (4 * HostPage.Size) - Record;
        Assert.Equal((long)Record, Value(new ReadFaultQueue(_fault, end, 2 * Record)));
        Assert.Equal((long)Record, Read(2 * Record));
        Assert.Equal(2u, Words(Scratch, 10)[3]);
    }

    [Fact]
    public void Poll_says_IN_when_a_fault_can_be_read_and_always_OUT()
    {
        Assert.Equal(4, Value(new PollFaultQueue(_fault)));
        Report(1);
        Assert.Equal(5, Value(new PollFaultQueue(_fault)));
        Read(Record);
        Assert.Equal(4, Value(new PollFaultQueue(_fault)));
    }

    [Fact]
    public void Cookies_are_the_lowest_that_are_free()
    {
        Report(1);
        Report(2);
        Read(2 * Record);
        Assert.Equal(8, Answer(1, 0));
        Report(3);
        Report(4);
        Read(2 * Record);
        Assert.Equal(1u, Words(Scratch, 10)[9]);
        Assert.Equal(3u, Words(Scratch + Record, 10)[9]);
    }

    [Fact]
    public void A_response_counts_once()
    {
        Report(1);
        Read(Record);
        Assert.Equal(8, Answer(1, 1));
        Put(Scratch, 1, 0);
        Refuses(Errno.EINVAL, new WriteFaultQueue(_fault, Scratch, 8));
    }

    [Fact]
    public void The_first_bad_response_ends_the_write()
    {
        Report(1);
        Report(2);
        Read(2 * Record);
        Put(Scratch, 2, 0, 1, 2, 1, 0);
        Assert.Equal(8, Value(new WriteFaultQueue(_fault, Scratch, 24)));
        Put(Scratch, 1, 2);
        Refuses(Errno.EINVAL, new WriteFaultQueue(_fault, Scratch, 8));
        Refuses(Errno.EFAULT, new WriteFaultQueue(_fault, Nowhere, 8));
        Assert.Equal(8, Answer(1, 0));
    }

    [Fact]
    public void Replacing_answers_what_was_queued_and_what_was_read()
    {
        Report(1);
        Report(2);
        Read(Record);
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _parent });
        Assert.Equal(0, Read(Record));
        Put(Scratch, 1, 0);
        Refuses(Errno.EINVAL, new WriteFaultQueue(_fault, Scratch, 8));
    }

    [Fact]
    public void Detaching_one_device_leaves_the_faults_of_another()
    {
        var other = Mock(_nested);
        Report(1);
        Do(new TestTriggerIopf { DevId = other.OutIdevId, GrpId = 2 });
        Destroy(_device.OutStdevId);
        Assert.Equal((long)Record, Read(2 * Record));
        Assert.Equal(other.OutIdevId, Words(Scratch, 10)[1]);
    }

    [Fact]
    public void A_fault_of_a_PASID_goes_where_the_PASID_is_attached()
    {
        var silent = Nested(_device.OutIdevId, _parent, HwptAllocFlags.Pasid);
        Do(
            new TestPasidAttach
            {
                StdevId = _device.OutStdevId,
                Pasid = 7,
                PtId = silent,
            }
        );
        Report(1, pasid: 7);
        Assert.Equal(0, Read(Record));
        Do(new TestPasidDetach { StdevId = _device.OutStdevId, Pasid = 7 });
        Report(2, pasid: 7);
        Assert.Equal((long)Record, Read(Record));
        Assert.Equal<uint>([3, _device.OutIdevId, 7, 2], Words(Scratch, 4));
    }

    [Fact]
    public void A_fault_of_an_unknown_PASID_behind_a_paging_HWPT_is_nobodys()
    {
        var paging = Do(PagingCommand(HwptAllocFlags.FaultIdValid, _fault)).OutHwptId;
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = paging });
        Report(1, pasid: 7);
        Assert.Equal(0, Read(Record));
    }

    [Fact]
    public void A_fault_of_an_unknown_device_is_ENOENT_and_one_that_nobody_handles_is_not()
    {
        Refuses(Errno.ENOENT, new TestTriggerIopf { DevId = 99 });
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _ioas });
        Report(1);
        Assert.Equal(0, Read(Record));
    }

    [Fact]
    public void Faults_can_still_be_reported_after_the_descriptor_was_closed()
    {
        Do(new CloseFaultQueue(_fault));
        Report(1);
        Refuses(Errno.EBUSY, new Destroy { Id = _fault });
        CheckInvariants();
    }

    private void Report(uint group, uint permissions = 1, ulong address = 0x1000, uint pasid = 0) =>
        Do(
            new TestTriggerIopf
            {
                DevId = _device.OutIdevId,
                Pasid = pasid,
                GrpId = group,
                Perm = permissions,
                Addr = address,
            }
        );

    private long Read(ulong count) => Value(new ReadFaultQueue(_fault, Scratch, count));

    private long Answer(uint cookie, uint code)
    {
        Put(Scratch, cookie, code);
        return Value(new WriteFaultQueue(_fault, Scratch, 8));
    }

    private HwptAlloc PagingCommand(HwptAllocFlags flags, uint faultId) =>
        new()
        {
            DevId = _device.OutIdevId,
            PtId = _ioas,
            Flags = flags,
            FaultId = faultId,
        };
}
