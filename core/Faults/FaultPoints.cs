using Iommufd.Messages;

namespace Iommufd.Core.Faults;

/// <summary>Every fault point of the simulator. A point that is not here does not exist: plans, reports and the command line read this list.</summary>
public static class FaultPoints
{
    private static readonly List<FaultPoint> Made = [];

    /// <summary>The struct of an ioctl cannot be read.</summary>
    public static readonly FaultPoint CommandCopyIn = New(
        "command.copy-in",
        FaultEffect.Refusal,
        "The caller's memory with the ioctl's struct cannot be read.",
        Errno.EFAULT
    );

    /// <summary>The first allocation of a command fails.</summary>
    public static readonly FaultPoint CommandAlloc = New(
        "command.alloc",
        FaultEffect.Refusal,
        "The kernel has no memory for the first object or list that the command makes.",
        Errno.ENOMEM
    );

    /// <summary>A record cannot be copied to the reader of a queue.</summary>
    public static readonly FaultPoint QueueCopyOut = New(
        "queue.copy-out",
        FaultEffect.Refusal,
        "A record of a fault or event queue cannot be written to its reader's memory.",
        Errno.EFAULT
    );

    /// <summary>A page cannot be pinned.</summary>
    public static readonly FaultPoint PinFault = New(
        "pin.fault",
        FaultEffect.Refusal,
        "The k-th page of a range cannot be pinned: it was unmapped or protected meanwhile.",
        Errno.EFAULT
    );

    /// <summary>No memory to pin a page.</summary>
    public static readonly FaultPoint PinOutOfMemory = New(
        "pin.out-of-memory",
        FaultEffect.Refusal,
        "There is no memory to pin the k-th page of a range.",
        Errno.ENOMEM
    );

    /// <summary>The limit of locked memory.</summary>
    public static readonly FaultPoint PinLimit = New(
        "pin.limit",
        FaultEffect.Refusal,
        "Charging the pinned pages would exceed RLIMIT_MEMLOCK.",
        Errno.ENOMEM
    );

    /// <summary>The process unmaps the memory.</summary>
    public static readonly FaultPoint MemoryGone = New(
        "memory.gone",
        FaultEffect.Removal,
        "The process unmaps the memory for good, just before it is pinned.",
        Errno.EFAULT
    );

    /// <summary>A copy through an access fails.</summary>
    public static readonly FaultPoint MemoryCopy = New(
        "memory.copy",
        FaultEffect.Refusal,
        "An access's copy meets a page that cannot be read or written.",
        Errno.EFAULT
    );

    /// <summary>No memory for a page set of a file.</summary>
    public static readonly FaultPoint PageSetAlloc = New(
        "pageset.alloc",
        FaultEffect.Refusal,
        "There is no memory for the page set of a file or dma-buf.",
        Errno.ENOMEM
    );

    /// <summary>No memory for an area.</summary>
    public static readonly FaultPoint AreaAlloc = New(
        "area.alloc",
        FaultEffect.Refusal,
        "There is no memory for a new area of an IOAS.",
        Errno.ENOMEM
    );

    /// <summary>No memory for reserved or allowed ranges.</summary>
    public static readonly FaultPoint RangeAlloc = New(
        "range.alloc",
        FaultEffect.Refusal,
        "There is no memory for a reserved or allowed range of an IOAS.",
        Errno.ENOMEM
    );

    /// <summary>No memory to let a HWPT join an IOAS.</summary>
    public static readonly FaultPoint DomainJoin = New(
        "domain.join",
        FaultEffect.Refusal,
        "There is no memory to let a HWPT mirror an IOAS.",
        Errno.ENOMEM
    );

    /// <summary>No memory to let an access join an IOAS.</summary>
    public static readonly FaultPoint AccessJoin = New(
        "access.join",
        FaultEffect.Refusal,
        "There is no memory to let an access join an IOAS.",
        Errno.ENOMEM
    );

    /// <summary>No memory for a page table.</summary>
    public static readonly FaultPoint TableAlloc = New(
        "table.alloc",
        FaultEffect.Refusal,
        "There is no memory for the k-th page table that a map or split needs.",
        Errno.ENOMEM
    );

    /// <summary>The IOMMU driver refuses a map.</summary>
    public static readonly FaultPoint IopteInstall = New(
        "iopte.install",
        FaultEffect.Refusal,
        "The IOMMU driver finds an IOPTE taken that should be free.",
        Errno.EADDRINUSE
    );

    /// <summary>No memory for a HWPT.</summary>
    public static readonly FaultPoint HwptAlloc = New(
        "hwpt.alloc",
        FaultEffect.Refusal,
        "The IOMMU driver has no memory for a new domain.",
        Errno.ENOMEM
    );

    /// <summary>The driver refuses an attach.</summary>
    public static readonly FaultPoint DeviceAttach = New(
        "device.attach",
        FaultEffect.Refusal,
        "The IOMMU driver cannot switch a device's translation.",
        Errno.ENODEV
    );

    /// <summary>A device is pulled out.</summary>
    public static readonly FaultPoint DeviceRemoved = New(
        "device.removed",
        FaultEffect.Removal,
        "A device is pulled out in the middle of its DMA.",
        Errno.ENODEV
    );

