using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// The pages behind a mapping or a file, allocated when first needed. Looking up, allocating and pinning are safe from
/// any thread; dropping and resizing are done by one thread at a time and may race with the others.
/// </summary>
internal sealed class BackingPages
{
    /// <summary>The most bytes that one mapping or file may have: 16 TiB.</summary>
    public const ulong MostBytes = 1UL << 44;

    private const int ChunkShift = 9;
    private const int ChunkSize = 1 << ChunkShift;
    private const int HugeShift = 9;

    private readonly PhysicalMemory _physical;

    /// <summary>Where the contents of pages come from that have no frame here yet: the file of a private mapping.</summary>
    private readonly BackingPages? _origin;

    /// <summary>Slot + 1 of each allocation unit's frame, 0 where there is none; grows by replacement.</summary>
    private volatile uint[]?[] _chunks;

    /// <summary>Makes room for pages, none of them allocated.</summary>
    public BackingPages(PhysicalMemory physical, bool huge, ulong pages, BackingPages? origin = null)
    {
        _physical = physical;
        _origin = origin;
        IsHuge = huge;
        _chunks = new uint[]?[ChunksFor(pages)];
    }

    /// <summary>Whether an allocation unit is a 2 MiB page; else it is a 4 KiB frame.</summary>
    public bool IsHuge { get; }

    /// <summary>Makes room for more pages; never shrinks.</summary>
    public void Resize(ulong pages)
    {
        int wanted = ChunksFor(pages);
        uint[]?[] chunks = _chunks;
        if (wanted > chunks.Length)
        {
            var grown = new uint[]?[wanted];
            for (int i = 0; i < chunks.Length; i++)
            {
                // Publishing through the old array first: a racing reader that still holds it allocates into the same
                // chunk, not into one that is lost.
                grown[i] = ChunkAt(chunks, i);
            }

            _chunks = grown;
        }
    }

    /// <summary>
    /// Pins pages from one on, as far as they are physically consecutive, allocating those that are absent.
    /// </summary>
    /// <returns>Pages pinned, at least 1 and at most <paramref name="count"/>.</returns>
    public ulong PinRun(ulong page, ulong count, out Pfn first)
    {
        while (true)
        {
            ref uint unit = ref Unit(page);
            if (!IsHuge && _origin is null && Volatile.Read(ref unit) == 0)
            {
                // Pinned before anybody sees it: there is nothing to look at again.
                uint fresh = _physical.Small.AllocatePinned();
                if (Interlocked.CompareExchange(ref unit, fresh + 1, 0) == 0)
                {
                    first = SmallFrames.PfnOf(fresh);
                    return 1;
                }

                _physical.Small.Unpin(fresh);
                _physical.Small.Release(fresh);
            }

            uint slot = Allocated(ref unit, page) - 1;
            if (!IsHuge)
            {
                if (_physical.Small.TryPin(slot))
                {
                    // The frame may have been dropped, and even reused, between the look and the pin: the pin counts
                    // only if the unit still names it.
                    if (Volatile.Read(ref unit) == slot + 1)
                    {
                        first = SmallFrames.PfnOf(slot);
                        return 1;
                    }

                    _physical.Small.Unpin(slot);
                }
            }
            else
            {
                uint offset = (uint)page & (HugeFrames.Frames - 1);
                uint pinned = (uint)Math.Min(count, HugeFrames.Frames - offset);
                if (_physical.Huge.TryPin(slot, offset, pinned))
                {
                    if (Volatile.Read(ref unit) == slot + 1)
                    {
                        first = new Pfn(HugeFrames.PfnOf(slot).Value + offset);
                        return pinned;
                    }

                    _physical.Huge.Unpin(slot, offset, pinned);
                }
            }
        }
    }

    /// <summary>The frame of a page.</summary>
    /// <param name="page">The page.</param>
    /// <param name="allocate">Whether an absent page is allocated.</param>
    /// <param name="pfn">Its frame.</param>
    /// <returns>False when the page is absent and stays so.</returns>
    public bool TryGet(ulong page, bool allocate, out Pfn pfn)
    {
        uint found;
        if (allocate)
        {
            found = Allocated(ref Unit(page), page);
        }
        else
        {
            found = Present(page);
        }

        if (found == 0)
        {
            pfn = default;
            return _origin is not null && _origin.TryGet(page, allocate: false, out pfn);
        }

        pfn = PfnOf(found - 1, page);
        return true;
    }

