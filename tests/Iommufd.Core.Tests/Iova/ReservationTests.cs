using Iommufd.Core.Iova;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Iova;

public sealed class ReservationTests
{
    [Fact]
    public void Everything_is_usable_at_first() => Assert.Equal([IovaRange.All], new IovaMap().UsableRanges());

    [Fact]
    public void Usable_ranges_are_the_gaps_of_the_reserved_set()
    {
        var map = new IovaMap();
        map.Reserve(new IovaRange(0x1000, 0x1fff), 0);
        Assert.Equal([new(0, 0xfff), new(0x2000, ulong.MaxValue)], map.UsableRanges());
        map.Reserve(new IovaRange(0x1800, 0x117ff), 0);
        Assert.Equal([new(0, 0xfff), new(0x11800, ulong.MaxValue)], map.UsableRanges());
        map.Reserve(new IovaRange(0, 0), 0);
        Assert.Equal([new(1, 0xfff), new(0x11800, ulong.MaxValue)], map.UsableRanges());
        map.Reserve(new IovaRange(ulong.MaxValue, ulong.MaxValue), 0);
        Assert.Equal([new(1, 0xfff), new(0x11800, ulong.MaxValue - 1)], map.UsableRanges());
        map.Reserve(new IovaRange(0, ulong.MaxValue - 1), 0);
        Assert.Empty(map.UsableRanges());
        map.CheckInvariants();
    }

    [Fact]
    public void A_mock_domain_with_a_reserved_page_leaves_two_ranges()
    {
        IovaMap map = IovaMapBuilder.WithMockDomain();
        map.Reserve(new IovaRange(0x2000000, 0x2000fff), 0);
        Assert.Equal([new(0x1000000, 0x1ffffff), new(0x2001000, 0x7fffffff)], map.UsableRanges());
    }

    [Fact]
    public void Mapped_areas_and_allowed_ranges_do_not_change_the_usable_ranges()
    {
        var map = new IovaMap();
        map.Map(0x1000, 0x1000);
        map.ReplaceAllowed([new(0x8000, 0x8fff)]);
        Assert.Equal([IovaRange.All], map.UsableRanges());
    }

    [Theory]
    [InlineData(AreaState.Building)]
    [InlineData(AreaState.Ready)]
    [InlineData(AreaState.Teardown)]
    public void Reserving_over_an_area_is_EADDRINUSE(AreaState state)
    {
        var map = new IovaMap();
        map.Map(0x1000, 0x1000, state);
        Assert.Equal(Errno.EADDRINUSE, map.Reserve(new IovaRange(0x1fff, 0x2fff), 1));
        Assert.Equal(Errno.OK, map.Reserve(new IovaRange(0x2000, 0x2fff), 1));
    }

    [Fact]
    public void Reserving_over_an_allowed_range_is_EADDRINUSE()
    {
        var map = new IovaMap();
        map.ReplaceAllowed([new(0x1000, 0x2fff)]);
        Assert.Equal(Errno.EADDRINUSE, map.Reserve(new IovaRange(0, 0xffffff), 1));
        Assert.Empty(map.Reservations);
    }

    [Fact]
    public void Allowing_a_reserved_range_is_EADDRINUSE_and_the_old_list_stays()
    {
        IovaMap map = IovaMapBuilder.WithMockDomain();
        Assert.Equal(Errno.OK, map.ReplaceAllowed([new(0x1000000, 0x100ffff)]));
        Assert.Equal(Errno.EADDRINUSE, map.ReplaceAllowed([new(0xffffff, 0x100ffff)]));
        Assert.Equal(Errno.EADDRINUSE, map.ReplaceAllowed([new(0x1000000, 0x80000000)]));
        Assert.Equal([new(0x1000000, 0x100ffff)], map.Allowed);
        Assert.Equal(Errno.OK, map.ReplaceAllowed([new(0x1000000, 0x7fffffff)]));
        Assert.Equal(Errno.OK, map.ReplaceAllowed([]));
        Assert.Empty(map.Allowed);
    }

    [Fact]
    public void Areas_outside_a_new_allowed_list_stay()
    {
        var map = new IovaMap();
        map.Map(0x1000, 0x1000);
        Assert.Equal(Errno.OK, map.ReplaceAllowed([new(0x8000, 0x8fff)]));
        Assert.NotNull(map.At(0x1000));
    }

