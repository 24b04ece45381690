using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

public sealed class PageSetAccessTests
{
    private const ulong At = PageSetTestHost.BufferAddress;
    private const ulong Page = HostPage.Size;
    private readonly PageSetTestHost _host = new();

    [Fact]
    public void The_same_range_twice_is_one_record_with_two_users()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4, limitPages: 2);
        PageSet set = _host.UserPages(process, 4);
        var first = new List<PfnRun>();
        var second = new List<PfnRun>();
        var pinned = new List<PinnedRun>();
        Assert.Equal(Errno.OK, set.AccessAdd(1, 2, first, pinned));
        Assert.Equal(Errno.OK, set.AccessAdd(1, 2, second, pinned));
        Assert.Equal(first, second);
        Assert.Equal(2, pinned.Sum(pin => (int)pin.Run.Count));
        set.AccessRemove(1, 2);
        Assert.Equal([0, 1, 1, 0], _host.Pins(process, 4));
        set.AccessRemove(1, 2);
        Assert.Equal([0, 0, 0, 0], _host.Pins(process, 4));
        Assert.Throws<InvalidOperationException>(() => set.AccessRemove(1, 2));
    }

    [Fact]
    public void Ranges_that_overlap_share_pages_until_the_last_one_goes()
    {
        ProcessMemory process = _host.ProcessWithBuffer(5);
        PageSet set = _host.UserPages(process, 5);
        set.AccessAdd(1, 3, [], []);
        set.AccessAdd(0, 1, [], []);
        set.AccessAdd(2, 4, [], []);
        Assert.Equal([1, 1, 1, 1, 1], _host.Pins(process, 5));
        set.CheckInvariants();
        set.AccessRemove(1, 3);
        Assert.Equal([1, 1, 1, 1, 1], _host.Pins(process, 5));
        set.CheckInvariants();
        set.AccessRemove(0, 1);
        Assert.Equal([0, 0, 1, 1, 1], _host.Pins(process, 5));
        set.AccessRemove(2, 4);
        Assert.Equal(0, _host.Physical.TotalPins);
        set.CheckInvariants();
    }

    [Fact]
    public void Pages_that_only_a_domain_had_survive_the_domain_in_the_store()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4);
        PageSet set = _host.UserPages(process, 4);
        var area = new TestArea(set, 1, 0, 3);
        area.Fill();
        var runs = new List<PfnRun>();
        var pinned = new List<PinnedRun>();
        set.AccessAdd(1, 2, runs, pinned);
        Assert.Empty(pinned);
        area.Unfill();
        Assert.Equal([0, 1, 1, 0], _host.Pins(process, 4));
        var again = new List<PfnRun>();
        set.ReadPfns(1, 2, again);
        Assert.Equal(runs, again);
        set.CheckInvariants();
    }

    [Fact]
    public void Pages_leave_the_store_but_stay_pinned_for_a_domain()
    {
        ProcessMemory process = _host.ProcessWithBuffer(4);
        PageSet set = _host.UserPages(process, 4);
        set.AccessAdd(0, 3, [], []);
        var area = new TestArea(set, 1, 2, 3);
        area.Fill();
        Assert.Empty(area.NewlyPinned);
        set.AccessRemove(0, 3);
        Assert.Equal([0, 0, 1, 1], _host.Pins(process, 4));
        set.CheckInvariants();
        area.Unfill();
        Assert.Equal(0, _host.Physical.TotalPins);
    }

    [Fact]
    public void A_fault_or_the_limit_undoes_the_whole_pin()
    {
        ProcessMemory process = _host.ProcessWithBuffer(6, limitPages: 3);
        process.Unmap(At + (5 * Page), Page);
        PageSet set = _host.UserPages(process, 6);
        set.AccessAdd(1, 1, [], []);
        Assert.Equal(Errno.EFAULT, set.AccessAdd(0, 5, [], []));
        Assert.Equal(Errno.ENOMEM, set.AccessAdd(0, 4, [], []));
        Assert.Equal((1L, 1L, 1L), (set.PinnedPages, _host.User.LockedPages, _host.Physical.TotalPins));
        set.CheckInvariants();
        Assert.Equal(Errno.OK, set.AccessAdd(0, 2, [], []));
        set.CheckInvariants();
    }

    [Fact]
    public void A_limit_that_is_full_lets_pages_be_shared_and_not_be_added()
    {
        ProcessMemory process = _host.ProcessWithBuffer(0x40, limitPages: 0x10);
        PageSet set = _host.UserPages(process, 0x40);
        Assert.Equal(Errno.OK, set.AccessAdd(0, 0xf, [], []));
        Assert.Equal(Errno.OK, set.AccessAdd(0, 0xf, [], []));
        Assert.Equal(Errno.ENOMEM, set.AccessAdd(0x10, 0x10, [], []));
        Assert.Equal(Errno.OK, set.Copy(0x20 * Page, new byte[0x40], false, true, process));
        set.AccessRemove(0, 0xf);
        Assert.Equal(Errno.ENOMEM, set.AccessAdd(0x10, 0x10, [], []));
        set.AccessRemove(0, 0xf);
        Assert.Equal(Errno.OK, set.AccessAdd(0x10, 0x1f, [], []));
        Assert.Equal(Errno.ENOMEM, new TestArea(set, 1, 0, 0x3f).Fill());
        set.CheckInvariants();
    }

    [Fact]
    public void A_pinned_page_of_a_huge_page_is_counted_alone()
    {
        ProcessMemory process = _host.ProcessWithBuffer(1, kind: Messages.Host.MemoryKind.Huge2M);
        PageSet set = _host.UserPages(process, 512);
        set.AccessAdd(100, 102, [], []);
        process.TryGetPfn(At, out Pfn head);
        Assert.Equal(0, _host.Physical.PinCount(head));
        Assert.Equal(1, _host.Physical.PinCount(new Pfn(head.Value + 101)));
        var area = new TestArea(set, 1, 0, 511);
        area.Fill();
        Assert.Equal(512, _host.Physical.TotalPins);
        set.AccessRemove(100, 102);
        set.CheckInvariants();
        area.Unfill();
        Assert.Equal(0, _host.Physical.TotalPins);
    }
}
