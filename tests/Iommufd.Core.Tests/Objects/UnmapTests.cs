using Iommufd.Core.Faults;
using Iommufd.Core.Tests.Errnos;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

/// <summary>UNMAP: which areas go, what is reported, and what accesses and pins have to do with it.</summary>
public sealed class UnmapTests : ObjectsFixture
{
    private const ulong Page = HostPage.Size;
    private readonly uint _ioas;

    public UnmapTests() => _ioas = Ioas();

    [Fact]
    public void Every_area_of_the_range_goes_lowest_first_and_gaps_do_not_matter()
    {
        Map(Iova, 2);
        Map(Iova + (4 * Page), 1);
        Map(Iova + (8 * Page), 3);

        Assert.Equal(3 * Page, Unmap(Iova, 6 * Page));

        Assert.Equal(
            [Iova, Iova + (2 * Page) - 1, Iova + (4 * Page), Iova + (5 * Page) - 1],
            Assert.IsType<AreasUnmapped>(Context.Events[^1]).Removed
        );
        Refuses(Errno.EEXIST, MapCommand(Iova + (8 * Page), 1));
        Map(Iova, 6);
    }

    [Fact]
    public void All_of_an_IOAS_goes_with_the_range_of_all_addresses_even_if_nothing_is_there()
    {
        Assert.Equal(0UL, Unmap(0, ulong.MaxValue));
        Map(Iova, 2);
        Map(0x8000_0000, 1);

        Assert.Equal(3 * Page, Unmap(0, ulong.MaxValue));
    }

    [Fact]
    public void An_area_that_ends_where_the_range_ends_is_the_last()
    {
        Map(Iova, 1);
        Map(Iova + Page, 1);

        Assert.Equal(Page, Unmap(Iova, Page));

        Assert.Equal(Page, Unmap(Iova + Page, Page));
    }

    [Fact]
    public void A_range_without_an_area_is_ENOENT_and_changes_nothing()
    {
        Map(Iova, 1);
        int events = Context.Events.Count;

        Refuses(
            Errno.ENOENT,
            new IoasUnmap
            {
                IoasId = _ioas,
                Iova = Iova + Page,
                Length = Page,
            }
        );

        Assert.Equal(events, Context.Events.Count);
    }

    [Fact]
    public void What_was_removed_before_a_failure_stays_removed_and_is_recorded()
    {
        Map(Iova, 1);
        Map(Iova + Page, 2);

        Refuses(
            Errno.ENOENT,
            new IoasUnmap
            {
                IoasId = _ioas,
                Iova = Iova,
                Length = 2 * Page,
            }
        );

        Assert.Equal([Iova, Iova + Page - 1], Assert.IsType<AreasUnmapped>(Context.Events[^1]).Removed);
        Map(Iova, 1);
    }

    [Theory]
    [InlineData(ulong.MaxValue, 1UL, Errno.EOVERFLOW)]
    [InlineData(0x1000UL, ulong.MaxValue, Errno.EOVERFLOW)]
    [InlineData(0x1000UL, ulong.MaxValue - 0xFFE, Errno.EOVERFLOW)]
    [InlineData(0x1000UL, 0UL, Errno.EINVAL)]
    [InlineData(0x1000UL, ulong.MaxValue - 0xFFF, Errno.ENOENT)]
    [InlineData(0UL, ulong.MaxValue - 0xFFF, Errno.ENOENT)]
    public void A_range_has_bytes_and_ends_inside_the_space(ulong iova, ulong length, Errno errno) =>
        Refuses(
            errno,
            new IoasUnmap
            {
                IoasId = _ioas,
                Iova = iova,
                Length = length,
            }
        );

    [Fact]
    public void Pins_of_accesses_are_given_up_for_an_unmap_and_those_of_other_ranges_stay()
    {
        Map(Iova, 4);
        Map(Iova + (8 * Page), 2);
        int first = Access();
        int second = Access();
        Pin(first, Iova, 2);
        Pin(first, Iova + (8 * Page), 2);
        Pin(second, Iova + Page, 3);
        Assert.Equal(6L, Machine.Physical.TotalPins);

        Assert.Equal(4 * Page, Unmap(Iova, 4 * Page));

        Assert.Equal(2L, Machine.Physical.TotalPins);
        Assert.Equal(2 * Page, Unmap(Iova + (8 * Page), 2 * Page));
        Assert.Equal(0L, Machine.Physical.TotalPins);
    }

