namespace Iommufd.Messages.Commands;

/// <summary>
/// A call that a kernel driver, not user space, makes into iommufd: binding and attaching a device, creating and using
/// an access. Sender: the driver's model (a VFIO device, a mediated device, a scenario). Receiver: the context.
/// Answered by an <see cref="IoctlResult"/> like an ioctl, with the outputs in its write-back.
/// </summary>
public abstract record DriverCommand : IoctlCommand;

/// <summary>Binds a physical device to the context; makes a DEVICE object.</summary>
/// <param name="Device">The physical device's name on the machine.</param>
/// <param name="OutDeviceId">Out: the DEVICE id.</param>
/// <remarks>EBUSY: bound to another context already. ENODEV: no such device, or it was removed.</remarks>
public sealed record BindDevice(string Device, uint OutDeviceId = 0) : DriverCommand;

/// <summary>Unbinds a device: detaches it where it is attached and destroys the DEVICE object.</summary>
/// <param name="DeviceId">The DEVICE id.</param>
public sealed record UnbindDevice(uint DeviceId) : DriverCommand;

/// <summary>Attaches a device, or one PASID of it, to an IOAS (automatic HWPT) or to a HWPT.</summary>
/// <param name="DeviceId">The DEVICE id.</param>
/// <param name="PtId">In: IOAS or HWPT id. Out: the HWPT really used.</param>
/// <param name="Pasid">0 for the device's own requests (RID).</param>
public sealed record AttachDevice(uint DeviceId, uint PtId, uint Pasid = 0) : DriverCommand;

/// <summary>Moves an attached device to another IOAS or HWPT without a moment in between; on failure the old one stays.</summary>
/// <param name="DeviceId">The DEVICE id.</param>
/// <param name="PtId">In: IOAS or HWPT id. Out: the HWPT really used.</param>
/// <param name="Pasid">0 for the device's own requests (RID).</param>
public sealed record ReplaceDevice(uint DeviceId, uint PtId, uint Pasid = 0) : DriverCommand;

/// <summary>Detaches a device, or one PASID of it. Detaching what is not attached succeeds.</summary>
/// <param name="DeviceId">The DEVICE id.</param>
/// <param name="Pasid">0 for the device's own requests (RID).</param>
public sealed record DetachDevice(uint DeviceId, uint Pasid = 0) : DriverCommand;

/// <summary>Makes an ACCESS object: a driver that reads, writes or pins IOAS memory with the CPU.</summary>
/// <param name="IoasId">The IOAS to attach to.</param>
/// <param name="NeedsPinPages">Whether it pins pages (raises the IOAS alignment to 4096).</param>
/// <param name="OutAccessId">Out: the ACCESS id.</param>
public sealed record CreateAccess(uint IoasId, bool NeedsPinPages, uint OutAccessId = 0) : DriverCommand;

/// <summary>Moves an access to another IOAS; its pins are dropped through the unmap notification.</summary>
/// <param name="AccessId">The ACCESS id.</param>
/// <param name="IoasId">The new IOAS.</param>
public sealed record ReplaceAccessIoas(uint AccessId, uint IoasId) : DriverCommand;

/// <summary>Destroys an access after unpinning everything.</summary>
/// <param name="AccessId">The ACCESS id.</param>
public sealed record DestroyAccess(uint AccessId) : DriverCommand;

/// <summary>Pins pages through an access.</summary>
/// <param name="AccessId">The ACCESS id.</param>
/// <param name="Iova">First IOVA; its place in the source memory must be page aligned.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Write">Whether the driver will write.</param>
/// <param name="OutPinId">Out: names this pin for <see cref="UnpinAccessPages"/>; 0, 1, 2 … per access, never reused.</param>
/// <param name="OutPages">Out: the number of pages pinned.</param>
public sealed record PinAccessPages(
    uint AccessId,
    ulong Iova,
    ulong Length,
    bool Write,
    uint OutPinId = 0,
    ulong OutPages = 0
) : DriverCommand;

/// <summary>Releases one pin of an access. ENOENT when an unmap notification has released it already.</summary>
/// <param name="AccessId">The ACCESS id.</param>
/// <param name="PinId">From <see cref="PinAccessPages"/>.</param>
public sealed record UnpinAccessPages(uint AccessId, uint PinId) : DriverCommand;

/// <summary>Reads or writes IOAS memory by the CPU through an access.</summary>
/// <param name="AccessId">The ACCESS id.</param>
/// <param name="Iova">First IOVA.</param>
/// <param name="Data">Bytes to write, or the buffer length to read (filled in the answer).</param>
/// <param name="Write">Direction.</param>
public sealed record ReadWriteAccess(uint AccessId, ulong Iova, byte[] Data, bool Write) : DriverCommand;

/// <summary>Replaces the allowed ranges of an IOAS with ranges that are not in user memory (a replay). As ALLOW_IOVAS otherwise.</summary>
/// <param name="IoasId">The IOAS.</param>
/// <param name="Ranges">First and last IOVA, inclusive; repeated.</param>
public sealed record SetAllowedRanges(uint IoasId, ulong[] Ranges) : DriverCommand;

/// <summary>Allocates a paging HWPT with driver data that is not in user memory (a replay). As HWPT_ALLOC otherwise.</summary>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="IoasId">The IOAS.</param>
/// <param name="Flags">As in HWPT_ALLOC.</param>
/// <param name="TableType">Page-table type of the selftest's data, 0 for the default.</param>
public sealed record AllocatePagingHwpt(uint DeviceId, uint IoasId, HwptAllocFlags Flags, uint TableType)
    : DriverCommand;
