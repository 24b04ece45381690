using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Core.Sharing;
using Iommufd.Messages;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Sharing;

/// <summary>What a virtual machine's table takes as memory, fills in, lends and gives back.</summary>
public sealed class SharedTableRuleTests
{
    private const ulong Page = HostPage.Size;
    private const ulong Memory = 0x10_0000_0000;
    private const ulong Guest = 0x8000_0000;
    private const ulong Reach = 1UL << 48;
    private const MemoryProtection ReadWrite = MemoryProtection.Read | MemoryProtection.Write;

    private readonly PhysicalMemory _physical = new();
    private readonly ProcessMemory _process;
    private readonly SharedTable _table;

    public SharedTableRuleTests()
    {
        _process = new ProcessMemory(1, new ProcessSpec("vm"), _physical, new UserAccount());
        Assert.Equal(Errno.OK, _process.Map(Memory, 16 * Page, MemoryKind.Anonymous, ReadWrite, populate: true, out _));
        _table = new SharedTable(_process, IoPageTableFormat.VtdSecondStage);
    }

    [Theory]
    [InlineData(Guest, Memory, Page, Errno.OK)]
    [InlineData(Guest, Memory, 0UL, Errno.EINVAL)]
    [InlineData(Guest + 0x800, Memory, Page, Errno.EINVAL)]
    [InlineData(Guest, Memory + 0x800, Page, Errno.EINVAL)]
    [InlineData(Guest, Memory, Page + 0x800, Errno.EINVAL)]
    [InlineData(Reach - Page, Memory, Page, Errno.OK)]
    [InlineData(Reach - Page, Memory, 2 * Page, Errno.EINVAL)]
    [InlineData(Reach, Memory, Page, Errno.EINVAL)]
    [InlineData(Guest, ulong.MaxValue - 0xFFF, Page, Errno.OK)]
    [InlineData(Guest, ulong.MaxValue - 0xFFF, 2 * Page, Errno.EINVAL)]
    public void A_slot_is_whole_pages_that_table_and_process_can_have(
        ulong guest,
        ulong address,
        ulong length,
        Errno errno
    ) => Assert.Equal(errno, Slot(guest, address, length));

    [Theory]
    [InlineData(-2, Errno.OK)]
    [InlineData(-1, Errno.EEXIST)]
    [InlineData(3, Errno.EEXIST)]
    [InlineData(4, Errno.OK)]
    public void Slots_may_touch_and_not_overlap(int pages, Errno errno)
    {
        Slot(Guest, Memory, 4 * Page);

        Assert.Equal(errno, Slot(Guest + ((ulong)(long)pages * Page), Memory, 2 * Page));
    }

    [Fact]
    public void Guest_addresses_that_a_device_cannot_use_and_guest_memory_exclude_each_other_until_given_back()
    {
        IovaRange[] ranges = [new(0x1000, 0x1FFF), new(Guest, Guest + 0xFFF)];
        Assert.Equal(Errno.OK, _table.Reserve(7, ranges));
        Assert.Equal(Errno.EADDRINUSE, Slot(Guest - Page, Memory, 2 * Page));
        Assert.Equal(Errno.OK, Slot(Guest + Page, Memory, Page));
        Assert.Equal(Errno.OK, _table.Reserve(8, [new IovaRange(0x5000, 0x5FFF)]));
        Assert.Equal(
            Errno.EADDRINUSE,
            _table.Reserve(9, [new IovaRange(0, 0), new IovaRange(Guest + Page, ulong.MaxValue)])
        );

        _table.Unreserve(7);

        Assert.Equal(Errno.OK, Slot(Guest, Memory, Page));
        Assert.Equal(Errno.OK, Slot(0, Memory, Page));
        Assert.Equal(Errno.EADDRINUSE, Slot(0x5000, Memory, Page));
    }

    [Theory]
    [InlineData(0UL, 1UL, 1)]
    [InlineData(0UL, 0x1000UL, 1)]
    [InlineData(0xFFFUL, 1UL, 1)]
    [InlineData(0xFFFUL, 2UL, 2)]
    [InlineData(0x800UL, 0x2000UL, 3)]
    public void Every_page_that_an_access_touches_is_filled_in(ulong offset, ulong length, int pages)
    {
        Slot(Guest, Memory, 8 * Page);

        Assert.Equal(Errno.OK, _table.Fill(Guest + offset, length, write: true));

        Assert.Equal(pages, _physical.LentFrames);
        for (int page = 0; page < 8; page++)
        {
            Assert.Equal(page < pages, IsThere(Guest + ((ulong)page * Page)));
        }
    }

    [Fact]
    public void What_was_filled_in_before_a_hole_stays()
    {
        Slot(Guest, Memory, 2 * Page);

        Assert.Equal(Errno.EFAULT, _table.Fill(Guest, 3 * Page, write: false));

        Assert.True(IsThere(Guest + Page));
    }

    [Fact]
    public void A_slot_that_is_read_only_gives_read_only_entries()
    {
        Slot(Guest, Memory, Page, writable: false);
        Assert.Equal(Errno.EFAULT, _table.Fill(Guest, Page, write: true));

        Assert.Equal(Errno.OK, _table.Fill(Guest, Page, write: false));

        Assert.True(_table.Table.TryTranslate(Guest, out IopteTranslation entry));
        Assert.Equal(IoptePermissions.Read, entry.Permissions);
    }

    [Fact]
    public void A_page_that_may_be_written_is_filled_in_so_when_it_is_only_read()
    {
        Slot(Guest, Memory, Page);

        Assert.Equal(Errno.OK, _table.Fill(Guest, Page, write: false));

        Assert.True(_table.Table.TryTranslate(Guest, out IopteTranslation entry));
        Assert.Equal(IoptePermissions.ReadWrite, entry.Permissions);
        Assert.Equal(Errno.OK, _table.Fill(Guest, Page, write: true));
        Assert.Equal(1, _physical.LentFrames);
    }

