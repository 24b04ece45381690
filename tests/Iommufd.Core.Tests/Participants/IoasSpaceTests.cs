using Iommufd.Core.Iova;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Flows;
using Xunit;

namespace Iommufd.Core.Tests.Participants;

/// <summary>What binds the IOVA space of an IOAS (domains, devices, accesses, options), and how its areas are cut and listed.</summary>
public sealed class IoasSpaceTests
{
    private const ulong Page = HostPage.Size;
    private const ulong At = 0x100_0000;

    private readonly IoasState _ioas = new();

    [Theory]
    [InlineData(0UL, ulong.MaxValue, 0)]
    [InlineData(0x1000UL, ulong.MaxValue, 1)]
    [InlineData(1UL, ulong.MaxValue, 1)]
    [InlineData(0UL, 0xFFFF_FFFFUL, 1)]
    [InlineData(0UL, ulong.MaxValue - 1, 1)]
    [InlineData(0x1000UL, 0xFFFF_FFFFUL, 2)]
    public void What_a_domain_cannot_translate_is_reserved_until_it_leaves(ulong first, ulong last, int reserved)
    {
        var aperture = new IovaRange(first, last);
        Assert.Equal(Errno.OK, Refusal(new AddDomain(9, 0x800, aperture)));

        Assert.Equal(aperture, Assert.Single(Usable().Ranges));
        Assert.Equal(0x800UL, Usable().Alignment);
        Assert.Equal(reserved, Lines().Count(line => line.StartsWith("reserved", StringComparison.Ordinal)));

        Ask<FlowResponse>(new RemoveDomain(9));

        Assert.Equal(IovaRange.All, Assert.Single(Usable().Ranges));
        Assert.Equal(1UL, Usable().Alignment);
    }

    [Theory]
    [InlineData(0UL)]
    [InlineData(0xFFFF_0000UL)]
    public void A_domain_that_cannot_translate_an_area_does_not_join_and_binds_nothing(ulong iova)
    {
        Place(iova, 1, Page);

        Assert.Equal(Errno.EADDRINUSE, Refusal(new AddDomain(9, 0x800, new IovaRange(0x1000, 0xFFFE_FFFF))));

        Assert.Equal(IovaRange.All, Assert.Single(Usable().Ranges));
        Assert.Equal(1UL, Usable().Alignment);
    }

    [Fact]
    public void A_domain_of_pages_that_are_too_large_does_not_join()
    {
        Assert.Equal(Errno.EINVAL, Refusal(new AddDomain(9, 0x2000, new IovaRange(0x1000, 0xFFFF))));

        Assert.Equal(IovaRange.All, Assert.Single(Usable().Ranges));
    }

    [Fact]
    public void The_ranges_of_a_device_are_reserved_all_or_none()
    {
        Place(At, 1, Page);
        IovaRange free = new(0x1000, 0x1FFF);
        IovaRange taken = new(At, At);
        Assert.Equal(Errno.EADDRINUSE, Refusal(new ReserveRanges(4, [free, taken])));
        Assert.Equal(IovaRange.All, Assert.Single(Usable().Ranges));

        Assert.Equal(Errno.OK, Refusal(new ReserveRanges(4, [free])));
        Assert.Equal([new IovaRange(0, 0xFFF), new IovaRange(0x2000, ulong.MaxValue)], Usable().Ranges);

        Ask<FlowResponse>(new ReleaseRanges(4));
        Assert.Equal(IovaRange.All, Assert.Single(Usable().Ranges));
    }

    [Fact]
    public void Ranges_that_nobody_gives_back_stay_as_far_as_they_were_reserved()
    {
        Place(At, 1, Page);

        Assert.Equal(Errno.EADDRINUSE, Refusal(new ReserveRanges(0, [new IovaRange(0, 0xFFF), new IovaRange(At, At)])));

        Assert.Equal(new IovaRange(0x1000, ulong.MaxValue), Assert.Single(Usable().Ranges));
    }

    [Fact]
    public void An_access_that_pins_asks_for_whole_pages_until_it_leaves()
    {
        Ask<FlowResponse>(new AddAccess(3, Pins: true));
        Assert.Equal(Page, Usable().Alignment);

        Ask<FlowResponse>(new RemoveAccess(3));
        Assert.Equal(1UL, Usable().Alignment);
        Place(At, 1, 0x800);

        Assert.Equal(Errno.EADDRINUSE, Refusal(new AddAccess(3, Pins: true)));
        Assert.Equal(Errno.OK, Refusal(new AddAccess(3, Pins: false)));
    }

