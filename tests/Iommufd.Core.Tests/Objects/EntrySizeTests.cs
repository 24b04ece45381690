using Iommufd.Core.Flows;
using Iommufd.Core.PageTables;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Objects;

/// <summary>Entries that grow and shrink at run time: what is translated to what never changes.</summary>
public sealed class EntrySizeTests : ObjectsFixture
{
    private const ulong Page = HostPage.Size;
    private const ulong At = 0x4000_0000;
    private const ulong Large = 2ul << 20;
    private readonly uint _ioas;
    private readonly uint _hwpt;

    public EntrySizeTests()
    {
        Assert.Equal(Errno.OK, Machine.AddIommu(new IommuSpec(0, "vtd-ss", new IovaRange(0, (1ul << 48) - 1))));
        Assert.Equal(Errno.OK, Machine.AddDevice(new DeviceSpec("nic", 1, 0, [])));
        _ioas = Ioas();
        var device = Do(new BindDevice("nic")).OutDeviceId;
        _hwpt = Paging(device, _ioas, HwptAllocFlags.DirtyTracking);
    }

    private IoPageTable Table => State.Table;

    private HwptState State =>
        (HwptState)Context.Participants.Single(p => p.Key == (ParticipantKind.Hwpt, _hwpt)).Value;

    [Fact]
    public void Without_a_policy_entries_keep_the_size_of_their_maps()
    {
        MapPieces(0, 512);
        Assert.Equal(Page, SizeAt(At));
    }

    [Fact]
    public void Mappings_whose_frames_follow_each_other_become_one_entry_with_the_last_of_them()
    {
        Do(new SetEntryPolicy(_hwpt, EntryPolicy.Promote));
        MapPieces(0, 511);
        Assert.Equal(Page, SizeAt(At));
        MapPieces(511, 1);
        Assert.Equal(Large, SizeAt(At));
        Assert.Equal(Large, SizeAt(At + Large - 1));
        CheckMapped();
    }

    [Fact]
    public void The_policy_of_an_IOAS_is_that_of_its_HWPTs_and_of_those_to_come()
    {
        MapPieces(0, 512);
        Do(new SetEntryPolicy(_ioas, EntryPolicy.Promote));
        Assert.Equal(Large, SizeAt(At));
        var later = Do(new HwptAlloc { DevId = 2, PtId = _ioas }).OutHwptId;
        var table = ((HwptState)Context.Participants.Single(p => p.Key == (ParticipantKind.Hwpt, later)).Value).Table;
        Assert.True(table.TryTranslate(At, out IopteTranslation found));
        Assert.Equal(Large, found.PageSize);
    }

    [Fact]
    public void An_unmap_of_one_mapping_splits_the_entry_and_leaves_the_others()
    {
        Do(new SetEntryPolicy(_hwpt, EntryPolicy.Promote));
        MapPieces(0, 512);
        Do(Unmap(At + (7 * Page)));
        Assert.False(Table.TryTranslate(At + (7 * Page), out ulong _));
        Assert.Equal(Page, SizeAt(At));
        CheckMapped(except: 7);
        MapPieces(7, 1);
        Assert.Equal(Large, SizeAt(At));
    }

    [Fact]
    public void Mappings_of_different_permissions_stay_apart()
    {
        Do(new SetEntryPolicy(_hwpt, EntryPolicy.Promote));
        MapPieces(0, 511);
        Do(Piece(511) with { Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable });
        Assert.Equal(Page, SizeAt(At));
    }

    [Fact]
    public void Mappings_that_were_installed_page_by_page_stay_as_they_are()
    {
        Do(new Option { OptionId = OptionId.HugePages, ObjectId = _ioas });
        Do(Piece(0, 512));
        Do(new SetEntryPolicy(_hwpt, EntryPolicy.Promote));
        Assert.Equal(Page, SizeAt(At));
        Assert.Equal(0ul, Resize(At, Large, Large, merge: true));
    }

