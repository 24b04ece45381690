using System.Globalization;
using Iommufd.Messages;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>Events in words, for a person who wants to know what happened. Thread-safe.</summary>
public static class EventSentence
{
    private const int PinFields = 4;

    /// <summary>Says what an event did; the name of its type for one that has no sentence.</summary>
    public static string Of(ContextEvent change) =>
        change switch
        {
            ContextOpened e => Say($"process {e.ProcessId} opened /dev/iommu"),
            ProcessSeen e => Say($"process {e.ProcessId} called for the first time"),
            ContextClosed { Leaked: 0 } => "the context was closed",
            ContextClosed e => Say($"the context was closed; {e.Leaked} objects could not be destroyed"),
            DigestRecorded e => Say($"the digest of the state was recorded: {e.Digest:x16}"),
            IoasAllocated e => Say($"IOAS {e.IoasId} was made"),
            ObjectDestroyed e => Say($"object {e.ObjectId} was destroyed"),
            AccountingModeSet e =>
                $"locked memory is charged to the {(e.ChargeProcess ? "process" : "user")} from now on",
            ProcessChanged e => Say($"everything that is mapped belongs to process {e.ProcessId} from now on"),
            RunEvent e => OfRun(e),
            _ => OfArea(change) ?? OfDevice(change) ?? OfAccess(change) ?? OfObject(change) ?? change.GetType().Name,
        };

    private static string OfRun(RunEvent change) =>
        change switch
        {
            RunStarted { IsSeeded: true } e => Say(
                $"a run of {e.Scenario} began, with seed {e.Seed} and {e.Durability} durability"
            ),
            RunStarted e => Say($"a run of {e.Scenario} began, with {e.Durability} durability"),
            ClientFinished e => Say($"client {e.Client} had done all its steps"),
            BarrierOpened e => $"the barrier {e.Meeting} opened",
            RunStopping e => $"the run was asked to stop: {e.Reason}",
            RunContinued e => Say(
                $"the run, which had been killed, went on; {e.Closed.Length} contexts that were open are closed"
            ),
            RunFinished { StopReason: "" } e => Say($"the run ended with digest {e.Digest:x16}"),
            RunFinished e => Say($"the run ended with digest {e.Digest:x16}, cut short: {e.StopReason}"),
            _ => change.GetType().Name,
        };

    /// <summary>A range of IOVAs with its size.</summary>
    public static string Range(ulong first, ulong last) =>
        Say($"0x{first:x}..0x{last:x} ({Size(unchecked(last - first + 1))})");

    /// <summary>A number of bytes; 0 stands for 2^64.</summary>
    public static string Size(ulong bytes) =>
        bytes switch
        {
            0 => "16 EiB",
            >= 1ul << 30 when bytes % (1ul << 30) == 0 => Say($"{bytes >> 30} GiB"),
            >= 1ul << 20 when bytes % (1ul << 20) == 0 => Say($"{bytes >> 20} MiB"),
            >= 1ul << 10 when bytes % (1ul << 10) == 0 => Say($"{bytes >> 10} KiB"),
            _ => Say($"{bytes} bytes"),
        };

    /// <summary>How many pages an event pinned, in words; empty for none.</summary>
    public static string Pins(ulong[] pinned)
    {
        ulong pages = 0;
        for (var i = 0; i + PinFields <= pinned.Length; i += PinFields)
        {
            pages += pinned[i + 3];
        }

        return pages == 0 ? string.Empty : Say($"; {pages} {(pages == 1 ? "page was" : "pages were")} pinned");
    }

