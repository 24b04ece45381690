using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Flows;
using Xunit;

namespace Iommufd.Core.Tests.Participants;

/// <summary>What an IOAS answers, request by request: areas from their placing to their end.</summary>
public sealed class IoasStateTests
{
    private const ulong Page = HostPage.Size;
    private const ulong At = 0x100_0000;
    private const uint Read = 2;
    private const uint Write = 1;

    private readonly IoasState _ioas = new();

    [Fact]
    public void Pieces_lie_back_to_back_from_the_fixed_IOVA_on()
    {
        AreasPlaced placed = Place(At, [Piece(1, 3 * Page, set: 7), Piece(2, 2 * Page, set: 8, start: 0x5000)]);

        Assert.Equal(new AreasPlaced(Errno.OK, At, PageByPage: false), placed);
        Assert.Equal(
            [
                new AreaView(1, new IovaRange(At, At + 0x2FFF), 7, 0, Read | Write, 0),
                new AreaView(2, new IovaRange(At + 0x3000, At + 0x4FFF), 8, 0x5000, Read | Write, 0),
            ],
            Areas()
        );
        Assert.Equal(2, _ioas.AreaCount);
    }

    [Fact]
    public void An_automatic_IOVA_has_room_for_all_pieces()
    {
        Place(2 * Page, [Piece(1, Page)]);

        var placed = Ask<AreasPlaced>(
            new PlaceAreas([Piece(2, Page), Piece(3, Page)], Fixed: false, 0, Hint: 0, Read, Publish: true)
        );

        Assert.Equal((Errno.OK, 4 * Page), (placed.Errno, placed.Iova));
    }

    [Fact]
    public void A_place_that_is_taken_is_EEXIST_and_nothing_is_inserted()
    {
        Place(At + Page, [Piece(1, Page)]);

        Assert.Equal(Errno.EEXIST, Place(At, [Piece(2, Page), Piece(3, Page)]).Errno);

        Assert.Equal(1, _ioas.AreaCount);
    }

    [Theory]
    [InlineData(Read, true)]
    [InlineData(Write, false)]
    [InlineData(Read | Write, false)]
    public void Memory_that_may_not_be_written_is_mapped_for_reading_only(uint permissions, bool works)
    {
        AreaPiece[] pieces = [Piece(1, Page), Piece(2, Page) with { Writable = false }];

        Assert.Equal(works ? Errno.OK : Errno.EPERM, Place(At, pieces, permissions).Errno);

        Assert.Equal(works ? 2 : 0, _ioas.AreaCount);
    }

    [Theory]
    [InlineData(0x800UL, Errno.OK)]
    [InlineData(0x1800UL, Errno.OK)]
    [InlineData(0x400UL, Errno.EINVAL)]
    public void A_piece_starts_in_its_page_where_the_alignment_allows(ulong start, Errno errno)
    {
        Ask<FlowResponse>(new AddDomain(9, 0x800, IovaRange.All));

        Assert.Equal(errno, Place(At, [Piece(1, Page), Piece(2, Page, start: start)]).Errno);

        Assert.Equal(errno == Errno.OK ? 2 : 0, _ioas.AreaCount);
    }

    [Fact]
    public void An_area_under_construction_takes_its_IOVAs_and_is_of_no_use_until_it_is_published()
    {
        Place(At, [Piece(1, Page)], publish: false);
        Assert.Equal(Errno.EEXIST, Place(At, [Piece(2, Page)]).Errno);
        Assert.Equal(Errno.ENOENT, Find(At, At).Errno);
        Assert.Equal(Errno.ENOENT, Open(At, At).End);
        Assert.Equal(Errno.EBUSY, Next(IovaRange.All).Errno);

        Ask<FlowResponse>(new PublishAreas([1], StorageHwpt: 5));

        Assert.Equal(5u, Assert.Single(Find(At, At).Areas).StorageHwpt);
    }

    [Fact]
    public void An_area_that_could_not_be_filled_is_forgotten()
    {
        Place(At, [Piece(1, Page), Piece(2, Page)], publish: false);

        // One that is not there any more is no mistake.
        Ask<FlowResponse>(new RemoveAreas([1, 99]));

        Assert.Equal(1, _ioas.AreaCount);
        Assert.Equal(Errno.OK, Place(At, [Piece(3, Page)]).Errno);
        Assert.Throws<InvariantBrokenException>(() => _ioas.Handle(new RemoveAreas([3])));
    }

