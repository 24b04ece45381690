using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Pages;

/// <summary>What kind of file a descriptor stands for.</summary>
public enum MemoryFileKind
{
    /// <summary>Shared memory of 4 KiB pages, all of them allocated from the start.</summary>
    Memfd,

    /// <summary>Shared memory of 2 MiB pages.</summary>
    MemfdHuge2M,

    /// <summary>Shared memory of 4 KiB pages, none of them allocated yet: holes read as zeros.</summary>
    MemfdSparse,

    /// <summary>A file that is not memory (an eventfd, the iommufd itself): its pages cannot be pinned.</summary>
    NotMemory,
}

/// <summary>
/// An open file that MAP_FILE can be given: its size and its shared pages. Lives until the last reference (descriptor,
/// mapping, page set) is gone. Reading, writing and pinning are safe from any thread; <see cref="Truncate"/> is called
/// by one at a time.
/// </summary>
public sealed class MemoryFile : IMappableFile
{
    private readonly PhysicalMemory _physical;
    private readonly BackingPages? _backing;
    private ulong _size;
    private int _references = 1;

    /// <summary>Makes a file; the caller holds its first reference.</summary>
    /// <param name="physical">Where its pages come from.</param>
    /// <param name="kind">What it is.</param>
    /// <param name="size">Its size in bytes; a multiple of 2 MiB for huge pages, 0 for what is not memory.</param>
    public MemoryFile(PhysicalMemory physical, MemoryFileKind kind, ulong size)
    {
        ArgumentNullException.ThrowIfNull(physical);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(size, BackingPages.MostBytes);
        _physical = physical;
        Kind = kind;
        if (kind == MemoryFileKind.NotMemory)
        {
            return;
        }

        if (kind == MemoryFileKind.MemfdHuge2M && size % ProcessMemory.HugePageSize != 0)
        {
            throw new ArgumentException("the size of a file of huge pages is a multiple of 2 MiB", nameof(size));
        }

        _size = size;
        _backing = new BackingPages(physical, kind == MemoryFileKind.MemfdHuge2M, PagesOf(size));
        if (kind != MemoryFileKind.MemfdSparse)
        {
            for (ulong page = 0; page < PagesOf(size); page += kind == MemoryFileKind.MemfdHuge2M ? 512UL : 1)
            {
                _backing.TryGet(page, allocate: true, out _);
            }
        }
    }

    /// <summary>Whether a file of a kind can have a size: at most 16 TiB, and whole pages where they are of 2 MiB.</summary>
    public static bool CanHave(MemoryFileKind kind, ulong size) =>
        size <= BackingPages.MostBytes
        && (kind != MemoryFileKind.MemfdHuge2M || size % ProcessMemory.HugePageSize == 0);

    /// <inheritdoc/>
    public uint Number { get; init; }

    /// <summary>What the file is.</summary>
    public MemoryFileKind Kind { get; }

    /// <summary>Its size in bytes.</summary>
    public ulong Size => Volatile.Read(ref _size);

    /// <summary>Whether its pages are 2 MiB pages.</summary>
    public bool IsHuge => Kind == MemoryFileKind.MemfdHuge2M;

    internal BackingPages? Backing => _backing;

    /// <summary>Adds a reference.</summary>
    public void Acquire() => Interlocked.Increment(ref _references);

    /// <summary>Drops a reference; the last one frees the pages that are not pinned.</summary>
    public void Release()
    {
        int left = Interlocked.Decrement(ref _references);
        if (left == 0)
        {
            _backing?.Drop(0, PagesOf(Size));
        }
        else if (left < 0)
        {
            throw new InvalidOperationException("a memory file is released more often than acquired");
        }
    }

    /// <summary>
    /// Sets the size. Pages beyond it are dropped (pinned frames live on until unpinned); the rest of a page that is cut
    /// reads as zeros when the file grows again.
    /// </summary>
    /// <returns>
    /// EINVAL for what is not memory, a size that is not whole 2 MiB pages where the file is made of them, or one above
    /// 16 TiB.
    /// </returns>
    public Errno Truncate(ulong size)
    {
        if (_backing is null || (IsHuge && size % ProcessMemory.HugePageSize != 0) || size > BackingPages.MostBytes)
        {
            return Errno.EINVAL;
        }

        ulong old = _size;
        if (size >= old)
        {
            _backing.Resize(PagesOf(size));
            Volatile.Write(ref _size, size);
            return Errno.OK;
        }

        Volatile.Write(ref _size, size);
        _backing.Drop(PagesOf(size), PagesOf(old) - PagesOf(size));
        int kept = (int)(size & HostPage.OffsetMask);
        if (kept != 0 && _backing.TryGet(size >> HostPage.Shift, allocate: false, out Pfn last))
        {
            _physical.Write(last, kept, new byte[(int)HostPage.Size - kept]);
        }

        return Errno.OK;
    }

    /// <summary>Writes bytes as the write call does, growing nothing; false when a byte is beyond the end.</summary>
    public bool TryWrite(ulong offset, ReadOnlySpan<byte> source)
    {
        if (_backing is null || offset > Size || (ulong)source.Length > Size - offset)
        {
            return false;
        }

        while (source.Length > 0)
        {
            int inPage = (int)(offset & HostPage.OffsetMask);
            int count = Math.Min(source.Length, (int)HostPage.Size - inPage);
            _backing.TryGet(offset >> HostPage.Shift, allocate: true, out Pfn pfn);
            _physical.Write(pfn, inPage, source[..count]);
            source = source[count..];
            offset += (ulong)count;
        }

        return true;
    }

    /// <summary>
    /// Pins pages of the file for the long term, from one on as far as they are physically consecutive; holes are filled.
    /// </summary>
    /// <returns>Pages pinned; 0 (EINVAL) when a page is not wholly inside the file or the file is not memory.</returns>
    internal ulong PinRun(ulong page, ulong count, out Pfn first)
    {
        if (!CanPin(page, 1))
        {
            first = default;
            return 0;
        }

        return _backing!.PinRun(page, Math.Min(count, (Size >> HostPage.Shift) - page), out first);
    }

    /// <summary>Whether pages can be pinned: memory, an offset below 2^63, the last byte of the last page in the file.</summary>
    internal bool CanPin(ulong page, ulong count)
    {
        ulong whole = Size >> HostPage.Shift;
        return _backing is not null && page < whole && count <= whole - page;
    }

    /// <summary>Whether a mapping of the file reaches a page: the one that holds the last byte is the last.</summary>
    internal bool Reaches(ulong page) => page < PagesOf(Size);

    private static ulong PagesOf(ulong size) =>
        (size >> HostPage.Shift) + ((size & HostPage.OffsetMask) == 0 ? 0UL : 1UL);
}
