using System.Numerics;
using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// Device memory behind dma-bufs: one run of frames each, aligned to its size rounded up to a power of two, with at least
/// one unused frame after it. Pins count whole runs: an importer holds the buffer, not its pages.
/// </summary>
internal sealed class ContiguousRuns
{
    /// <summary>Where the region starts.</summary>
    public const ulong FirstPfn = 0x8000_0000;

    private const ulong Limit = 1UL << 36;

    /// <summary>Guards everything; look-ups read <see cref="_live"/> without it.</summary>
    private readonly Lock _allocation = new();
    private readonly SortedDictionary<int, Stack<ulong>> _free = [];

    /// <summary>Sorted by first frame, replaced as a whole.</summary>
    private volatile ContiguousRun[] _live = [];
    private ulong _next = FirstPfn;

    /// <summary>Allocates a run.</summary>
    public Pfn Allocate(ulong pages)
    {
        ArgumentOutOfRangeException.ThrowIfZero(pages);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(pages, 1UL << 32);
        int order = pages == 1 ? 0 : 64 - BitOperations.LeadingZeroCount(pages - 1);
        lock (_allocation)
        {
            ulong first = TakePlace(order);
            ContiguousRun[] live = _live;
            int at = ~Find(live, first);
            var grown = new ContiguousRun[live.Length + 1];
            Array.Copy(live, grown, at);
            grown[at] = new ContiguousRun(first, pages, order);
            Array.Copy(live, at, grown, at + 1, live.Length - at);
            _live = grown;
            return new Pfn(first);
        }
    }

    /// <summary>The owner lets go of a run; it is free once it is not pinned either.</summary>
    public void Release(Pfn first)
    {
        ContiguousRun run = Containing(first);
        if (run.First != first.Value || (Volatile.Read(ref run.State) & 1) == 0)
        {
            throw new InvalidOperationException($"{first} is not the start of an owned run");
        }

        if (Interlocked.Add(ref run.State, -1) == 0)
        {
            Free(run);
        }
    }

    /// <summary>Pins the run that holds a frame.</summary>
    public void Pin(Pfn pfn) => Interlocked.Add(ref Containing(pfn).State, 2);

    /// <summary>Takes one pin away from the run that holds a frame.</summary>
    public void Unpin(Pfn pfn)
    {
        ContiguousRun run = Containing(pfn);
        int left = Interlocked.Add(ref run.State, -2);
        if (left < 0)
        {
            throw new InvalidOperationException($"the run at {pfn} is unpinned more often than pinned");
        }

        if (left == 0)
        {
            Free(run);
        }
    }

    /// <summary>Pins on the run that holds a frame; 0 where there is none.</summary>
    public int PinCount(Pfn pfn)
    {
        ContiguousRun[] live = _live;
        int at = Holder(live, pfn.Value);
        return at < 0 ? 0 : Volatile.Read(ref live[at].State) >> 1;
    }

    /// <summary>Runs that are owned or pinned.</summary>
    public long InUse() => _live.Length;

    /// <summary>Where the bytes of a frame are kept; null stands for zeros.</summary>
    public ref byte[]? Data(Pfn pfn)
    {
        ContiguousRun run = Containing(pfn);
        return ref run.Data[pfn.Value - run.First];
    }

    private ulong TakePlace(int order)
    {
        if (_free.TryGetValue(order, out Stack<ulong>? places) && places.TryPop(out ulong place))
        {
            return place;
        }

        ulong size = 1UL << order;
        ulong first = (_next + size - 1) & ~(size - 1);
        if (first + size >= Limit)
        {
            throw new InvalidOperationException("the simulated machine has no room left for another dma-buf");
        }

        _next = first + size + 1;
        return first;
    }

    private void Free(ContiguousRun run)
    {
        lock (_allocation)
        {
            _live = Array.FindAll(_live, other => !ReferenceEquals(other, run));
            if (!_free.TryGetValue(run.Order, out Stack<ulong>? places))
            {
                _free.Add(run.Order, places = new Stack<ulong>());
            }

            places.Push(run.First);
        }
    }

    private ContiguousRun Containing(Pfn pfn)
    {
        ContiguousRun[] live = _live;
        int at = Holder(live, pfn.Value);
        return at >= 0
            ? live[at]
            : throw new ArgumentOutOfRangeException(nameof(pfn), pfn, "not a frame of this machine");
    }

    private static int Holder(ContiguousRun[] live, ulong pfn)
    {
        int at = Find(live, pfn);
        at = at >= 0 ? at : ~at - 1;
        return at >= 0 && pfn - live[at].First < live[at].Pages ? at : -1;
    }

    private static int Find(ContiguousRun[] live, ulong first)
    {
        int low = 0;
        int high = live.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            ulong found = live[middle].First;
            if (found == first)
            {
                return middle;
            }

            if (found < first)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return ~low;
    }

    private sealed class ContiguousRun(ulong first, ulong pages, int order)
    {
        public readonly ulong First = first;
        public readonly ulong Pages = pages;
        public readonly int Order = order;

        /// <summary>Bit 0: an owner holds it; above: pins.</summary>
        public int State = 1;

        private byte[]?[]? _data;

        public byte[]?[] Data
        {
            get
            {
                byte[]?[]? data = Volatile.Read(ref _data);
                if (data is not null)
                {
                    return data;
                }

                var made = new byte[]?[Pages];
                return Interlocked.CompareExchange(ref _data, made, null) ?? made;
            }
        }
    }
}
