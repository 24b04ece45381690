using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

/// <summary>Pins and charges that are made to fail, a cover that is being torn down, and the pins of a replay.</summary>
public sealed class PageSetFaultTests
{
    private const ulong Page = HostPage.Size;
    private readonly PageSetTestHost _host = new();

    [Theory]
    [InlineData(0UL)]
    [InlineData(1UL)]
    [InlineData(3UL)]
    public void A_pin_that_fails_after_some_pages_undoes_them(ulong pagesBefore)
    {
        PageSet set = _host.UserPages(_host.ProcessWithBuffer(4), 4);
        set.FailPins(pagesBefore, Errno.ENOMEM);

        Assert.Equal(Errno.ENOMEM, new TestArea(set, 1, 0, 3).Fill());

        Assert.Equal((0L, 0L), (set.PinnedPages, _host.Physical.TotalPins));
        set.Disarm();
        Assert.Equal(Errno.OK, new TestArea(set, 2, 0, 3).Fill());
        set.CheckInvariants();
    }

    [Fact]
    public void The_page_that_fails_ends_a_run_of_a_huge_page_before_it()
    {
        ProcessMemory process = _host.ProcessWithBuffer(1, kind: Messages.Host.MemoryKind.Huge2M);
        PageSet set = _host.UserPages(process, 512);
        set.FailPins(100, Errno.EFAULT);

        Assert.Equal(Errno.OK, set.AccessAdd(0, 99, [], []));
        Assert.Equal(Errno.EFAULT, set.AccessAdd(100, 100, [], []));

        Assert.Equal(100L, set.PinnedPages);
        set.CheckInvariants();
    }

    [Fact]
    public void A_page_that_fails_inside_a_huge_page_is_not_pinned_with_it()
    {
        ProcessMemory process = _host.ProcessWithBuffer(1, kind: Messages.Host.MemoryKind.Huge2M);
        PageSet set = _host.UserPages(process, 512);
        set.FailPins(100, Errno.EFAULT);

        Assert.Equal(Errno.EFAULT, set.AccessAdd(0, 511, [], []));

        Assert.Equal((0L, 0L), (set.PinnedPages, _host.Physical.TotalPins));
    }

    [Fact]
    public void A_charge_that_is_made_to_fail_is_the_limit_also_where_there_is_none()
    {
        PageSet set = _host.UserPages(_host.ProcessWithBuffer(4), 4);
        var kept = new TestArea(set, 1, 0, 1);
        Assert.Equal(Errno.OK, kept.Fill());
        set.FailCharge();

        Assert.Equal(Errno.ENOMEM, new TestArea(set, 2, 2, 3).Fill());
        // What is covered already costs nothing, and giving back cannot fail.
        Assert.Equal(Errno.OK, new TestArea(set, 3, 0, 1).Fill());
        Assert.Equal(Errno.OK, set.Settle());

        Assert.Equal((2L, 2L), (set.PinnedPages, _host.Physical.TotalPins));
        set.CheckInvariants();
    }

    [Fact]
    public void Giving_back_cannot_be_made_to_fail()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4, limitPages: 4);
        PageSet set = _host.UserPages(process, 4);
        var area = new TestArea(set, 1, 0, 3);
        area.Fill();
        set.FailCharge();

        area.Unfill();

        Assert.Equal((0L, 0L), (set.ChargedPages, _host.User.LockedPages));
    }

    [Fact]
    public void Frames_of_a_cover_whose_domain_was_cleared_are_read_from_another_that_has_them()
    {
        PageSet set = _host.UserPages(_host.ProcessWithBuffer(6), 6);
        var cleared = new TestArea(set, 1, 0, 4);
        var left = new TestArea(set, 2, 1, 2);
        var right = new TestArea(set, 3, 3, 5);
        cleared.Fill();
        left.Fill();
        right.Fill();
        List<PfnRun> frames = cleared.Domain.Clear(0, 4);

        var read = new List<PfnRun>();
        Assert.Equal(Errno.OK, set.ReadPfns(1, 4, read));

        Assert.Equal(Expand(frames.Skip(1)), Expand(read));
        Assert.Throws<InvalidOperationException>(() => set.ReadPfns(0, 0, []));
        set.Unfill(1, frames);
        set.CheckInvariants();
    }

    [Fact]
    public void A_replay_pins_the_recorded_frames_of_a_file()
    {
        var file = new MemoryFile(_host.Physical, MemoryFileKind.Memfd, 8 * Page);
        ProcessMemory process = _host.Process();
        PageSet set = _host.FilePages(process, file, 2 * Page, 4 * Page);
        ProcessMemory other = _host.ProcessWithBuffer(4);
        Assert.True(other.TryGetPfn(PageSetTestHost.BufferAddress, out Pfn frame));
        var recorded = new RecordedPins();
        recorded.Add([set.Number, 1, frame.Value, 1], 0, 4, set.BaseAddress);
        process.RecordedPins = recorded;
        var runs = new List<PfnRun>();

        Assert.Equal(Errno.OK, set.AccessAdd(1, 1, runs, []));

        Assert.Equal([new PfnRun(frame, 1)], runs);
        Assert.Equal(1, _host.Physical.PinCount(frame));
        set.AccessRemove(1, 1);
        Assert.Equal(0, _host.Physical.TotalPins);
    }

    private static IEnumerable<ulong> Expand(IEnumerable<PfnRun> runs) =>
        runs.SelectMany(run => Enumerable.Range(0, (int)run.Count).Select(i => run.First.Value + (ulong)i));
}
