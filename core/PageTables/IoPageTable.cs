using Iommufd.Core.PageTables.Formats;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

/// <summary>
/// An I/O page table: a radix tree of 4 KiB tables in native memory holding the bits that a hardware format defines.
/// </summary>
/// <remarks>
/// <para><b>Threads.</b> Translations, dirty marking and dirty reads may run on any thread at any time, without locks. Maps,
/// unmaps, splits and merges may run in parallel when their ranges are disjoint, also inside one leaf table; the caller keeps
/// two of them from working on overlapping ranges at once (an IOAS does). <see cref="Dispose"/> comes after everything.</para>
/// <para><b>What a translation sees</b> while a writer works on its address: the state before or after, never between; after
/// an unmap has returned, no translation that begins later finds the mapping.</para>
/// <para><b>Sizes.</b> Every map is cut greedily: at each step the largest page of <see cref="PageSizes"/> that divides
/// IOVA and physical address and fits the rest.</para>
/// </remarks>
public abstract class IoPageTable : IDisposable
{
    /// <summary>Stands for the physical address of an IOVA that is not mapped; no format has that many address bits.</summary>
    public const ulong NotMapped = ulong.MaxValue;

    /// <summary>For the tables that <see cref="Create"/> makes, and for what stands in front of one.</summary>
    protected IoPageTable() { }

    /// <summary>The format.</summary>
    public abstract IoPageTableFormat Format { get; }

    /// <summary>The page sizes offered, as a bitmap: bit n stands for pages of 2^n bytes.</summary>
    public abstract ulong PageSizes { get; }

    /// <summary>The smallest page, bytes.</summary>
    public ulong SmallestPage => PageSizes & (0 - PageSizes);

    /// <summary>
    /// Bytes that the process has taken from the system for page tables, in use or free: a high-water mark, as slabs are never given
    /// back. Any thread.
    /// </summary>
    public static long ArenaBytes => TableArena.Bytes;

    /// <summary>What a domain over this table reports as its aperture. The table itself may take more (the mock's does).</summary>
    public abstract IovaRange Aperture { get; }

    /// <summary>Every IOVA that can be mapped; where the format extends signs, the lower half of them.</summary>
    public abstract IovaRange InputRange { get; }

    /// <summary>
    /// The upper half where the format extends signs (x86-64, RISC-V): as large as <see cref="InputRange"/>, and ending at 2^64 - 1. Null
    /// elsewhere. A domain's <see cref="Aperture"/> is the lower half only, as in the kernel.
    /// </summary>
    public abstract IovaRange? UpperInputRange { get; }

    /// <summary>Whether entries record that a device wrote; without it the dirty operations answer EOPNOTSUPP.</summary>
    public abstract bool TracksDirty { get; }

    /// <summary>Makes an empty table.</summary>
    /// <param name="format">The format.</param>
    /// <param name="gate">Asked before each table allocation after the first; null for none.</param>
    /// <exception cref="OutOfMemoryException">The system has no memory for the top table.</exception>
    public static IoPageTable Create(IoPageTableFormat format, ITableAllocationGate? gate = null) =>
        format switch
        {
            IoPageTableFormat.AmdV1 => new PageTable<AmdV1>(gate),
            IoPageTableFormat.AmdV1Mock => new PageTable<AmdV1Mock>(gate),
            IoPageTableFormat.AmdV1MockHuge => new PageTable<AmdV1MockHuge>(gate),
            IoPageTableFormat.VtdSecondStage => new PageTable<VtdSecondStage>(gate),
            IoPageTableFormat.X8664FirstStage => new PageTable<X8664FirstStage>(gate),
            IoPageTableFormat.RiscVSv39 => new PageTable<RiscV<Sv39>>(gate),
            IoPageTableFormat.RiscVSv48 => new PageTable<RiscV<Sv48>>(gate),
            IoPageTableFormat.RiscVSv57 => new PageTable<RiscV<Sv57>>(gate),
            IoPageTableFormat.ArmV8Lpae4K => new PageTable<ArmV8Lpae4K>(gate),
            _ => throw new ArgumentOutOfRangeException(nameof(format), format, "not a page table format"),
        };

