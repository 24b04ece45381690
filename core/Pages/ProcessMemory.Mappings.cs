using Iommufd.Messages;
using Iommufd.Messages.Host;

namespace Iommufd.Core.Pages;

// mmap, munmap, mprotect. Each builds a new array of mappings and publishes it with one write.
public sealed partial class ProcessMemory
{
    /// <summary>User addresses end here (47 bits).</summary>
    private const ulong AddressEnd = 0x7fff_ffff_f000;

    /// <summary>Where mappings without an address go, ascending.</summary>
    private const ulong FloatingStart = 0x7000_0000_0000;

    /// <summary>Maps private memory.</summary>
    /// <param name="address">Where; what is mapped there goes away, as with MAP_FIXED. Null chooses a place.</param>
    /// <param name="length">Bytes, rounded up to pages (2 MiB pages for huge memory).</param>
    /// <param name="kind">4 KiB or 2 MiB pages.</param>
    /// <param name="prot">What the process may do.</param>
    /// <param name="populate">Whether all pages are allocated now, in ascending order; else when first needed.</param>
    /// <param name="at">The first address.</param>
    /// <returns>
    /// EINVAL for length 0, a misaligned address or File memory; ENOMEM for more than 16 TiB or outside of user space.
    /// </returns>
    public Errno Map(ulong? address, ulong length, MemoryKind kind, MemoryProtection prot, bool populate, out ulong at)
    {
        at = 0;
        if (kind == MemoryKind.File)
        {
            return Errno.EINVAL;
        }

        bool huge = kind == MemoryKind.Huge2M;
        Errno placed = Place(address, ref length, huge ? HugePageSize : HostPage.Size, out at);
        if (placed != Errno.OK)
        {
            return placed;
        }

        ulong pages = length >> HostPage.Shift;
        var backing = new BackingPages(_physical, huge, pages);
        for (ulong page = 0; populate && page < pages; page += huge ? HugeFrames.Frames : 1)
        {
            backing.TryGet(page, allocate: true, out _);
        }

        Publish(new Mapping(at, at + length, prot, backing, 0, File: null));
        return Errno.OK;
    }

    /// <summary>Maps a file. The mapping holds a reference on the file.</summary>
    /// <param name="address">Where; what is mapped there goes away, as with MAP_FIXED. Null chooses a place.</param>
    /// <param name="length">Bytes, rounded up to pages; pages beyond the end of the file fault.</param>
    /// <param name="file">The file.</param>
    /// <param name="offset">Where in the file, page aligned.</param>
    /// <param name="prot">What the process may do.</param>
    /// <param name="at">The first address.</param>
    /// <param name="isPrivate">
    /// Whether pages that are written or pinned become the process's own (copies of the file's), as pinning a private mapping
    /// breaks the sharing first; else everybody who maps the file sees them.
    /// </param>
    /// <returns>EINVAL for length 0, misaligned arguments, a file that is not memory; ENOMEM outside of user space.</returns>
    public Errno MapFile(
        ulong? address,
        ulong length,
        MemoryFile file,
        ulong offset,
        MemoryProtection prot,
        out ulong at,
        bool isPrivate = false
    )
    {
        ArgumentNullException.ThrowIfNull(file);
        at = 0;
        ulong unit = file.IsHuge ? HugePageSize : HostPage.Size;
        if (file.Backing is null || offset % unit != 0)
        {
            return Errno.EINVAL;
        }

        Errno placed = Place(address, ref length, unit, out at);
        if (placed != Errno.OK)
        {
            return placed;
        }

        file.Acquire();
        ulong first = offset >> HostPage.Shift;
        BackingPages backing = isPrivate
            ? new BackingPages(_physical, file.IsHuge, first + (length >> HostPage.Shift), file.Backing)
            : file.Backing;
        Publish(new Mapping(at, at + length, prot, backing, first, file, isPrivate));
        return Errno.OK;
    }

    /// <summary>Unmaps whole pages; holes in the range are no error.</summary>
    /// <returns>EINVAL for length 0, a misaligned address, or a cut through a huge page.</returns>
    public Errno Unmap(ulong address, ulong length)
    {
        if (!TryWholePages(address, length, out ulong end) || length == 0 || CutsHugePage(address, end))
        {
            return Errno.EINVAL;
        }

        RemoveRange(address, end);
        return Errno.OK;
    }

