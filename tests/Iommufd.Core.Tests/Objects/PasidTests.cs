using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

public sealed class PasidTests : ObjectsFixture
{
    private const uint Pasid = 100;
    private readonly uint _ioas;
    private readonly TestMockDomainFlags _device;
    private readonly uint _compatible;

    public PasidTests()
    {
        _ioas = Ioas();
        _device = Mock(_ioas, MockDeviceFlags.Pasid);
        _compatible = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.Pasid);
    }

    [Fact]
    public void A_PASID_needs_a_compatible_HWPT()
    {
        UseCompatibleRid();
        var plain = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.None);
        Refuses(Errno.EINVAL, Attach(plain));
        Do(Attach(_compatible));
        Detach();
    }

    [Fact]
    public void A_PASID_needs_a_compatible_HWPT_behind_the_device_itself()
    {
        Refuses(Errno.EINVAL, Attach(_compatible));
        Do(new TestPasidDetach { StdevId = _device.OutStdevId, Pasid = 0 });
        Do(Attach(_compatible));
        Detach();
    }

    [Fact]
    public void While_a_PASID_is_attached_the_device_itself_needs_a_compatible_HWPT()
    {
        UseCompatibleRid();
        Do(Attach(_compatible));
        Refuses(Errno.EINVAL, new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _ioas });
        Detach();
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _ioas });
    }

    [Fact]
    public void An_IOAS_is_EINVAL_and_leaves_no_HWPT_behind()
    {
        UseCompatibleRid();
        var before = Context.Core.Objects.Count;
        Refuses(Errno.EINVAL, Attach(_ioas));
        Assert.Equal(before, Context.Core.Objects.Count);
    }

    [Fact]
    public void Attaching_twice_is_EBUSY()
    {
        UseCompatibleRid();
        Do(Attach(_compatible));
        Refuses(Errno.EBUSY, Attach(_compatible));
        Detach();
    }

    [Fact]
    public void An_unknown_target_is_ENOENT_and_an_object_of_another_kind_EINVAL()
    {
        Refuses(Errno.ENOENT, Attach(99));
        Refuses(Errno.EINVAL, Attach(_device.OutIdevId));
        Refuses(Errno.ENOENT, Attach(_compatible) with { StdevId = _device.OutIdevId });
    }

    [Theory]
    [InlineData(1u << 20, Errno.EINVAL)]
    [InlineData((1u << 20) - 1, Errno.OK)]
    public void PASIDs_end_where_the_device_says(uint pasid, Errno errno)
    {
        UseCompatibleRid();
        Refuses(errno, Attach(_compatible) with { Pasid = pasid });
        Do(new TestPasidDetach { StdevId = _device.OutStdevId, Pasid = pasid });
    }

    [Fact]
    public void A_device_without_PASIDs_refuses_all_of_them()
    {
        var other = Mock(_compatible);
        Refuses(Errno.EINVAL, Attach(_compatible) with { StdevId = other.OutStdevId, Pasid = 1 });
    }

    [Fact]
    public void Replacing_what_is_not_attached_is_EINVAL()
    {
        UseCompatibleRid();
        Refuses(Errno.EINVAL, Replace(_compatible));
        Refuses(Errno.ENOENT, Replace(_compatible) with { StdevId = 99 });
    }

    [Fact]
    public void Replacing_moves_the_references()
    {
        UseCompatibleRid();
        var other = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.Pasid);
        Do(Attach(_compatible));
        Assert.Equal(other, Do(Replace(other)).PtId);
        Refuses(Errno.EBUSY, new Destroy { Id = other });
        Do(Check(other));
        Refuses(Errno.EINVAL, Check(_compatible));
        Detach();
        Destroy(other);
    }

    [Fact]
    public void Checks_know_what_is_attached()
    {
        Do(Check(0));
        UseCompatibleRid();
        Do(Attach(_compatible));
        Refuses(Errno.EINVAL, Check(0));
        Refuses(Errno.ENOENT, Check(99));
        Refuses(Errno.EINVAL, Check(_ioas));
        Refuses(Errno.ENOENT, Check(0) with { StdevId = 99 });
        Detach();
        Do(Check(0));
    }

    [Fact]
    public void The_reserved_PASID_refuses_every_second_switch()
    {
        UseCompatibleRid();
        var other = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.Pasid);
        Do(Attach(_compatible) with { Pasid = 1024 });
        Refuses(Errno.ENOMEM, Replace(other) with { Pasid = 1024 });
        Do(Check(_compatible) with { Pasid = 1024 });
        CheckInvariants();
        Do(Replace(other) with { Pasid = 1024 });
        Do(Check(other) with { Pasid = 1024 });
        Do(new TestPasidDetach { StdevId = _device.OutStdevId, Pasid = 1024 });
        Do(Attach(other) with { Pasid = 1024 });
        Do(new TestPasidDetach { StdevId = _device.OutStdevId, Pasid = 1024 });
    }

    [Fact]
    public void PASID_zero_is_the_device_itself()
    {
        Refuses(Errno.EBUSY, Attach(_ioas) with { Pasid = 0 });
        Do(new TestPasidDetach { StdevId = _device.OutStdevId, Pasid = 0 });
        Refuses(Errno.EINVAL, new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _ioas });
        Do(Attach(_ioas) with { Pasid = 0 });
    }

    [Fact]
    public void Detaching_what_is_not_attached_succeeds_and_an_unknown_device_is_ENOENT()
    {
        Detach();
        Refuses(Errno.ENOENT, new TestPasidDetach { StdevId = 99, Pasid = Pasid });
    }

    [Fact]
    public void A_device_that_cannot_track_dirty_pages_takes_a_tracking_HWPT_for_a_PASID_only()
    {
        var tracking = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.Pasid | HwptAllocFlags.DirtyTracking);
        var other = Mock(_compatible, MockDeviceFlags.Pasid | MockDeviceFlags.NoDirty);
        Refuses(Errno.EINVAL, new TestMockDomainReplace { StdevId = other.OutStdevId, PtId = tracking });
        Do(Attach(tracking) with { StdevId = other.OutStdevId });
        Do(new TestPasidDetach { StdevId = other.OutStdevId, Pasid = Pasid });
    }

    private void UseCompatibleRid() =>
        Do(new TestMockDomainReplace { StdevId = _device.OutStdevId, PtId = _compatible });

    private void Detach() => Do(new TestPasidDetach { StdevId = _device.OutStdevId, Pasid = Pasid });

    private TestPasidAttach Attach(uint ptId) =>
        new()
        {
            StdevId = _device.OutStdevId,
            Pasid = Pasid,
            PtId = ptId,
        };

    private TestPasidReplace Replace(uint ptId) =>
        new()
        {
            StdevId = _device.OutStdevId,
            Pasid = Pasid,
            PtId = ptId,
        };

    private TestPasidCheckHwpt Check(uint hwptId) =>
        new()
        {
            StdevId = _device.OutStdevId,
            Pasid = Pasid,
            HwptId = hwptId,
        };
}
