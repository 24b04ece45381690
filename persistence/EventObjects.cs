using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>Which objects an event names, and which it makes. Thread-safe.</summary>
public static class EventObjects
{
    /// <summary>The ids that an event names, those included that it makes.</summary>
    public static IReadOnlyList<uint> Of(ContextEvent change) =>
        change switch
        {
            IoasAllocated e => [e.IoasId],
            AreaMapped e => [e.IoasId],
            FileMapped e => [e.IoasId],
            VfioMapped e => [e.IoasId],
            AreasCopied e => [e.SrcIoasId, e.DstIoasId],
            AreasUnmapped e => [e.IoasId],
            AreaCutInTwo e => [e.IoasId],
            AllowedReplaced e => [e.IoasId],
            LargePagesSet e => [e.IoasId],
            RangeReserved e => [e.IoasId],
            CompatIoasSet e => [e.IoasId],
            ObjectDestroyed e => [e.ObjectId],
            QueueDescriptorClosed e => [e.ObjectId],
            AccessCreated e => [e.AccessId, e.IoasId],
            AccessMoved e => [e.AccessId, e.IoasId],
            AccessPinned e => [e.AccessId],
            AccessUnpinned e => [e.AccessId],
            AccessDestroyed e => [e.AccessId],
            _ => OfDevice(change) ?? OfViommu(change) ?? [],
        };

    /// <summary>The objects that an event makes, each with its kind.</summary>
    public static IReadOnlyList<(uint Id, string Kind)> MadeBy(ContextEvent change) =>
        change switch
        {
            IoasAllocated e => [(e.IoasId, "IOAS")],
            HwptAllocated e => [(e.HwptId, "HWPT")],
            NestedHwptAllocated e => [(e.HwptId, "nested HWPT")],
            GuestStageAllocated e => [(e.HwptId, "nested HWPT")],
            SharedHwptAllocated e => [(e.HwptId, "shared HWPT")],
            DeviceBound e => [(e.DeviceId, "device")],
            MockDeviceMade e => [(e.StdevId, "selftest device"), (e.DeviceId, "device")],
            AccessCreated e => [(e.AccessId, "access")],
            FaultQueueAllocated e => [(e.FaultId, "fault queue")],
            ViommuAllocated e => [(e.ViommuId, "vIOMMU")],
            VdeviceAllocated e => [(e.VdeviceId, "vdevice")],
            VeventqAllocated e => [(e.VeventqId, "event queue")],
            HwQueueAllocated e => [(e.HwQueueId, "hardware queue"), (e.AccessId, "access")],
            _ => [],
        };

    private static IReadOnlyList<uint>? OfDevice(ContextEvent change) =>
        change switch
        {
            DeviceBound e => [e.DeviceId],
            DeviceUnbound e => [e.DeviceId],
            DeviceAttached e => [e.DeviceId, e.PtId, e.HwptId],
            DeviceReplaced e => [e.DeviceId, e.PtId, e.HwptId],
            DeviceDetached e => [e.DeviceId],
            MockDeviceMade e => [e.StdevId, e.DeviceId, e.PtId, e.HwptId],
            HwptAllocated e => [e.HwptId, e.DeviceId, e.IoasId],
            NestedHwptAllocated e => [e.HwptId, e.DeviceId, e.PtId, e.FaultId],
            GuestStageAllocated e => [e.HwptId, e.DeviceId, e.PtId, e.FaultId],
            SharedHwptAllocated e => [e.HwptId, e.DeviceId],
            EntryPolicySet e => [e.PtId],
            EntriesResized e => [e.HwptId],
            PagesRequested e => [e.FaultId, e.DeviceId],
            HwptFaultSet e => [e.HwptId, e.FaultId],
            IotlbInvalidated e => [e.HwptId],
            CachesInvalidated e => e.DeviceIds,
            ReservedPasidRefused e => [e.DeviceId],
            DirtyTrackingSet e => [e.HwptId],
            DirtyCleared e => [e.HwptId],
            PagesMarkedDirty e => [e.HwptId],
            _ => null,
        };

    private static IReadOnlyList<uint>? OfViommu(ContextEvent change) =>
        change switch
        {
            FaultQueueAllocated e => [e.FaultId],
            FaultReported e => [e.FaultId, e.DeviceId],
            FaultsRead e => [e.FaultId],
            FaultsAnswered e => [e.FaultId],
            ViommuAllocated e => [e.ViommuId, e.DeviceId, e.HwptId],
            VdeviceAllocated e => [e.VdeviceId, e.ViommuId, e.DeviceId],
            VeventqAllocated e => [e.VeventqId, e.ViommuId],
            VeventReported e => [e.VeventqId],
            VeventsRead e => [e.VeventqId],
            HwQueueAllocated e => [e.HwQueueId, e.AccessId, e.ViommuId],
            _ => null,
        };
}