    [Fact]
    public void A_table_without_a_process_has_nothing_to_fill_in()
    {
        var replayed = new SharedTable(null, IoPageTableFormat.VtdSecondStage);
        Assert.Equal(Errno.OK, replayed.AddSlot(new GuestSlot(Guest, Memory, Page, Writable: true)));

        Assert.Equal(Errno.EFAULT, replayed.Fill(Guest, Page, write: false));
        replayed.Release();
    }

    [Fact]
    public void An_invalidation_takes_the_part_of_each_slot_that_stands_for_the_range()
    {
        Slot(Guest, Memory, 4 * Page);
        Slot(0x1000, Memory + (2 * Page), 4 * Page);
        Slot(0x10_0000, Memory + (8 * Page), 4 * Page);
        _table.Fill(Guest, 4 * Page, write: true);
        _table.Fill(0x1000, 4 * Page, write: true);

        IReadOnlyList<TableInvalidation> begun = _table.Begin(Memory + (3 * Page), Memory + (5 * Page) - 1);

        Assert.Equal(
            [new IovaRange(0x2000, 0x3FFF), new IovaRange(Guest + (3 * Page), Guest + (4 * Page) - 1)],
            begun.Select(b => b.Range).Order(Comparer<IovaRange>.Create((a, b) => a.First.CompareTo(b.First)))
        );
        Assert.Equal([true, true, true, false], Enumerable.Range(0, 4).Select(p => IsThere(Guest + ((ulong)p * Page))));
        Assert.Equal([true, false, false, true], Enumerable.Range(1, 4).Select(p => IsThere((ulong)p * Page)));
    }

    [Fact]
    public void An_invalidation_takes_the_page_that_its_last_byte_lies_in()
    {
        Slot(Guest, Memory, 4 * Page);
        _table.Fill(Guest, 4 * Page, write: true);

        _table.Begin(Memory, Memory + Page);

        Assert.Equal(
            [false, false, true, true],
            Enumerable.Range(0, 4).Select(p => IsThere(Guest + ((ulong)p * Page)))
        );
    }

    [Fact]
    public void Nothing_is_invalidated_where_the_guest_has_nothing()
    {
        Slot(Guest, Memory + Page, Page);

        Assert.Empty(_table.Begin(Memory, Memory + Page - 1));
        Assert.Empty(_table.Begin(Memory + (2 * Page), Memory + (9 * Page)));
        Assert.False(_table.IsInvalidating);
    }

    [Fact]
    public void An_invalidation_lasts_from_its_begin_to_its_end_and_ends_once()
    {
        Slot(Guest, Memory, Page);
        TableInvalidation begun = Assert.Single(_table.Begin(Memory, Memory));
        Assert.True(_table.IsInvalidating);

        _table.End(begun);

        Assert.False(_table.IsInvalidating);
        Assert.Throws<InvariantBrokenException>(() => _table.End(begun));
    }

    [Fact]
    public void A_frame_that_devices_forgot_is_taken_back_once()
    {
        Slot(Guest, Memory, Page);
        _table.Fill(Guest, Page, write: true);
        TableInvalidation begun = Assert.Single(_table.Begin(Memory, Memory));
        Assert.Equal(1, _physical.LentFrames);

        _table.Forgotten(begun);
        _table.Forgotten(begun);
        _table.End(begun);

        Assert.Equal(0, _physical.LentFrames);
    }

    [Fact]
    public void Memory_that_is_taken_away_from_the_guest_is_invalidated_whole()
    {
        Slot(Guest, Memory, 3 * Page);
        _table.Fill(Guest, 3 * Page, write: true);

        TableInvalidation begun = _table.BeginRemove(Guest)!;

        Assert.Equal(new IovaRange(Guest, Guest + (3 * Page) - 1), begun.Range);
        Assert.Equal(Errno.EAGAIN, _table.Fill(Guest + (2 * Page), Page, write: false));
        Assert.Equal(3, _physical.LentFrames);
        _table.End(begun);
        Assert.Equal(Errno.EFAULT, _table.Fill(Guest, Page, write: false));
        Assert.Equal(0, _physical.LentFrames);
    }

    [Fact]
    public void A_device_is_listed_once_until_its_last_address_space_has_gone()
    {
        _table.Link("nic");
        _table.Link("disk");
        _table.Link("nic");
        Assert.Equal(["disk", "nic"], _table.Devices);

        _table.Unlink("nic");
        Assert.Equal(["disk", "nic"], _table.Devices);
        _table.Unlink("nic");

        Assert.Equal(["disk"], _table.Devices);
    }

    [Fact]
    public void The_last_reference_takes_every_frame_back_and_listens_to_the_process_no_more()
    {
        Slot(Guest, Memory, 2 * Page);
        _table.Fill(Guest, 2 * Page, write: true);
        _table.Acquire();
        _table.Release();
        Assert.Equal(2, _physical.LentFrames);

        _table.Release();

        Assert.Equal(0, _physical.LentFrames);
        Assert.False(IsThere(Guest));
        Assert.Equal(Errno.OK, _process.Discard(Memory, Page));
        Assert.False(_table.IsInvalidating);
    }

    private Errno Slot(ulong guest, ulong address, ulong length, bool writable = true) =>
        _table.AddSlot(new GuestSlot(guest, address, length, writable));

    private bool IsThere(ulong guest) => _table.Table.TryTranslate(guest, out ulong _);
}
