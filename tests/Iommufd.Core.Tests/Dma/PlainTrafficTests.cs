using FsCheck;
using FsCheck.Fluent;
using Iommufd.Core.Context;
using Iommufd.Core.Dma;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Dma;

/// <summary>
/// Traffic that takes the short way through the engine (real memory, one stage, no data) is the traffic of the long way, with all its checks.
/// </summary>
public sealed class PlainTrafficTests : IDisposable
{
    private const ulong Base = 0x100_0000;
    private const int Pages = 300;

    private readonly HostMachine _machine = new();
    private readonly IoPageTable _table = IoPageTable.Create(IoPageTableFormat.AmdV1);

    // Equal, but for marks.
    private readonly IoPageTable _other = IoPageTable.Create(IoPageTableFormat.AmdV1);
    private readonly List<Pfn> _frames = [];

    public PlainTrafficTests()
    {
        for (ulong page = 0; page < Pages; page++)
        {
            Pfn pfn = _machine.Physical.AllocatePage();
            _machine.Physical.Pin(pfn);
            _frames.Add(pfn);
            IoptePermissions allowed = page % 7 == 3 ? IoptePermissions.Read : IoptePermissions.ReadWrite;
            if (page % 11 != 5)
            {
                ulong iova = Base + (page * HostPage.Size);
                Assert.Equal(Errno.OK, _table.Map(iova, pfn.Address, HostPage.Size, allowed));
                Assert.Equal(Errno.OK, _other.Map(iova, pfn.Address, HostPage.Size, allowed));
            }
        }
    }

    public void Dispose()
    {
        _table.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void Both_ways_do_the_same_to_the_last_hit_and_fault()
    {
        Gen<DmaPattern> patterns =
            from kind in Gen.Elements(Enum.GetValues<DmaPatternKind>())
            from first in Gen.Choose(0, Pages - 2)
            from pages in Gen.Choose(1, Pages - first)
            from bytes in Gen.Elements(1, 64, 2048, 4096, 5000, 20_000)
            from writes in Gen.Elements(0, 30, 100)
            let start = Base + ((ulong)first * HostPage.Size)
            select new DmaPattern(
                kind,
                new IovaRange(start, start + ((ulong)pages * HostPage.Size) - 1),
                bytes,
                writes
            );
        Gen<(DmaPattern Pattern, bool Marks, int Ways)> cases =
            from pattern in patterns
            from marks in Gen.Elements(false, true)
            from ways in Gen.Elements(2, 4, 8)
            select (pattern, marks, ways);

        Check.One(
            RandomCases.Try(150),
            Prop.ForAll(
                cases.ToArbitrary(),
                c =>
                {
                    DmaEngine plain = Engine(_table, null, c.Ways, c.Marks);
                    DmaEngine general = Engine(_other, new AllMapped(), c.Ways, c.Marks);
                    for (int round = 0; round < 3; round++)
                    {
                        DmaReport one = plain.Run(c.Pattern, 333);
                        DmaReport other = general.Run(c.Pattern, 333);
                        Assert.Equal(other, one);
                        IovaRange some = new(c.Pattern.Window.First, c.Pattern.Window.First + 0x7FFF);
                        plain.Iotlb.Invalidate(some);
                        general.Iotlb.Invalidate(some);
                    }

                    Assert.Equal(general.RecentFaults(), plain.RecentFaults());
                    Assert.Equal(general.Iotlb.Count, plain.Iotlb.Count);
                    Assert.Equal(0UL, plain.Totals.Violations);
                }
            )
        );
    }

    [Fact]
    public void A_hit_on_a_frame_that_lost_its_pin_is_a_violation_of_that_transfer()
    {
        DmaEngine engine = Engine(_table, null, 4, marks: false);
        engine.Run(Ring(4), 4);

        _machine.Physical.Unpin(_frames[2]);
        DmaReport report = engine.Run(Ring(4), 4);

        Assert.Equal((4UL, 1UL), (report.IotlbHits, report.Violations));
        Assert.Equal((DmaViolationKind.NotPinned, 7UL), (engine.Violations[0].Kind, engine.Violations[0].Transfer));
    }

    [Fact]
    public void A_hit_after_a_lost_invalidation_is_a_violation()
    {
        var engine = new DmaEngine(new DeafIotlb(), 1, _machine.PinOracle);
        engine.Attach(_table);
        engine.Run(Ring(4), 4);

        engine.Iotlb.Invalidate(new IovaRange(Base, Base + 0xFFF));
        engine.Run(Ring(4), 4);

        Assert.Equal(1UL, engine.Totals.Violations);
        Assert.Equal((DmaViolationKind.StaleIotlb, Base), (engine.Violations[0].Kind, engine.Violations[0].Iova));
    }

    [Fact]
    public void A_write_through_an_entry_that_a_read_filled_marks_the_page()
    {
        DmaEngine engine = Engine(_table, null, 4, marks: true);
        engine.Run(Ring(1) with { WritePercent = 0 }, 1);
        Assert.True(_table.TryTranslate(Base, out IopteTranslation clean) && !clean.Dirty);

        engine.Run(Ring(1), 1);

        Assert.True(_table.TryTranslate(Base, out IopteTranslation translation) && translation.Dirty);
    }

    [Fact]
    public void A_write_through_an_entry_that_allows_reading_only_faults()
    {
        DmaEngine engine = Engine(_table, null, 4, marks: false);
        IovaRange readOnly = new(Base + (3 * HostPage.Size), Base + (4 * HostPage.Size) - 1);
        var pattern = new DmaPattern(DmaPatternKind.Ring, readOnly, 4096, 0);
        Assert.Equal(0UL, engine.Run(pattern, 2).Faults);

        Assert.Equal(2UL, engine.Run(pattern with { WritePercent = 100 }, 2).Faults);
    }

    [Fact]
    public void An_IOTLB_that_is_full_replaces_one_way_after_the_other()
    {
        DmaEngine engine = Engine(_table, null, 4, marks: false);
        // Five pages of one set: four fill it, the fifth takes the place of the first.
        ulong[] pages = [1, 65, 129, 193, 257];
        foreach (ulong page in pages)
        {
            Touch(engine, page);
        }

        DmaReport before = engine.Totals;
        foreach (ulong page in pages.Skip(1))
        {
            Touch(engine, page);
        }

        Assert.Equal(4UL, (engine.Totals - before).IotlbHits);
        Touch(engine, pages[0]);
        Assert.Equal(4UL, (engine.Totals - before).IotlbHits);
    }

    private static void Touch(DmaEngine engine, ulong page)
    {
        ulong first = Base + (page * HostPage.Size);
        engine.Run(new DmaPattern(DmaPatternKind.Ring, new IovaRange(first, first + 0xFFF), 4096, 0), 1);
    }

    private static DmaPattern Ring(ulong pages) =>
        new(DmaPatternKind.Ring, new IovaRange(Base, Base + (pages * HostPage.Size) - 1), 4096, pages == 1 ? 100 : 0);

    private DmaEngine Engine(IoPageTable table, IMappingOracle? mappings, int ways, bool marks)
    {
        var engine = new DmaEngine(new Iotlb(new IotlbGeometry(64, ways)), seed: 7, _machine.PinOracle, mappings);
        engine.Attach(table, markDirty: marks);
        return engine;
    }

    private sealed class DeafIotlb() : Iotlb(IotlbGeometry.Default)
    {
        protected override void Remove(IovaRange range, uint? pasid) { }
    }

    private sealed class AllMapped : IMappingOracle
    {
        public bool IsMapped(ulong iova) => true;
    }
}