    [Theory]
    [InlineData(0x1000000UL, 0x1000000UL)]
    [InlineData(0x1000001UL, 0x1000000UL)]
    public void An_allowed_range_of_one_byte_or_less_is_EINVAL(ulong start, ulong last) =>
        Assert.Equal(Errno.EINVAL, IovaMap.ValidateAllowed([(0, 1), (start, last)]));

    [Fact]
    public void Allowed_ranges_that_overlap_are_EINVAL_and_ones_that_touch_are_not()
    {
        Assert.Equal(Errno.EINVAL, IovaMap.ValidateAllowed([(0x1000fff, 0x1001fff), (0x1000000, 0x1000fff)]));
        Assert.Equal(Errno.OK, IovaMap.ValidateAllowed([(0x1001000, 0x1001fff), (0x1000000, 0x1000fff)]));
        Assert.Equal(Errno.OK, IovaMap.ValidateAllowed([]));
    }

    [Fact]
    public void An_owner_takes_only_its_own_reservations_away()
    {
        var map = new IovaMap();
        map.Reserve(new IovaRange(0x1000, 0x1fff), 1);
        map.Reserve(new IovaRange(0x1000, 0x1fff), 2);
        map.Reserve(new IovaRange(0x1800, 0x2fff), 2);
        map.Reserve(new IovaRange(0x5000, 0x5fff), 0);
        map.Unreserve(2);
        Assert.Equal([(new IovaRange(0x1000, 0x1fff), 1UL), (new IovaRange(0x5000, 0x5fff), 0UL)], map.Reservations);
        map.CheckInvariants();
        map.Unreserve(1);
        map.Unreserve(1);
        Assert.Equal([new(0, 0x4fff), new(0x6000, ulong.MaxValue)], map.UsableRanges());
    }

    [Theory]
    [InlineData(0x800, 0x1000)]
    [InlineData(0x2fff, 0x3800)]
    public void Reserving_one_byte_of_an_allowed_range_is_EADDRINUSE(ulong first, ulong last)
    {
        var map = new IovaMap();
        map.ReplaceAllowed([new(0x1000, 0x2fff)]);
        Assert.Equal(Errno.EADDRINUSE, map.Reserve(new IovaRange(first, last), 1));
    }

    [Fact]
    public void Reservations_that_share_one_byte_are_one_run()
    {
        var map = new IovaMap();
        map.Reserve(new IovaRange(0x2000, 0x2fff), 1);
        map.Reserve(new IovaRange(0x1000, 0x2000), 2);
        Assert.Equal([new(0, 0xfff), new(0x3000, ulong.MaxValue)], map.UsableRanges());
        map.CheckInvariants();
    }

    [Fact]
    public void Two_reservations_that_share_one_byte_stay_one_run_when_a_third_leaves()
    {
        var map = new IovaMap();
        map.Reserve(new IovaRange(0x1000, 0x2000), 1);
        map.Reserve(new IovaRange(0x2000, 0x2fff), 1);
        map.Reserve(new IovaRange(0x1000, 0x3fff), 2);
        map.Unreserve(2);
        Assert.Equal([new(0, 0xfff), new(0x3000, ulong.MaxValue)], map.UsableRanges());
        map.CheckInvariants();
    }

    [Theory]
    [InlineData(0x1000UL)]
    [InlineData(0x1fffUL)]
    public void A_reservation_of_one_byte_at_an_end_outlives_the_one_around_it(ulong at)
    {
        var map = new IovaMap();
        map.Reserve(new IovaRange(at, at), 1);
        map.Reserve(new IovaRange(0x1000, 0x1fff), 2);
        map.Unreserve(2);
        Assert.Equal([(new IovaRange(at, at), 1UL)], map.Reservations);
        map.CheckInvariants();
    }

    [Fact]
    public void Reservations_without_an_owner_are_for_ever() =>
        Assert.Throws<ArgumentOutOfRangeException>(() => new IovaMap().Unreserve(0));

    [Fact]
    public void A_hundred_thousand_devices_with_the_same_window_come_and_go()
    {
        var map = new IovaMap();
        var window = new IovaRange(0xfee00000, 0xfeefffff);
        for (ulong owner = 1; owner <= 100_000; owner++)
        {
            Assert.Equal(Errno.OK, map.Reserve(window, owner));
        }

        for (ulong owner = 1; owner < 100_000; owner++)
        {
            map.Unreserve(owner);
        }

        Assert.Equal([(window, 100_000UL)], map.Reservations);
        map.Unreserve(100_000);
        Assert.Equal([IovaRange.All], map.UsableRanges());
    }
}
