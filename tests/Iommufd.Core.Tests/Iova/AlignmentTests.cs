using Iommufd.Core.Iova;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Iova;

public sealed class AlignmentTests
{
    [Fact]
    public void Alignment_is_the_maximum_of_what_domains_and_accesses_ask_for()
    {
        var map = new IovaMap();
        Assert.Equal(1UL, map.Alignment);
        Assert.Equal(Errno.OK, map.AddDomainAlignment(4, 2048));
        Assert.Equal(2048UL, map.Alignment);
        Assert.Equal(Errno.OK, map.AddAccessAlignment(7, pins: false));
        Assert.Equal(2048UL, map.Alignment);
        Assert.Equal(Errno.OK, map.AddAccessAlignment(8, pins: true));
        Assert.Equal(4096UL, map.Alignment);
        map.RemoveAccessAlignment(8);
        Assert.Equal(2048UL, map.Alignment);
        map.RemoveDomainAlignment(4);
        Assert.Equal(1UL, map.Alignment);
    }

    [Fact]
    public void A_domain_with_pages_above_4_KiB_is_EINVAL()
    {
        var map = new IovaMap();
        Assert.Equal(Errno.EINVAL, map.AddDomainAlignment(4, 8192));
        Assert.Equal(1UL, map.Alignment);
        Assert.Equal(Errno.OK, map.AddDomainAlignment(4, 4096));
    }

    [Theory]
    [InlineData(0x1000400UL, 0x800UL, 0UL)]
    [InlineData(0x1000800UL, 0x400UL, 0UL)]
    [InlineData(0x1000800UL, 0x800UL, 0x400UL)]
    public void An_area_whose_iova_length_or_page_offset_does_not_comply_is_EADDRINUSE(
        ulong first,
        ulong length,
        ulong startByte
    )
    {
        var map = new IovaMap();
        var area = new Area { Range = new IovaRange(first, first + length - 1), StartByte = 0x3000 + startByte };
        map.Insert(area);
        Assert.Equal(Errno.EADDRINUSE, map.AddDomainAlignment(4, 2048));
        Assert.Equal(1UL, map.Alignment);
        Assert.Equal(Errno.OK, map.AddDomainAlignment(4, 1024));
        map.Remove(area);
        Assert.Equal(Errno.OK, map.AddDomainAlignment(5, 2048));
    }

    [Fact]
    public void A_pinning_access_is_EADDRINUSE_with_areas_in_parts_of_pages()
    {
        IovaMap map = IovaMapBuilder.WithMockDomain();
        Area area = map.Map(0x1000000, 0x800);
        Assert.Equal(Errno.EADDRINUSE, map.AddAccessAlignment(1, pins: true));
        Assert.Equal(Errno.OK, map.AddAccessAlignment(1, pins: false));
        map.Remove(area);
        Assert.Equal(Errno.OK, map.AddAccessAlignment(2, pins: true));
        map.CheckInvariants();
    }

    [Fact]
    public void Joining_twice_is_refused()
    {
        IovaMap map = IovaMapBuilder.WithMockDomain();
        Assert.Throws<InvalidOperationException>(() => map.AddDomainAlignment(1, 2048));
    }

    [Fact]
    public void A_page_size_that_is_no_power_of_two_is_refused() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new IovaMap().AddDomainAlignment(1, 0));

    [Fact]
    public void Disabling_large_pages_aligns_to_a_page()
    {
        var map = new IovaMap();
        Assert.Equal(Errno.OK, map.SetLargePagesDisabled(true));
        Assert.Equal(4096UL, map.Alignment);
        Assert.False(map.IsAligned(0x800));
        Assert.Equal(Errno.OK, map.SetLargePagesDisabled(true));
        Assert.Equal(Errno.OK, map.SetLargePagesDisabled(false));
        Assert.Equal(1UL, map.Alignment);
    }

    [Fact]
    public void Disabling_large_pages_is_EADDRINUSE_with_misaligned_areas()
    {
        var map = new IovaMap();
        map.Map(0x1010800, 0x1000);
        Assert.Equal(Errno.EADDRINUSE, map.SetLargePagesDisabled(true));
        Assert.False(map.LargePagesDisabled);
        Assert.Equal(1UL, map.Alignment);
    }

    [Fact]
    public void Disabling_large_pages_is_EINVAL_with_a_domain_and_an_area()
    {
        IovaMap map = IovaMapBuilder.WithMockDomain();
        Area area = map.Map(0x1000000, 0x4000);
        Assert.Equal(Errno.EINVAL, map.SetLargePagesDisabled(true));
        map.Remove(area);
        Assert.Equal(Errno.OK, map.SetLargePagesDisabled(true));
        map.Map(0x1000000, 0x4000);
        Assert.Equal(Errno.OK, map.SetLargePagesDisabled(true));
        Assert.Equal(Errno.OK, map.SetLargePagesDisabled(false));
        Assert.Equal(2048UL, map.Alignment);
    }
}
