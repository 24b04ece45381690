using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// The 4 KiB frames of the machine, by slot number. Slot s is frame FirstPfn + 2s: every second frame number is never
/// used, so no two frames are neighbours whatever order they are allocated and freed in.
/// </summary>
/// <remarks>
/// A frame's state is one word: bit 0 says that an owner (an address space or a file) holds it, the bits above count its
/// pins. The frame is free when the word is 0, so whoever takes the word to 0 frees it, exactly once.
/// </remarks>
internal sealed class SmallFrames
{
    /// <summary>Frame number of slot 0.</summary>
    public const ulong FirstPfn = 0x10_0000;

    private const int ChunkShift = 10;
    private const int ChunkSize = 1 << ChunkShift;
    private const int OnePin = 2;
    private const int Owned = 1;
    private const uint SlotLimit = 0x780_0000;

    /// <summary>Serialises growth of <see cref="_chunks"/> only.</summary>
    private readonly Lock _growth = new();

    /// <summary>Grows by replacement; a chunk, once published, stays.</summary>
    private volatile Chunk[] _chunks = [];

    /// <summary>Slots handed out so far, free ones included.</summary>
    private uint _handedOut;

    /// <summary>Head of the free slots: a change counter above, slot + 1 below.</summary>
    private ulong _freeHead;

    /// <summary>Whether a frame number belongs to this table's region.</summary>
    public static bool Owns(ulong pfn) => pfn >= FirstPfn && pfn < HugeFrames.FirstPfn;

    /// <summary>The frame of a slot.</summary>
    public static Pfn PfnOf(uint slot) => new(FirstPfn + (2 * (ulong)slot));

    /// <summary>The slot of a frame that was allocated here.</summary>
    public uint SlotOf(Pfn pfn)
    {
        ulong distance = pfn.Value - FirstPfn;
        if ((distance & 1) != 0 || distance >> 1 >= Volatile.Read(ref _handedOut))
        {
            throw new ArgumentOutOfRangeException(nameof(pfn), pfn, "not a frame of this machine");
        }

        return (uint)(distance >> 1);
    }

    /// <summary>Takes the slot that was freed last, or a new one; its page reads as zeros.</summary>
    public uint Allocate() => Allocate(Owned);

    /// <summary>As <see cref="Allocate()"/>, with one pin besides its owner's hold.</summary>
    public uint AllocatePinned() => Allocate(Owned + OnePin);

    private uint Allocate(int state)
    {
        if (!TryPopFree(out uint slot))
        {
            slot = Interlocked.Increment(ref _handedOut) - 1;
            if (slot >= SlotLimit)
            {
                throw new InvalidOperationException("the simulated machine has no 4 KiB frame left");
            }

            EnsureChunk((int)(slot >> ChunkShift));
        }

        Volatile.Write(ref State(slot), state);
        return slot;
    }

    /// <summary>The owner lets go; the frame is free once it is not pinned either.</summary>
    public void Release(uint slot)
    {
        ref int state = ref State(slot);
        if ((Volatile.Read(ref state) & Owned) == 0)
        {
            throw new InvalidOperationException($"{PfnOf(slot)} is released twice");
        }

        if (Interlocked.Add(ref state, -Owned) == 0)
        {
            Free(slot);
        }
    }

    /// <summary>Pins a frame unless it is free; false tells a racing look-up to look again.</summary>
    public bool TryPin(uint slot)
    {
        ref int state = ref State(slot);
        int seen = Volatile.Read(ref state);
        while (seen != 0)
        {
            int found = Interlocked.CompareExchange(ref state, seen + OnePin, seen);
            if (found == seen)
            {
                return true;
            }

            seen = found;
        }

        return false;
    }

    /// <summary>Takes one pin away.</summary>
    public void Unpin(uint slot)
    {
        int left = Interlocked.Add(ref State(slot), -OnePin);
        if (left < 0)
        {
            throw new InvalidOperationException($"{PfnOf(slot)} is unpinned more often than pinned");
        }

        if (left == 0)
        {
            Free(slot);
        }
    }

    /// <summary>Pins on a frame.</summary>
    public int PinCount(uint slot) => Volatile.Read(ref State(slot)) >> 1;

    /// <summary>Whether a frame has a pin; every DMA asks. False for one that was never allocated.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsPinned(Pfn pfn)
    {
        ulong distance = pfn.Value - FirstPfn;
        ulong slot = distance >> 1;
        return (distance & 1) == 0
            && slot < Volatile.Read(ref _handedOut)
            && Volatile.Read(ref State((uint)slot)) >= OnePin;
    }