    [Fact]
    public void An_unmap_goes_from_area_to_area_and_forgets_each_when_it_asks_for_the_next()
    {
        Place(At, [Piece(1, Page), Piece(2, Page), Piece(3, Page)]);
        var range = new IovaRange(At, At + (2 * Page) - 1);
        UnmapStep first = Next(range);
        Assert.Equal((UnmapAction.TearDown, 1UL), (first.Action, first.Area!.Key));
        Assert.Equal(Errno.EBUSY, Next(range).Errno);

        UnmapStep second = Next(range, finished: 1);
        Assert.Equal((UnmapAction.TearDown, 2UL), (second.Action, second.Area!.Key));

        Assert.Equal(new UnmapStep(Errno.OK, UnmapAction.Nothing, null), Next(range, finished: 2));
        Assert.Equal(1, _ioas.AreaCount);
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0, -1)]
    public void An_unmap_that_would_cut_an_area_is_ENOENT(long first, long last)
    {
        Place(At, [Piece(1, 2 * Page)]);
        var range = new IovaRange(At + (ulong)first, (ulong)((long)(At + (2 * Page) - 1) + last));

        Assert.Equal(Errno.ENOENT, Next(range).Errno);

        Assert.Equal(Errno.OK, Find(At, At).Errno);
    }

    [Fact]
    public void An_unmap_asks_accesses_to_let_go_and_lets_no_new_one_in()
    {
        Place(At, [Piece(1, Page)]);
        Open(At, At + Page - 1, pin: true);

        Assert.Equal(UnmapAction.Notify, Next(IovaRange.All).Action);
        Assert.Equal(Errno.EINVAL, Open(At, At + Page - 1, pin: true).End);
        Ask<FlowResponse>(new CloseAreas([1], Lock: false));

        Assert.Equal(UnmapAction.TearDown, Next(IovaRange.All).Action);
    }

    [Fact]
    public void A_lock_keeps_an_area_from_being_unmapped()
    {
        Place(At, [Piece(1, Page)]);
        Open(At, At + Page - 1, pin: true, locks: true);
        Open(At, At + Page - 1, pin: true);
        Assert.Equal(Errno.EBUSY, Next(IovaRange.All).Errno);

        Ask<FlowResponse>(new CloseAreas([1], Lock: true));

        Assert.Equal(UnmapAction.Notify, Next(IovaRange.All).Action);
    }

    [Fact]
    public void An_area_is_closed_and_unlocked_as_often_as_it_was_opened()
    {
        Place(At, [Piece(1, Page)]);
        Assert.Throws<InvariantBrokenException>(() => _ioas.Handle(new CloseAreas([1], Lock: false)));
        Place(At + Page, [Piece(2, Page)]);
        Open(At + Page, At + Page, pin: true);

        Assert.Throws<InvariantBrokenException>(() => _ioas.Handle(new CloseAreas([2], Lock: true)));
    }

    [Fact]
    public void An_access_that_pins_nothing_holds_nothing()
    {
        Place(At, [Piece(1, Page)]);

        Assert.Equal(Errno.OK, Open(At + 8, At + 15).End);

        Assert.Equal(UnmapAction.TearDown, Next(IovaRange.All).Action);
    }

    [Fact]
    public void An_access_gets_the_part_of_each_area_that_it_asked_for()
    {
        Place(At, [Piece(1, 2 * Page, set: 7), Piece(2, 2 * Page, set: 8, start: 0x3000)]);

        AreasOpened opened = Open(At + Page, At + (3 * Page) - 1, pin: true);

        Assert.Equal(Errno.OK, opened.End);
        Assert.Equal(
            [
                new AreaView(1, new IovaRange(At + 0x1000, At + 0x1FFF), 7, 0x1000, Read | Write, 0),
                new AreaView(2, new IovaRange(At + 0x2000, At + 0x2FFF), 8, 0x3000, Read | Write, 0),
            ],
            opened.Areas
        );
    }

    [Fact]
    public void An_access_ends_at_a_gap_with_what_it_has()
    {
        Place(At, [Piece(1, Page)]);

        AreasOpened opened = Open(At, At + (2 * Page) - 1, pin: true);

        Assert.Equal((1, Errno.ENOENT), (opened.Areas.Count, opened.End));
        Assert.Equal((0, Errno.ENOENT), (Open(At - 1, At).Areas.Count, Open(At - 1, At).End));
    }

    [Theory]
    [InlineData(Read, false, Errno.OK)]
    [InlineData(Read, true, Errno.EPERM)]
    [InlineData(Write, false, Errno.EPERM)]
    [InlineData(Write, true, Errno.OK)]
    public void An_access_does_what_the_mapping_allows(uint permissions, bool writes, Errno errno)
    {
        Place(At, [Piece(1, Page)], permissions);

        Assert.Equal(errno, Ask<AreasOpened>(new OpenAreas(new IovaRange(At, At), writes, false, false)).End);
    }

    [Theory]
    [InlineData(0x800UL, 0UL, true, Errno.EINVAL)]
    [InlineData(0x800UL, 0UL, false, Errno.OK)]
    [InlineData(0x800UL, 0x800UL, true, Errno.OK)]
    [InlineData(0UL, 0x800UL, true, Errno.EINVAL)]
    public void A_pin_begins_on_a_page_of_the_memory(ulong start, ulong offset, bool pin, Errno errno)
    {
        Place(At, [Piece(1, 2 * Page, start: start)]);

        Assert.Equal(errno, Open(At + offset, At + Page - 1, pin).End);
    }

    [Theory]
    [InlineData(0x800UL, true, Errno.EINVAL)]
    [InlineData(0x800UL, false, Errno.OK)]
    [InlineData(Page, true, Errno.OK)]
    public void A_pin_goes_on_into_another_area_at_the_end_of_a_page_of_the_memory(ulong length, bool pin, Errno errno)
    {
        Place(At, [Piece(1, length), Piece(2, Page)]);

        Assert.Equal(errno, Open(At, At + length, pin).End);
        Assert.Equal(Errno.OK, Open(At, At + length - 1, pin).End);
    }

    [Fact]
    public void Areas_behind_a_range_are_found_whole_or_not_at_all()
    {
        Place(At, [Piece(1, 2 * Page), Piece(2, 2 * Page)]);

        AreaList found = Find(At + Page, At + (2 * Page));

        Assert.Equal(
            [new IovaRange(At + 0x1000, At + 0x1FFF), new IovaRange(At + 0x2000, At + 0x2000)],
            found.Areas.Select(a => a.Range)
        );
        Assert.Equal(0x1000UL, found.Areas[0].StartByte);
        AreaList none = Find(At, At + (4 * Page));
        Assert.Equal((Errno.ENOENT, 0), (none.Errno, none.Areas.Count));
    }

    [Fact]
    public void The_storage_of_areas_moves_to_another_HWPT()
    {
        Place(At, [Piece(1, Page), Piece(2, Page), Piece(3, Page)]);

        Ask<FlowResponse>(new SetStorage([1, 3], StorageHwpt: 6));

        Assert.Equal([6u, 0u, 6u], Areas().Select(a => a.StorageHwpt));
    }

    [Fact]
    public void An_area_is_found_by_its_place_in_the_order_of_IOVAs()
    {
        Place(At + Page, [Piece(1, Page)]);
        Place(At, [Piece(2, Page)]);

        Assert.Equal(2UL, Assert.Single(Ask<AreaList>(new AreaByIndex(0)).Areas).Key);
        Assert.Equal(1UL, Assert.Single(Ask<AreaList>(new AreaByIndex(1)).Areas).Key);
        Assert.Empty(Ask<AreaList>(new AreaByIndex(2)).Areas);
    }

    private AreasPlaced Place(ulong iova, AreaPiece[] pieces, uint permissions = Read | Write, bool publish = true) =>
        Ask<AreasPlaced>(new PlaceAreas(pieces, Fixed: true, iova, Hint: 0, permissions, publish));

    private static AreaPiece Piece(ulong key, ulong length, uint set = 1, ulong start = 0) =>
        new(key, set, start, length, Writable: true);

    private UnmapStep Next(IovaRange range, ulong finished = 0) => Ask<UnmapStep>(new NextUnmap(range, finished));

    private AreaList Find(ulong first, ulong last) => Ask<AreaList>(new FindContiguous(new IovaRange(first, last)));

    private AreasOpened Open(ulong first, ulong last, bool pin = false, bool locks = false) =>
        Ask<AreasOpened>(new OpenAreas(new IovaRange(first, last), Write: false, pin, locks));

    private IReadOnlyList<AreaView> Areas() => Ask<AreaList>(ListAreas.Instance).Areas;

    private T Ask<T>(FlowRequest request)
        where T : FlowResponse => Assert.IsAssignableFrom<T>(_ioas.Handle(request));
}
