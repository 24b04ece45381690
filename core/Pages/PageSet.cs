using System.Diagnostics;
using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// One iopt_pages: a range of a process's memory, of a file, or of a dma-buf, made by MAP or MAP_FILE and shared by all
/// areas on it (COPY, split). Every page is pinned exactly once while an access range or an area with domains covers it,
/// and not at all otherwise. Used by one actor at a time.
/// </summary>
/// <remarks>
/// <para>
/// The frame of a page is kept in the first of these places that applies, and read back from there: the pinned-PFN store
/// while an access covers the page; the IOPTEs of the storage domain of an area that covers it; nowhere.
/// </para>
/// <para>
/// Files, in reading order: this one (what a page set is), PageSet.Tiers.cs (where frames are), PageSet.Fill.cs (areas
/// with domains), PageSet.Access.cs (access pins), PageSet.Copy.cs (access reads and writes), PageSet.Accounting.cs.
/// </para>
/// </remarks>
[DebuggerDisplay("page set {Number}: {PageCount} pages, {PinnedPages} pinned, {References} areas")]
public sealed partial class PageSet
{
    private readonly PhysicalMemory? _physical;
    private readonly MemoryFile? _file;
    private readonly Dmabuf? _dmabuf;
    private readonly uint _import;
    private ProcessMemory? _owner;
    private int _references = 1;

    private PageSet(uint number, ulong start, ulong length, bool writable, AccountingMode accounting)
    {
        Number = number;
        BaseAddress = start & ~HostPage.OffsetMask;
        FirstByte = start & HostPage.OffsetMask;
        PageCount = ((FirstByte + (length - 1)) >> HostPage.Shift) + 1;
        Writable = writable;
        Accounting = accounting;
    }

    private PageSet(
        uint number,
        ProcessMemory owner,
        MemoryFile? file,
        ulong start,
        ulong length,
        bool writable,
        AccountingMode mode
    )
        : this(number, start, length, writable, owner.CapIpcLock ? AccountingMode.None : mode)
    {
        _owner = owner;
        _physical = owner.Physical;
        _file = file;
        file?.Acquire();
    }

    private PageSet(uint number, Dmabuf dmabuf, uint import, ulong start, ulong length)
        : this(number, start, length, writable: true, AccountingMode.None)
    {
        _dmabuf = dmabuf;
        _import = import;
    }

    /// <summary>The number that the creator gave it.</summary>
    public uint Number { get; }

    /// <summary>Address in the process, or offset in the file or dma-buf, of page 0; page aligned.</summary>
    public ulong BaseAddress { get; }

    /// <summary>Number of pages.</summary>
    public ulong PageCount { get; }

    /// <summary>Offset in page 0 of the first byte that was mapped.</summary>
    public ulong FirstByte { get; }

    /// <summary>Whether it may be written through: WRITEABLE was asked for at MAP. Pins are taken for writing then.</summary>
    public bool Writable { get; }

    /// <summary>Whether the pages are a file's.</summary>
    public bool IsFile => _file is not null;

    /// <summary>Whether the pages are a dma-buf's.</summary>
    public bool IsDmabuf => _dmabuf is not null;

    /// <summary>The dma-buf, where it is one.</summary>
    public Dmabuf? Dmabuf => _dmabuf;

    /// <summary>Whether the dma-buf was revoked after it was imported here: nothing is mapped from it ever again.</summary>
    public bool IsRevoked => _dmabuf is not null && _dmabuf.IsStale(_import);

    /// <summary>The process whose memory it is and that is charged.</summary>
    /// <exception cref="InvalidOperationException">A dma-buf's page set has no owner.</exception>
    public ProcessMemory Owner =>
        _owner ?? throw new InvalidOperationException("a page set of a dma-buf has no owning process");

    /// <summary>Areas that use the page set; 1 for the creator's to begin with.</summary>
    public int References => _references;

