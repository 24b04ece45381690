using Iommufd.Core.Iova;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Iova;

/// <summary>Automatic IOVAs by number, as the kernel gave them; user addresses are hints.</summary>
public sealed class AutomaticPlacementTests
{
    private const ulong Buffer = 0x10000000000;

    [Fact]
    public void The_first_iova_is_the_second_page() =>
        Assert.Equal(0x1000UL, new IovaMap().MapAutomatic(0x1000, Buffer));

    [Fact]
    public void A_freed_hole_is_used_again_at_once()
    {
        var map = new IovaMap();
        for (ulong i = 1; i <= 6; i++)
        {
            Assert.Equal(i * 0x1000, map.MapAutomatic(0x1000, Buffer));
        }

        map.Remove(map.At(0x3000)!);
        Assert.Equal(0x3000UL, map.MapAutomatic(0x1000, Buffer));
    }

    [Fact]
    public void Alignment_is_the_length_up_to_a_power_of_two_cut_by_the_hint_and_2_MiB()
    {
        var map = new IovaMap();
        Assert.Equal(0x1000UL, map.MapAutomatic(0x6000, Buffer + 0x1000));
        Assert.Equal(0x8000UL, map.MapAutomatic(0x3000, Buffer));
        Assert.Equal(0xb000UL, map.MapAutomatic(0x4000, 0x10000803000));
        Assert.Equal(0x40000UL, map.MapAutomatic(0x40000, Buffer));
        Assert.Equal(0x200000UL, map.MapAutomatic(0x200000, 0x10001000000));
        Assert.Equal(0x400000UL, map.MapAutomatic(0x400000, 0x10001000000));
        Assert.Equal(0x7000UL, map.MapAutomatic(0x1000, 0x10001001000));
        Assert.Equal(0xf123UL, map.MapAutomatic(0x10, Buffer + 0x123));
        Assert.Equal(0xf800UL, map.MapAutomatic(0x800, Buffer + 0x800));
        Assert.Equal(0x10000UL, map.MapAutomatic(0x3000, 0));
    }

    [Fact]
    public void A_mock_domain_moves_iovas_into_its_aperture()
    {
        IovaMap map = IovaMapBuilder.WithMockDomain();
        Assert.Equal(0x1000000UL, map.MapAutomatic(0x1000, Buffer));
        Assert.Equal(0x1001800UL, map.MapAutomatic(0x800, Buffer + 0x800));
        Assert.Equal(0x1040000UL, map.MapAutomatic(0x40000, Buffer));
        Assert.Equal(0x1200000UL, map.MapAutomatic(0x200000, 0x10001000000));
        Assert.Equal(0x1100000UL, map.MapAutomatic(0x100000, 0x10001100000));
        Assert.Equal(0x1002000UL, map.MapAutomatic(0x2000, 0x10000804000));
        map.UnmapAll();
        Assert.Equal(0x1000000UL, map.MapAutomatic(0x800, 0x10000804000));
        Assert.Equal(0x1000800UL, map.MapAutomatic(0x800, 0x10000804800));
    }

    [Fact]
    public void A_hint_in_the_middle_of_a_page_keeps_its_offset() =>
        Assert.Equal(0x1000800UL, IovaMapBuilder.WithMockDomain().MapAutomatic(0x1000, Buffer + 0x800));

    [Theory]
    [InlineData(0x10UL, 0x123UL)]
    [InlineData(0x800UL, 0x400UL)]
    public void Less_alignment_than_the_domain_needs_is_EINVAL(ulong length, ulong offset) =>
        Assert.Equal(Errno.EINVAL, IovaMapBuilder.WithMockDomain().TryAutomatic(length, Buffer + offset));

    [Fact]
    public void A_length_that_is_not_aligned_is_EINVAL_before_it_is_EOVERFLOW()
    {
        Assert.Equal(Errno.EINVAL, IovaMapBuilder.WithMockDomain().TryAutomatic(ulong.MaxValue - 1, 0));
        Assert.Equal(Errno.EOVERFLOW, new IovaMap().TryAutomatic(ulong.MaxValue - 1, 0));
    }

    [Theory]
    [InlineData(0UL, Errno.EOVERFLOW)]
    [InlineData(0x7ffffffffffffffeUL, Errno.OK)]
    [InlineData(0x7fffffffffffffffUL, Errno.EOVERFLOW)]
    [InlineData(0x8000000000000000UL, Errno.EOVERFLOW)]
    public void Half_of_the_space_is_too_long(ulong length, Errno errno) =>
        Assert.Equal(errno, new IovaMap().TryAutomatic(length, 0));

    [Fact]
    public void Huge_lengths_are_aligned_to_2_MiB()
    {
        var map = new IovaMap();
        Assert.Equal(0x200000UL, map.MapAutomatic(0x4000000000000000, 0));
        Assert.Equal(0x4000000000200000UL, map.MapAutomatic(0x100000000000, 0));
        Assert.Equal(0x1000UL, map.MapAutomatic(0x1000, Buffer));
    }