    /// <summary>Maps one physically contiguous run.</summary>
    /// <param name="iova">First address.</param>
    /// <param name="physical">Physical address of the first byte.</param>
    /// <param name="length">Bytes, a multiple of the smallest page.</param>
    /// <param name="permissions">Read, Write or both.</param>
    /// <param name="options">How pages are cut.</param>
    /// <returns>
    /// In the order of the checks: EINVAL without permissions; ERANGE for a physical address above the format's width; EINVAL or
    /// EOPNOTSUPP for permissions that the format refuses; EINVAL for length 0; EOVERFLOW past 2^64; ENXIO where no page size
    /// fits the alignment; ERANGE outside the input ranges; EADDRINUSE for an occupied entry; ENOMEM for a table. After
    /// an error nothing of this call is mapped (empty tables may stay).
    /// </returns>
    public abstract Errno Map(
        ulong iova,
        ulong physical,
        ulong length,
        IoptePermissions permissions,
        MapOptions options = MapOptions.None
    );

    /// <summary>Maps scattered page frames one after the other at rising IOVAs, all or nothing.</summary>
    /// <param name="iova">First address.</param>
    /// <param name="runs">The frames; each run is mapped by itself, neighbours are not joined.</param>
    /// <param name="offset">Byte offset inside the first frame, below 4096.</param>
    /// <param name="length">Bytes in all; the runs must hold offset + length bytes (EINVAL otherwise).</param>
    /// <param name="permissions">Read, Write or both.</param>
    /// <param name="options">How pages are cut.</param>
    /// <returns>As <see cref="Map"/>.</returns>
    public abstract Errno MapPages(
        ulong iova,
        ReadOnlySpan<PfnRun> runs,
        ulong offset,
        ulong length,
        IoptePermissions permissions,
        MapOptions options = MapOptions.None
    );

    /// <summary>
    /// Unmaps a range. Stops at the first address that is not mapped; what came before it stays unmapped and is counted.
    /// Tables that the range covers whole are freed. IOTLBs are the caller's to invalidate.
    /// </summary>
    /// <returns>Bytes unmapped; 0 for a range that is empty or outside the input ranges.</returns>
    public abstract ulong Unmap(ulong iova, ulong length, UnmapCut cut = UnmapCut.WholeEntry);

    /// <summary>Translates one address; false when it is not mapped. Never blocks, never writes shared memory.</summary>
    public abstract bool TryTranslate(ulong iova, out IopteTranslation translation);

    /// <summary>Translates one address to its physical address only, the fastest way.</summary>
    public abstract bool TryTranslate(ulong iova, out ulong physical);

    /// <summary>
    /// Translates as a device does: false where not mapped or not permitted; a permitted write marks the item dirty
    /// (compare-and-swap) where <paramref name="markDirty"/> is set and the format tracks.
    /// </summary>
    public abstract bool TryAccess(
        ulong iova,
        IoptePermissions access,
        bool markDirty,
        out IopteTranslation translation
    );

    /// <summary>As <see cref="TryAccess"/>, for a caller that is inside a read section of <see cref="TableReclamation"/>.</summary>
    internal virtual bool TryAccessInSection(
        ulong iova,
        IoptePermissions access,
        bool markDirty,
        out IopteTranslation translation
    ) => TryAccess(iova, access, markDirty, out translation);

    /// <summary>
    /// Translates consecutive pages: element i gets the physical address of iova + i * stride.
    /// </summary>
    /// <param name="iova">First address.</param>
    /// <param name="stride">Bytes from one element to the next; a power of two.</param>
    /// <param name="physical">Receives the addresses.</param>
    /// <returns>How many elements were filled before the first address that is not mapped.</returns>
    public abstract int TranslatePages(ulong iova, ulong stride, Span<ulong> physical);

    /// <summary>
    /// Translates scattered addresses, faster than one by one where the tables do not fit the caches: the entries of all are
    /// fetched at the same time. Tables freed meanwhile, by anyone, are not used again before it returns.
    /// </summary>
    /// <param name="iovas">The addresses, in any order.</param>
    /// <param name="physical">
    /// Receives the physical address of each, or <see cref="NotMapped"/>. At least as long as <paramref name="iovas"/>.
    /// </param>
    /// <returns>How many are mapped.</returns>
    /// <exception cref="ArgumentException"><paramref name="physical"/> is too short.</exception>
    public abstract int TranslateEach(ReadOnlySpan<ulong> iovas, Span<ulong> physical);

