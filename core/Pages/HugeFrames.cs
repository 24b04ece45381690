using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// The 2 MiB pages of the machine, by slot number: 512 contiguous frames, aligned to 2 MiB, and a gap of 2 MiB after
/// each, so that no huge page directly follows another one.
/// </summary>
internal sealed class HugeFrames
{
    /// <summary>Frame number of the first frame of slot 0.</summary>
    public const ulong FirstPfn = 0x1000_0000;

    /// <summary>Frames in a huge page.</summary>
    public const uint Frames = 512;

    private const int SpacingShift = 10;

    /// <summary>Guards <see cref="_pages"/> and the free slots; pins take no lock.</summary>
    private readonly Lock _allocation = new();
    private readonly Stack<uint> _free = new();
    private volatile HugePage[] _pages = [];
    private uint _handedOut;

    /// <summary>Whether a frame number belongs to this table's region.</summary>
    public static bool Owns(ulong pfn) => pfn >= FirstPfn && pfn < ContiguousRuns.FirstPfn;

    /// <summary>The first frame of a slot.</summary>
    public static Pfn PfnOf(uint slot) => new(FirstPfn + ((ulong)slot << SpacingShift));

    /// <summary>The slot of a frame that was allocated here, and the frame's place in the huge page.</summary>
    public uint SlotOf(Pfn pfn, out uint offset)
    {
        ulong distance = pfn.Value - FirstPfn;
        offset = (uint)distance & ((1 << SpacingShift) - 1);
        ulong slot = distance >> SpacingShift;
        if (offset >= Frames || slot >= Volatile.Read(ref _handedOut))
        {
            throw new ArgumentOutOfRangeException(nameof(pfn), pfn, "not a frame of this machine");
        }

        return (uint)slot;
    }

    /// <summary>Takes the slot that was freed last, or a new one; it reads as zeros.</summary>
    public uint Allocate()
    {
        lock (_allocation)
        {
            if (!_free.TryPop(out uint slot))
            {
                slot = _handedOut;
                if (slot == _pages.Length)
                {
                    var grown = new HugePage[Math.Max(4, _pages.Length * 2)];
                    _pages.CopyTo(grown, 0);
                    for (int i = _pages.Length; i < grown.Length; i++)
                    {
                        grown[i] = new HugePage();
                    }

                    _pages = grown;
                }

                Volatile.Write(ref _handedOut, slot + 1);
            }

            Volatile.Write(ref _pages[slot].State, 1);
            return slot;
        }
    }

    /// <summary>The owner lets go; the page is free once none of its frames is pinned.</summary>
    public void Release(uint slot)
    {
        HugePage page = _pages[slot];
        if ((Volatile.Read(ref page.State) & 1) == 0)
        {
            throw new InvalidOperationException($"the huge page at {PfnOf(slot)} is released twice");
        }

        if (Interlocked.Add(ref page.State, -1) == 0)
        {
            Free(slot, page);
        }
    }

    /// <summary>Pins consecutive frames of one huge page once each, unless the page is free.</summary>
    public bool TryPin(uint slot, uint offset, uint count)
    {
        HugePage page = _pages[slot];
        long seen = Volatile.Read(ref page.State);
        while (seen != 0)
        {
            long found = Interlocked.CompareExchange(ref page.State, seen + (2L * count), seen);
            if (found == seen)
            {
                page.Count(offset, count, 1);
                return true;
            }

            seen = found;
        }

        return false;
    }

    /// <summary>Takes one pin away from each of consecutive frames of one huge page.</summary>
    public void Unpin(uint slot, uint offset, uint count)
    {
        HugePage page = _pages[slot];
        page.Count(offset, count, -1);
        long left = Interlocked.Add(ref page.State, -2L * count);
        if (left < 0)
        {
            throw new InvalidOperationException($"the huge page at {PfnOf(slot)} is unpinned more often than pinned");
        }

        if (left == 0)
        {
            Free(slot, page);
        }
    }

    /// <summary>Pins on one frame.</summary>
    public int PinCount(uint slot, uint offset) => _pages[slot].PinCount(offset);

    /// <summary>Pins on all frames.</summary>
    public long TotalPins()
    {
        long total = 0;
        uint slots = Volatile.Read(ref _handedOut);
        for (uint slot = 0; slot < slots; slot++)
        {
            total += Volatile.Read(ref _pages[slot].State) >> 1;
        }

        return total;
    }

    /// <summary>Huge pages that are owned or pinned.</summary>
    public long InUse()
    {
        long used = 0;
        uint slots = Volatile.Read(ref _handedOut);
        for (uint slot = 0; slot < slots; slot++)
        {
            used += Volatile.Read(ref _pages[slot].State) != 0 ? 1 : 0;
        }

        return used;
    }

    /// <summary>Where the bytes of a frame are kept; null stands for zeros.</summary>
    public ref byte[]? Data(uint slot, uint offset) => ref _pages[slot].DataOf(offset);

    private void Free(uint slot, HugePage page)
    {
        page.Clear();
        lock (_allocation)
        {
            _free.Push(slot);
        }
    }

    /// <summary>
    /// Pins of one huge page. Whole-page pins, the usual kind, are one counter; <c>_parts</c> corrects it frame by frame
    /// and exists only once a part was pinned or unpinned on its own.
    /// </summary>
    private sealed class HugePage
    {
        /// <summary>Bit 0: an owner holds it; above: pins of all its frames together.</summary>
        public long State;

        private int _whole;
        private int[]? _parts;
        private byte[]?[]? _data;

        public void Count(uint offset, uint count, int change)
        {
            if (count == Frames)
            {
                Interlocked.Add(ref _whole, change);
                return;
            }

            int[] parts = Volatile.Read(ref _parts) ?? Publish(ref _parts, new int[Frames]);
            for (uint i = offset; i < offset + count; i++)
            {
                Interlocked.Add(ref parts[i], change);
            }
        }

        public int PinCount(uint offset)
        {
            int[]? parts = Volatile.Read(ref _parts);
            return Volatile.Read(ref _whole) + (parts is null ? 0 : Volatile.Read(ref parts[offset]));
        }

        public ref byte[]? DataOf(uint offset)
        {
            byte[]?[] data = Volatile.Read(ref _data) ?? Publish(ref _data, new byte[]?[Frames]);
            return ref data[offset];
        }

        public void Clear()
        {
            _data = null;
            _parts = null;
            _whole = 0;
        }

        private static T Publish<T>(ref T? field, T made)
            where T : class => Interlocked.CompareExchange(ref field, made, null) ?? made;
    }
}