    /// <summary>Asks for the cache line that <see cref="IsPinned"/> will read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public unsafe void FetchPins(Pfn pfn)
    {
        ulong slot = (pfn.Value - FirstPfn) >> 1;
        if (Sse.IsSupported && slot < Volatile.Read(ref _handedOut))
        {
            // A collection may move the array meanwhile: then a line is asked for that nobody reads.
            Sse.Prefetch0(Unsafe.AsPointer(ref State((uint)slot)));
        }
    }

    /// <summary>Pins on all frames.</summary>
    public long TotalPins()
    {
        long total = 0;
        uint slots = Volatile.Read(ref _handedOut);
        for (uint slot = 0; slot < slots; slot++)
        {
            total += PinCount(slot);
        }

        return total;
    }

    /// <summary>Frames that are owned or pinned.</summary>
    public long InUse()
    {
        long used = 0;
        uint slots = Volatile.Read(ref _handedOut);
        for (uint slot = 0; slot < slots; slot++)
        {
            used += Volatile.Read(ref State(slot)) != 0 ? 1 : 0;
        }

        return used;
    }

    /// <summary>Where a frame's bytes are kept; null stands for zeros.</summary>
    public ref byte[]? Data(uint slot) =>
        ref _chunks[(int)(slot >> ChunkShift)].DataForWriting()[slot & (ChunkSize - 1)];

    /// <summary>A frame's bytes; null stands for zeros.</summary>
    public byte[]? DataOrNull(uint slot)
    {
        byte[]?[]? data = Volatile.Read(ref _chunks[(int)(slot >> ChunkShift)].Data);
        return data is null ? null : Volatile.Read(ref data[slot & (ChunkSize - 1)]);
    }

    private ref int State(uint slot) => ref _chunks[(int)(slot >> ChunkShift)].State[slot & (ChunkSize - 1)];

    private void Free(uint slot)
    {
        Chunk chunk = _chunks[(int)(slot >> ChunkShift)];
        if (Volatile.Read(ref chunk.Data) is { } data)
        {
            data[slot & (ChunkSize - 1)] = null;
        }

        ref uint next = ref chunk.NextFree[slot & (ChunkSize - 1)];
        ulong head = Volatile.Read(ref _freeHead);
        while (true)
        {
            next = (uint)head;
            // The counter above changes with every push and pop: a pop that read `next` of a slot which was taken and
            // pushed again in between sees another head and starts over.
            ulong found = Interlocked.CompareExchange(ref _freeHead, Tagged(head, slot + 1), head);
            if (found == head)
            {
                return;
            }

            head = found;
        }
    }

    private bool TryPopFree(out uint slot)
    {
        ulong head = Volatile.Read(ref _freeHead);
        while ((uint)head != 0)
        {
            slot = (uint)head - 1;
            uint next = Volatile.Read(ref _chunks[(int)(slot >> ChunkShift)].NextFree[slot & (ChunkSize - 1)]);
            ulong found = Interlocked.CompareExchange(ref _freeHead, Tagged(head, next), head);
            if (found == head)
            {
                return true;
            }

            head = found;
        }

        slot = 0;
        return false;
    }

    private static ulong Tagged(ulong head, uint slotPlusOne) => (((head >> 32) + 1) << 32) | slotPlusOne;

    private void EnsureChunk(int index)
    {
        if (index < _chunks.Length)
        {
            return;
        }

        lock (_growth)
        {
            Chunk[] chunks = _chunks;
            if (index < chunks.Length)
            {
                return;
            }

            var grown = new Chunk[Math.Max(index + 1, chunks.Length * 2)];
            chunks.CopyTo(grown, 0);
            for (int i = chunks.Length; i < grown.Length; i++)
            {
                grown[i] = new Chunk();
            }

            _chunks = grown;
        }
    }

    private sealed class Chunk
    {
        public readonly int[] State = new int[ChunkSize];
        public readonly uint[] NextFree = new uint[ChunkSize];

        // Most frames are never written to: they are mapped, reached by DMA without data, and dropped.
        public byte[]?[]? Data;

        public byte[]?[] DataForWriting()
        {
            if (Volatile.Read(ref Data) is { } there)
            {
                return there;
            }

            var made = new byte[]?[ChunkSize];
            return Interlocked.CompareExchange(ref Data, made, null) ?? made;
        }
    }
}