    private static string? OfArea(ContextEvent change) =>
        change switch
        {
            AreaMapped e => Say(
                $"process {e.ProcessId} mapped {Span(e.Iova, e.Length)} of IOAS {e.IoasId} to its memory at 0x{e.UserVa:x}, {Access(e.Flags)}{Pins(e.Pinned)}"
            ),
            FileMapped e => Say(
                $"process {e.ProcessId} mapped {Span(e.Iova, e.Length)} of IOAS {e.IoasId} to file {e.FileNumber} at 0x{e.Start:x}, {Access(e.Flags)}{Pins(e.Pinned)}"
            ),
            VfioMapped e => Say(
                $"process {e.ProcessId} mapped {Span(e.Iova, e.Length)} of IOAS {e.IoasId} by VFIO_IOMMU_MAP_DMA to its memory at 0x{e.UserVa:x}{Pins(e.Pinned)}"
            ),
            AreasCopied e => Say(
                $"{Span(e.SrcIova, e.Length)} of IOAS {e.SrcIoasId} was copied to 0x{e.DstIova:x} of IOAS {e.DstIoasId}{Pins(e.Pinned)}"
            ),
            AreasUnmapped e => Say($"{Ranges(e.Removed)} of IOAS {e.IoasId} was unmapped"),
            AreaCutInTwo e => Say($"an area of IOAS {e.IoasId} was cut in two behind 0x{e.LastOfLeft:x}"),
            AllowedReplaced e => Say($"IOAS {e.IoasId} chooses IOVAs from {Ranges(e.Ranges)} from now on"),
            LargePagesSet e => Say(
                $"IOAS {e.IoasId} {(e.Enabled ? "may use" : "does not use")} large pages from now on"
            ),
            RangeReserved e => Say($"{Range(e.First, e.Last)} of IOAS {e.IoasId} was reserved"),
            DmabufRevoked e => Say(
                $"dma-buf {e.FileNumber} was {(e.Revoked ? "revoked" : "allowed again")}; what was mapped of it is gone from all tables"
            ),
            CompatIoasSet { IoasId: 0 } => "VFIO's own calls have no IOAS from now on",
            CompatIoasSet e => Say($"VFIO's own calls work on IOAS {e.IoasId} from now on"),
            _ => null,
        };

    private static string? OfDevice(ContextEvent change) =>
        change switch
        {
            DeviceBound e => Say($"device {e.DeviceId} is {e.Name}: it was bound"),
            DeviceUnbound e => Say($"device {e.DeviceId} was unbound"),
            DeviceAttached e => Say(
                $"device {e.DeviceId}{Pasid(e.Pasid)} was attached to {Table(e.PtId, e.HwptId)}{Pins(e.Pinned)}"
            ),
            DeviceReplaced e => Say(
                $"device {e.DeviceId}{Pasid(e.Pasid)} was moved to {Table(e.PtId, e.HwptId)}{Pins(e.Pinned)}"
            ),
            DeviceDetached e => Say($"device {e.DeviceId}{Pasid(e.Pasid)} was detached"),
            MockDeviceMade e => Say(
                $"the selftest made device {e.DeviceId} (object {e.StdevId}) and attached it to {Table(e.PtId, e.HwptId)}{Pins(e.Pinned)}"
            ),
            HwptAllocated e => Say(
                $"HWPT {e.HwptId} was made on IOAS {e.IoasId} for device {e.DeviceId}{Pins(e.Pinned)}"
            ),
            NestedHwptAllocated e => Say($"nested HWPT {e.HwptId} was made on {e.PtId} for device {e.DeviceId}"),
            GuestStageAllocated e => Say(
                $"nested HWPT {e.HwptId} with tables in guest memory was made on {e.PtId} for device {e.DeviceId}"
            ),
            EntryPolicySet e => Say($"{e.PtId} keeps its entries {(EntryPolicy)e.Policy} from now on"),
            EntriesResized e => Say(
                $"entries of {Range(e.First, e.Last)} in HWPT {e.HwptId} were {(e.Merge ? "merged into" : "split to")} 0x{e.PageSize:x} bytes"
            ),
            SharedHwptAllocated e => Say(
                $"HWPT {e.HwptId} was made of a virtual machine's table for device {e.DeviceId}"
            ),
            HwptFaultSet e => Say($"HWPT {e.HwptId} got fault queue {e.FaultId}"),
            IotlbInvalidated e => Say($"the IOTLB of nested HWPT {e.HwptId} was invalidated"),
            CachesInvalidated e => Say($"caches of devices {string.Join(", ", e.DeviceIds)} were invalidated"),
            ReservedPasidRefused e => Say($"device {e.DeviceId} refused to switch its reserved PASID"),
            DirtyTrackingSet e => Say(
                $"HWPT {e.HwptId} {(e.Enabled ? "tracks" : "does not track")} dirty pages from now on"
            ),
            DirtyCleared e => Say(
                $"the dirty marks of {Range(e.First, e.Last)} in HWPT {e.HwptId} were read and cleared"
            ),
            PagesMarkedDirty e => Say(
                $"the selftest marked pages of {Span(e.Iova, unchecked(e.PageSize * e.Pages))} in HWPT {e.HwptId} dirty"
            ),
            _ => null,
        };

