using FsCheck;
using FsCheck.Fluent;
using Iommufd.Core.Dma;
using Iommufd.Core.Dma.Guest;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Guest;

/// <summary>What hardware finds in tables that guest software wrote, through the second stage.</summary>
public sealed class GuestWalkTests
{
    private const ulong Iova = 0x7f12_3456_7000;

    public static TheoryData<GuestHardware> Hardware => [.. Enum.GetValues<GuestHardware>()];

    [Theory]
    [MemberData(nameof(Hardware))]
    public void What_the_guest_maps_is_reached_and_nothing_beside_it(GuestHardware hardware)
    {
        using GuestRig rig = new GuestRig(hardware).Attached();
        rig.Map(Iova, 0x30_0000, 0x3000);

        Assert.True(rig.Engine.TryTranslate(Iova + 0x1234, IoptePermissions.Write, out ulong physical));
        Assert.Equal(rig.PhysicalOf(0x30_1234), physical);
        Assert.False(rig.Reads(Iova - 1));
        Assert.False(rig.Reads(Iova + 0x3000));
        Assert.False(rig.Engine.RecentFaults()[^1].Present);
        Assert.Equal(0ul, rig.Engine.Totals.Violations);
    }

    [Theory]
    [MemberData(nameof(Hardware))]
    public void Random_maps_and_unmaps_are_walked_as_a_dictionary_says(GuestHardware hardware)
    {
        const ulong window = 64;
        Arbitrary<(int Page, int Target, int Count, bool Map)[]> edits = Gen.Choose(0, (int)window - 1)
            .SelectMany(page =>
                Gen.Choose(0, 900)
                    .SelectMany(target =>
                        Gen.Choose(1, 6)
                            .SelectMany(count =>
                                Gen.Elements(true, true, false).Select(map => (page, target, count, map))
                            )
                    )
            )
            .ArrayOf()
            .ToArbitrary();
        Prop.ForAll(edits, list => Replay(hardware, list, window)).Check(RandomCases.Try(100));
    }