    /// <summary>
    /// Reads back the frames behind a range as runs, joining neighbours that follow each other physically. The first run begins
    /// with the frame that holds the first byte.
    /// </summary>
    /// <param name="iova">First address.</param>
    /// <param name="length">Bytes.</param>
    /// <param name="runs">Receives the runs.</param>
    /// <param name="translated">Bytes translated: less than the length where a hole or the end of <paramref name="runs"/> came.</param>
    /// <returns>Runs written.</returns>
    public abstract int TranslateRuns(ulong iova, ulong length, Span<PfnRun> runs, out ulong translated);

    /// <summary>Marks the item that holds an IOVA dirty. ENOENT when not mapped, EOPNOTSUPP without tracking.</summary>
    public abstract Errno SetDirty(ulong iova);

    /// <summary>Marks every mapped item in a range dirty.</summary>
    /// <returns>Items marked or already so.</returns>
    public abstract ulong SetDirty(IovaRange range);

    /// <summary>
    /// Reports the dirty entries of a range in rising order and clears their marks (in all items of the entry, those outside
    /// the range too). Holes are skipped. A mark set while this runs is reported now or the next time, never lost.
    /// </summary>
    /// <returns>OK, ERANGE outside the input ranges, EOPNOTSUPP without tracking.</returns>
    public abstract Errno ReadAndClearDirty(
        IovaRange range,
        IDirtySink sink,
        DirtyReadOptions options = DirtyReadOptions.None
    );

    /// <summary>
    /// Cuts every entry of the range that is larger than a page size into entries of at most that size, while devices go on
    /// working. Translations do not change; dirty marks pass to every part.
    /// </summary>
    /// <returns>OK; EINVAL for a size that is not offered or a range that is not aligned to it; ENOMEM, with part of the range cut.</returns>
    public abstract Errno Split(IovaRange range, ulong pageSize);

    /// <summary>
    /// Joins the entries of one naturally aligned page into one entry of that size, while devices go on working. Waits for the
    /// translations that are under way, so it must not be called by a thread that has a reader open.
    /// </summary>
    /// <returns>
    /// OK; EINVAL for a size that is not offered or a misaligned address; ENOENT where part is not mapped; EADDRINUSE where the
    /// parts are not contiguous, not aligned, or differ in permissions.
    /// </returns>
    public abstract Errno Merge(ulong iova, ulong pageSize);

    /// <summary>Counts tables and entries by a walk.</summary>
    public abstract IoPageTableStatistics GetStatistics();

    /// <summary>
    /// Writes the tree as text, one line an entry in rising order: IOVA, level, size, physical address, permissions, dirty. Table
    /// addresses are left out, so the text depends only on what is mapped.
    /// </summary>
    public abstract void Dump(TextWriter writer);

    /// <summary>The raw item words of every table, for decoders that know only the hardware's specification.</summary>
    /// <returns>The top table's address and its level (0 is the lowest); words are read with <see cref="ReadWord"/>.</returns>
    public abstract (ulong Address, int Level) Root { get; }

    /// <summary>Reads one item of a table whose address came from <see cref="Root"/> or from a table pointer.</summary>
    /// <remarks>Only while no writer frees that table.</remarks>
    public static unsafe ulong ReadWord(ulong table, int index)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)index, 511U, nameof(index));
        return Volatile.Read(ref ((ulong*)table)[index]);
    }

    /// <summary>
    /// Checks the tree against itself: every leaf offered and aligned, contiguous entries whole and uniform, no table linked
    /// twice, the words well formed. For tests and for scheduled checks; no writer may work meanwhile.
    /// </summary>
    /// <exception cref="InvalidOperationException">What does not hold, and where.</exception>
    public abstract void CheckInvariants();

    /// <summary>Frees all tables.</summary>
    public void Dispose()
    {
        Dispose(disposing: true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Frees all tables; also from the finalizer.</summary>
    protected abstract void Dispose(bool disposing);
}