    /// <summary>Changes what the process may do with whole pages.</summary>
    /// <returns>EINVAL for a misaligned address or a cut through a huge page; ENOMEM for holes, changing nothing.</returns>
    public Errno Protect(ulong address, ulong length, MemoryProtection prot)
    {
        if (!TryWholePages(address, length, out ulong end) || CutsHugePage(address, end))
        {
            return Errno.EINVAL;
        }

        if (!IsMappedWhole(address, end))
        {
            return Errno.ENOMEM;
        }

        Tell(address, end);
        var changed = new List<Mapping>();
        Mapping[] mappings = AddressSpace.Without(_mappings, address, end, changed);
        foreach (Mapping mapping in changed)
        {
            mappings = AddressSpace.With(mappings, mapping with { Protection = prot });
        }

        KeepFilesOf(_mappings, mappings);
        _mappings = mappings;
        return Errno.OK;
    }

    private static bool TryWholePages(ulong address, ulong length, out ulong end)
    {
        end = 0;
        if ((address & HostPage.OffsetMask) != 0 || address > AddressEnd || length > AddressEnd - address)
        {
            return false;
        }

        end = (address + length + HostPage.OffsetMask) & ~HostPage.OffsetMask;
        return true;
    }

    private bool CutsHugePage(ulong start, ulong end) => CutsHugePageAt(start) || CutsHugePageAt(end);

    private bool CutsHugePageAt(ulong address)
    {
        int at = AddressSpace.Find(_mappings, address);
        return at >= 0 && _mappings[at].Backing.IsHuge && address % HugePageSize != 0;
    }

    private Errno Place(ulong? address, ref ulong length, ulong unit, out ulong at)
    {
        at = address ?? 0;
        if (length == 0 || _exited)
        {
            return Errno.EINVAL;
        }

        if (length > BackingPages.MostBytes)
        {
            return Errno.ENOMEM;
        }

        length = (length + unit - 1) & ~(unit - 1);
        if (address is not null)
        {
            if (at % unit != 0)
            {
                return Errno.EINVAL;
            }

            if (at > AddressEnd || length > AddressEnd - at)
            {
                return Errno.ENOMEM;
            }

            return CutsHugePage(at, at + length) ? Errno.EINVAL : Errno.OK;
        }

        at = FloatingStart;
        foreach (Mapping mapping in _mappings)
        {
            if (mapping.End <= at)
            {
                continue;
            }

            if (mapping.Start >= at && mapping.Start - at >= length)
            {
                break;
            }

            at = (mapping.End + unit - 1) & ~(unit - 1);
        }

        return at > AddressEnd || length > AddressEnd - at ? Errno.ENOMEM : Errno.OK;
    }

    private void Publish(Mapping mapping)
    {
        RemoveRange(mapping.Start, mapping.End);
        _mappings = AddressSpace.With(_mappings, mapping);
    }

    private void RemoveRange(ulong start, ulong end)
    {
        Tell(start, end);
        var gone = new List<Mapping>();
        Mapping[] mappings = AddressSpace.Without(_mappings, start, end, gone);
        KeepFilesOf(_mappings, mappings, gone);
        _mappings = mappings;
        foreach (Mapping mapping in gone)
        {
            LetGo(mapping);
        }
    }

    /// <summary>Every mapping of a file holds a reference on it: cutting one in pieces takes more of them.</summary>
    private static void KeepFilesOf(Mapping[] before, Mapping[] after, List<Mapping>? gone = null)
    {
        int pieces = after.Length + (gone?.Count ?? 0);
        if (pieces == before.Length)
        {
            return;
        }

        foreach (Mapping mapping in before)
        {
            if (mapping.File is null)
            {
                continue;
            }

            int now = 0;
            foreach (Mapping piece in after)
            {
                now += IsPieceOf(piece, mapping) ? 1 : 0;
            }

            for (int i = 0; i < (gone?.Count ?? 0); i++)
            {
                now += IsPieceOf(gone![i], mapping) ? 1 : 0;
            }

            for (; now > 1; now--)
            {
                mapping.File.Acquire();
            }
        }
    }

    private static bool IsPieceOf(Mapping piece, Mapping whole) =>
        ReferenceEquals(piece.Backing, whole.Backing) && piece.Start >= whole.Start && piece.End <= whole.End;
}