    [Fact]
    public void The_words_in_guest_memory_are_what_intels_manual_says()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000, IoptePermissions.Read);

        ulong table = rig.Writer.Root;
        for (int shift = 39; shift > 12; shift -= 9)
        {
            ulong pointer = rig.ReadWord(table + ((Iova >> shift) & 511) * 8);
            Assert.Equal(7ul, pointer & 0xfff);
            table = pointer & 0x000f_ffff_ffff_f000;
        }

        ulong leaf = rig.ReadWord(table + ((Iova >> 12) & 511) * 8);
        Assert.Equal(GuestRig.GuestBase + 0x30_0000 + 5, leaf);
    }

    [Fact]
    public void A_walk_marks_words_accessed_and_a_write_marks_the_leaf_dirty()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000);

        Assert.True(rig.Reads(Iova));
        Assert.Equal(0x20ul, LeafOf(rig) & 0x60);
        // The IOTLB has it now, and still the first write goes to the guest's word.
        Assert.True(rig.Writes(Iova));
        Assert.Equal(0x60ul, LeafOf(rig) & 0x60);
    }

    [Fact]
    public void A_leaf_of_arm_becomes_dirty_by_losing_read_only()
    {
        using GuestRig rig = new GuestRig(GuestHardware.SmmuV3).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000);
        rig.Map(Iova + 0x1000, 0x30_1000, 0x1000, IoptePermissions.Read);

        Assert.True(rig.Reads(Iova));
        Assert.NotEqual(0ul, LeafOf(rig) & (1 << 7));
        Assert.True(rig.Writes(Iova));
        Assert.Equal(0ul, LeafOf(rig) & (1 << 7));
        Assert.False(rig.Writes(Iova + 0x1000));
    }

    [Fact]
    public void Both_stages_have_to_permit_a_write()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000, IoptePermissions.Read);
        rig.Map(Iova + 0x1000, 0x40_0000, 0x1000);
        rig.Second.Unmap(GuestRig.GuestBase + 0x40_0000, 0x1000);
        rig.Second.Map(GuestRig.GuestBase + 0x40_0000, rig.PhysicalOf(0x40_0000), 0x1000, IoptePermissions.Read);

        foreach (ulong iova in new[] { Iova, Iova + 0x1000 })
        {
            Assert.True(rig.Reads(iova));
            Assert.False(rig.Writes(iova));
            Assert.True(rig.Engine.RecentFaults()[^1].Present);
        }
    }

    [Fact]
    public void A_table_in_memory_that_the_host_has_taken_away_cannot_be_read()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000);
        rig.Second.Unmap(rig.Writer.Root, 0x1000);

        Assert.False(rig.Reads(Iova));
    }

    [Fact]
    public void A_table_that_hardware_may_not_write_cannot_be_marked()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000);
        rig.Second.Unmap(rig.Writer.Root, 0x1000);
        rig.Second.Map(
            rig.Writer.Root,
            rig.PhysicalOf(rig.Writer.Root - GuestRig.GuestBase),
            0x1000,
            IoptePermissions.Read
        );

        Assert.False(rig.Reads(Iova));
    }

    [Fact]
    public void A_large_page_of_the_guest_over_small_ones_of_the_host_is_cached_page_by_page()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(1ul << 40, 0x40_0000, 0x20_0000);

        Assert.Equal(3ul, rig.Writer.TablePages);
        for (ulong at = 0; at < 0x20_0000; at += 0x1000)
        {
            Assert.True(rig.Engine.TryTranslate((1ul << 40) + at, IoptePermissions.Read, out ulong physical));
            Assert.Equal(rig.PhysicalOf(0x40_0000 + at), physical);
        }
    }

    [Theory]
    [InlineData(GuestHardware.Vtd, 1ul << 47, false)]
    [InlineData(GuestHardware.Vtd, 0xffff_8000_0000_0000, true)]
    [InlineData(GuestHardware.VtdFiveLevels, 1ul << 47, true)]
    [InlineData(GuestHardware.VtdFiveLevels, 1ul << 56, false)]
    [InlineData(GuestHardware.SmmuV3, (1ul << 48) - 0x1000, true)]
    [InlineData(GuestHardware.SmmuV3, 1ul << 48, false)]
    public void Only_addresses_of_the_formats_width_can_be_mapped(GuestHardware hardware, ulong iova, bool fits)
    {
        using GuestRig rig = new GuestRig(hardware).Attached();
        Errno errno = rig.Writer.Map(rig.Process, iova, GuestRig.GuestBase, 0x1000, IoptePermissions.Read);

        Assert.Equal(fits ? Errno.OK : Errno.EINVAL, errno);
        Assert.Equal(fits, rig.Reads(iova));
    }

    [Fact]
    public void Guest_software_says_what_it_cannot_do()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd, poolBytes: 4 * 4096).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000);
        const IoptePermissions both = IoptePermissions.ReadWrite;

        Assert.Equal(Errno.EEXIST, rig.Writer.Map(rig.Process, Iova, GuestRig.GuestBase, 0x1000, both));
        Assert.Equal(Errno.EINVAL, rig.Writer.Map(rig.Process, Iova + 1, GuestRig.GuestBase, 0x1000, both));
        Assert.Equal(Errno.EINVAL, rig.Writer.Map(rig.Process, Iova, GuestRig.GuestBase, 0, both));
        Assert.Equal(Errno.ENOMEM, rig.Writer.Map(rig.Process, 0, GuestRig.GuestBase, 0x1000, both));
        Assert.Equal(Errno.EOPNOTSUPP, rig.Writer.SetSpace(rig.Process, 1, rig.Writer.Root));
        Assert.Equal(Errno.OK, rig.Writer.Unmap(rig.Process, Iova - 0x1000, 0x4000, out ulong unmapped));
        Assert.Equal(0x1000ul, unmapped);
    }

    private static ulong LeafOf(GuestRig rig)
    {
        ulong table = rig.Writer.Root;
        for (int shift = 39; shift > 12; shift -= 9)
        {
            table = rig.ReadWord(table + ((Iova >> shift) & 511) * 8) & 0x0000_ffff_ffff_f000;
        }

        return rig.ReadWord(table + ((Iova >> 12) & 511) * 8);
    }

    private static bool Replay(
        GuestHardware hardware,
        (int Page, int Target, int Count, bool Map)[] edits,
        ulong window
    )
    {
        using GuestRig rig = new GuestRig(hardware).Attached();
        var model = new Dictionary<ulong, ulong>();
        foreach ((int page, int target, int count, bool map) in edits)
        {
            for (int i = 0; i < count; i++)
            {
                ulong iova = Iova + ((ulong)(page + i) << 12);
                ulong offset = 0x40_0000 + ((ulong)(target + i) << 12);
                if (map)
                {
                    Errno errno = rig.Writer.Map(
                        rig.Process,
                        iova,
                        GuestRig.GuestBase + offset,
                        0x1000,
                        IoptePermissions.ReadWrite
                    );
                    Assert.Equal(model.TryAdd(iova, offset) ? Errno.OK : Errno.EEXIST, errno);
                }
                else
                {
                    Assert.Equal(Errno.OK, rig.Writer.Unmap(rig.Process, iova, 0x1000, out ulong unmapped));
                    Assert.Equal(model.Remove(iova) ? 0x1000ul : 0, unmapped);
                }
            }
        }

        rig.Engine.Iotlb.Invalidate(IovaRange.All);
        for (ulong page = 0; page < window + 6; page++)
        {
            ulong iova = Iova + (page << 12);
            bool reached = rig.Engine.TryTranslate(iova, IoptePermissions.Read, out ulong physical);
            Assert.Equal(model.TryGetValue(iova, out ulong offset), reached);
            Assert.True(!reached || physical == rig.PhysicalOf(offset));
        }

        return rig.Engine.Totals.Violations == 0;
    }
}
