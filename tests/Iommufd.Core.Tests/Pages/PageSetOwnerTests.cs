using Iommufd.Core.Pages;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Pages;

/// <summary>CHANGE_PROCESS; the numbers are those that the kernel showed.</summary>
public sealed class PageSetOwnerTests
{
    private const ulong Page = HostPage.Size;
    private readonly PageSetTestHost _host = new();
    private readonly MemoryFile _file;

    public PageSetOwnerTests() => _file = new MemoryFile(_host.Physical, MemoryFileKind.Memfd, 32 * Page);

    [Fact]
    public void A_charge_moves_with_the_owner_and_for_a_moment_counts_twice_for_the_same_user()
    {
        ProcessMemory self = _host.Process(limitPages: 16);
        ProcessMemory child = _host.Process(limitPages: 16);
        PageSet first = Filled(self, 0, 8);
        Assert.Equal(Errno.OK, PageSet.ChangeOwner([first], self));
        Assert.Equal((8L, 0L), (self.PinnedVmPages, child.PinnedVmPages));
        Assert.Equal(Errno.OK, PageSet.ChangeOwner([first], child));
        Assert.Equal((0L, 8L, 8L), (self.PinnedVmPages, child.PinnedVmPages, _host.User.LockedPages));

        PageSet second = Filled(self, 8, 1);
        Assert.Equal(Errno.ENOMEM, PageSet.ChangeOwner([first, second], self));
        Assert.Equal((1L, 8L, 9L), (self.PinnedVmPages, child.PinnedVmPages, _host.User.LockedPages));
        Assert.Equal(Errno.OK, PageSet.ChangeOwner([first, second], child));
        Assert.Equal((0L, 9L, 9L), (self.PinnedVmPages, child.PinnedVmPages, _host.User.LockedPages));
    }

    [Fact]
    public void Mode_MM_moves_both_counters_and_charges_only_what_moves()
    {
        ProcessMemory self = _host.Process(limitPages: 16);
        ProcessMemory child = _host.Process(limitPages: 16);
        PageSet first = Filled(self, 0, 12, AccountingMode.Mm);
        Assert.Equal(Errno.OK, PageSet.ChangeOwner([first], child));
        Assert.Equal((0L, 0L), (self.PinnedVmPages, self.LockedVmPages));
        Assert.Equal((12L, 12L), (child.PinnedVmPages, child.LockedVmPages));
        PageSet second = Filled(self, 12, 8, AccountingMode.Mm);
        Assert.Equal(Errno.ENOMEM, PageSet.ChangeOwner([first, second], self));
        Assert.Equal(Errno.ENOMEM, PageSet.ChangeOwner([first, second], child));
        Assert.Equal((8L, 12L), (self.LockedVmPages, child.LockedVmPages));
        Assert.Same(self, second.Owner);
    }

    [Fact]
    public void Without_room_for_one_counter_the_other_ones_charge_is_given_back()
    {
        ProcessMemory self = _host.Process(limitPages: 16);
        ProcessMemory child = _host.Process(limitPages: 8);
        PageSet ofUser = Filled(self, 0, 3);
        PageSet ofMm = Filled(self, 3, 9, AccountingMode.Mm);
        Assert.Equal(Errno.ENOMEM, PageSet.ChangeOwner([ofUser, ofMm], child));
        Assert.Equal((3L, 9L), (_host.User.LockedPages, self.LockedVmPages));
        Assert.Equal((0L, 0L), (child.LockedVmPages, child.PinnedVmPages));
    }

    [Fact]
    public void With_CAP_IPC_LOCK_the_statistic_stays_and_later_unpins_count_on_the_new_owner()
    {
        ProcessMemory self = _host.Process();
        ProcessMemory child = _host.Process();
        PageSet set = _host.FilePages(self, _file, 0, 8 * Page);
        var area = new TestArea(set, 1, 0, 7);
        area.Fill();
        Assert.Equal(Errno.OK, PageSet.ChangeOwner([set], child));
        Assert.Equal((8L, 0L), (self.PinnedVmPages, child.PinnedVmPages));
        Assert.Same(child, set.Owner);
        area.Unfill();
        Assert.Equal((8L, -8L), (self.PinnedVmPages, child.PinnedVmPages));
        set.CheckInvariants();
    }

    [Fact]
    public void Another_user_is_charged_and_the_first_one_gets_its_pages_back()
    {
        var strangers = new UserAccount();
        ProcessMemory self = _host.Process(limitPages: 16);
        ProcessMemory stranger = _host.Process(limitPages: 16, strangers);
        PageSet set = Filled(self, 0, 16);
        Assert.Equal(Errno.OK, PageSet.ChangeOwner([set], stranger));
        Assert.Equal((0L, 16L), (_host.User.LockedPages, strangers.LockedPages));
        Assert.Equal(Errno.OK, PageSet.ChangeOwner([set], self));
        Assert.Equal((16L, 0L), (_host.User.LockedPages, strangers.LockedPages));
    }

    [Fact]
    public void A_page_set_that_several_areas_use_counts_once()
    {
        ProcessMemory self = _host.Process(limitPages: 16);
        ProcessMemory child = _host.Process(limitPages: 16);
        PageSet set = Filled(self, 0, 8);
        Assert.Equal(Errno.OK, PageSet.ChangeOwner([set, set, set], child));
        Assert.Equal((8L, 8L), (child.PinnedVmPages, _host.User.LockedPages));
    }

    [Fact]
    public void User_memory_and_dma_bufs_do_not_change_hands()
    {
        ProcessMemory self = _host.ProcessWithBuffer(1);
        PageSet.TryCreateDmabuf(1, new Dmabuf(_host.Physical, Page), 0, Page, out PageSet dmabuf);
        Assert.Equal(Errno.EINVAL, PageSet.ChangeOwner([Filled(self, 0, 1), dmabuf], self));
        Assert.Equal(Errno.EINVAL, PageSet.ChangeOwner([_host.UserPages(self, 1)], self));
        Assert.Equal(Errno.OK, PageSet.ChangeOwner([], self));
    }

    [Fact]
    public void The_new_owner_is_charged_for_what_is_pinned_later()
    {
        ProcessMemory self = _host.Process(limitPages: 16);
        ProcessMemory child = _host.Process(limitPages: 4);
        PageSet set = _host.FilePages(self, _file, 0, 8 * Page);
        Assert.Equal(Errno.OK, PageSet.ChangeOwner([set], child));
        child.Exit();
        Assert.Equal(Errno.ENOMEM, new TestArea(set, 1, 0, 7).Fill());
        Assert.Equal(Errno.OK, new TestArea(set, 1, 0, 3).Fill());
        Assert.Equal((0L, 4L), (self.PinnedVmPages, child.PinnedVmPages));
    }

    private PageSet Filled(ProcessMemory owner, ulong page, ulong pages, AccountingMode mode = AccountingMode.User)
    {
        PageSet set = _host.FilePages(owner, _file, page * Page, pages * Page, mode);
        Assert.Equal(Errno.OK, new TestArea(set, 1, 0, pages - 1).Fill());
        return set;
    }
}