    [Fact]
    public void A_range_of_more_than_100_pinned_areas_is_unmapped_as_each_lets_go_at_once()
    {
        int access = Access();
        for (ulong i = 0; i < 120; i++)
        {
            Map(Iova + (i * Page), 1);
            Pin(access, Iova + (i * Page), 1);
        }

        Assert.Equal(120 * Page, Unmap(Iova, 120 * Page));

        Assert.Equal(0L, Machine.Physical.TotalPins);
    }

    [Fact]
    public void An_access_that_does_not_let_go_is_asked_100_times()
    {
        var stage = new SequentialStage();
        uint ioas = stage.Ioas();
        stage.Do(ErrnoStage.Map(ioas));
        stage.Do(
            new TestAccessPages
            {
                AccessFd = stage.Access(ioas),
                Iova = ErrnoStage.MappedAt,
                Length = Page,
            }
        );
        int asked = 0;
        stage.AnswersFor = request => request is NotifyUnmap && ++asked > 0 ? new PinsReleased(Errno.OK, []) : null;

        Assert.Equal(Errno.EDEADLK, stage.Run(stage.Client, ErrnoStage.Unmap(ioas)).Errno);

        Assert.Equal(100, asked);
        stage.End();
    }

    [Fact]
    public void An_access_that_leaves_while_another_lets_go_is_not_asked_any_more()
    {
        var stage = new SequentialStage();
        uint ioas = stage.Ioas();
        stage.Do(ErrnoStage.Map(ioas));
        uint slow = stage.Do(new CreateAccess(ioas, true)).OutAccessId;
        uint leaving = stage.Do(new CreateAccess(ioas, true)).OutAccessId;
        stage.Do(new PinAccessPages(slow, ErrnoStage.MappedAt, Page, false));
        stage.Do(new PinAccessPages(leaving, ErrnoStage.MappedAt, Page, false));
        int asked = 0;
        stage.AnswersFor = request =>
        {
            asked += request is NotifyUnmap ? 1 : 0;
            return null;
        };
        stage.StartHeld(ErrnoStage.Unmap(ioas), request => request is NotifyUnmap);

        stage.Do(new DestroyAccess(leaving));
        Assert.Equal(1, asked);
        stage.LetGo();

        Assert.Equal(Errno.OK, Assert.Single(stage.Completed).Result.Errno);
        Assert.Equal(1, asked);
        stage.End();
    }

    [Fact]
    public void An_unmap_that_waits_for_an_access_is_a_sight()
    {
        Map(Iova, 1);
        Map(Iova + Page, 1);
        Pin(Access(), Iova, 1);
        var seen = new Watcher();
        Context.Core.Engine.Faults = seen;

        Unmap(Iova, 2 * Page);

        Assert.Equal([Sights.UnmapWaited], seen.Sights);
        Context.Core.Engine.Faults = null;
    }

    private sealed class Watcher : IFaultSource
    {
        internal List<Sight> Sights { get; } = [];

        public bool ShouldFail(FaultPoint point, in FaultSite site) => false;

        public ulong Choose(ulong below) => 0;

        public void Begun(int context, ulong flow, string operation, long tag) { }

        public void Saw(Sight sight) => Sights.Add(sight);

        public void Ended(int context, ulong flow) { }
    }

    private IoasMap MapCommand(ulong iova, ulong pages) =>
        new()
        {
            IoasId = _ioas,
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            UserVa = Buffer,
            Length = pages * Page,
            Iova = iova,
        };

    private void Map(ulong iova, ulong pages) => Do(MapCommand(iova, pages));

    private ulong Unmap(ulong iova, ulong length) =>
        Do(
            new IoasUnmap
            {
                IoasId = _ioas,
                Iova = iova,
                Length = length,
            }
        ).Length;

    private int Access() =>
        Do(new TestCreateAccess { IoasId = _ioas, Flags = TestCreateAccess.NeedsPinPages }).OutAccessFd;

    private void Pin(int access, ulong iova, ulong pages) =>
        Do(
            new TestAccessPages
            {
                AccessFd = access,
                Iova = iova,
                Length = pages * Page,
            }
        );
}
