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

    /// <summary>Slot + 1 of each allocation unit's frame, 0 where there is none; grows by replacement.</summary>
    private volatile uint[]?[] _chunks;

    /// <summary>Makes room for pages, none of them allocated.</summary>
    public BackingPages(PhysicalMemory physical, bool huge, ulong pages)
    {
        _physical = physical;
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
            uint slot = Allocated(ref unit) - 1;
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
            found = Allocated(ref Unit(page));
        }
        else
        {
            ulong index = IsHuge ? page >> HugeShift : page;
            uint[]? chunk = _chunks[(int)(index >> ChunkShift)];
            found = chunk is null ? 0 : Volatile.Read(ref chunk[index & (ChunkSize - 1)]);
        }

        if (found == 0)
        {
            pfn = default;
            return false;
        }

        pfn = IsHuge
            ? new Pfn(HugeFrames.PfnOf(found - 1).Value + (page & (HugeFrames.Frames - 1)))
            : SmallFrames.PfnOf(found - 1);
        return true;
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

    private uint Allocated(ref uint unit)
    {
        uint found = Volatile.Read(ref unit);
        if (found != 0)
        {
            return found;
        }

        uint slot = IsHuge ? _physical.Huge.Allocate() : _physical.Small.Allocate();
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