    [Fact]
    public void Allowed_ranges_and_reserved_ones_exclude_each_other()
    {
        Refusal(new ReserveRanges(4, [new IovaRange(0x1000, 0x1FFF)]));

        Assert.Equal(Errno.EADDRINUSE, Refusal(new ReplaceAllowed([new IovaRange(0x1800, 0x2FFF)])));
        Assert.Equal(Errno.OK, Refusal(new ReplaceAllowed([new IovaRange(0x2000, 0x2FFF)])));
        Assert.Equal(Errno.EADDRINUSE, Refusal(new ReserveRanges(5, [new IovaRange(0x2000, 0x2000)])));
    }

    [Fact]
    public void Large_pages_are_allowed_until_they_are_disabled_and_asking_changes_nothing()
    {
        Assert.Equal(new LargePagesState(Errno.OK, Enabled: true), LargePages(null));
        Assert.False(_ioas.MapsPageByPage);

        Assert.Equal(new LargePagesState(Errno.OK, Enabled: false), LargePages(disabled: true));
        Assert.Equal(new LargePagesState(Errno.OK, Enabled: false), LargePages(null));
        Assert.True(_ioas.MapsPageByPage);
        Assert.True(Place(At, 1, Page).PageByPage);
        Assert.True(Ask<AreaList>(ListAreas.Instance).PageByPage);

        Assert.Equal(new LargePagesState(Errno.OK, Enabled: true), LargePages(disabled: false));
    }

    [Fact]
    public void An_area_is_cut_into_two_that_are_found_by_their_new_keys()
    {
        Place(At, 1, 4 * Page);

        var cut = Ask<AreaCut>(new CutArea(At + Page - 1, LeftKey: 5, RightKey: 6));

        Assert.Equal((1UL, 5UL, 6UL), (cut.Whole!.Key, cut.Left!.Key, cut.Right!.Key));
        Assert.Equal(new IovaRange(At, At + (4 * Page) - 1), cut.Whole.Range);
        Assert.Equal(new IovaRange(At, At + Page - 1), cut.Left.Range);
        Assert.Equal(new IovaRange(At + Page, At + (4 * Page) - 1), cut.Right.Range);
        Assert.Equal(2, _ioas.AreaCount);
        Ask<FlowResponse>(new SetStorage([5, 6], StorageHwpt: 8));
        Assert.Equal([8u, 8u], Areas().Select(a => a.StorageHwpt));
    }

    [Theory]
    [InlineData(At - 1)]
    [InlineData(At)]
    [InlineData(At + (2 * Page) - 1)]
    public void There_is_nothing_to_cut_outside_an_area_and_at_its_ends(ulong lastByte)
    {
        Place(At, 1, 2 * Page);

        Assert.Equal(new AreaCut(Errno.OK, null, null, null), Ask<AreaCut>(new CutArea(lastByte, 5, 6)));

        Assert.Equal(1UL, Assert.Single(Areas()).Key);
    }

    [Fact]
    public void An_area_that_is_in_use_is_not_cut()
    {
        Place(At, 1, 2 * Page);
        Ask<FlowResponse>(new OpenAreas(new IovaRange(At, At + Page - 1), Write: false, Pin: true, Lock: false));

        Assert.Equal(new AreaCut(Errno.EINVAL, null, null, null), Ask<AreaCut>(new CutArea(At + Page - 1, 5, 6)));

        Assert.Equal(1UL, Assert.Single(Areas()).Key);
    }

    [Fact]
    public void The_contiguous_part_of_a_range_ends_at_the_first_gap_or_area_in_transition()
    {
        Place(At, 1, 2 * Page);
        Place(At + (2 * Page), 2, Page);
        Place(At + (4 * Page), 3, Page);

        var prefix = Ask<AreaList>(new ContiguousFrom(new IovaRange(At + Page, At + (5 * Page) - 1)));
        Assert.Equal(
            [new IovaRange(At + 0x1000, At + 0x1FFF), new IovaRange(At + 0x2000, At + 0x2FFF)],
            prefix.Areas.Select(a => a.Range)
        );
        Assert.Single(Ask<AreaList>(new ContiguousFrom(new IovaRange(At, At + (2 * Page) - 1))).Areas);
        Assert.Empty(Ask<AreaList>(new ContiguousFrom(new IovaRange(At - 1, At))).Areas);

        Ask<UnmapStep>(new NextUnmap(new IovaRange(At + (2 * Page), At + (3 * Page) - 1), 0));
        Assert.Single(Ask<AreaList>(new ContiguousFrom(new IovaRange(At, At + (3 * Page) - 1))).Areas);
    }

