using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

public sealed class NestedHwptTests : ObjectsFixture
{
    private readonly uint _ioas;
    private readonly TestMockDomainFlags _device;
    private readonly uint _parent;

    public NestedHwptTests()
    {
        _ioas = Ioas();
        _device = Mock(_ioas);
        _parent = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.NestParent);
    }

    [Fact]
    public void A_parent_that_is_not_a_nesting_parent_is_EINVAL()
    {
        var plain = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.None);
        Refuses(Errno.EINVAL, NestedCommand(_device.OutIdevId, plain));
    }

    [Fact]
    public void An_automatic_parent_is_EINVAL() =>
        Refuses(Errno.EINVAL, NestedCommand(_device.OutIdevId, _device.OutHwptId));

    [Fact]
    public void A_nested_parent_is_EINVAL() =>
        Refuses(Errno.EINVAL, NestedCommand(_device.OutIdevId, Nested(_device.OutIdevId, _parent)));

    [Fact]
    public void An_unknown_parent_is_EINVAL_and_an_unknown_device_ENOENT()
    {
        Refuses(Errno.EINVAL, NestedCommand(_device.OutIdevId, 99));
        Refuses(Errno.ENOENT, NestedCommand(99, _parent));
    }

    [Theory]
    [InlineData(HwptAllocFlags.NestParent)]
    [InlineData(HwptAllocFlags.DirtyTracking)]
    [InlineData((HwptAllocFlags)16)]
    public void Flags_of_a_paging_HWPT_are_EOPNOTSUPP(HwptAllocFlags flags) =>
        Refuses(Errno.EOPNOTSUPP, NestedCommand(_device.OutIdevId, _parent, flags));

    [Fact]
    public void No_data_is_EOPNOTSUPP() =>
        Refuses(Errno.EOPNOTSUPP, new HwptAlloc { DevId = _device.OutIdevId, PtId = _parent });

    [Fact]
    public void Data_of_another_type_are_EOPNOTSUPP() =>
        Refuses(Errno.EOPNOTSUPP, NestedCommand(_device.OutIdevId, _parent) with { DataType = HwptDataType.VtdS1 });

    [Theory]
    [InlineData(3)]
    [InlineData(9)]
    public void Data_of_another_length_are_EINVAL(uint length) =>
        Refuses(Errno.EINVAL, NestedCommand(_device.OutIdevId, _parent) with { DataLen = length });

    [Fact]
    public void Unreadable_data_are_EFAULT() =>
        Refuses(Errno.EFAULT, NestedCommand(_device.OutIdevId, _parent) with { DataUptr = Nowhere });

    [Fact]
    public void A_refused_one_gives_its_id_back()
    {
        Refuses(Errno.ENOENT, NestedCommand(_device.OutIdevId, _parent, HwptAllocFlags.FaultIdValid, 99));
        Assert.Equal(_parent + 1, Nested(_device.OutIdevId, _parent));
    }

    [Fact]
    public void It_keeps_its_parent_in_use()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        Refuses(Errno.EBUSY, new Destroy { Id = _parent });
        Destroy(nested);
        Destroy(_parent);
    }

    [Fact]
    public void An_attached_device_keeps_it_in_use_but_not_its_parent()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        var moved = Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = nested });
        Assert.Equal(nested, moved.PtId);
        Refuses(Errno.EBUSY, new Destroy { Id = nested });
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _ioas });
        Destroy(nested);
    }

    [Fact]
    public void Replacing_by_itself_changes_nothing()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = nested });
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = nested });
    }

    [Fact]
    public void A_new_device_can_be_attached_to_it()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        Assert.Equal(nested, Mock(nested).OutHwptId);
    }

    [Fact]
    public void Checks_of_a_paging_HWPT_do_not_find_it()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        Refuses(Errno.ENOENT, new TestMdCheckMap { HwptId = nested, Length = 0 });
        Refuses(Errno.ENOENT, new TestMdCheckIotlb { HwptId = _parent });
    }

    [Fact]
    public void Its_IOTLB_holds_four_times_what_the_data_said()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        for (var entry = 0u; entry < 4; entry++)
        {
            Do(Check(nested, entry, InitialIotlb));
        }

        Refuses(Errno.EINVAL, Check(nested, 4, InitialIotlb));
        Refuses(Errno.EINVAL, Check(nested, 0, 0));
    }

    [Fact]
    public void Invalidating_an_entry_zeroes_that_entry()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        Put(Scratch, 0, 2);
        Assert.Equal(1u, Invalidated(Errno.OK, Invalidate(nested)));
        Do(Check(nested, 2, 0));
        Do(Check(nested, 1, InitialIotlb));
    }

    [Fact]
    public void Invalidating_all_zeroes_every_entry()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        Put(Scratch, 1, 0);
        Invalidated(Errno.OK, Invalidate(nested));
        for (var entry = 0u; entry < 4; entry++)
        {
            Do(Check(nested, entry, 0));
        }
    }

    [Fact]
    public void Entries_before_a_bad_one_are_done_and_counted()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        Put(Scratch, 0, 0, 0, 1, 2, 2, 0, 3);
        Assert.Equal(2u, Invalidated(Errno.EOPNOTSUPP, Invalidate(nested) with { EntryNum = 4 }));
        Do(Check(nested, 1, 0));
        Do(Check(nested, 3, InitialIotlb));
    }

    [Fact]
    public void An_entry_that_is_not_there_is_EINVAL_even_for_all()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        Put(Scratch, 1, 4);
        Assert.Equal(0u, Invalidated(Errno.EINVAL, Invalidate(nested)));
        Do(Check(nested, 0, InitialIotlb));
    }

    [Fact]
    public void Invalidation_refuses_what_the_kernel_refuses_and_counts_nothing()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        var good = Invalidate(nested);
        Assert.Equal(0u, Invalidated(Errno.EOPNOTSUPP, good with { Reserved = 1 }));
        Assert.Equal(0u, Invalidated(Errno.EINVAL, good with { DataUptr = 0 }));
        Assert.Equal(0u, Invalidated(Errno.EINVAL, good with { EntryLen = 0 }));
        Assert.Equal(0u, Invalidated(Errno.EINVAL, good with { EntryLen = 4097 }));
        Assert.Equal(0u, Invalidated(Errno.EINVAL, good with { EntryNum = (1 << 19) + 1 }));
        Assert.Equal(0u, Invalidated(Errno.ENOENT, good with { HwptId = 99 }));
        Assert.Equal(0u, Invalidated(Errno.EINVAL, good with { HwptId = _parent }));
        Assert.Equal(0u, Invalidated(Errno.EINVAL, good with { HwptId = _ioas }));
        Assert.Equal(0u, Invalidated(Errno.EINVAL, good with { DataType = 0 }));
        Assert.Equal(0u, Invalidated(Errno.EINVAL, good with { DataType = 0, EntryNum = 0 }));
        Assert.Equal(0u, Invalidated(Errno.EINVAL, good with { EntryLen = 16 }));
        Assert.Equal(0u, Invalidated(Errno.EFAULT, good with { DataUptr = Nowhere }));
    }

    [Fact]
    public void No_entries_of_the_right_type_is_a_successful_probe()
    {
        var nested = Nested(_device.OutIdevId, _parent);
        Assert.Equal(0u, Invalidated(Errno.OK, Invalidate(nested) with { EntryNum = 0, EntryLen = 0, DataUptr = 0 }));
    }

    private static TestMdCheckIotlb Check(uint nested, uint entry, uint value) =>
        new()
        {
            HwptId = nested,
            IotlbId = entry,
            Iotlb = value,
        };

    private static HwptInvalidate Invalidate(uint nested) =>
        new()
        {
            HwptId = nested,
            DataType = InvalidateDataType.Selftest,
            DataUptr = Scratch,
            EntryLen = 8,
            EntryNum = 1,
        };

    private uint Invalidated(Errno errno, HwptInvalidate command)
    {
        var result = Context.Execute(Client, command);
        Assert.Equal(errno, result.Errno);
        return Assert.IsType<HwptInvalidate>(result.WriteBack).EntryNum;
    }
}