    /// <summary>Makes a page set of user memory. Nothing is pinned and no address is looked at.</summary>
    /// <param name="number">A number for the journal.</param>
    /// <param name="owner">The calling process: its memory, charged to it.</param>
    /// <param name="userVa">Address of the first byte.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="writable">Whether WRITEABLE is asked for.</param>
    /// <param name="contextMode">The context's mode; with CAP_IPC_LOCK the page set is not limited all the same.</param>
    /// <param name="pages">The page set.</param>
    /// <returns>EOVERFLOW when the range reaches 2^64; then EINVAL for length 0 or above 2^64 - 1 - 4096.</returns>
    public static Errno TryCreateUser(
        uint number,
        ProcessMemory owner,
        ulong userVa,
        ulong length,
        bool writable,
        AccountingMode contextMode,
        out PageSet pages
    )
    {
        ArgumentNullException.ThrowIfNull(owner);
        pages = null!;
        if (userVa > ulong.MaxValue - length)
        {
            return Errno.EOVERFLOW;
        }

        if (length == 0 || length > ulong.MaxValue - HostPage.Size)
        {
            return Errno.EINVAL;
        }

        pages = new PageSet(number, owner, file: null, userVa, length, writable, contextMode);
        return Errno.OK;
    }

    /// <summary>
    /// Makes a page set of a file, which it holds a reference on. Any open file will do: what cannot be pinned is EINVAL
    /// when it is pinned.
    /// </summary>
    /// <param name="number">A number for the journal.</param>
    /// <param name="owner">The calling process, charged.</param>
    /// <param name="file">The file.</param>
    /// <param name="start">Offset of the first byte.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="writable">Whether WRITEABLE is asked for; how the file was opened does not matter.</param>
    /// <param name="contextMode">The context's mode; with CAP_IPC_LOCK the page set is not limited all the same.</param>
    /// <param name="pages">The page set.</param>
    /// <returns>EINVAL for length 0; EOVERFLOW when the last byte is beyond 2^64 - 1; EINVAL for huge lengths.</returns>
    public static Errno TryCreateFile(
        uint number,
        ProcessMemory owner,
        MemoryFile file,
        ulong start,
        ulong length,
        bool writable,
        AccountingMode contextMode,
        out PageSet pages
    )
    {
        ArgumentNullException.ThrowIfNull(owner);
        ArgumentNullException.ThrowIfNull(file);
        pages = null!;
        Errno checkedRange = CheckFileRange(start, length);
        if (checkedRange != Errno.OK)
        {
            return checkedRange;
        }

        if (length > ulong.MaxValue - HostPage.Size)
        {
            return Errno.EINVAL;
        }

        pages = new PageSet(number, owner, file, start, length, writable, contextMode);
        return Errno.OK;
    }

    /// <summary>Makes a page set of a dma-buf, which it imports. It is never charged.</summary>
    /// <param name="number">A number for the journal.</param>
    /// <param name="buffer">The buffer.</param>
    /// <param name="start">Offset of the first byte.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="pages">The page set.</param>
    /// <returns>
    /// EINVAL for length 0; EOVERFLOW past 2^64 - 1; EINVAL past the end of the buffer or for too many pages; ENODEV
    /// while the buffer is revoked.
    /// </returns>
    public static Errno TryCreateDmabuf(uint number, Dmabuf buffer, ulong start, ulong length, out PageSet pages)
    {
        ArgumentNullException.ThrowIfNull(buffer);
        pages = null!;
        Errno checkedRange = CheckFileRange(start, length);
        if (checkedRange != Errno.OK)
        {
            return checkedRange;
        }

        if (start + (length - 1) >= buffer.Size || length >> HostPage.Shift >= uint.MaxValue)
        {
            return Errno.EINVAL;
        }

        if (!buffer.TryImport(out uint import))
        {
            return Errno.ENODEV;
        }

        pages = new PageSet(number, buffer, import, start, length);
        return Errno.OK;
    }

    /// <summary>Another area uses the page set.</summary>
    public void Acquire() => _references++;

    /// <summary>An area is gone. With the last one the file or dma-buf is let go.</summary>
    /// <returns>Whether it was the last one.</returns>
    /// <exception cref="InvalidOperationException">The last area is gone and pages are still covered.</exception>
    public bool Release()
    {
        if (_references == 0)
        {
            throw new InvalidOperationException($"page set {Number} is released more often than acquired");
        }

        if (--_references > 0)
        {
            return false;
        }

        if (_covers.Count + _accesses.Count > 0)
        {
            throw new InvalidOperationException($"page set {Number} goes away with pages still covered");
        }

        _file?.Release();
        _dmabuf?.EndImport(_import);
        return true;
    }

    private static Errno CheckFileRange(ulong start, ulong length)
    {
        if (length == 0)
        {
            return Errno.EINVAL;
        }

        return start > ulong.MaxValue - (length - 1) ? Errno.EOVERFLOW : Errno.OK;
    }
}