    [Fact]
    public void The_page_sets_are_listed_in_the_order_of_IOVAs_unless_an_area_is_in_transition()
    {
        Place(At + Page, 1, Page, set: 7);
        Place(At, 2, Page, set: 8);
        var sets = Ask<PageSetList>(new ListPageSets());
        Assert.Equal((Errno.OK, 2), (sets.Errno, sets.PageSets.Count));
        Assert.Equal([8u, 7u], sets.PageSets);

        Ask<UnmapStep>(new NextUnmap(new IovaRange(At, At + Page - 1), 0));

        Assert.Equal(Errno.EBUSY, Ask<PageSetList>(new ListPageSets()).Errno);
    }

    [Fact]
    public void The_description_has_everything_that_decides_what_comes_next()
    {
        Refusal(new ReserveRanges(4, [new IovaRange(0x1000, 0x1FFF)]));
        Refusal(new ReplaceAllowed([new IovaRange(0x8000, 0x8FFF), new IovaRange(0x4000, 0x4FFF)]));
        Place(At, 1, Page);
        Ask<FlowResponse>(new OpenAreas(new IovaRange(At, At + Page - 1), Write: false, Pin: true, Lock: false));

        Assert.Equal(
            [
                "alignment 1 largePages True",
                $"reserved {new IovaRange(0x1000, 0x1FFF)} owner 4",
                $"allowed {new IovaRange(0x4000, 0x4FFF)}",
                $"allowed {new IovaRange(0x8000, 0x8FFF)}",
                $"area {new IovaRange(At, At + 0xFFF)} start 0 permissions 2",
                "  storage 0 users 1 state Ready",
            ],
            Lines()
        );
    }

    [Fact]
    public void A_short_way_places_an_area_where_the_long_one_would()
    {
        var area = new Area
        {
            Key = 1,
            StartByte = 0x800,
            State = AreaState.Ready,
        };
        Assert.True(_ioas.TryPlace(area, At, Page));
        Assert.Equal(new IovaRange(At, At + Page - 1), area.Range);
        Assert.False(_ioas.TryPlace(new Area { Key = 2 }, At, Page));
        Ask<FlowResponse>(new AddDomain(9, 0x800, IovaRange.All));
        Assert.False(_ioas.TryPlace(new Area { Key = 3, StartByte = 0x400 }, At + Page, Page));
        Assert.True(_ioas.TryPlace(new Area { Key = 4, StartByte = 0x1800 }, At + Page, Page));
        Assert.Equal(2, _ioas.AreaCount);

        Ask<FlowResponse>(new SetStorage([1], StorageHwpt: 6));
        Assert.Equal(6u, area.StorageHwpt);
    }

    [Fact]
    public void A_short_way_tears_down_one_area_that_nobody_uses()
    {
        Place(At, 1, Page);
        Place(At + Page, 2, Page);
        var range = new IovaRange(At, At + Page - 1);
        Assert.Null(_ioas.TryTearDown(new IovaRange(At, At + (2 * Page) - 1)));
        Assert.Null(_ioas.TryTearDown(new IovaRange(0, 0)));

        Area? area = _ioas.TryTearDown(range);

        Assert.Equal(1UL, area!.Key);
        Assert.Null(_ioas.TryTearDown(range));
        _ioas.RemoveTornDown(area);
        Assert.Equal(2UL, Assert.Single(Areas()).Key);
        Assert.Equal(1, _ioas.AreaCount);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void A_short_way_leaves_what_an_access_uses_alone(bool locks)
    {
        Place(At, 1, Page);
        var range = new IovaRange(At, At + Page - 1);
        Ask<FlowResponse>(new OpenAreas(range, Write: false, Pin: true, Lock: locks));

        Assert.Null(_ioas.TryTearDown(range));
    }

    private AreasPlaced Place(ulong iova, ulong key, ulong length, uint set = 1) =>
        Ask<AreasPlaced>(
            new PlaceAreas([new AreaPiece(key, set, 0, length, Writable: true)], Fixed: true, iova, 0, 2, Publish: true)
        );

    private LargePagesState LargePages(bool? disabled) => Ask<LargePagesState>(new LargePages(disabled));

    private UsableRanges Usable() => Ask<UsableRanges>(QueryRanges.Instance);

    private IReadOnlyList<AreaView> Areas() => Ask<AreaList>(ListAreas.Instance).Areas;

    private IReadOnlyList<string> Lines() => Ask<StateDescription>(new DescribeState(WithText: true)).Lines;

    private Errno Refusal(FlowRequest request) => _ioas.Handle(request).Errno;

    private T Ask<T>(FlowRequest request)
        where T : FlowResponse => Assert.IsAssignableFrom<T>(_ioas.Handle(request));
}
