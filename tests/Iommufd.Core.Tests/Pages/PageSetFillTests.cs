using Iommufd.Core.Pages;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class PageSetFillTests
{
    private const ulong At = PageSetTestHost.BufferAddress;
    private const ulong Page = HostPage.Size;
    private readonly PageSetTestHost _host = new();

    [Fact]
    public void Pins_and_charges_follow_the_worked_example()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4, limitPages: 100);
        PageSet set = _host.UserPages(process, 4);
        Check(0, 0, 0, 0, 0);

        set.AccessAdd(1, 2, [], []);
        Check(2, 0, 1, 1, 0);

        var one = new TestArea(set, 1, 0, 3);
        Assert.Equal(Errno.OK, one.Fill());
        Check(4, 1, 1, 1, 1);

        set.Acquire();
        Check(4, 1, 1, 1, 1);
        var two = new TestArea(set, 2, 0, 3);
        Assert.Equal(Errno.OK, two.Fill());
        Check(4, 1, 1, 1, 1);

        one.Unfill();
        Check(4, 1, 1, 1, 1);
        two.Unfill();
        Check(2, 0, 1, 1, 0);
        set.AccessRemove(1, 2);
        Check(0, 0, 0, 0, 0);

        Assert.Equal(Errno.OK, one.Fill());
        PageSet again = _host.UserPages(process, 4);
        Assert.Equal(Errno.OK, new TestArea(again, 1, 0, 3).Fill());
        Assert.Equal(8, _host.User.LockedPages);
        Assert.Equal([2, 2, 2, 2], _host.Pins(process, 4));

        void Check(long charged, params int[] pins)
        {
            set.CheckInvariants();
            Assert.Equal(pins, _host.Pins(process, 4));
            Assert.Equal(charged, _host.User.LockedPages);
            Assert.Equal((charged, charged), (set.ChargedPages, process.PinnedVmPages));
        }
    }

    [Fact]
    public void A_sub_page_mapping_has_both_pages_it_touches()
    {
        ProcessMemory process = _host.ProcessWithBuffer(2);
        PageSet.TryCreateUser(1, process, At + 0x800, 0x1000, true, AccountingMode.User, out PageSet set);
        Assert.Equal((2ul, 0x800ul), (set.PageCount, set.FirstByte));
        Assert.Equal(Errno.OK, new TestArea(set, 1, 0, 1).Fill());
        Assert.Equal([1, 1], _host.Pins(process, 2));
    }

    [Fact]
    public void Frames_come_in_page_order_and_huge_pages_as_one_run()
    {
        ProcessMemory process = _host.ProcessWithBuffer(2, kind: MemoryKind.Huge2M);
        PageSet set = _host.UserPages(process, 1024);
        var area = new TestArea(set, 1, 1, 1023);
        Assert.Equal(Errno.OK, area.Fill());
        process.TryGetPfn(At + Page, out Pfn second);
        process.TryGetPfn(At + ProcessMemory.HugePageSize, out Pfn next);
        Assert.Equal([new PfnRun(second, 511), new PfnRun(next, 512)], area.Runs);
        Assert.Equal(
            [new PinnedRun(set.Number, 1, area.Runs[0]), new PinnedRun(set.Number, 512, area.Runs[1])],
            area.NewlyPinned
        );
        set.CheckInvariants();
        area.Unfill();
        Assert.Equal(0, _host.Physical.TotalPins);
    }

    [Fact]
    public void Runs_merge_across_tiers_and_only_the_missing_pages_are_pinned()
    {
        ProcessMemory process = _host.ProcessWithBuffer(1, kind: MemoryKind.Huge2M);
        PageSet set = _host.UserPages(process, 512);
        set.AccessAdd(10, 19, [], []);
        Assert.Equal(Errno.OK, new TestArea(set, 1, 20, 29).Fill());
        var area = new TestArea(set, 2, 0, 511);
        Assert.Equal(Errno.OK, area.Fill());
        Assert.Single(area.Runs);
        Assert.Equal(512ul, area.Runs[0].Count);
        Assert.Equal([(0ul, 10ul), (30ul, 482ul)], area.NewlyPinned.Select(pin => (pin.FirstIndex, pin.Run.Count)));
        Assert.Equal(512, set.PinnedPages);
        set.CheckInvariants();
    }

    [Fact]
    public void A_list_that_already_has_runs_is_appended_to_and_not_merged_with()
    {
        ProcessMemory process = _host.ProcessWithBuffer(1, kind: MemoryKind.Huge2M);
        PageSet set = _host.UserPages(process, 512);
        var runs = new List<PfnRun>();
        set.FillBegin(1, 0, 3, true, runs, []);
        set.FillBegin(2, 4, 7, true, runs, []);
        Assert.Equal([4ul, 4ul], runs.Select(run => run.Count));
    }

    [Fact]
    public void A_fault_in_the_middle_leaves_everything_as_it_was()
    {
        ProcessMemory process = _host.ProcessWithBuffer(8, limitPages: 100);
        process.Unmap(At + (6 * Page), Page);
        PageSet set = _host.UserPages(process, 8);
        set.AccessAdd(2, 3, [], []);
        List<PfnRun> runs = [new PfnRun(new Pfn(1), 1)];
        List<PinnedRun> pinned = [new PinnedRun(9, 9, runs[0])];
        Assert.Equal(Errno.EFAULT, set.FillBegin(1, 0, 7, true, runs, pinned));
        Assert.Single(runs);
        Assert.Single(pinned);
        Assert.Equal(2, _host.User.LockedPages);
        Assert.Equal(2, _host.Physical.TotalPins);
        set.CheckInvariants();
    }

    [Fact]
    public void Pinning_comes_before_the_limit_so_a_fault_wins_over_ENOMEM()
    {
        ProcessMemory process = _host.ProcessWithBuffer(8, limitPages: 2);
        process.Unmap(At + (7 * Page), Page);
        PageSet set = _host.UserPages(process, 8);
        Assert.Equal(Errno.EFAULT, new TestArea(set, 1, 0, 7).Fill());
        Assert.Equal(Errno.ENOMEM, new TestArea(set, 1, 0, 6).Fill());
        Assert.Equal((0L, 0L), (_host.User.LockedPages, _host.Physical.TotalPins));
        Assert.Equal(Errno.OK, new TestArea(set, 1, 0, 1).Fill());
    }

    [Fact]
    public void A_read_only_page_set_pins_for_reading_a_writable_one_for_writing()
    {
        ProcessMemory process = _host.ProcessWithBuffer(1);
        process.Protect(At, Page, MemoryProtection.Read);
        Assert.Equal(Errno.OK, new TestArea(_host.UserPages(process, 1, writable: false), 1, 0, 0).Fill());
        Assert.Equal(Errno.EFAULT, new TestArea(_host.UserPages(process, 1), 1, 0, 0).Fill());
    }

    [Fact]
    public void An_aborted_fill_unpins_and_gives_the_charge_back_before_and_after_the_commit()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4, limitPages: 4);
        PageSet set = _host.UserPages(process, 4);
        var area = new TestArea(set, 1, 0, 3);
        area.Begin();
        set.FillAbort(1, area.Runs);
        Assert.Equal((0L, 0L), (_host.User.LockedPages, _host.Physical.TotalPins));
        area.Runs.Clear();
        Assert.Equal(Errno.OK, area.Fill());
        set.FillAbort(1, area.Domain.Clear(0, 3));
        Assert.Equal((0L, 0L), (_host.User.LockedPages, _host.Physical.TotalPins));
        set.CheckInvariants();
    }

    [Fact]
    public void After_the_commit_frames_are_read_from_the_domain_and_nowhere_else()
    {
        PageSet set = _host.UserPages(_host.ProcessWithBuffer(2), 2);
        var area = new TestArea(set, 1, 0, 1);
        area.Fill();
        var runs = new List<PfnRun>();
        set.ReadPfns(0, 1, runs);
        Assert.Equal(area.Runs, runs);
        area.Domain.Clear(0, 1);
        Assert.Throws<InvalidOperationException>(() => set.ReadPfns(0, 1, []));
    }

    [Fact]
    public void Frames_that_are_held_survive_the_clearing_of_the_domain()
    {
        ProcessMemory process = _host.ProcessWithBuffer(2);
        PageSet set = _host.UserPages(process, 2);
        var area = new TestArea(set, 1, 0, 1);
        area.Fill();
        set.HoldPfns(1);
        List<PfnRun> cleared = area.Domain.Clear(0, 1);
        var pin = new List<PinnedRun>();
        Assert.Equal(Errno.OK, set.AccessAdd(1, 1, [], pin));
        Assert.Empty(pin);
        set.Unfill(1, cleared);
        Assert.Equal([0, 1], _host.Pins(process, 2));
        set.CheckInvariants();
    }

    [Fact]
    public void While_a_fill_is_under_way_another_area_shares_its_pins()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4);
        PageSet set = _host.UserPages(process, 4);
        var slow = new TestArea(set, 1, 0, 3);
        slow.Begin();
        var quick = new TestArea(set, 2, 1, 2);
        Assert.Equal(Errno.OK, quick.Fill());
        Assert.Empty(quick.NewlyPinned);
        set.FillAbort(1, slow.Runs);
        Assert.Equal([0, 1, 1, 0], _host.Pins(process, 4));
        set.CheckInvariants();
        quick.Unfill();
        Assert.Equal(0, _host.Physical.TotalPins);
    }

    [Fact]
    public void Moving_the_storage_reads_from_the_other_domain()
    {
        PageSet set = _host.UserPages(_host.ProcessWithBuffer(2), 2);
        var area = new TestArea(set, 1, 0, 1);
        area.Fill();
        var other = new TestDomain();
        other.Install(0, area.Runs);
        set.MoveStorage(1, other);
        area.Domain.Clear(0, 1);
        set.CheckInvariants();
        set.Unfill(1, other.Clear(0, 1));
        Assert.Equal(0, set.PinnedPages);
    }

    [Fact]
    public void The_parts_of_a_cut_area_share_the_page_in_the_middle_and_unpin_it_with_the_second()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4);
        PageSet set = _host.UserPages(process, 4);
        var area = new TestArea(set, 1, 0, 3);
        area.Fill();
        var left = new TestDomain();
        var right = new TestDomain();
        left.Install(0, area.Runs);
        right.Install(0, area.Runs);
        set.SplitCover(1, leftKey: 1, leftLastIndex: 1, rightKey: 2, rightFirstIndex: 1, left, right);
        Assert.Equal(4, set.PinnedPages);
        set.CheckInvariants();
        set.Unfill(1, left.Clear(0, 1));
        Assert.Equal([0, 1, 1, 1], _host.Pins(process, 4));
        set.CheckInvariants();
        set.Unfill(2, right.Clear(1, 3));
        Assert.Equal([0, 0, 0, 0], _host.Pins(process, 4));
    }

    [Fact]
    public void The_parts_of_an_area_that_is_cut_between_pages_share_none()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4);
        PageSet set = _host.UserPages(process, 4);
        var area = new TestArea(set, 1, 0, 3);
        area.Fill();
        set.SplitCover(1, leftKey: 2, leftLastIndex: 0, rightKey: 1, rightFirstIndex: 1, area.Domain, area.Domain);
        set.Unfill(2, area.Domain.Clear(0, 0));
        Assert.Equal([0, 1, 1, 1], _host.Pins(process, 4));
        set.Unfill(1, area.Domain.Clear(1, 3));
        Assert.Equal([0, 0, 0, 0], _host.Pins(process, 4));
    }

    [Theory]
    [InlineData(1, 3)]
    [InlineData(2, 1)]
    [InlineData(3, 4)]
    public void An_area_is_not_cut_with_a_gap_an_overlap_or_an_empty_part(ulong leftLast, ulong rightFirst)
    {
        PageSet set = _host.UserPages(_host.ProcessWithBuffer(4), 4);
        var area = new TestArea(set, 1, 0, 3);
        area.Fill();
        Assert.Throws<ArgumentException>(() => set.SplitCover(1, 2, leftLast, 3, rightFirst, area.Domain, area.Domain));
    }

    [Fact]
    public void An_uncharged_fill_is_charged_by_the_next_settlement()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4, limitPages: 3);
        PageSet set = _host.UserPages(process, 4);
        new TestArea(set, 1, 0, 1).Begin(charge: false);
        Assert.Equal((2L, 0L), (set.PinnedPages, set.ChargedPages));
        var second = new TestArea(set, 2, 2, 3);
        Assert.Equal(Errno.ENOMEM, second.Begin());
        Assert.Equal((2L, 0L), (set.PinnedPages, set.ChargedPages));
        Assert.Equal(Errno.OK, set.Settle());
        Assert.Equal(2, set.ChargedPages);
    }

    [Fact]
    public void A_wrong_number_of_cleared_frames_is_a_bug_that_is_reported()
    {
        PageSet set = _host.UserPages(_host.ProcessWithBuffer(2), 2);
        var area = new TestArea(set, 1, 0, 1);
        area.Fill();
        Assert.Throws<ArgumentException>(() => set.Unfill(1, area.Domain.Clear(0, 0)));
        Assert.Throws<InvalidOperationException>(() => set.Unfill(5, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => set.FillBegin(2, 0, 2, true, [], []));
    }

    [Fact]
    public void The_invariants_notice_a_lost_pin()
    {
        ProcessMemory process = _host.ProcessWithBuffer(2);
        PageSet set = _host.UserPages(process, 2);
        var area = new TestArea(set, 1, 0, 1);
        area.Fill();
        set.CheckInvariants();
        _host.Physical.UnpinRun(area.Runs[1]);
        Assert.Throws<InvalidOperationException>(set.CheckInvariants);
    }

    [Fact]
    public void A_file_is_pinned_without_its_process()
    {
        var file = new MemoryFile(_host.Physical, MemoryFileKind.MemfdSparse, 4 * Page);
        ProcessMemory process = _host.Process(limitPages: 4);
        PageSet set = _host.FilePages(process, file, Page, 2 * Page);
        process.Exit();
        Assert.Equal(Errno.OK, new TestArea(set, 1, 0, 1).Fill());
        Assert.Equal((2L, 2L), (set.PinnedPages, _host.User.LockedPages));
        Assert.Equal(2, _host.Physical.AllocationsInUse);
        set.CheckInvariants();
    }

    [Theory]
    [InlineData(0ul, 0x1000ul, Errno.OK)]
    [InlineData(0x1000ul, 0x1000ul, Errno.OK)]
    [InlineData(0x1800ul, 0x800ul, Errno.OK)]
    [InlineData(0x2000ul, 0x800ul, Errno.EINVAL)]
    [InlineData(0ul, 0x2800ul, Errno.EINVAL)]
    [InlineData(0x3000ul, 0x1000ul, Errno.EINVAL)]
    [InlineData(0x8000_0000_0000_0000ul, 0x1000ul, Errno.EINVAL)]
    [InlineData(ulong.MaxValue, 1ul, Errno.EINVAL)]
    public void The_last_page_of_a_file_range_must_be_wholly_inside_the_file(ulong start, ulong length, Errno expected)
    {
        var file = new MemoryFile(_host.Physical, MemoryFileKind.Memfd, 0x2800);
        PageSet set = _host.FilePages(_host.Process(), file, start, length);
        Assert.Equal(expected, new TestArea(set, 1, 0, set.PageCount - 1).Fill());
    }

    [Fact]
    public void What_is_not_memory_cannot_be_pinned()
    {
        var eventfd = new MemoryFile(_host.Physical, MemoryFileKind.NotMemory, 0);
        PageSet set = _host.FilePages(_host.Process(), eventfd, 0, Page);
        Assert.Equal(Errno.EINVAL, new TestArea(set, 1, 0, 0).Fill());
        Assert.Equal(Errno.EINVAL, set.AccessAdd(0, 0, [], []));
        Assert.Equal(Errno.EINVAL, set.Copy(0, new byte[8], false, false, set.Owner));
    }

    [Fact]
    public void User_memory_of_a_process_that_is_gone_cannot_be_pinned_any_more()
    {
        ProcessMemory process = _host.ProcessWithBuffer(2);
        PageSet set = _host.UserPages(process, 2);
        var area = new TestArea(set, 1, 0, 0);
        area.Fill();
        process.Exit();
        Assert.Equal(Errno.EFAULT, new TestArea(set, 2, 1, 1).Fill());
        Assert.Equal(Errno.OK, new TestArea(set, 3, 0, 0).Fill());
        set.CheckInvariants();
    }

    [Fact]
    public void The_same_pages_mapped_into_a_thousand_areas_are_pinned_once()
    {
        ProcessMemory process = _host.ProcessWithBuffer(8);
        PageSet set = _host.UserPages(process, 8);
        var areas = new List<TestArea>();
        for (ulong key = 0; key < 1000; key++)
        {
            areas.Add(new TestArea(set, key, key % 5, 3 + (key % 5)));
            Assert.Equal(Errno.OK, areas[^1].Fill());
        }

        set.CheckInvariants();
        Assert.Equal(8, _host.Physical.TotalPins);
        for (int i = 0; i < 1000; i++)
        {
            areas[(i * 7) % 1000].Unfill();
        }

        Assert.Equal(0, _host.Physical.TotalPins);
        set.CheckInvariants();
    }
}
