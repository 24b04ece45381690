using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Xunit;

namespace Iommufd.Core.Tests.MemoryCommands;

public sealed class DirtyTests : MemoryFixture
{
    private readonly uint _ioas;
    private readonly TestMockDomainFlags _device;
    private readonly uint _hwpt;

    public DirtyTests()
    {
        _ioas = Ioas();
        _device = Mock(_ioas);
        _hwpt = Paging(_device.OutIdevId, _ioas, HwptAllocFlags.DirtyTracking);
        Do(MapCommand(_ioas, length: 0x2000));
        Do(Track);
    }

    private HwptSetDirtyTracking Track => new() { HwptId = _hwpt, Flags = HwptSetDirtyTracking.Enable };

    private HwptGetDirtyBitmap Get =>
        new()
        {
            HwptId = _hwpt,
            Iova = Iova,
            Length = 0x2000,
            PageSize = 0x800,
            Data = Scratch + 0x100,
        };

    [Fact]
    public void Tracking_needs_a_paging_HWPT_that_tracks()
    {
        Refuses(Errno.EOPNOTSUPP, Track with { Flags = 2, HwptId = 99 });
        Refuses(Errno.ENOENT, Track with { HwptId = _ioas });
        Refuses(Errno.EOPNOTSUPP, Track with { HwptId = _device.OutHwptId });
        Do(Track with { Reserved = 7 });
    }

    [Fact]
    public void Errors_of_reading_come_in_the_kernels_order()
    {
        var all = Get with { Flags = 2, HwptId = 99, Iova = Iova + 1, Length = ulong.MaxValue, PageSize = 0 };
        Refuses(Errno.EOPNOTSUPP, all);
        Refuses(Errno.EOPNOTSUPP, all with { Flags = 0, Reserved = 1 });
        all = all with { Flags = 0 };
        Refuses(Errno.ENOENT, all);
        all = all with { HwptId = _device.OutHwptId };
        Refuses(Errno.EOVERFLOW, all);
        Refuses(Errno.EOVERFLOW, all with { Iova = Iova, Length = 0 });
        all = all with { Length = 0x2000 };
        Refuses(Errno.EINVAL, all);
        all = all with { Iova = Iova };
        Refuses(Errno.EINVAL, all);
        Refuses(Errno.EINVAL, all with { PageSize = 0x4000 });
        Refuses(Errno.EOPNOTSUPP, all with { PageSize = 0x800 });
    }

    [Fact]
    public void A_dirty_page_reports_one_item_less_than_its_entry_and_is_clean_afterwards()
    {
        Mark(0b0001);
        Assert.Equal(0b0001, Read(Get));
        Assert.IsType<DirtyCleared>(Context.Events[^1]);
        Assert.Equal(0, Read(Get));
        Mark(0b0100);
        Assert.Equal(0b10, Read(Get with { PageSize = 0x1000 }));
    }

    [Fact]
    public void NO_CLEAR_leaves_the_marks_and_records_nothing()
    {
        Mark(0b0101);
        var events = Context.Events.Count;
        Assert.Equal(0b0101, Read(Get with { Flags = HwptGetDirtyBitmap.NoClear }));
        Assert.Equal(events, Context.Events.Count);
        Assert.Equal(0b0101, Read(Get));
    }

    [Fact]
    public void Bits_are_only_ever_set()
    {
        Client.Memory.TryWrite(Get.Data, new byte[] { 0xf0 });
        Mark(0b0001);
        Do(Get);
        Assert.Equal(0xf1, Bytes(Get.Data, 1)[0]);
    }

    [Fact]
    public void The_walk_ends_at_the_first_gap_and_the_command_succeeds()
    {
        Do(MapCommand(_ioas, length: 0x1000, iova: Iova + 0x3000));
        MarkAt(Iova + 0x3000, 1);
        Assert.Equal(0, Read(Get with { Length = 0x4000 }));
        Assert.Equal(1, Read(Get with { Iova = Iova + 0x3000, Length = 0x1000 }));
    }

    [Fact]
    public void A_bitmap_that_cannot_be_written_loses_the_marks_silently()
    {
        Mark(0b0001);
        Do(Get with { Data = Nowhere });
        Assert.Equal(0, Read(Get));
    }

    [Fact]
    public void Starting_to_track_again_forgets_what_was_dirty()
    {
        Mark(0b0001);
        Do(Track);
        Assert.Equal(0, Read(Get));
    }

    [Fact]
    public void Marks_can_be_read_while_tracking_is_off_but_not_made()
    {
        Mark(0b0001);
        Do(Track with { Flags = 0 });
        Assert.Equal(0b0001, Read(Get));
        Refuses(Errno.EINVAL, MarkCommand(Iova));
    }

    [Fact]
    public void Marking_checks_its_arguments_before_the_HWPT_and_the_bitmap_last()
    {
        var good = MarkCommand(Iova) with { HwptId = 99 };
        Refuses(Errno.EINVAL, good with { PageSize = 0 });
        Refuses(Errno.EINVAL, good with { Length = 0 });
        Refuses(Errno.EINVAL, good with { Iova = Iova + 1 });
        Refuses(Errno.EINVAL, good with { Length = 0x801 });
        Refuses(Errno.EINVAL, good with { Uptr = 0 });
        Refuses(Errno.EOVERFLOW, good with { PageSize = 1, Length = (1ul << 27) + 1 });
        Refuses(Errno.ENOENT, good);
        Refuses(Errno.EINVAL, good with { HwptId = _device.OutHwptId, Uptr = Nowhere });
        Refuses(Errno.EFAULT, good with { HwptId = _hwpt, Uptr = Nowhere });
    }

    [Fact]
    public void Marks_on_what_is_not_mapped_are_counted_and_lost()
    {
        Client.Memory.TryWrite(Scratch, new byte[] { 0xff });
        Assert.Equal(8ul, Do(MarkCommand(Iova) with { Length = 0x4000 }).OutNrDirty);
        Assert.Equal(0b0101, Read(Get));
    }

    private TestDirty MarkCommand(ulong iova) =>
        new()
        {
            HwptId = _hwpt,
            Iova = iova,
            Length = 0x2000,
            PageSize = 0x800,
            Uptr = Scratch,
        };

    private void Mark(byte bits) => MarkAt(Iova, bits);

    private void MarkAt(ulong iova, byte bits)
    {
        Client.Memory.TryWrite(Scratch, new byte[] { bits });
        Do(MarkCommand(iova));
    }

    private byte Read(HwptGetDirtyBitmap command)
    {
        Client.Memory.TryWrite(command.Data, new byte[8]);
        Do(command);
        return Bytes(command.Data, 1)[0];
    }
}
