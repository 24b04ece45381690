using Iommufd.Core.Dma;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Dma;

/// <summary>What an IOTLB finds, replaces and forgets, entry by entry.</summary>
public sealed class IotlbTests
{
    private const ulong Page = 0x1000;
    private const ulong Large = 0x20_0000;

    /// <summary>Four ways are compared at once, other numbers one by one.</summary>
    public static TheoryData<int> Ways => [1, 2, 4, 8];

    [Theory]
    [InlineData(0, 4)]
    [InlineData(-1, 4)]
    [InlineData(64, 0)]
    [InlineData(48, 4)]
    public void Sets_are_a_power_of_two_and_ways_are_there(int sets, int ways) =>
        Assert.ThrowsAny<ArgumentException>(() => new Iotlb(new IotlbGeometry(sets, ways)));

    [Theory]
    [MemberData(nameof(Ways))]
    public void Pages_of_several_sizes_are_found_each_by_its_size(int ways)
    {
        var iotlb = new Iotlb(new IotlbGeometry(64, ways));
        Fill(iotlb, 8 * Large, 0x7_0000_0000, shift: 21);
        Fill(iotlb, 3 * Page, 0x5000);

        Assert.Equal(0x7_0000_0000UL, Found(iotlb, 8 * Large));
        Assert.Equal(0x7_0000_0000UL, Found(iotlb, (9 * Large) - 1));
        Assert.Equal(0x5000UL, Found(iotlb, (4 * Page) - 1));
        Assert.Null(Found(iotlb, 9 * Large));
        Assert.Null(Found(iotlb, (8 * Large) - 1));
        Assert.Null(Found(iotlb, 4 * Page));
        Assert.Equal(2, iotlb.Count);
    }

