using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>The pages that an event pinned. Thread-safe.</summary>
public static class PinnedPages
{
    /// <summary>
    /// Runs of pages, four numbers each: page set, index of the first page in it, first frame, count of pages. Empty for an event that
    /// pinned none.
    /// </summary>
    public static ulong[] Of(ContextEvent change) =>
        change switch
        {
            AreaMapped e => e.Pinned,
            FileMapped e => e.Pinned,
            VfioMapped e => e.Pinned,
            AreasCopied e => e.Pinned,
            HwptAllocated e => e.Pinned,
            DeviceAttached e => e.Pinned,
            DeviceReplaced e => e.Pinned,
            MockDeviceMade e => e.Pinned,
            AccessPinned e => e.Pinned,
            HwQueueAllocated e => e.Pinned,
            _ => [],
        };
}