    [Fact]
    public void Allowed_ranges_bind_in_ascending_order()
    {
        var map = new IovaMap();
        Assert.Equal(Errno.OK, map.ReplaceAllowed([new(0x20000, 0x2ffff), new(0x10000, 0x12fff)]));
        Assert.Equal(0x10000UL, map.MapAutomatic(0x2000, Buffer));
        Assert.Equal(0x20000UL, map.MapAutomatic(0x2000, Buffer));
        Assert.Equal(0x12000UL, map.MapAutomatic(0x1000, Buffer));
        Assert.Equal(Errno.ENOSPC, map.TryAutomatic(0x10000, Buffer));
        Assert.Equal(0x28000UL, map.MapAutomatic(0x8000, Buffer));
        Assert.Equal(Errno.ENOSPC, map.TryAutomatic(0x8000, Buffer));
        Assert.Equal(Errno.OK, map.TryFixed(0x900000, 0x1000));
    }

    [Theory]
    [InlineData(0x1000UL, 0UL)]
    [InlineData(0x800UL, 0x800UL)]
    [InlineData(0x1000UL, 0x800UL)]
    public void The_first_page_stays_free_even_when_it_is_allowed(ulong length, ulong offset)
    {
        var map = new IovaMap();
        Assert.Equal(Errno.OK, map.ReplaceAllowed([new(0x800, 0x17ff)]));
        Assert.Equal(Errno.ENOSPC, map.TryAutomatic(length, Buffer + offset));
    }

    [Fact]
    public void The_last_page_stays_free_even_when_it_is_allowed()
    {
        var map = new IovaMap();
        Assert.Equal(Errno.OK, map.ReplaceAllowed([new(0xfffffffffffe0000, ulong.MaxValue)]));
        Assert.Equal(0xfffffffffffe0000UL, map.MapAutomatic(0x1000, Buffer));
        Assert.Equal(Errno.ENOSPC, map.TryAutomatic(0x20000, Buffer));
        Assert.Equal(Errno.ENOSPC, map.TryAutomatic(0x10000, Buffer));
    }

    [Fact]
    public void An_iova_range_may_span_allowed_ranges_that_touch()
    {
        var map = new IovaMap();
        Assert.Equal(Errno.OK, map.ReplaceAllowed([new(0x1000000, 0x1000fff), new(0x1001000, 0x1001fff)]));
        Assert.Equal(0x1000000UL, map.MapAutomatic(0x2000, Buffer));
        Assert.Equal(Errno.ENOSPC, map.TryAutomatic(0x1000, Buffer));
    }

    [Fact]
    public void Reserved_ranges_are_avoided()
    {
        var map = new IovaMap();
        Assert.Equal(Errno.OK, map.Reserve(new IovaRange(0, 0xffff), 0));
        Assert.Equal(0x10000UL, map.MapAutomatic(0x1000, Buffer));
        Assert.Equal(Errno.OK, map.Reserve(new IovaRange(0x11000, 0x11fff), 0));
        Assert.Equal(0x12000UL, map.MapAutomatic(0x1000, Buffer));
        Assert.Equal(0x14000UL, map.MapAutomatic(0x4000, Buffer));
        Assert.Equal(0x13000UL, map.MapAutomatic(0x1000, Buffer));
        Assert.Equal(Errno.OK, map.Reserve(new IovaRange(0x30000, ulong.MaxValue), 0));
        Assert.Equal(0x18000UL, map.MapAutomatic(0x1000, Buffer));
        Assert.Equal(0x20000UL, map.MapAutomatic(0x8000, Buffer));
        Assert.Equal(Errno.ENOSPC, map.TryAutomatic(0x10000, Buffer));
    }

    [Fact]
    public void A_hole_whose_aligned_start_is_its_last_byte_is_not_used()
    {
        var map = new IovaMap();
        map.Map(0x1000, 0x1000);
        map.Map(0x2001, 0x1000);
        Assert.Equal(0x3001UL, map.MapAutomatic(1, 0));
        map.Remove(map.At(0x2001)!);
        map.Map(0x2002, 0xfff);
        Assert.Equal(0x2000UL, map.MapAutomatic(1, 0));
    }

    [Fact]
    public void Offset_bits_are_ORed_onto_those_of_the_gap()
    {
        var map = new IovaMap();
        map.Map(0x1000, 0x800);
        Assert.Equal(0x1c00UL, map.MapAutomatic(0x400, Buffer + 0x400));
    }

    [Fact]
    public void The_search_starts_at_the_windows_first_suitable_start()
    {
        // From 0x1200 on its own, OR-ing 0x500 would give 0x1700; the window's first start is 0x1500 and still free.
        var map = new IovaMap();
        map.Map(0x1000, 0x200);
        Assert.Equal(0x1500UL, map.MapAutomatic(0x100, Buffer + 0x500));
    }

    [Fact]
    public void An_aligned_start_that_passes_the_end_of_the_space_is_no_fit()
    {
        var map = new IovaMap();
        Assert.Equal(Errno.OK, map.ReplaceAllowed([new(0xffffffffffe00001, ulong.MaxValue)]));
        Assert.Equal(Errno.ENOSPC, map.TryAutomatic(0x200000, 0));
        Assert.Equal(0xffffffffffe01000UL, map.MapAutomatic(0x1000, Buffer));
    }

    [Fact]
    public void Areas_in_transition_occupy_their_iovas()
    {
        var map = new IovaMap();
        map.Map(0x1000, 0x1000, AreaState.Building);
        map.Map(0x2000, 0x1000, AreaState.Teardown);
        Assert.Equal(0x3000UL, map.MapAutomatic(0x1000, Buffer));
    }
}
