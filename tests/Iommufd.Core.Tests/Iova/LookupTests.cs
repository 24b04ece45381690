using Iommufd.Core.Iova;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Iova;

public sealed class LookupTests
{
    private readonly IovaMap _map = new();
    private readonly List<Area> _run = [];

    [Fact]
    public void An_areas_page_indexes_follow_from_its_start_and_length()
    {
        var area = new Area { Range = new IovaRange(0x1000000, 0x1000fff), StartByte = 0x2800 };
        Assert.Equal(2UL, area.FirstIndex);
        Assert.Equal(3UL, area.LastIndex);
        Assert.Equal(0x800UL, area.PageOffset);
        Assert.Equal(0x1000UL, area.Length);
    }

    [Fact]
    public void The_lowest_overlapping_area_is_found_past_reserved_ranges()
    {
        _map.Reserve(new IovaRange(0, 0xfff), 1);
        _map.Reserve(new IovaRange(0x2000, 0x2fff), 1);
        Area area = _map.Map(0x4000, 0x1000);
        _map.Map(0x6000, 0x1000);
        Assert.Same(area, _map.FirstOverlapping(IovaRange.All));
        Assert.Null(_map.FirstOverlapping(new IovaRange(0x1000, 0x3fff)));
        Assert.Null(_map.At(0x2000));
        Assert.Equal(0x6000UL, _map.Next(area)!.Range.First);
    }

    [Theory]
    [InlineData(0x3000, 0x4000)]
    [InlineData(0x4fff, 0x6000)]
    public void A_range_that_shares_one_byte_with_an_area_overlaps_it(ulong first, ulong last)
    {
        Area area = _map.Map(0x4000, 0x1000);
        Assert.Same(area, _map.FirstOverlapping(new IovaRange(first, last)));
    }

    [Fact]
    public void A_run_may_start_and_end_inside_areas()
    {
        Area[] areas = [_map.Map(0x1000, 0x1000), _map.Map(0x2000, 0x2000), _map.Map(0x4000, 0x1000)];
        Assert.True(_map.TryContiguous(new IovaRange(0x1800, 0x47ff), _run));
        Assert.Equal(areas, _run);
    }

    [Fact]
    public void A_gap_breaks_a_run()
    {
        _map.Map(0x1000, 0x1000);
        _map.Map(0x2001, 0xfff);
        Assert.False(_map.TryContiguous(new IovaRange(0x1000, 0x2fff), _run));
        Assert.Empty(_run);
        Assert.False(_map.TryContiguous(new IovaRange(0x0, 0x1fff), _run));
        Assert.False(_map.TryContiguous(new IovaRange(0x2fff, 0x3000), _run));
    }

    [Theory]
    [InlineData(AreaState.Building)]
    [InlineData(AreaState.Teardown)]
    public void An_area_in_transition_breaks_a_run(AreaState state)
    {
        _map.Map(0x1000, 0x1000);
        _map.Map(0x2000, 0x1000, state);
        Assert.True(_map.TryContiguous(new IovaRange(0x1000, 0x1fff), _run));
        Assert.False(_map.TryContiguous(new IovaRange(0x1000, 0x2000), _run));
    }

    [Fact]
    public void A_run_reaches_the_end_of_the_space()
    {
        Area area = _map.Map(0xfffffffffffff000, 0x1000);
        Assert.True(_map.TryContiguous(area.Range, _run));
        Assert.Equal([area], _run);
    }

    [Fact]
    public void A_range_that_changed_while_the_area_was_inside_is_noticed()
    {
        Area area = _map.Map(0x1000, 0x1000);
        area.Range = new IovaRange(0x1000, 0x2fff);
        Assert.Throws<InvalidOperationException>(_map.CheckInvariants);
    }
}