    /// <summary>A device is reset.</summary>
    public static readonly FaultPoint DeviceReset = New(
        "device.reset",
        FaultEffect.Loss,
        "A device is reset: its DMA stops and its IOTLB is empty; its translation stays."
    );

    /// <summary>A burst of DMA is aborted.</summary>
    public static readonly FaultPoint DmaAbort = New(
        "dma.abort",
        FaultEffect.Loss,
        "A burst of DMA is aborted on the bus; the rest of the request is not done."
    );

    /// <summary>An invalidation is slow.</summary>
    public static readonly FaultPoint IotlbSlow = New(
        "iotlb.slow",
        FaultEffect.Delay,
        "A device takes milliseconds to confirm an IOTLB invalidation."
    );

    /// <summary>An invalidation times out.</summary>
    public static readonly FaultPoint IotlbLost = New(
        "iotlb.lost",
        FaultEffect.Delay,
        "A device never confirms an IOTLB invalidation: it times out and is sent again."
    );

    /// <summary>A page request is lost.</summary>
    public static readonly FaultPoint PriRequestLost = New(
        "pri.request-lost",
        FaultEffect.Loss,
        "The hardware's queue of page requests is full: a request never reaches its fault queue."
    );

    /// <summary>A page response is lost.</summary>
    public static readonly FaultPoint PriResponseLost = New(
        "pri.response-lost",
        FaultEffect.Loss,
        "The response to a page request never reaches its device, which asks again."
    );

    /// <summary>A storm of virtual events.</summary>
    public static readonly FaultPoint VeventqOverflow = New(
        "veventq.overflow",
        FaultEffect.Loss,
        "A device reports more events at once than its queue holds."
    );

    /// <summary>No memory in a vIOMMU.</summary>
    public static readonly FaultPoint ViommuAlloc = New(
        "viommu.alloc",
        FaultEffect.Refusal,
        "There is no memory to register a device or queue with a vIOMMU.",
        Errno.ENOMEM
    );

    /// <summary>No memory for dirty tracking.</summary>
    public static readonly FaultPoint DirtyBitmap = New(
        "dirty.bitmap",
        FaultEffect.Refusal,
        "There is no memory to walk the caller's bitmap of dirty pages.",
        Errno.ENOMEM
    );

    /// <summary>Crash before a step.</summary>
    public static readonly FaultPoint ActorCrashBefore = New(
        "actor.crash-before",
        FaultEffect.Crash,
        "An actor dies before it does a step of a flow."
    );

    /// <summary>Crash inside a step.</summary>
    public static readonly FaultPoint ActorCrashInside = New(
        "actor.crash-inside",
        FaultEffect.Crash,
        "An actor dies in a step: its state has changed, devices have not been told."
    );

    /// <summary>Crash after a step.</summary>
    public static readonly FaultPoint ActorCrashAfter = New(
        "actor.crash-after",
        FaultEffect.Crash,
        "An actor dies after it has answered a step, before it takes the next one."
    );

    /// <summary>A step that kills its actor every time.</summary>
    public static readonly FaultPoint ActorPoisoned = New(
        "actor.poisoned",
        FaultEffect.Refusal,
        "A step kills its actor three times and is given up.",
        Errno.EIO
    );

    /// <summary>Crash of the context's actor.</summary>
    public static readonly FaultPoint ContextCrash = New(
        "context.crash",
        FaultEffect.Crash,
        "The actor of a context dies between two messages, with flows under way."
    );

    /// <summary>A write to the journal fails.</summary>
    public static readonly FaultPoint JournalError = New(
        "journal.write-error",
        FaultEffect.Delay,
        "A write to the journal fails; its writer dies, is started anew and writes again."
    );

    /// <summary>A write to the journal is slow.</summary>
    public static readonly FaultPoint JournalSlow = New(
        "journal.slow",
        FaultEffect.Delay,
        "A write to the journal takes milliseconds."
    );

    /// <summary>The journal's disk is full.</summary>
    public static readonly FaultPoint JournalFull = New(
        "journal.full",
        FaultEffect.Delay,
        "The journal's disk is full: several writes in a row are rejected, until there is room again."
    );

    /// <summary>The journal's writer is killed.</summary>
    public static readonly FaultPoint JournalKilled = New(
        "journal.killed",
        FaultEffect.Crash,
        "The writer of a journal is killed between two events."
    );

    /// <summary>A client dies.</summary>
    public static readonly FaultPoint ClientDeath = New(
        "client.death",
        FaultEffect.Removal,
        "A client is killed in the middle of an operation: its context is closed with everything in it."
    );

    /// <summary>The clock jumps.</summary>
    public static readonly FaultPoint ClockJump = New(
        "clock.jump",
        FaultEffect.Delay,
        "The clock jumps ahead: a timer that was just set fires at once."
    );

    /// <summary>All of them; <see cref="FaultPoint.Index"/> is the place in this list.</summary>
    public static IReadOnlyList<FaultPoint> All => Made;

    /// <summary>Finds a point by its name; null when there is none.</summary>
    public static FaultPoint? Find(string name) =>
        Made.Find(p => string.Equals(p.Name, name, StringComparison.Ordinal));

    private static FaultPoint New(string name, FaultEffect effect, string description, params Errno[] explains)
    {
        var point = new FaultPoint(Made.Count, name, effect, description, explains);
        Made.Add(point);
        return point;
    }
}
