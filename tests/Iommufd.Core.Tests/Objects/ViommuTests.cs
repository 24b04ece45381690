using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

public sealed class ViommuTests : ObjectsFixture
{
    private const uint InitialCache = 0xbad_dad;
    private readonly uint _ioas;
    private readonly TestMockDomainFlags _device;
    private readonly uint _parent;

    public ViommuTests()
    {
        _ioas = Ioas();
        _device = Mock(_ioas);
        _parent = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.NestParent);
    }

    private ViommuAlloc Good =>
        new()
        {
            Type = ViommuType.Selftest,
            DevId = _device.OutIdevId,
            HwptId = _parent,
        };

    [Fact]
    public void Allocation_refuses_in_the_kernels_order()
    {
        var plain = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.None);
        Refuses(Errno.EOPNOTSUPP, Good with { Flags = 1, DevId = 99 });
        Refuses(Errno.EOPNOTSUPP, Good with { Type = ViommuType.Default, DevId = 99 });
        Refuses(Errno.ENOENT, Good with { DevId = 99, Type = ViommuType.ArmSmmuV3 });
        Refuses(Errno.EOPNOTSUPP, Good with { Type = ViommuType.ArmSmmuV3, HwptId = 99 });
        Refuses(Errno.ENOENT, Good with { HwptId = _ioas });
        Refuses(Errno.EINVAL, Good with { HwptId = plain, DataLen = 4 });
        Refuses(Errno.EINVAL, Good with { DataLen = 7, DataUptr = Scratch });
        Refuses(Errno.EINVAL, Good with { DataLen = 25, DataUptr = Scratch });
        Refuses(Errno.EFAULT, Good with { DataLen = 8, DataUptr = Nowhere });
        Assert.Equal(plain + 1, Do(Good).OutViommuId);
    }

    [Fact]
    public void It_keeps_its_parent_in_use_and_is_kept_by_what_is_made_on_it()
    {
        var viommu = Viommu(_device.OutIdevId, _parent);
        Refuses(Errno.EBUSY, new Destroy { Id = _parent });
        var nested = Nested(_device.OutIdevId, viommu);
        Refuses(Errno.EBUSY, new Destroy { Id = viommu });
        Destroy(nested);
        var vdevice = Vdevice(viommu, _device.OutIdevId, 1);
        Refuses(Errno.EBUSY, new Destroy { Id = viommu });
        Destroy(vdevice);
        Destroy(viommu);
        Destroy(_parent);
    }

    [Fact]
    public void A_nested_HWPT_through_it_needs_data_and_the_flags_of_a_nested_one()
    {
        var viommu = Viommu(_device.OutIdevId, _parent);
        var good = NestedCommand(_device.OutIdevId, viommu);
        Refuses(Errno.EOPNOTSUPP, good with { Flags = HwptAllocFlags.NestParent });
        Refuses(Errno.EOPNOTSUPP, new HwptAlloc { DevId = _device.OutIdevId, PtId = viommu });
        Refuses(Errno.EOPNOTSUPP, good with { DataType = 1 });
        Refuses(Errno.EINVAL, good with { DataLen = 3 });
        Refuses(Errno.ENOENT, NestedCommand(_device.OutIdevId, viommu, HwptAllocFlags.FaultIdValid, 99));
        CheckInvariants();
    }

    [Fact]
    public void Attaching_a_device_without_vDEVICE_is_ENOENT()
    {
        var viommu = Viommu(_device.OutIdevId, _parent);
        var nested = Nested(_device.OutIdevId, viommu);
        Refuses(Errno.ENOENT, Replace(nested));
        Refuses(Errno.ENOENT, new TestMockDomain { PtId = nested });
        Vdevice(viommu, _device.OutIdevId, 1);
        Do(Replace(nested));
        CheckInvariants();
    }

    [Fact]
    public void A_vDEVICE_of_another_vIOMMU_does_not_count()
    {
        var viommu = Viommu(_device.OutIdevId, _parent);
        Vdevice(Viommu(_device.OutIdevId, _parent), _device.OutIdevId, 1);
        Refuses(Errno.ENOENT, Replace(Nested(_device.OutIdevId, viommu)));
    }

    [Fact]
    public void Numbers_are_unique_in_a_vIOMMU_and_a_device_has_one_vDEVICE()
    {
        var viommu = Viommu(_device.OutIdevId, _parent);
        var other = Mock(_ioas);
        var first = Vdevice(viommu, _device.OutIdevId, 5);
        Refuses(Errno.EEXIST, Command(viommu, other.OutIdevId, 5));
        Refuses(Errno.EEXIST, Command(viommu, _device.OutIdevId, 6));
        Refuses(Errno.EEXIST, Command(Viommu(_device.OutIdevId, _parent), _device.OutIdevId, 6));
        Refuses(Errno.ENOENT, Command(99, other.OutIdevId, 6));
        Refuses(Errno.ENOENT, Command(viommu, 99, 6));
        Destroy(first);
        Vdevice(viommu, other.OutIdevId, 5);
    }

    [Fact]
    public void A_device_that_goes_leaves_a_tombstone()
    {
        var viommu = Viommu(_device.OutIdevId, _parent);
        var vdevice = Vdevice(viommu, _device.OutIdevId, 5);
        Destroy(_device.OutStdevId);
        Refuses(Errno.ENOENT, new Destroy { Id = vdevice });
        CheckInvariants();
        var later = new List<uint>();
        for (var i = 0; i < 8; i++)
        {
            later.Add(Ioas());
        }

        Assert.DoesNotContain(vdevice, later);
        Assert.Contains(_device.OutStdevId, later);
        Vdevice(viommu, Mock(_ioas).OutIdevId, 5);
    }

    [Fact]
    public void A_vDEVICE_destroyed_by_hand_gives_its_id_back()
    {
        var viommu = Viommu(_device.OutIdevId, _parent);
        var vdevice = Vdevice(viommu, _device.OutIdevId, 5);
        Destroy(vdevice);
        Assert.Equal(vdevice, Vdevice(viommu, _device.OutIdevId, 5));
    }

    [Fact]
    public void Invalidation_zeroes_words_of_the_devices_named()
    {
        var viommu = Viommu(_device.OutIdevId, _parent);
        var other = Mock(_ioas);
        Vdevice(viommu, _device.OutIdevId, 5);
        Vdevice(viommu, other.OutIdevId, 6);
        Put(Scratch, 0, 5, 1, 1, 6, 0);
        Assert.Equal(2u, Invalidated(Errno.OK, Invalidate(viommu) with { EntryNum = 2 }));
        Do(Check(_device.OutIdevId, 1, 0));
        Do(Check(_device.OutIdevId, 0, InitialCache));
        Do(Check(other.OutIdevId, 3, 0));
        Refuses(Errno.EINVAL, Check(other.OutIdevId, 4, 0));
        Refuses(Errno.EINVAL, Check(other.OutIdevId, 0, InitialCache));
        Refuses(Errno.ENOENT, Check(99, 0, 0));
    }

    [Fact]
    public void Invalidation_stops_at_the_first_bad_entry()
    {
        var viommu = Viommu(_device.OutIdevId, _parent);
        Vdevice(viommu, _device.OutIdevId, 5);
        var three = Invalidate(viommu) with { EntryNum = 3 };
        Put(Scratch, 0, 5, 0, 0, 7, 1, 0, 5, 2);
        Assert.Equal(1u, Invalidated(Errno.EINVAL, three));
        Do(Check(_device.OutIdevId, 0, 0));
        Do(Check(_device.OutIdevId, 2, InitialCache));
        Put(Scratch, 2, 9, 9);
        Assert.Equal(0u, Invalidated(Errno.EOPNOTSUPP, three));
        Put(Scratch, 0, 9, 4);
        Assert.Equal(0u, Invalidated(Errno.EINVAL, three));
    }

    [Fact]
    public void Entries_of_another_length_are_filled_with_zeros_or_must_end_in_zeros()
    {
        var viommu = Viommu(_device.OutIdevId, _parent);
        Vdevice(viommu, _device.OutIdevId, 5);
        Put(Scratch, 0, 5, 3, 0);
        Assert.Equal(1u, Invalidated(Errno.OK, Invalidate(viommu) with { EntryLen = 8 }));
        Do(Check(_device.OutIdevId, 0, 0));
        Assert.Equal(1u, Invalidated(Errno.OK, Invalidate(viommu) with { EntryLen = 16 }));
        Do(Check(_device.OutIdevId, 3, 0));
        Put(Scratch, 0, 5, 2, 1);
        Assert.Equal(0u, Invalidated(Errno.E2BIG, Invalidate(viommu) with { EntryLen = 16 }));
        Do(Check(_device.OutIdevId, 2, InitialCache));
    }

    [Fact]
    public void An_unreadable_entry_means_that_nothing_was_done()
    {
        var viommu = Viommu(_device.OutIdevId, _parent);
        Vdevice(viommu, _device.OutIdevId, 5);
        var last = Scratch + (4 * HostPage.Size) - 12;
        Put(last, 0, 5, 0);
        Assert.Equal(0u, Invalidated(Errno.EFAULT, Invalidate(viommu) with { DataUptr = last, EntryNum = 2 }));
        Do(Check(_device.OutIdevId, 0, InitialCache));
        Assert.Equal(0u, Invalidated(Errno.EINVAL, Invalidate(viommu) with { DataType = 1, EntryNum = 0 }));
        Assert.Equal(0u, Invalidated(Errno.OK, Invalidate(viommu) with { EntryNum = 0 }));
    }

    [Fact]
    public void Windows_get_the_lowest_free_offset()
    {
        var first = WithWindow(0x11);
        var second = WithWindow(0x22);
        Assert.Equal<uint>([0x22, 0x22, 0x3000, 0, 0x2000, 0], Words(Scratch, 6));
        Destroy(first);
        var third = WithWindow(0x33);
        Assert.Equal<uint>([0x33, 0x33, 0x1000, 0, 0x2000, 0], Words(Scratch, 6));
        Destroy(third);
        Destroy(second);
    }

    [Fact]
    public void Short_data_are_written_as_far_as_they_go()
    {
        Put(Scratch, 7, 0, 0x55, 0x55);
        Do(Good with { DataLen = 8, DataUptr = Scratch });
        Assert.Equal<uint>([7, 7, 0x55, 0x55], Words(Scratch, 4));
    }

    [Fact]
    public void A_window_shows_its_word_and_keeps_its_vIOMMU_in_use()
    {
        var viommu = WithWindow(0xbeef);
        var memory = Do(new MapWindow(0x1000, 0x2000, Executable: false, Shared: true)).OutWindow!;
        Assert.Equal(0xbeefu, memory.Read(0));
        memory.Write(0x1ffc, 5);
        var again = Do(new MapWindow(0x1000, 0x2000, Executable: false, Shared: true)).OutWindow!;
        Assert.Equal(5u, again.Read(0x1ffc));
        Do(new UnmapWindow(0x1000, 0x2000));
        Refuses(Errno.EBUSY, new Destroy { Id = viommu });
        CheckInvariants();
        Do(new UnmapWindow(0x1000, 0x2000));
        Refuses(Errno.EINVAL, new UnmapWindow(0x1000, 0x2000));
        Destroy(viommu);
    }

    [Theory]
    [InlineData(0x1000, 0, false, true, Errno.EINVAL)]
    [InlineData(0x1000, 0x1800, false, true, Errno.EINVAL)]
    [InlineData(0x1000, 0x2000, true, false, Errno.EINVAL)]
    [InlineData(0x9000, 0x2000, true, true, Errno.EPERM)]
    [InlineData(0x1000, 0x1000, false, true, Errno.ENXIO)]
    [InlineData(0x2000, 0x1000, false, true, Errno.ENXIO)]
    [InlineData(0, 0x2000, false, true, Errno.ENXIO)]
    public void Mapping_refuses_in_the_kernels_order(ulong offset, ulong length, bool run, bool shared, Errno errno)
    {
        WithWindow(1);
        Refuses(errno, new MapWindow(offset, length, run, shared));
    }

    private static VdeviceAlloc Command(uint viommuId, uint deviceId, ulong virtId) =>
        new()
        {
            ViommuId = viommuId,
            DevId = deviceId,
            VirtId = virtId,
        };

    private static HwptInvalidate Invalidate(uint viommuId) =>
        new()
        {
            HwptId = viommuId,
            DataType = InvalidateDataType.Selftest,
            DataUptr = Scratch,
            EntryLen = 12,
            EntryNum = 1,
        };

    private static TestDevCheckCache Check(uint deviceId, uint word, uint value) =>
        new()
        {
            IdevId = deviceId,
            CacheId = word,
            Cache = value,
        };

    private TestMockDomainReplace Replace(uint ptId) => new() { StdevId = _device.OutStdevId, PtId = ptId };

    private uint WithWindow(uint word)
    {
        Put(Scratch, word, 0, 0, 0, 0, 0);
        return Do(Good with { DataLen = 24, DataUptr = Scratch }).OutViommuId;
    }

    private uint Invalidated(Errno errno, HwptInvalidate command)
    {
        var result = Context.Execute(Client, command);
        Assert.Equal(errno, result.Errno);
        return Assert.IsType<HwptInvalidate>(result.WriteBack).EntryNum;
    }
}
