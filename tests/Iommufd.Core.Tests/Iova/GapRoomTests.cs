using System.Runtime.Intrinsics;
using Iommufd.Core.Iova;
using Xunit;

namespace Iommufd.Core.Tests.Iova;

public sealed class GapRoomTests
{
    private const ulong Page = 0x1000;

    /// <summary>The alignments and offsets that have a class.</summary>
    public static TheoryData<ulong, ulong> Placements
    {
        get
        {
            var placements = new TheoryData<ulong, ulong>
            {
                { 0x800, 0 },
                { 0x800, 0x800 },
                { 0x400, 0 },
                { 0x400, 0x400 },
                { 0x400, 0xc00 },
            };
            for (ulong alignment = Page; alignment <= 2 << 20; alignment *= 2)
            {
                placements.Add(alignment, 0);
            }

            return placements;
        }
    }

    [Theory]
    [MemberData(nameof(Placements))]
    public void A_gap_has_the_room_behind_its_first_suitable_start(ulong alignment, ulong offset)
    {
        foreach (ulong first in new ulong[] { 1, 0x400, 0xbff, Page, 0x1c01, 0x1f_f000, 0x20_0000, 0x20_0001 })
        {
            var room = new GapRoom();
            room.Add(first, 0x4f_ffff);
            ulong start = ((first + alignment - 1) & ~(alignment - 1)) | offset;
            Assert.Equal((int)(0x50_0000 - start), RoomOf(room, alignment, offset));
        }
    }

    [Fact]
    public void Every_placement_with_a_class_has_its_own()
    {
        IEnumerable<int> classes = Placements.Select(p => GapRoom.ClassOf((ulong)p[0], (ulong)p[1]));
        Assert.Equal(Enumerable.Range(0, 15), classes.Order());
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(0x200, 0x200)]
    [InlineData(4 << 20, 0)]
    public void A_placement_without_a_class_is_promised_all_of_a_gap(ulong alignment, ulong offset)
    {
        var room = new GapRoom();
        room.Add(0x1001, 0x1fff);
        Assert.Equal(0xfff, RoomOf(room, alignment, offset));
    }

    [Fact]
    public void The_room_is_that_of_the_gap_that_has_most()
    {
        var room = new GapRoom();
        room.Add(0x1800, 0x3fff);
        room.Add(0x8000, 0x8fff);
        var other = new GapRoom();
        other.Add(0x1_0000, 0x1_2fff);
        room.Include(other);
        Assert.Equal(0x3000UL, room.Largest);
        Assert.Equal(0x3000, RoomOf(room, Page, 0));
        Assert.Equal(0x2400, RoomOf(room, 0x400, 0xc00));
    }

    [Theory]
    [InlineData(0x1001UL, ulong.MaxValue)]
    [InlineData(0x1001UL, 0xffff_ffffUL)]
    [InlineData(0x1f_ffffUL, 0x8000_0000UL)]
    public void A_gap_of_2_GiB_and_more_has_room_for_every_length(ulong first, ulong last)
    {
        var room = new GapRoom();
        room.Add(first, last);
        Assert.Equal(last - first + 1, room.Largest);
        foreach (object[] placement in Placements)
        {
            int shown = RoomOf(room, (ulong)placement[0], (ulong)placement[1]);
            Assert.Equal(GapRoom.RoomFor(ulong.MaxValue), shown);
        }
    }

    [Fact]
    public void Rooms_cover_others_when_none_is_less()
    {
        var small = new GapRoom();
        small.Add(0x1000, 0x1fff);
        var large = new GapRoom();
        large.Add(0x1000, 0x2fff);
        Assert.True(large.Covers(small));
        Assert.True(small.Covers(small));
        Assert.False(small.Covers(large));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(15)]
    public void Rooms_do_not_cover_others_that_have_more_in_one_class(int placementClass)
    {
        var room = new GapRoom();
        room.Add(0x1000, 0x2fff);
        GapRoom more = room;
        if (placementClass < 8)
        {
            more.Low = more.Low.WithElement(placementClass, more.Low[placementClass] + 1);
        }
        else
        {
            more.High = more.High.WithElement(placementClass - 8, more.High[placementClass - 8] + 1);
        }

        Assert.False(room.Covers(more));
        Assert.True(more.Covers(room));
    }

    private static int RoomOf(in GapRoom room, ulong alignment, ulong offset)
    {
        int placementClass = GapRoom.ClassOf(alignment, offset);
        return placementClass < 8 ? room.Low[placementClass] : room.High[placementClass - 8];
    }
}
