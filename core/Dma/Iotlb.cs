using System.Numerics;
using System.Runtime.CompilerServices;
using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

/// <summary>The size of an IOTLB.</summary>
/// <param name="Sets">Sets, a power of two, at most 32,768.</param>
/// <param name="Ways">Entries in a set.</param>
public readonly record struct IotlbGeometry(int Sets, int Ways)
{
    /// <summary>64 sets of 4.</summary>
    public static IotlbGeometry Default => new(64, 4);
}

/// <summary>What a look-up in the IOTLB gave.</summary>
internal enum IotlbResult
{
    Miss,
    Hit,
    Stale,
}

/// <summary>
/// A device's cache of translations: set-associative, tagged with PASID and page size, replaced round robin. An entry lives until
/// it is replaced or invalidated; nothing updates it when the page table changes, as in hardware.
/// </summary>
/// <remarks>
/// One device uses it, in batches, each inside <see cref="Gate"/>. <see cref="Invalidate"/> may come from any thread and takes
/// the same gate: when it returns, every batch that could have used the old entries has ended. That is the completion that an
/// unmap waits for before it unpins.
/// </remarks>
public class Iotlb
{
    private const int LogLength = 64;
    private const int FirstLogLength = 4;
    private const int MaxSets = 1 << 15;

    private readonly IotlbGeometry _geometry;

    // Sets come one by one, with their first fill: of a large fleet most devices never do DMA, and the others touch few sets.
    private Entry[] _entries = [];

    /// <summary>Where a set's entries begin in <see cref="_entries"/>, counted in sets from 1; 0 for a set that was never filled.</summary>
    private ushort[] _places = [];
    private int _filledSets;

    /// <summary>The last completed invalidations; number n stands at n % length, and the length is a power of two.</summary>
    private Invalidation[] _log = [];

    /// <summary>Entries of the log that hold something.</summary>
    private int _noted;

    private ulong _invalidations;

    /// <summary>Page sizes that were ever filled, as a bitmap; look-ups try each.</summary>
    private ulong _sizes;

    private uint _victim;

    /// <summary>Makes an empty IOTLB.</summary>
    public Iotlb(IotlbGeometry geometry)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(geometry.Sets);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(geometry.Ways);
        if (!BitOperations.IsPow2(geometry.Sets))
        {
            throw new ArgumentException($"{geometry.Sets} sets: must be a power of two", nameof(geometry));
        }

        ArgumentOutOfRangeException.ThrowIfGreaterThan(geometry.Sets, MaxSets);

