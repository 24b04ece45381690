using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// The machine's memory: frames, how often each is pinned, and their contents. Safe from any thread; pinning, unpinning
/// and looking take no lock. The same order of calls gives the same frames.
/// </summary>
/// <remarks>
/// Three regions of frame numbers: single 4 KiB frames (no two are neighbours), 2 MiB pages (no two are neighbours), and
/// contiguous runs for dma-bufs. A frame that is freed is the next one of its kind to be handed out.
/// </remarks>
public sealed class PhysicalMemory
{
    private readonly SmallFrames _small = new();
    private readonly HugeFrames _huge = new();
    private readonly ContiguousRuns _runs = new();
    private readonly ConcurrentDictionary<ulong, int> _lent = new();
    private readonly bool _recorded;
    private long _recordedPins;

    /// <summary>Makes an empty memory.</summary>
    /// <param name="recorded">
    /// True for a replay: frames are those that the journal names, so nothing is allocated and only the sum of pins is kept.
    /// </param>
    public PhysicalMemory(bool recorded = false) => _recorded = recorded;

    /// <summary>
    /// Sum of the pins of all 4 KiB frames and of all frames of 2 MiB pages. Imported dma-bufs are not in it: their
    /// importers hold the buffer. Counts frame by frame: for checks, not for hot paths.
    /// </summary>
    public long TotalPins => _recorded ? _recordedPins : _small.TotalPins() + _huge.TotalPins();

    /// <summary>Allocations that are not free: 4 KiB frames, 2 MiB pages and runs, each counting 1. For leak checks.</summary>
    public long AllocationsInUse => _small.InUse() + _huge.InUse() + _runs.InUse();

    internal SmallFrames Small => _small;

    internal HugeFrames Huge => _huge;

    /// <summary>Allocates a zeroed 4 KiB frame. No other frame is directly before or after it.</summary>
    public Pfn AllocatePage() => SmallFrames.PfnOf(_small.Allocate());

    /// <summary>Allocates a zeroed 2 MiB page and returns its first frame; 512 frames, 2 MiB aligned.</summary>
    public Pfn AllocateHugePage() => HugeFrames.PfnOf(_huge.Allocate());

    /// <summary>Allocates one zeroed run of frames, aligned to its length rounded up to a power of two.</summary>
    /// <param name="pages">Frames, 1 to 2^32.</param>
    public Pfn AllocateContiguous(ulong pages) => _runs.Allocate(pages);

    /// <summary>
    /// Gives back what one of the Allocate calls returned. Frames that are pinned keep their contents and are free for
    /// reuse when the last pin is gone.
    /// </summary>
    /// <param name="first">The first frame, as it was returned.</param>
    public void Release(Pfn first)
    {
        if (_recorded)
        {
            return;
        }

        if (SmallFrames.Owns(first.Value))
        {
            _small.Release(_small.SlotOf(first));
        }
        else if (HugeFrames.Owns(first.Value))
        {
            uint slot = _huge.SlotOf(first, out uint offset);
            ArgumentOutOfRangeException.ThrowIfNotEqual(offset, 0u, nameof(first));
            _huge.Release(slot);
        }
        else
        {
            _runs.Release(first);
        }
    }

    /// <summary>Adds a pin to a frame that is in use.</summary>
    /// <exception cref="InvalidOperationException">The frame is free.</exception>
    public void Pin(Pfn pfn) => PinRun(new PfnRun(pfn, 1));

    /// <summary>Takes a pin away from a frame.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    public void Unpin(Pfn pfn) => UnpinRun(new PfnRun(pfn, 1));

    /// <summary>Adds a pin to each frame of a run.</summary>
    /// <exception cref="InvalidOperationException">A frame is free.</exception>
    public void PinRun(PfnRun run)
    {
        if (_recorded)
        {
            // A replay has one thread.
            _recordedPins += (long)run.Count;
            return;
        }

        if (!TryPin(run))
        {
            throw new InvalidOperationException($"{run.First} is pinned while it is free");
        }
    }

