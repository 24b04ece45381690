using Iommufd.Core.Iova;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Iova;

public sealed class FixedPlacementTests
{
    [Fact]
    public void A_length_that_is_not_aligned_is_EINVAL() =>
        Assert.Equal(Errno.EINVAL, IovaMapBuilder.WithMockDomain().TryFixed(0x1000000, 0x801));

    [Fact]
    public void An_iova_that_is_not_aligned_is_EINVAL_before_it_overflows() =>
        Assert.Equal(Errno.EINVAL, IovaMapBuilder.WithMockDomain().TryFixed(ulong.MaxValue - 1, 0x800));

    [Fact]
    public void A_range_past_the_end_of_the_space_is_EOVERFLOW_before_it_meets_a_reserved_range() =>
        Assert.Equal(Errno.EOVERFLOW, IovaMapBuilder.WithMockDomain().TryFixed(0xfffffffffffff800, 0x1000));

    [Fact]
    public void A_reserved_range_is_EINVAL_before_an_area_is_EEXIST()
    {
        IovaMap map = IovaMapBuilder.WithMockDomain();
        map.Map(0x1000000, 0x1000);
        Assert.Equal(Errno.EINVAL, map.TryFixed(0xfff000, 0x2000));
        Assert.Equal(Errno.EEXIST, map.TryFixed(0x1000800, 0x800));
    }

    [Theory]
    [InlineData(AreaState.Building)]
    [InlineData(AreaState.Ready)]
    [InlineData(AreaState.Teardown)]
    public void An_area_in_any_state_is_EEXIST(AreaState state)
    {
        var map = new IovaMap();
        map.Map(0x1000, 0x1000, state);
        Assert.Equal(Errno.EEXIST, map.TryFixed(0x1fff, 1));
        Assert.Equal(Errno.OK, map.TryFixed(0x2000, 1));
    }

    [Fact]
    public void Both_ends_of_the_space_can_be_mapped()
    {
        var map = new IovaMap();
        map.Map(0xfffffffffffff000, 0x1000);
        map.Map(0xffffffffffffe000, 0x1000);
        Assert.Equal(Errno.EEXIST, map.TryFixed(0xffffffffffffe000, 0x2000));
        Assert.Equal(Errno.EOVERFLOW, map.TryFixed(0xfffffffffffff000, 0x1001));
        Assert.Equal(Errno.EEXIST, map.TryFixed(0xfffffffffffffffe, 1));
        map.Map(0, 0x1000);
        map.CheckInvariants();
        Assert.Null(map.Next(map.At(ulong.MaxValue)!));
    }

    [Fact]
    public void Inserting_over_an_area_is_refused()
    {
        var map = new IovaMap();
        map.Map(0x1000, 0x1000);
        var area = new Area { Range = new IovaRange(0x1fff, 0x2fff) };
        Assert.Throws<InvalidOperationException>(() => map.Insert(area));
        Assert.Equal(1, map.AreaCount);
        map.CheckInvariants();
    }

    [Fact]
    public void Inserting_over_a_reserved_range_is_refused()
    {
        IovaMap map = IovaMapBuilder.WithMockDomain();
        var area = new Area { Range = new IovaRange(0x7ffff000, 0x80000000) };
        Assert.Throws<InvalidOperationException>(() => map.Insert(area));
    }

    [Fact]
    public void Removing_an_area_that_is_not_there_is_refused()
    {
        var map = new IovaMap();
        Area area = map.Map(0x1000, 0x1000);
        var other = new Area { Range = area.Range };
        Assert.Throws<InvalidOperationException>(() => map.Remove(other));
        map.Remove(area);
        Assert.Throws<InvalidOperationException>(() => map.Remove(area));
        Assert.Equal(0, map.AreaCount);
    }

    [Fact]
    public void Changing_the_map_during_an_enumeration_is_noticed()
    {
        var map = new IovaMap();
        map.Map(0x1000, 0x1000);
        map.Map(0x3000, 0x1000);
        Assert.Throws<InvalidOperationException>(() =>
        {
            foreach (Area area in map.InOrder())
            {
                map.Remove(area);
            }
        });
    }

    [Fact]
    public void An_area_that_comes_during_an_enumeration_is_noticed()
    {
        var map = new IovaMap();
        map.Map(0x1000, 0x1000);
        AreaSequence.Enumerator areas = map.InOrder().GetEnumerator();
        map.Map(0x3000, 0x1000);
        Assert.Throws<InvalidOperationException>(() => areas.MoveNext());
    }

    [Fact]
    public void A_change_during_an_enumeration_that_is_taken_back_is_noticed()
    {
        var map = new IovaMap();
        map.Map(0x1000, 0x1000);
        AreaSequence.Enumerator areas = map.InOrder().GetEnumerator();
        map.Remove(map.Map(0x3000, 0x1000));
        Assert.Throws<InvalidOperationException>(() => areas.MoveNext());
    }

    [Fact]
    public void Steady_maps_and_unmaps_allocate_nothing()
    {
        var map = new IovaMap();
        for (ulong i = 0; i < 2000; i++)
        {
            map.Map((i * 0x3000) + 0x1000, 0x1000);
        }

        var area = new Area();
        Allocations.None(() => Churn(map, area));
    }

    private static void Churn(IovaMap map, Area area)
    {
        for (ulong i = 0; i < 1000; i++)
        {
            map.PlaceAutomatic(0x2000, 0x1000, out IovaRange range);
            area.Range = range;
            map.Insert(area);
            map.Remove(area);
        }

        foreach (Area other in map.InOrder())
        {
            area.StartByte += other.Length;
        }
    }
}
