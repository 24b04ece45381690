// What a process does with descriptors other than by ioctl. A door turns read(), write(), poll(), close() and mmap() of an
// iommufd's descriptors into these; the return value of the system call is the IoctlResult's.
namespace Iommufd.Messages.Commands;

/// <summary>
/// read() of a fault queue's descriptor, never blocking. Returns the number of bytes, whole groups only. ESPIPE for a count that
/// is not a multiple of 40, EINVAL where the first group does not fit, EFAULT.
/// </summary>
/// <param name="FaultId">The FAULT.</param>
/// <param name="Address">Where to, in the caller's memory.</param>
/// <param name="Count">Bytes.</param>
public sealed record ReadFaultQueue(uint FaultId, ulong Address, ulong Count) : DriverCommand;

/// <summary>
/// write() of responses to a fault queue's descriptor. Returns the number of bytes taken; the first bad response ends it. ESPIPE
/// for a count that is not a multiple of 8, EINVAL for an unknown code or cookie, EFAULT.
/// </summary>
/// <param name="FaultId">The FAULT.</param>
/// <param name="Address">Where from, in the caller's memory.</param>
/// <param name="Count">Bytes.</param>
public sealed record WriteFaultQueue(uint FaultId, ulong Address, ulong Count) : DriverCommand;

/// <summary>poll() of a fault queue's descriptor. Returns IN (1) where a group can be read, and always OUT (4).</summary>
public sealed record PollFaultQueue(uint FaultId) : DriverCommand;

/// <summary>The last descriptor of a fault queue was closed. What is queued stays queued.</summary>
public sealed record CloseFaultQueue(uint FaultId) : DriverCommand;

/// <summary>
/// read() of an event queue's descriptor, never blocking. Returns the number of bytes, whole events only. EINVAL for a count below
/// 8 or where the first event does not fit, EFAULT.
/// </summary>
/// <param name="VeventqId">The VEVENTQ.</param>
/// <param name="Address">Where to, in the caller's memory.</param>
/// <param name="Count">Bytes.</param>
public sealed record ReadVeventq(uint VeventqId, ulong Address, ulong Count) : DriverCommand;

/// <summary>poll() of an event queue's descriptor. Returns IN (1) where an event can be read.</summary>
public sealed record PollVeventq(uint VeventqId) : DriverCommand;

/// <summary>The last descriptor of an event queue was closed. Events are counted and queued as before.</summary>
public sealed record CloseVeventq(uint VeventqId) : DriverCommand;

/// <summary>
/// mmap() of the iommufd. EINVAL for a private mapping or a length that is not whole pages, EPERM for an executable one, ENXIO
/// where no window has exactly this place and length.
/// </summary>
/// <param name="Offset">Offset in the iommufd.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Executable">Whether code could be run from it.</param>
/// <param name="Shared">Whether it is MAP_SHARED.</param>
/// <param name="OutWindow">Out: the memory. It outlives the iommufd.</param>
public sealed record MapWindow(ulong Offset, ulong Length, bool Executable, bool Shared, IMmapWindow? OutWindow = null)
    : DriverCommand;

/// <summary>munmap() of one mapping, or of one copy of it that a fork made.</summary>
/// <param name="Offset">The window's offset in the iommufd.</param>
/// <param name="Length">The window's length.</param>
public sealed record UnmapWindow(ulong Offset, ulong Length) : DriverCommand;

/// <summary>Memory that an IOMMU driver shares with user space. Safe from any thread.</summary>
public interface IMmapWindow
{
    /// <summary>Reads 32 bits at a byte offset, a multiple of 4.</summary>
    uint Read(ulong offset);

    /// <summary>Writes 32 bits at a byte offset, a multiple of 4.</summary>
    void Write(ulong offset, uint value);
}

/// <summary>open() of a physical device's VFIO character device, by the machine. Returns the descriptor. EMFILE; ENOENT: no such device.</summary>
/// <param name="Device">The physical device's name on the machine.</param>
public sealed record OpenVfioDevice(string Device) : DriverCommand;

/// <summary>dup() of a VFIO device's descriptor, by the machine. Returns the new one. EBADF: not open, or no VFIO device's; EMFILE.</summary>
/// <param name="Descriptor">The descriptor.</param>
public sealed record DuplicateVfioDevice(int Descriptor) : DriverCommand;

/// <summary>
/// close() of a VFIO device's descriptor, by the machine. The last one of an open that is bound unbinds the device: its PASIDs are
/// detached, lowest number first, then the device itself. EBADF: not open, or no VFIO device's.
/// </summary>
/// <param name="Descriptor">The descriptor.</param>
public sealed record CloseVfioDevice(int Descriptor) : DriverCommand;

/// <summary>
/// The last descriptor of a VFIO device that is bound here was closed, or the answer to its BIND could not be written. ENOENT: no
/// DEVICE that a VFIO descriptor has bound.
/// </summary>
/// <param name="DeviceId">The DEVICE id.</param>
public sealed record UnbindVfioDevice(uint DeviceId) : DriverCommand;
