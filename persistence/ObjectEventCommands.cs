using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>The part of <see cref="EventCommands"/> that is about nesting, faults and virtual IOMMUs.</summary>
internal static class ObjectEventCommands
{
    /// <summary>What applies an event; null for an event of another kind.</summary>
    public static (IReadOnlyList<IoctlCommand> Commands, uint[] Ids, ulong[] Pinned)? TryOf(ContextEvent change) =>
        change switch
        {
            NestedHwptAllocated e => (
                [new AllocateNestedHwpt(e.DeviceId, e.PtId, (HwptAllocFlags)e.Flags, e.Iotlb, e.FaultId)],
                [e.HwptId],
                []
            ),
            GuestStageAllocated e => (
                [new AllocateGuestStage(e.DeviceId, e.PtId, (HwptAllocFlags)e.Flags, e.DataType, e.Data, e.FaultId)],
                [e.HwptId],
                []
            ),
            HwptFaultSet e => ([new SetHwptFault(e.HwptId, e.FaultId)], [], []),
            IotlbInvalidated e => ([new ZeroIotlb(e.HwptId, e.Mask)], [], []),
            CachesInvalidated e => ([new ZeroCaches(e.DeviceIds, e.Masks)], [], []),
            ReservedPasidRefused e => ([new AllowReservedPasid(e.DeviceId)], [], []),
            HwQueueAllocated e => ([Queue(e)], [e.HwQueueId, e.AccessId], e.Pinned),
            SharedHwptAllocated e => (
                [new AllocateKnownSharedHwpt(e.DeviceId, (HwptAllocFlags)e.Flags, e.Format)],
                [e.HwptId],
                []
            ),
            EntryPolicySet e => ([new SetEntryPolicy(e.PtId, (EntryPolicy)e.Policy)], [], []),
            EntriesResized e => (
                [new ResizeEntries(e.HwptId, e.First, unchecked(e.Last - e.First + 1), e.PageSize, e.Merge)],
                [],
                []
            ),
            _ => OfFault(change) ?? OfViommu(change),
        };

    private static (IReadOnlyList<IoctlCommand> Commands, uint[] Ids, ulong[] Pinned)? OfFault(ContextEvent change) =>
        change switch
        {
            FaultQueueAllocated e => ([new FaultQueueAlloc()], [e.FaultId], []),
            FaultReported e => ([Report(e)], [], []),
            PagesRequested e => (
                [new RequestPages(e.DeviceId, e.Pasid, e.GroupId, e.Permissions, e.Addresses)],
                [],
                []
            ),
            FaultsRead e => ([new TakeFaults(e.FaultId, e.Groups)], [], []),
            FaultsAnswered e => ([new AnswerFaults(e.FaultId, e.Cookies, e.Codes)], [], []),
            QueueDescriptorClosed e => ([new CloseFaultQueue(e.ObjectId)], [], []),
            _ => null,
        };

    private static (IReadOnlyList<IoctlCommand> Commands, uint[] Ids, ulong[] Pinned)? OfViommu(ContextEvent change) =>
        change switch
        {
            ViommuAllocated e => (
                [new AllocateViommu(e.DeviceId, e.HwptId, e.Type, e.HasWindow, e.WindowWord)],
                [e.ViommuId],
                []
            ),
            VdeviceAllocated e => (
                [
                    new VdeviceAlloc
                    {
                        ViommuId = e.ViommuId,
                        DevId = e.DeviceId,
                        VirtId = e.VirtId,
                    },
                ],
                [e.VdeviceId],
                []
            ),
            VeventqAllocated e => (
                [
                    new VeventqAlloc
                    {
                        ViommuId = e.ViommuId,
                        Type = e.Type,
                        VeventqDepth = e.Depth,
                    },
                ],
                [e.VeventqId],
                []
            ),
            VeventReported e => ([new ReportVevent(e.VeventqId, e.Payload)], [], []),
            VeventsRead e => ([new TakeVevents(e.VeventqId, e.Count)], [], []),
            WindowMapped e => ([new MapWindow(e.Offset, e.Length, Executable: false, Shared: true)], [], []),
            WindowUnmapped e => ([new UnmapWindow(e.Offset, e.Length)], [], []),
            _ => null,
        };

    private static TestTriggerIopf Report(FaultReported e) =>
        new()
        {
            DevId = e.DeviceId,
            Pasid = e.Pasid,
            GrpId = e.GroupId,
            Perm = e.Permissions,
            Addr = e.Address,
        };

    private static HwQueueAlloc Queue(HwQueueAllocated e) =>
        new()
        {
            ViommuId = e.ViommuId,
            Type = e.Type,
            Index = e.Index,
            NestingParentIova = e.Iova,
            Length = e.Length,
        };
}