        _geometry = geometry;
    }

    /// <summary>Invalidations completed so far.</summary>
    public ulong Invalidations => Volatile.Read(ref _invalidations);

    /// <summary>Valid entries.</summary>
    public int Count
    {
        get
        {
            lock (Gate)
            {
                return _entries.Count(entry => entry.PageSizeShift != 0);
            }
        }
    }

    /// <summary>Held by the device during a batch and by an invalidation.</summary>
    internal Lock Gate { get; } = new();

    /// <summary>
    /// Removes every entry of a range and waits until no DMA that used them is under way. Any thread; must not be called from
    /// inside a batch of the same device.
    /// </summary>
    /// <param name="range">IOVAs; entries that overlap it go whole.</param>
    /// <param name="pasid">The address space; null for all.</param>
    /// <returns>The number of this invalidation, counted from 1.</returns>
    public ulong Invalidate(IovaRange range, uint? pasid = null)
    {
        lock (Gate)
        {
            Remove(range, pasid);
            ulong number = _invalidations + 1;
            if (_filledSets > 0)
            {
                Note(number, new Invalidation(range.First, range.Last, pasid));
            }

            Volatile.Write(ref _invalidations, number);
            return number;
        }
    }

    /// <summary>Looks an address up. Inside <see cref="Gate"/> only.</summary>
    internal IotlbResult TryFind(uint pasid, ulong iova, out int index)
    {
        ulong sizes = _sizes;
        int ways = _geometry.Ways;
        while (sizes != 0)
        {
            int shift = BitOperations.TrailingZeroCount(sizes);
            sizes &= sizes - 1;
            ulong tag = iova >> shift;
            int first = (_places[(int)tag & (_geometry.Sets - 1)] - 1) * ways;
            if (first < 0)
            {
                continue;
            }

            for (index = first; index < first + ways; index++)
            {
                ref Entry entry = ref _entries[index];
                if (entry.Tag == tag && entry.PageSizeShift == shift && entry.Pasid == pasid)
                {
                    return entry.CheckedAt == _invalidations || !IsStale(ref entry)
                        ? IotlbResult.Hit
                        : IotlbResult.Stale;
                }
            }
        }

        index = -1;
        return IotlbResult.Miss;
    }

    /// <summary>The entry that a look-up found or a fill made.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref Entry At(int index) => ref _entries[index];

    /// <summary>Caches a translation. Inside <see cref="Gate"/> only.</summary>
    internal int Fill(uint pasid, ulong iova, in IopteTranslation translation)
    {
        int ways = _geometry.Ways;
        int shift = translation.PageShift;
        ulong tag = iova >> shift;
        int first = PlaceOf((int)tag & (_geometry.Sets - 1));
        int index = first + (int)(_victim++ % (uint)ways);
        for (int way = first; way < first + ways; way++)
        {
            ref Entry other = ref _entries[way];
            if (other.PageSizeShift == 0 || (other.Tag == tag && other.PageSizeShift == shift && other.Pasid == pasid))
            {
                index = way;
                break;
            }
        }

        _sizes |= 1UL << shift;
        _entries[index] = new Entry
        {
            Tag = tag,
            PagePhysical = translation.PagePhysical,
            CheckedAt = _invalidations,
            Pasid = pasid,
            PageSizeShift = (byte)shift,
            Permissions = translation.Permissions,
            Dirty = translation.Dirty,
        };
        return index;
    }

    /// <summary>The first entry of a set, which gets its entries now if it had none.</summary>
    private int PlaceOf(int set)
    {
        if (_places.Length == 0)
        {
            _places = new ushort[_geometry.Sets];
        }

        ref ushort place = ref _places[set];
        if (place == 0)
        {
            int capacity = _entries.Length / _geometry.Ways;
            if (_filledSets == capacity)
            {
                Array.Resize(ref _entries, Math.Clamp(capacity * 2, 1, _geometry.Sets) * _geometry.Ways);
            }

            place = (ushort)++_filledSets;
        }

        return (place - 1) * _geometry.Ways;
    }

    /// <summary>Keeps an invalidation for <see cref="IsStale"/>. Only entries that are there can look at it.</summary>
    private void Note(ulong number, Invalidation done)
    {
        int length = _log.Length;
        if (length < LogLength && _noted == length)
        {
            var log = new Invalidation[Math.Max(FirstLogLength, length * 2)];
            for (ulong older = number - (ulong)length; older < number; older++)
            {
                log[older % (ulong)log.Length] = _log[older % (ulong)length];
            }

            _log = log;
        }

        _log[number % (ulong)_log.Length] = done;
        _noted = Math.Min(_noted + 1, _log.Length);
    }

    /// <summary>
    /// Whether an invalidation that completed after the entry was filled covers it: then it should be gone. Each entry looks at each
    /// invalidation once; the log is long enough unless the entry slept for 64 of them, and then the rest is not checked.
    /// </summary>
    private bool IsStale(ref Entry entry)
    {
        ulong first = entry.Tag << entry.PageSizeShift;
        ulong last = first | ((1UL << entry.PageSizeShift) - 1);
        ulong oldest = _invalidations < LogLength ? 0 : _invalidations - LogLength;
        for (ulong number = Math.Max(entry.CheckedAt, oldest) + 1; number <= _invalidations; number++)
        {
            ref Invalidation done = ref _log[number % (ulong)_log.Length];
            if (done.First <= last && first <= done.Last && (done.Pasid is null || done.Pasid == entry.Pasid))
            {
                return true;
            }
        }

        entry.CheckedAt = _invalidations;
        return false;
    }

    /// <summary>Removes the entries that overlap a range. Called by <see cref="Invalidate"/>, inside <see cref="Gate"/>.</summary>
    protected virtual void Remove(IovaRange range, uint? pasid)
    {
        foreach (ref Entry entry in _entries.AsSpan())
        {
            ulong first = entry.Tag << entry.PageSizeShift;
            ulong last = first | ((1UL << entry.PageSizeShift) - 1);
            if (
                entry.PageSizeShift != 0
                && first <= range.Last
                && range.First <= last
                && (pasid is null || pasid == entry.Pasid)
            )
            {
                entry = default;
            }
        }
    }

    /// <summary>A cached translation; a page size shift of 0 marks an empty place.</summary>
    internal struct Entry
    {
        internal ulong Tag;
        internal ulong PagePhysical;

        /// <summary>The invalidations that were completed when the entry was filled or last checked.</summary>
        internal ulong CheckedAt;

        internal uint Pasid;
        internal byte PageSizeShift;
        internal bool Dirty;
        internal IoptePermissions Permissions;
    }

    private readonly record struct Invalidation(ulong First, ulong Last, uint? Pasid);
}