    [Fact]
    public void The_offset_of_a_found_page_has_as_many_bits_as_its_size()
    {
        var iotlb = new Iotlb(IotlbGeometry.Default);
        int large = Fill(iotlb, 8 * Large, 0, shift: 21);
        int small = Fill(iotlb, Page, 0);

        Assert.Equal((Large - 1, Page - 1), (iotlb.OffsetMaskAt(large), iotlb.OffsetMaskAt(small)));
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_page_that_is_filled_again_has_its_new_translation_only(int ways)
    {
        var iotlb = new Iotlb(new IotlbGeometry(64, ways));
        Fill(iotlb, Page, 0x5000);
        Fill(iotlb, Page, 0x9000);

        Assert.Equal(0x9000UL, Found(iotlb, Page));
        Assert.Equal(1, iotlb.Count);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void The_same_page_of_two_address_spaces_is_two_entries(int ways)
    {
        var iotlb = new Iotlb(new IotlbGeometry(64, ways));
        Fill(iotlb, Page, 0x5000, pasid: 1);
        Fill(iotlb, Page, 0x9000, pasid: 2);

        Assert.Equal(0x5000UL, Found(iotlb, Page, pasid: 1));
        Assert.Equal(0x9000UL, Found(iotlb, Page, pasid: 2));
        Assert.Null(Found(iotlb, Page, pasid: 3));
        Assert.Equal(2, iotlb.Count);
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public void An_invalidation_of_one_address_space_leaves_the_others(int ways)
    {
        var iotlb = new Iotlb(new IotlbGeometry(64, ways));
        Fill(iotlb, Page, 0x5000, pasid: 1);
        Fill(iotlb, Page, 0x9000, pasid: 2);

        iotlb.Invalidate(IovaRange.All, pasid: 1);

        Assert.Null(Found(iotlb, Page, pasid: 1));
        Assert.Equal(0x9000UL, Found(iotlb, Page, pasid: 2));
    }

    [Fact]
    public void An_invalidation_of_all_address_spaces_leaves_nothing_in_its_range()
    {
        var iotlb = new Iotlb(IotlbGeometry.Default);
        Fill(iotlb, Page, 0x5000, pasid: 1);
        Fill(iotlb, Page, 0x9000, pasid: 2);

        iotlb.Invalidate(new IovaRange(Page, Page));

        Assert.Equal(0, iotlb.Count);
    }

    [Theory]
    [InlineData(4 * Page, (5 * Page) - 1, true)]
    [InlineData(0, 4 * Page, true)]
    [InlineData((5 * Page) - 1, ulong.MaxValue, true)]
    [InlineData((4 * Page) + 8, (4 * Page) + 15, true)]
    [InlineData(0, (4 * Page) - 1, false)]
    [InlineData(5 * Page, ulong.MaxValue, false)]
    public void An_entry_goes_whole_with_an_invalidation_that_meets_it(ulong first, ulong last, bool goes)
    {
        var iotlb = new Iotlb(IotlbGeometry.Default);
        Fill(iotlb, 4 * Page, 0x5000);

        iotlb.Invalidate(new IovaRange(first, last));

        Assert.Equal(goes ? 0 : 1, iotlb.Count);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_full_set_gives_up_one_way_after_the_other(int ways)
    {
        var iotlb = new Iotlb(new IotlbGeometry(1, ways));
        for (int page = 0; page < ways; page++)
        {
            Fill(iotlb, (ulong)page * Page, 0);
        }

        for (int page = 0; page < (2 * ways) + 1; page++)
        {
            Fill(iotlb, (ulong)(page + ways) * Page, 0);

            Assert.Null(Found(iotlb, (ulong)page * Page));
            Assert.NotNull(Found(iotlb, (ulong)(page + 1) * Page));
            Assert.Equal(ways, iotlb.Count);
        }
    }

    [Fact]
    public void Invalidations_are_numbered_from_1_also_where_there_is_nothing_to_remove()
    {
        var iotlb = new Iotlb(IotlbGeometry.Default);

        Assert.Equal(1UL, iotlb.Invalidate(IovaRange.All));
        Fill(iotlb, Page, 0);
        Assert.Equal(2UL, iotlb.Invalidate(IovaRange.All));
        Assert.Equal(2UL, iotlb.Invalidations);
    }

    [Theory]
    [InlineData(4 * Page, (5 * Page) - 1, true)]
    [InlineData(0, 4 * Page, true)]
    [InlineData((5 * Page) - 1, ulong.MaxValue, true)]
    [InlineData(0, (4 * Page) - 1, false)]
    [InlineData(5 * Page, ulong.MaxValue, false)]
    public void An_entry_that_outlives_an_invalidation_that_meets_it_is_stale(ulong first, ulong last, bool stale)
    {
        var iotlb = new DeafIotlb();
        Fill(iotlb, 4 * Page, 0x5000);

        iotlb.Invalidate(new IovaRange(first, last));

        Assert.Equal(stale ? IotlbResult.Stale : IotlbResult.Hit, Look(iotlb, 4 * Page));
        // It does not get better by being looked at.
        Assert.Equal(stale ? IotlbResult.Stale : IotlbResult.Hit, Look(iotlb, 4 * Page));
    }

    [Theory]
    [InlineData(1u, true)]
    [InlineData(2u, false)]
    [InlineData(null, true)]
    public void An_invalidation_of_another_address_space_makes_nothing_stale(uint? pasid, bool stale)
    {
        var iotlb = new DeafIotlb();
        Fill(iotlb, Page, 0x5000, pasid: 1);

        iotlb.Invalidate(IovaRange.All, pasid);

        Assert.Equal(stale ? IotlbResult.Stale : IotlbResult.Hit, Look(iotlb, Page, pasid: 1));
    }

    [Fact]
    public void An_entry_that_came_after_an_invalidation_is_not_stale()
    {
        var iotlb = new DeafIotlb();
        Fill(iotlb, 2 * Page, 0x5000);
        iotlb.Invalidate(IovaRange.All);
        Fill(iotlb, Page, 0x6000);

        Assert.Equal(IotlbResult.Hit, Look(iotlb, Page));
        Assert.Equal(IotlbResult.Stale, Look(iotlb, 2 * Page));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(9)]
    [InlineData(63)]
    public void A_stale_entry_is_found_out_after_up_to_63_other_invalidations(int others)
    {
        var iotlb = new DeafIotlb();
        Fill(iotlb, Page, 0x5000);
        Fill(iotlb, 2 * Page, 0x6000);
        iotlb.Invalidate(new IovaRange(Page, Page));
        for (int i = 0; i < others; i++)
        {
            iotlb.Invalidate(new IovaRange(9 * Page, 9 * Page));
        }

        Assert.Equal(IotlbResult.Stale, Look(iotlb, Page));
        Assert.Equal(IotlbResult.Hit, Look(iotlb, 2 * Page));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(80)]
    public void An_entry_is_stale_after_the_last_of_many_invalidations(int earlier)
    {
        var iotlb = new DeafIotlb();
        Fill(iotlb, Page, 0x5000);
        for (int i = 0; i < earlier; i++)
        {
            iotlb.Invalidate(new IovaRange(9 * Page, 9 * Page));
            Assert.Equal(IotlbResult.Hit, Look(iotlb, Page));
        }

        iotlb.Invalidate(new IovaRange(Page, Page));

        Assert.Equal(IotlbResult.Stale, Look(iotlb, Page));
    }

    [Fact]
    public void What_was_invalidated_before_the_first_entry_came_makes_none_stale()
    {
        var iotlb = new DeafIotlb();
        for (int i = 0; i < 5; i++)
        {
            iotlb.Invalidate(IovaRange.All);
        }

        Fill(iotlb, Page, 0x5000);
        iotlb.Invalidate(new IovaRange(9 * Page, 9 * Page));

        Assert.Equal(IotlbResult.Hit, Look(iotlb, Page));
    }

    [Fact]
    public void What_was_invalidated_before_an_entry_came_does_not_make_it_stale_later()
    {
        var iotlb = new DeafIotlb();
        Fill(iotlb, 2 * Page, 0x5000);
        iotlb.Invalidate(IovaRange.All);
        Fill(iotlb, Page, 0x6000);

        iotlb.Invalidate(new IovaRange(9 * Page, 9 * Page));

        Assert.Equal(IotlbResult.Hit, Look(iotlb, Page));
    }

    [Fact]
    public void Whichever_of_many_invalidations_an_entry_outlived_it_is_stale()
    {
        for (int total = 1; total <= 20; total++)
        {
            for (int met = 1; met <= total; met++)
            {
                var iotlb = new DeafIotlb();
                Fill(iotlb, Page, 0x5000);
                for (int number = 1; number <= total; number++)
                {
                    ulong at = number == met ? Page : 9 * Page;
                    iotlb.Invalidate(new IovaRange(at, at));
                }

                Assert.Equal(IotlbResult.Stale, Look(iotlb, Page));
            }
        }
    }

    [Theory]
    [InlineData(IoptePermissions.Read, IoptePermissions.Read, false, true)]
    [InlineData(IoptePermissions.Read, IoptePermissions.Write, false, false)]
    [InlineData(IoptePermissions.ReadWrite, IoptePermissions.Write, false, true)]
    [InlineData(IoptePermissions.ReadWrite, IoptePermissions.Write, true, false)]
    [InlineData(IoptePermissions.ReadWrite, IoptePermissions.ReadWrite, true, false)]
    [InlineData(IoptePermissions.ReadWrite, IoptePermissions.Read, true, true)]
    public void The_short_way_hits_what_allows_the_access_and_needs_no_mark(
        IoptePermissions allowed,
        IoptePermissions access,
        bool writesMark,
        bool hits
    )
    {
        Iotlb iotlb = Whole(new IopteTranslation(0x6000, 12, allowed, Dirty: false));

        Assert.Equal(
            hits ? IotlbResult.Hit : IotlbResult.Stale,
            iotlb.TryHit(0, Page + 0x123, access, writesMark, out ulong physical)
        );
        Assert.Equal(0x6123UL, physical);
    }

    [Fact]
    public void The_short_way_writes_through_an_entry_that_is_dirty()
    {
        Iotlb iotlb = Whole(new IopteTranslation(0x5000, 12, IoptePermissions.ReadWrite, Dirty: true));

        Assert.Equal(IotlbResult.Hit, iotlb.TryHit(0, Page, IoptePermissions.Write, writesMark: true, out _));
    }

    [Fact]
    public void The_short_way_leaves_entries_older_than_an_invalidation_and_several_sizes_to_the_long_one()
    {
        Iotlb iotlb = Whole(new IopteTranslation(0x5000, 12, IoptePermissions.Read, Dirty: false));
        Assert.Equal(IotlbResult.Miss, Hit(iotlb, 2 * Page));
        Assert.Equal(IotlbResult.Miss, iotlb.TryHit(1, Page, IoptePermissions.Read, writesMark: false, out _));
        Assert.Equal(IotlbResult.Hit, Hit(iotlb, Page));

        iotlb.Invalidate(new IovaRange(9 * Page, 9 * Page));
        Assert.Equal(IotlbResult.Stale, Hit(iotlb, Page));
        Assert.Equal(IotlbResult.Hit, Look(iotlb, Page));
        Assert.Equal(IotlbResult.Hit, Hit(iotlb, Page));

        Fill(iotlb, 8 * Large, 0, shift: 21);
        Assert.Equal(IotlbResult.Stale, Hit(iotlb, Page));
    }

    [Fact]
    public void The_short_way_leaves_an_IOTLB_that_has_few_of_its_sets_to_the_long_one()
    {
        var iotlb = new Iotlb(IotlbGeometry.Default);
        Fill(iotlb, Page, 0x5000);

        Assert.Equal(IotlbResult.Stale, Hit(iotlb, Page));
        Assert.Equal(IotlbResult.Hit, Look(iotlb, Page));
    }

    private static IotlbResult Hit(Iotlb iotlb, ulong iova) =>
        iotlb.TryHit(0, iova, IoptePermissions.Read, writesMark: false, out _);

    /// <summary>An IOTLB that has all its sets, as it was looked at often, with one page.</summary>
    private static Iotlb Whole(in IopteTranslation page)
    {
        var iotlb = new Iotlb(IotlbGeometry.Default);
        iotlb.Fill(0, Page, page);
        for (int i = 0; i < 2000; i++)
        {
            Look(iotlb, Page);
        }

        return iotlb;
    }

    private static int Fill(Iotlb iotlb, ulong iova, ulong physical, int shift = 12, uint pasid = 0) =>
        iotlb.Fill(pasid, iova, new IopteTranslation(physical, shift, IoptePermissions.Read, false));

    private static ulong? Found(Iotlb iotlb, ulong iova, uint pasid = 0) =>
        iotlb.TryFind(pasid, iova, out int index) == IotlbResult.Hit ? iotlb.At(index).PagePhysical : null;

    private static IotlbResult Look(Iotlb iotlb, ulong iova, uint pasid = 0) => iotlb.TryFind(pasid, iova, out _);

    /// <summary>Completes invalidations without removing anything.</summary>
    private sealed class DeafIotlb() : Iotlb(IotlbGeometry.Default)
    {
        protected override void Remove(IovaRange range, uint? pasid) { }
    }
}
