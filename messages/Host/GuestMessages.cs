// A virtual machine's memory, as its VMM gives it to the CPU: what KVM does on a real host.
namespace Iommufd.Messages.Host;

/// <summary>
/// Client → memory: makes a virtual machine without memory, whose second-stage table devices can share. Answered by
/// <see cref="GuestMade"/>.
/// </summary>
/// <param name="Format">The table's format by name, as of an IOMMU unit: devices of units of that format can walk it.</param>
public sealed record MakeGuest(string Format);

/// <summary>Memory → client: the virtual machine.</summary>
/// <param name="Errno">OK, or EINVAL for an unknown format.</param>
/// <param name="Fd">Its descriptor; -1 without.</param>
public sealed record GuestMade(Errno Errno, int Fd);

/// <summary>
/// Client → memory: gives a virtual machine memory of the process. Nothing is pinned, and nothing is in the table until it is touched.
/// Answered by <see cref="HostResult"/>: EBADF, EINVAL, EEXIST, EADDRINUSE.
/// </summary>
/// <param name="Fd">The virtual machine.</param>
/// <param name="Guest">The first guest address; whole pages, as the others.</param>
/// <param name="Address">The process's address of it.</param>
/// <param name="Length">Bytes.</param>
/// <param name="Writable">Whether the guest and its devices may write.</param>
public sealed record AddGuestMemory(int Fd, ulong Guest, ulong Address, ulong Length, bool Writable = true);

/// <summary>
/// Client → memory: takes memory away from a virtual machine. Answered by <see cref="HostResult"/> when its devices have forgotten it;
/// ENOENT for none that begins there.
/// </summary>
public sealed record RemoveGuestMemory(int Fd, ulong Guest);

/// <summary>
/// Client → memory: the guest touches memory, and the CPU fills its table. Answered by <see cref="HostResult"/>: EFAULT where there is
/// nothing, EAGAIN where it is just going.
/// </summary>
public sealed record TouchGuest(int Fd, ulong Guest, ulong Length, bool Write);

/// <summary>
/// Client → memory: gives pages back (MADV_DONTNEED); the next access finds zeros. Answered by <see cref="HostResult"/>: EINVAL, ENOMEM.
/// </summary>
public sealed record DiscardMemory(ulong Address, ulong Length);
