using Iommufd.Core.Iova;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Iova;

public sealed class CutTests
{
    private readonly IovaMap _map = new();
    private readonly Area _area;

    public CutTests()
    {
        Assert.Equal(Errno.OK, _map.SetLargePagesDisabled(true));
        _area = _map.Map(0x10000, 0x8000);
        _area.PageSet = 3;
        _area.StartByte = 0x5000;
        _area.StorageHwpt = 4;
        _area.Permissions = AreaPermissions.Read | AreaPermissions.Write;
    }

    [Fact]
    public void Two_cuts_leave_three_areas()
    {
        Assert.Equal(Errno.OK, _map.Cut(0x14fff, 10, 11, out Area? left, out Area? right));
        Assert.Equal(Errno.OK, _map.Cut(0x11fff, 12, 13, out _, out _));
        Assert.Equal(
            [new IovaRange(0x10000, 0x11fff), new(0x12000, 0x14fff), new(0x15000, 0x17fff)],
            _map.InOrder().Select(a => a.Range)
        );
        Assert.Equal([12UL, 13UL, 11UL], _map.InOrder().Select(a => a.Key));
        Assert.Equal(10UL, left!.Key);
        Assert.Equal(0x5000UL, left.StartByte);
        Assert.Equal(0xa000UL, right!.StartByte);
        Assert.Equal(10UL, right.FirstIndex);
        Assert.Equal(12UL, right.LastIndex);
        _map.CheckInvariants();
    }

    [Fact]
    public void Halves_share_page_set_permissions_and_storage()
    {
        Assert.Equal(Errno.OK, _map.Cut(0x11fff, 10, 11, out Area? left, out Area? right));
        foreach (Area half in new[] { left!, right! })
        {
            Assert.Equal(3u, half.PageSet);
            Assert.Equal(4u, half.StorageHwpt);
            Assert.Equal(AreaPermissions.Read | AreaPermissions.Write, half.Permissions);
            Assert.Equal(AreaState.Ready, half.State);
        }
    }

    [Theory]
    [InlineData(0xffffUL)]
    [InlineData(0x10000UL)]
    [InlineData(0x17fffUL)]
    [InlineData(0x18000UL)]
    public void Nothing_is_cut_at_an_end_or_beside_the_area(ulong at)
    {
        _area.State = AreaState.Teardown;
        Assert.Equal(Errno.OK, _map.Cut(at, 10, 11, out Area? left, out Area? right));
        Assert.Null(left);
        Assert.Null(right);
        Assert.Same(_area, _map.At(0x10000));
    }

    [Theory]
    [InlineData(AreaState.Building)]
    [InlineData(AreaState.Teardown)]
    public void An_area_in_transition_is_EBUSY(AreaState state)
    {
        _area.State = state;
        _area.IsDmaBuf = true;
        Assert.Equal(Errno.EBUSY, _map.Cut(0x11ffe, 10, 11, out _, out _));
    }

    [Fact]
    public void An_area_closed_to_accesses_is_EBUSY()
    {
        _area.PreventAccess = true;
        Assert.Equal(Errno.EBUSY, _map.Cut(0x11ffe, 10, 11, out _, out _));
    }

    [Fact]
    public void A_dma_buf_is_EOPNOTSUPP_before_alignment_is_looked_at()
    {
        _area.IsDmaBuf = true;
        Assert.Equal(Errno.EOPNOTSUPP, _map.Cut(0x11ffe, 10, 11, out _, out _));
    }

    [Fact]
    public void A_misaligned_cut_is_EINVAL() => Assert.Equal(Errno.EINVAL, _map.Cut(0x117ff, 10, 11, out _, out _));

    [Fact]
    public void An_area_with_access_users_is_EINVAL()
    {
        _area.AccessUsers = 1;
        Assert.Equal(Errno.EINVAL, _map.Cut(0x11fff, 10, 11, out _, out _));
        Assert.Same(_area, _map.At(0x12000));
    }

    [Fact]
    public void An_area_in_a_domain_is_EINVAL_while_large_pages_are_enabled()
    {
        Assert.Equal(Errno.OK, _map.SetLargePagesDisabled(false));
        Assert.Equal(Errno.EINVAL, _map.Cut(0x11fff, 10, 11, out _, out _));
        _area.StorageHwpt = 0;
        Assert.Equal(Errno.OK, _map.Cut(0x11fff, 10, 11, out Area? left, out _));
        Assert.NotNull(left);
    }
}