    /// <summary>
    /// What fork does with private memory: pages that are present are copied into new frames of the child. The kernel lets parent
    /// and child share what is not pinned until one of them writes; neither can tell the difference.
    /// </summary>
    /// <param name="page">The first page.</param>
    /// <param name="count">Pages.</param>
    /// <param name="child">The child's pages, with the same numbers.</param>
    public void CopyTo(ulong page, ulong count, BackingPages child)
    {
        var bytes = new byte[HostPage.Size];
        for (ulong at = page; at < page + count; at++)
        {
            uint found = Present(at);
            if (found == 0)
            {
                continue;
            }

            child.TryGet(at, allocate: true, out Pfn copy);
            CopyFrame(PfnOf(found - 1, at), copy, bytes);
        }
    }

    /// <summary>Lets go of the frames of pages; huge pages go when their first page is in the range.</summary>
    public void Drop(ulong page, ulong count)
    {
        ulong index = IsHuge ? (page + HugeFrames.Frames - 1) >> HugeShift : page;
        ulong end = IsHuge ? (page + count + HugeFrames.Frames - 1) >> HugeShift : page + count;
        uint[]?[] chunks = _chunks;
        end = Math.Min(end, (ulong)chunks.Length << ChunkShift);
        while (index < end)
        {
            uint[]? chunk = chunks[(int)(index >> ChunkShift)];
            if (chunk is null)
            {
                index = ((index >> ChunkShift) + 1) << ChunkShift;
                continue;
            }

            uint found = Interlocked.Exchange(ref chunk[index & (ChunkSize - 1)], 0);
            if (found != 0)
            {
                ReleaseUnit(found - 1);
            }

            index++;
        }
    }

    private int ChunksFor(ulong pages)
    {
        ulong units = IsHuge ? (pages + HugeFrames.Frames - 1) >> HugeShift : pages;
        return checked((int)((units + ChunkSize - 1) >> ChunkShift));
    }

    private ref uint Unit(ulong page)
    {
        ulong index = IsHuge ? page >> HugeShift : page;
        return ref ChunkAt(_chunks, (int)(index >> ChunkShift))[index & (ChunkSize - 1)];
    }

    private uint[] ChunkAt(uint[]?[] chunks, int index)
    {
        uint[]? chunk = Volatile.Read(ref chunks[index]);
        if (chunk is not null)
        {
            return chunk;
        }

        var made = new uint[ChunkSize];
        return Interlocked.CompareExchange(ref chunks[index], made, null) ?? made;
    }

    private uint Present(ulong page)
    {
        ulong index = IsHuge ? page >> HugeShift : page;
        uint[]? chunk = _chunks[(int)(index >> ChunkShift)];
        return chunk is null ? 0 : Volatile.Read(ref chunk[index & (ChunkSize - 1)]);
    }

    private Pfn PfnOf(uint slot, ulong page) =>
        IsHuge ? new Pfn(HugeFrames.PfnOf(slot).Value + (page & (HugeFrames.Frames - 1))) : SmallFrames.PfnOf(slot);

    private void CopyFrame(Pfn from, Pfn to, byte[] bytes)
    {
        _physical.Read(from, 0, bytes);
        if (bytes.AsSpan().ContainsAnyExcept((byte)0))
        {
            _physical.Write(to, 0, bytes);
        }
    }

    // Before the frame is published, so that nobody sees the page without what the file has in it.
    private void FillFromOrigin(uint slot, ulong page)
    {
        var bytes = new byte[HostPage.Size];
        ulong first = IsHuge ? page & ~(ulong)(HugeFrames.Frames - 1) : page;
        for (ulong at = first; at < first + (IsHuge ? HugeFrames.Frames : 1); at++)
        {
            if (_origin!.TryGet(at, allocate: false, out Pfn source))
            {
                CopyFrame(source, PfnOf(slot, at), bytes);
            }
        }
    }

    private uint Allocated(ref uint unit, ulong page)
    {
        uint found = Volatile.Read(ref unit);
        if (found != 0)
        {
            return found;
        }

        uint slot = IsHuge ? _physical.Huge.Allocate() : _physical.Small.Allocate();
        if (_origin is not null)
        {
            FillFromOrigin(slot, page);
        }

        found = Interlocked.CompareExchange(ref unit, slot + 1, 0);
        if (found == 0)
        {
            return slot + 1;
        }

        ReleaseUnit(slot);
        return found;
    }

    private void ReleaseUnit(uint slot)
    {
        if (IsHuge)
        {
            _physical.Huge.Release(slot);
        }
        else
        {
            _physical.Small.Release(slot);
        }
    }
}