    [Fact]
    public void Entries_are_split_and_merged_by_hand()
    {
        Do(Piece(0, 512));
        Assert.Equal(Large, SizeAt(At));
        Resize(At, Large, Page, merge: false);
        Assert.Equal(Page, SizeAt(At));
        CheckMapped();
        Assert.Equal(1ul, Resize(At, Large, Large, merge: true));
        Assert.Equal(Large, SizeAt(At));
        Assert.Equal(0ul, Resize(At, Large, Large, merge: true));
    }

    [Fact]
    public void Tracking_splits_and_the_end_of_tracking_promotes_and_a_dirty_page_is_one_page()
    {
        Do(new SetEntryPolicy(_hwpt, EntryPolicy.Promote | EntryPolicy.SplitForTracking));
        Do(Piece(0, 512));
        Do(new HwptSetDirtyTracking { HwptId = _hwpt, Flags = HwptSetDirtyTracking.Enable });
        Assert.Equal(Page, SizeAt(At));
        Table.SetDirty(At + (9 * Page));
        Do(
            new HwptGetDirtyBitmap
            {
                HwptId = _hwpt,
                Iova = At,
                Length = Large,
                PageSize = Page,
                Data = Scratch,
            }
        );
        Assert.Equal(1u << 9, Words(Scratch, 1)[0]);
        Do(new HwptSetDirtyTracking { HwptId = _hwpt });
        Assert.Equal(Large, SizeAt(At));
    }

    [Fact]
    public void What_is_mapped_while_pages_are_tracked_is_small_and_grows_afterwards()
    {
        Do(new SetEntryPolicy(_hwpt, EntryPolicy.Promote | EntryPolicy.SplitForTracking));
        Do(new HwptSetDirtyTracking { HwptId = _hwpt, Flags = HwptSetDirtyTracking.Enable });
        Do(Piece(0, 512));
        Assert.Equal(Page, SizeAt(At));
        Do(new HwptSetDirtyTracking { HwptId = _hwpt });
        Assert.Equal(Large, SizeAt(At));
    }

    [Fact]
    public void A_merge_carries_dirty_marks_over()
    {
        MapPieces(0, 512);
        Do(new HwptSetDirtyTracking { HwptId = _hwpt, Flags = HwptSetDirtyTracking.Enable });
        Table.SetDirty(At + (100 * Page));
        Resize(At, Large, Large, merge: true);
        Assert.True(Table.TryTranslate(At, out IopteTranslation found) && found.Dirty);
    }

    [Fact]
    public void A_replay_has_the_same_sizes()
    {
        Do(new SetEntryPolicy(_hwpt, EntryPolicy.Promote));
        Assert.IsType<Messages.Events.EntryPolicySet>(Context.Events[^1]);
        Do(Piece(0, 512));
        Resize(At, Large, Page, merge: false);
        Assert.Equal(
            new Messages.Events.EntriesResized(_hwpt, At, At + Large - 1, Page, Merge: false),
            Context.Events[^1]
        );
    }

    // Pieces of the huge page, one mapping each: their frames follow each other.
    private void MapPieces(ulong first, ulong count)
    {
        for (var i = first; i < first + count; i++)
        {
            Do(Piece(i));
        }
    }

    private IoasMap Piece(ulong index, ulong pages = 1) =>
        new()
        {
            Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
            IoasId = _ioas,
            UserVa = Huge + (index * Page),
            Length = pages * Page,
            Iova = At + (index * Page),
        };

    private IoasUnmap Unmap(ulong iova) =>
        new()
        {
            IoasId = _ioas,
            Iova = iova,
            Length = Page,
        };

    private ulong Resize(ulong iova, ulong length, ulong size, bool merge) =>
        Do(new ResizeEntries(_hwpt, iova, length, size, merge)).OutEntries;

    private ulong SizeAt(ulong iova)
    {
        Assert.True(Table.TryTranslate(iova, out IopteTranslation found));
        return found.PageSize;
    }

    private void CheckMapped(ulong? except = null)
    {
        Assert.True(Client.Memory.TryGetPfn(Huge, out var first));
        for (var i = 0ul; i < 512; i++)
        {
            Assert.Equal(i != except, Table.TryTranslate(At + (i * Page), out ulong physical));
            Assert.True(i == except || physical == first.Address + (i * Page));
        }
    }
}