    /// <summary>Takes a pin away from each frame of a run.</summary>
    /// <exception cref="InvalidOperationException">A frame has none.</exception>
    public void UnpinRun(PfnRun run)
    {
        if (_recorded)
        {
            _recordedPins -= (long)run.Count;
            return;
        }

        ulong pfn = run.First.Value;
        ulong left = run.Count;
        while (left > 0)
        {
            uint count = 1;
            if (SmallFrames.Owns(pfn))
            {
                _small.Unpin(_small.SlotOf(new Pfn(pfn)));
            }
            else if (HugeFrames.Owns(pfn))
            {
                uint slot = _huge.SlotOf(new Pfn(pfn), out uint offset);
                count = (uint)Math.Min(left, HugeFrames.Frames - offset);
                _huge.Unpin(slot, offset, count);
            }
            else
            {
                _runs.Unpin(new Pfn(pfn));
                return;
            }

            pfn += count;
            left -= count;
        }
    }

    /// <summary>
    /// Pins on a frame: exact for every frame of 4 KiB and 2 MiB pages; for device memory the importers of the dma-buf.
    /// </summary>
    public int PinCount(Pfn pfn)
    {
        if (SmallFrames.Owns(pfn.Value))
        {
            return _small.PinCount(_small.SlotOf(pfn));
        }

        if (!HugeFrames.Owns(pfn.Value))
        {
            return _runs.PinCount(pfn);
        }

        uint slot = _huge.SlotOf(pfn, out uint offset);
        return _huge.PinCount(slot, offset);
    }

    /// <summary>Whether a frame has a pin; what a DMA must find.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool IsPinned(Pfn pfn) => SmallFrames.Owns(pfn.Value) ? _small.IsPinned(pfn) : PinCount(pfn) > 0;

    /// <summary>Asks for the cache line that <see cref="IsPinned"/> will read; nothing for what is no 4 KiB frame.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal void FetchPins(Pfn pfn)
    {
        if (SmallFrames.Owns(pfn.Value))
        {
            _small.FetchPins(pfn);
        }
    }

    /// <summary>
    /// Devices may reach a frame that nobody pins, through a table that they share with a CPU, until it is taken back. Counted.
    /// </summary>
    public void Lend(Pfn pfn) => _lent.AddOrUpdate(pfn.Value, 1, static (_, count) => count + 1);

    /// <summary>Devices have forgotten a frame that was lent.</summary>
    public void TakeBack(Pfn pfn)
    {
        int left = _lent.AddOrUpdate(pfn.Value, -1, static (_, count) => count - 1);
        Invariant.Holds(left >= 0, "a frame is taken back as often as it was lent");
        _lent.TryRemove(new KeyValuePair<ulong, int>(pfn.Value, 0));
    }

    /// <summary>Whether a frame is lent to devices.</summary>
    public bool IsLent(Pfn pfn) => !_lent.IsEmpty && _lent.ContainsKey(pfn.Value);

    /// <summary>Frames that are lent to devices. For leak checks.</summary>
    public int LentFrames => _lent.Count;

    /// <summary>Whether a frame is part of a 2 MiB page.</summary>
    public static bool IsCompound(Pfn pfn) => HugeFrames.Owns(pfn.Value);

    /// <summary>Reads bytes, from a frame and those that follow it physically; what was never written is zero.</summary>
    /// <param name="pfn">The frame of the first byte.</param>
    /// <param name="offset">Offset of the first byte in the frame, below 4096.</param>
    /// <param name="destination">Where the bytes go.</param>
    public void Read(Pfn pfn, int offset, Span<byte> destination)
    {
        while (destination.Length > 0)
        {
            int count = Math.Min(destination.Length, (int)HostPage.Size - offset);
            byte[]? page = DataOrNull(pfn);
            if (page is null)
            {
                destination[..count].Clear();
            }
            else
            {
                page.AsSpan(offset, count).CopyTo(destination);
            }

            destination = destination[count..];
            pfn = new Pfn(pfn.Value + 1);
            offset = 0;
        }
    }