    private static string? OfAccess(ContextEvent change) =>
        change switch
        {
            AccessCreated e => Say($"access {e.AccessId} was made on IOAS {e.IoasId}"),
            AccessMoved e => Say($"access {e.AccessId} moved to IOAS {e.IoasId}"),
            AccessPinned e => Say(
                $"access {e.AccessId} pinned {Span(e.Iova, e.Length)} for {(e.Write ? "writing" : "reading")} (pin {e.PinId}){Pins(e.Pinned)}"
            ),
            AccessUnpinned e => Say($"access {e.AccessId} released pin {e.PinId}"),
            AccessDestroyed e => Say($"access {e.AccessId} was destroyed by its driver"),
            _ => null,
        };

    private static string? OfObject(ContextEvent change) =>
        change switch
        {
            FaultQueueAllocated e => Say($"fault queue {e.FaultId} was made"),
            FaultReported e => Say(
                $"device {e.DeviceId}{Pasid(e.Pasid)} reported a page fault at 0x{e.Address:x} to fault queue {e.FaultId}"
            ),
            PagesRequested e => Say(
                $"device {e.DeviceId}{Pasid(e.Pasid)} asked for {e.Addresses.Length} pages, as group {e.GroupId}, in fault queue {e.FaultId}"
            ),
            FaultsRead e => Say($"{e.Groups} groups were read from fault queue {e.FaultId}"),
            FaultsAnswered e => Say($"{e.Cookies.Length} groups of fault queue {e.FaultId} were answered"),
            QueueDescriptorClosed e => Say($"the descriptor of queue {e.ObjectId} was closed"),
            ViommuAllocated e => Say($"vIOMMU {e.ViommuId} was made on HWPT {e.HwptId} for device {e.DeviceId}"),
            VdeviceAllocated e => Say(
                $"vdevice {e.VdeviceId} is device {e.DeviceId} as 0x{e.VirtId:x} of vIOMMU {e.ViommuId}"
            ),
            VeventqAllocated e => Say($"event queue {e.VeventqId} was made on vIOMMU {e.ViommuId}"),
            VeventReported e => Say($"an event was reported to event queue {e.VeventqId}"),
            VeventsRead e => Say($"{e.Count} events were read from event queue {e.VeventqId}"),
            HwQueueAllocated e => Say(
                $"hardware queue {e.HwQueueId} was made on vIOMMU {e.ViommuId} at {Span(e.Iova, e.Length)}; access {e.AccessId} pins it{Pins(e.Pinned)}"
            ),
            WindowMapped e => Say($"the window at 0x{e.Offset:x} was mapped"),
            WindowUnmapped e => Say($"the window at 0x{e.Offset:x} was unmapped"),
            _ => null,
        };

    private static string Span(ulong first, ulong length) => Range(first, unchecked(first + length - 1));

    private static string Pasid(uint pasid) => pasid == 0 ? string.Empty : Say($", PASID {pasid},");

    private static string Table(uint asked, uint hwpt) =>
        asked == hwpt ? Say($"HWPT {hwpt}") : Say($"{asked} by way of HWPT {hwpt}");

    private static string Access(uint flags) =>
        (flags & (uint)(IoasMapFlagBits.Readable | IoasMapFlagBits.Writeable)) switch
        {
            0 => "no access",
            (uint)IoasMapFlagBits.Readable => "read only",
            (uint)IoasMapFlagBits.Writeable => "write only",
            _ => "read and write",
        };

    private static string Ranges(ulong[] pairs)
    {
        var parts = new List<string>();
        for (var i = 0; i + 1 < pairs.Length; i += 2)
        {
            parts.Add(Range(pairs[i], pairs[i + 1]));
        }

        return parts.Count == 0 ? "nothing" : string.Join(", ", parts);
    }

    private static string Say(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    [Flags]
    private enum IoasMapFlagBits : uint
    {
        Writeable = 2,
        Readable = 4,
    }
}
