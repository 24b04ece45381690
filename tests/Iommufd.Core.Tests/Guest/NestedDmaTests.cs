using Iommufd.Core.Dma;
using Iommufd.Core.Dma.Guest;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Guest;

/// <summary>IOTLB, PASIDs, dirty marks and invalidations of a device behind two stages.</summary>
public sealed class NestedDmaTests
{
    private const ulong Iova = 1ul << 40;

    [Fact]
    public void A_translation_that_the_guest_took_away_lives_in_the_iotlb_until_the_guest_invalidates()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000);
        Assert.True(rig.Writes(Iova));

        rig.Writer.Unmap(rig.Process, Iova, 0x1000, out _);
        Assert.True(rig.Writes(Iova));
        rig.Engine.Iotlb.Invalidate(new IovaRange(Iova, Iova + 0xfff), 0);

        Assert.False(rig.Writes(Iova));
        Assert.Equal(0ul, rig.Engine.Totals.Violations);
    }

    [Fact]
    public void An_iotlb_that_ignores_the_guests_invalidation_is_caught()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd, iotlb: new ForgetfulIotlb()).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000);
        Assert.True(rig.Reads(Iova));

        rig.Engine.Iotlb.Invalidate(new IovaRange(Iova, Iova + 0xfff), 0);
        Assert.True(rig.Reads(Iova));

        Assert.Equal(DmaViolationKind.StaleIotlb, rig.Engine.Violations[0].Kind);
    }

    [Fact]
    public void A_change_of_the_second_stage_forgets_every_address_of_the_guest()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000);
        Assert.True(rig.Reads(Iova));

        // The guest's address is nowhere near the guest-physical range that goes.
        var gone = new IovaRange(GuestRig.GuestBase + 0x30_0000, GuestRig.GuestBase + 0x30_0fff);
        rig.Second.Unmap(gone.First, 0x1000);
        rig.Engine.InvalidateTable(rig.Parent.SecondStage, gone);

        Assert.False(rig.Reads(Iova));
    }

    [Fact]
    public void A_change_of_another_table_leaves_the_guests_translations()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000);
        Assert.True(rig.Reads(Iova));
        ulong hits = rig.Engine.Totals.IotlbHits;

        rig.Engine.InvalidateTable(
            rig.Parent.SecondStage + 1,
            new IovaRange(GuestRig.GuestBase, GuestRig.GuestBase + 0xfff)
        );

        Assert.True(rig.Reads(Iova));
        Assert.Equal(hits + 1, rig.Engine.Totals.IotlbHits);
    }

    [Theory]
    [InlineData(GuestHardware.SmmuV3)]
    [InlineData(GuestHardware.Amd)]
    public void A_pasid_that_the_guest_entered_goes_through_tables_of_its_own(GuestHardware hardware)
    {
        using GuestRig rig = new GuestRig(hardware).Attached();
        var pool = new IovaRange(GuestRig.GuestBase + (6ul << 20), GuestRig.GuestBase + (7ul << 20) - 1);
        var process = new GuestTableWriter(hardware, new GuestTableRoom(GuestRig.Memory, GuestRig.GuestBase, pool));
        Assert.Equal(Errno.OK, process.TryStart(rig.Process));
        rig.Map(Iova, 0x30_0000, 0x1000);
        process.Map(rig.Process, Iova, GuestRig.GuestBase + 0x40_0000, 0x1000, IoptePermissions.ReadWrite);

        Assert.False(rig.Reads(Iova, pasid: 9));
        Assert.Equal(Errno.OK, rig.Writer.SetSpace(rig.Process, 9, process.Root));

        Assert.True(rig.Engine.TryTranslate(Iova, IoptePermissions.Read, out ulong theirs, pasid: 9));
        Assert.True(rig.Engine.TryTranslate(Iova, IoptePermissions.Read, out ulong own));
        Assert.Equal((rig.PhysicalOf(0x40_0000), rig.PhysicalOf(0x30_0000)), (theirs, own));
        Assert.False(rig.Reads(Iova, pasid: 1 << 12));

        // Leaving the HWPT takes the guest's PASIDs with it.
        rig.Engine.Switch(null);
        Assert.False(rig.Reads(Iova, pasid: 9));
    }

    [Fact]
    public void A_pasid_that_the_host_attached_is_not_the_guests()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Amd).Attached();
        rig.Writer.SetSpace(rig.Process, 9, rig.Writer.Root);
        rig.Map(Iova, 0x30_0000, 0x1000);
        rig.Engine.Attach(rig.Second, pasid: 9);

        Assert.False(rig.Reads(Iova, pasid: 9));
        Assert.True(rig.Reads(GuestRig.GuestBase, pasid: 9));
    }

    [Fact]
    public void A_device_that_writes_marks_the_second_stage_dirty_where_data_and_tables_are()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        using IoPageTable tracked = IoPageTable.Create(IoPageTableFormat.AmdV1);
        for (ulong at = 0; at < GuestRig.Bytes; at += 0x1000)
        {
            tracked.Map(GuestRig.GuestBase + at, rig.PhysicalOf(at), 0x1000, IoptePermissions.ReadWrite);
        }

        var parent = new DmaTranslation(tracked) { MarksDirty = true };
        rig.Engine.Switch(new DmaTranslation(rig.Stage(), parent));
        rig.Map(Iova, 0x30_0000, 0x1000);
        Assert.True(rig.Writes(Iova));

        Assert.True(tracked.TryTranslate(GuestRig.GuestBase + 0x30_0000, out IopteTranslation data) && data.Dirty);
        Assert.True(tracked.TryTranslate(rig.Writer.Root, out IopteTranslation root) && root.Dirty);
        Assert.True(tracked.TryTranslate(GuestRig.GuestBase, out IopteTranslation other) && !other.Dirty);
    }

    [Fact]
    public void Data_reach_the_memory_behind_both_stages()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova, 0x30_0000, 0x2000);
        var pattern = new DmaPattern(
            DmaPatternKind.Ring,
            new IovaRange(Iova + 0x800, Iova + 0x17ff),
            BlockBytes: 0x1000,
            WritePercent: 100,
            Data: DmaData.Fill,
            Fill: 0x42
        );

        Assert.Equal(0ul, rig.Engine.Run(pattern, 1).Faults);

        byte[] page = new byte[0x2000];
        Assert.True(rig.Process.TryRead(GuestRig.Memory + 0x30_0000, page));
        Assert.Equal(0x1000, page.AsSpan(0x800, 0x1000).Count((byte)0x42));
        Assert.Equal(0x1000, page.Count(b => b == 0));
    }

    [Fact]
    public void Stamps_of_two_transfers_differ()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000);
        var pattern = new DmaPattern(
            DmaPatternKind.Ring,
            new IovaRange(Iova, Iova + 0xfff),
            BlockBytes: 0x1000,
            WritePercent: 100,
            Data: DmaData.Stamp
        );

        rig.Engine.Run(pattern, 1);
        ulong first = rig.ReadWord(GuestRig.GuestBase + 0x30_0000);
        rig.Engine.Run(pattern, 1);

        Assert.NotEqual(0ul, first);
        Assert.NotEqual(first, rig.ReadWord(GuestRig.GuestBase + 0x30_0000));
    }

    [Fact]
    public void A_transfer_over_missing_pages_asks_for_all_of_them_and_goes_on_when_they_are_there()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova + 0x1000, 0x30_1000, 0x1000);
        var pattern = new DmaPattern(
            DmaPatternKind.Ring,
            new IovaRange(Iova, Iova + 0x2fff),
            BlockBytes: 0x3000,
            WritePercent: 100,
            Data: DmaData.Fill,
            Fill: 7
        );

        DmaReport report = rig.Engine.RunUntilMissing(pattern, 1, null, out DmaMissing? missing);
        Assert.Equal((0ul, 0ul), (report.Faults, report.Bytes));
        Assert.Equal([Iova, Iova + 0x2000], missing!.Pages);
        Assert.Equal(0ul, rig.ReadWord(GuestRig.GuestBase + 0x30_1000));

        rig.Map(Iova, 0x30_0000, 0x1000);
        rig.Map(Iova + 0x2000, 0x30_2000, 0x1000);
        report = rig.Engine.RunUntilMissing(pattern, 1, missing.Block, out missing);
        Assert.Null(missing);
        Assert.Equal((0ul, 0x3000ul), (report.Faults, report.Bytes));
        Assert.Equal(0x0707_0707_0707_0707ul, rig.ReadWord(GuestRig.GuestBase + 0x30_1000));
    }

    [Fact]
    public void A_missing_permission_is_a_fault_and_no_request()
    {
        using GuestRig rig = new GuestRig(GuestHardware.Vtd).Attached();
        rig.Map(Iova, 0x30_0000, 0x1000, IoptePermissions.Read);
        var pattern = new DmaPattern(DmaPatternKind.Ring, new IovaRange(Iova, Iova + 0xfff), 64, WritePercent: 100);

        DmaReport report = rig.Engine.RunUntilMissing(pattern, 3, null, out DmaMissing? missing);

        Assert.Null(missing);
        Assert.Equal(3ul, report.Faults);
    }

    /// <summary>Completes invalidations without removing anything.</summary>
    private sealed class ForgetfulIotlb() : Iotlb(IotlbGeometry.Default)
    {
        protected override void Remove(IovaRange range, uint? pasid) { }
    }
}