    /// <summary>Writes bytes to a frame and those that follow it physically.</summary>
    /// <param name="pfn">The frame of the first byte.</param>
    /// <param name="offset">Offset of the first byte in the frame, below 4096.</param>
    /// <param name="source">The bytes.</param>
    public void Write(Pfn pfn, int offset, ReadOnlySpan<byte> source)
    {
        while (source.Length > 0)
        {
            int count = Math.Min(source.Length, (int)HostPage.Size - offset);
            ref byte[]? frame = ref Data(pfn);
            if (count < (int)HostPage.Size || !FrameBytes.TryFill(ref frame, source[..count]))
            {
                source[..count].CopyTo(FrameBytes.Own(ref frame).AsSpan(offset));
            }

            source = source[count..];
            pfn = new Pfn(pfn.Value + 1);
            offset = 0;
        }
    }

    /// <summary>Reads eight bytes, little endian, in one piece: never half of a concurrent <see cref="TryReplaceWord"/>.</summary>
    /// <param name="pfn">The frame.</param>
    /// <param name="offset">A multiple of 8 below 4096.</param>
    public ulong ReadWord(Pfn pfn, int offset)
    {
        byte[]? page = DataOrNull(pfn);
        return page is null ? 0 : Volatile.Read(ref WordAt(page, offset));
    }

    /// <summary>Replaces eight bytes by compare-and-swap; false when they are not what was expected.</summary>
    /// <param name="pfn">The frame.</param>
    /// <param name="offset">A multiple of 8 below 4096.</param>
    /// <param name="expected">What they must be.</param>
    /// <param name="word">What they become.</param>
    public bool TryReplaceWord(Pfn pfn, int offset, ulong expected, ulong word) =>
        Interlocked.CompareExchange(ref WordAt(FrameBytes.Own(ref Data(pfn)), offset), word, expected) == expected;

    // The bytes of an array begin at a multiple of eight.
    private static ref ulong WordAt(byte[] page, int offset) =>
        ref Unsafe.As<byte, ulong>(ref page.AsSpan(offset & ~7, sizeof(ulong))[0]);

    private bool TryPin(PfnRun run)
    {
        ulong pfn = run.First.Value;
        ulong left = run.Count;
        while (left > 0)
        {
            uint count = 1;
            bool pinned = true;
            if (SmallFrames.Owns(pfn))
            {
                pinned = _small.TryPin(_small.SlotOf(new Pfn(pfn)));
            }
            else if (HugeFrames.Owns(pfn))
            {
                uint slot = _huge.SlotOf(new Pfn(pfn), out uint offset);
                count = (uint)Math.Min(left, HugeFrames.Frames - offset);
                pinned = _huge.TryPin(slot, offset, count);
            }
            else
            {
                _runs.Pin(new Pfn(pfn));
                return true;
            }

            if (!pinned)
            {
                UnpinRun(new PfnRun(run.First, run.Count - left));
                return false;
            }

            pfn += count;
            left -= count;
        }

        return true;
    }

    private byte[]? DataOrNull(Pfn pfn) =>
        SmallFrames.Owns(pfn.Value) ? _small.DataOrNull(_small.SlotOf(pfn)) : Volatile.Read(ref Data(pfn));

    private ref byte[]? Data(Pfn pfn)
    {
        if (SmallFrames.Owns(pfn.Value))
        {
            return ref _small.Data(_small.SlotOf(pfn));
        }

        if (!HugeFrames.Owns(pfn.Value))
        {
            return ref _runs.Data(pfn);
        }

        uint slot = _huge.SlotOf(pfn, out uint offset);
        return ref _huge.Data(slot, offset);
    }
}
