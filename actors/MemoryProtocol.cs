// What clients say to their memory beyond mmap: bytes, files, guest tables; and to the machine about files and descriptors.
using Iommufd.Core.Dma.Guest;
using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Actors.Protocol;

/// <summary>Client → memory: writes bytes, as the process does by CPU. Answered by HostResult: EFAULT.</summary>
/// <param name="Address">First byte.</param>
/// <param name="Data">The bytes, repeated until the length is reached.</param>
/// <param name="Length">Bytes.</param>
public sealed record WriteMemory(ulong Address, byte[] Data, ulong Length);

/// <summary>Client → memory: reads bytes. Answered by <see cref="MemoryRead"/>.</summary>
/// <param name="Address">First byte.</param>
/// <param name="Length">Bytes.</param>
public sealed record ReadMemory(ulong Address, int Length);

/// <summary>Memory → client: the bytes read.</summary>
/// <param name="Errno">OK or EFAULT.</param>
/// <param name="Data">The bytes; zeros after an error.</param>
public sealed record MemoryRead(Errno Errno, byte[] Data);

/// <summary>Client → memory: counts one byte in a range. Answered by <see cref="BytesCounted"/>.</summary>
/// <param name="Address">First byte.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Byte">Which one.</param>
public sealed record CountBytes(ulong Address, ulong Length, byte Byte);

/// <summary>Memory → client: how often a byte is there.</summary>
/// <param name="Errno">OK or EFAULT.</param>
/// <param name="First">The first byte of the range; -1 where the range is empty.</param>
/// <param name="Count">How often; 0 after an error.</param>
public sealed record BytesCounted(Errno Errno, int First, ulong Count);

/// <summary>Client → memory: copies pages inside the process. Answered by <see cref="MemoryCounted"/> with the pages copied.</summary>
/// <param name="From">First byte to copy; page aligned.</param>
/// <param name="To">Where it goes; page aligned.</param>
/// <param name="Length">Bytes, whole pages.</param>
/// <param name="Bitmap">Bit n for page n of <paramref name="PageSize"/> bytes: copied where it is set; null copies all.</param>
/// <param name="PageSize">Bytes that a bit stands for.</param>
public sealed record CopyMemory(ulong From, ulong To, ulong Length, byte[]? Bitmap, ulong PageSize);

/// <summary>Client → memory: compares pages inside the process. Answered by <see cref="MemoryCounted"/> with those that differ.</summary>
/// <param name="First">First byte of one range.</param>
/// <param name="Second">First byte of the other.</param>
/// <param name="Length">Bytes.</param>
public sealed record CompareMemory(ulong First, ulong Second, ulong Length);

/// <summary>Memory → client: a number of pages.</summary>
/// <param name="Errno">OK or EFAULT.</param>
/// <param name="Pages">How many.</param>
public sealed record MemoryCounted(Errno Errno, ulong Pages);

/// <summary>Client → memory: maps a file, shared. Answered by MemoryMapped.</summary>
/// <param name="Address">Where, or null to let the process choose.</param>
/// <param name="Length">Bytes.</param>
/// <param name="File">The file.</param>
/// <param name="Offset">Where in the file; page aligned.</param>
/// <param name="Protection">Allowed accesses.</param>
public sealed record MapFileMemory(
    ulong? Address,
    ulong Length,
    MemoryFile File,
    ulong Offset,
    MemoryProtection Protection
);

/// <summary>
/// Client → memory: guest software in this process works on its page tables. Only the memory's actor uses the writer. Answered by
/// <see cref="GuestTableEdited"/>.
/// </summary>
/// <param name="Table">The tables.</param>
/// <param name="Kind">What is done.</param>
/// <param name="Iova">First address as devices use it.</param>
/// <param name="GuestPhysical">Where it leads; for <see cref="GuestTableEdit.Space"/> the root table.</param>
/// <param name="Length">Bytes; for <see cref="GuestTableEdit.Space"/> the PASID.</param>
/// <param name="Permissions">What devices may do.</param>
public sealed record EditGuestTable(
    GuestTableWriter Table,
    GuestTableEdit Kind,
    ulong Iova = 0,
    ulong GuestPhysical = 0,
    ulong Length = 0,
    IoptePermissions Permissions = IoptePermissions.ReadWrite
);

/// <summary>What guest software does with its tables.</summary>
public enum GuestTableEdit
{
    /// <summary>Makes the empty root.</summary>
    Start,

    /// <summary>Maps.</summary>
    Map,

    /// <summary>Unmaps.</summary>
    Unmap,

    /// <summary>Gives a PASID a root table.</summary>
    Space,
}

/// <summary>Memory → client: what came of it.</summary>
/// <param name="Errno">See <see cref="GuestTableWriter"/>.</param>
/// <param name="Root">Guest-physical address of the root table.</param>
/// <param name="Unmapped">Bytes unmapped.</param>
/// <param name="TablePages">Pages that the tables take.</param>
public sealed record GuestTableEdited(Errno Errno, ulong Root, ulong Unmapped, ulong TablePages);

/// <summary>
/// Client → machine: offers a descriptor of a memory file or of a VFIO device to another process under a name (SCM_RIGHTS). Answered
/// by HostResult: EBADF.
/// </summary>
/// <param name="ProcessId">Whose descriptor.</param>
/// <param name="Descriptor">Which.</param>
/// <param name="Name">The name.</param>
public sealed record OfferDescriptor(int ProcessId, int Descriptor, string Name);

/// <summary>Client → machine: takes a descriptor that was offered. Answered by <see cref="FileOpened"/>: ENOENT for no offer, EMFILE.</summary>
/// <param name="ProcessId">Who takes it.</param>
/// <param name="Name">The name.</param>
public sealed record TakeDescriptor(int ProcessId, string Name);

/// <summary>Memory or machine → client: a descriptor is open.</summary>
/// <param name="Errno">OK, or EINVAL for a size that a file of the kind cannot have, ENOENT, EMFILE.</param>
/// <param name="Descriptor">The descriptor; -1 after an error.</param>
/// <param name="File">The file; null after an error, and for a VFIO device.</param>
public sealed record FileOpened(Errno Errno, int Descriptor, MemoryFile? File);
