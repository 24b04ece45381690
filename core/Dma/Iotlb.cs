using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Iommufd.Core.PageTables;
using Iommufd.Messages;

namespace Iommufd.Core.Dma;

/// <summary>The size of an IOTLB.</summary>
/// <param name="Sets">Sets, a power of two.</param>
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

    // So many sets get their entries one by one; who needs more, or looks more often, gets all. Most devices of a large fleet do not.
    private const int FewSets = 8;
    private const int FewLookups = 1024;

    // In _sizes, where no page size stands: look-ups of the short way leave a small IOTLB to the long one without a question more.
    private const ulong SmallMark = 1UL << 63;

    // No page is of one byte.
    private const ulong EmptyKey = 0;

    private readonly IotlbGeometry _geometry;

    // These come with the first fill: most devices of a large fleet never do DMA, and an empty IOTLB has nothing to be stale. The keys of a
    // set stand side by side, so that four ways are compared at once. As long as it is small, sets stand in the order of their first fill.
    private ulong[] _keys = [];
    private Entry[] _entries = [];

    /// <summary>The sets that have entries while it is small, by place.</summary>
    private int[] _few = [];
    private int _fewCount;
    private int _lookupsLeft = FewLookups;

    /// <summary>The last completed invalidations; number n stands at n % length, and the length is a power of two.</summary>
    private Invalidation[] _log = [];

    /// <summary>Entries of the log that hold something.</summary>
    private int _noted;

    private ulong _invalidations;

    /// <summary>Page sizes that were ever filled, as a bitmap; look-ups try each.</summary>
    private ulong _sizes;

    private int _victim;

    /// <summary>Makes an empty IOTLB.</summary>
    public Iotlb(IotlbGeometry geometry)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(geometry.Sets);
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(geometry.Ways);
        if (!BitOperations.IsPow2(geometry.Sets))
        {
            throw new ArgumentException($"{geometry.Sets} sets: must be a power of two", nameof(geometry));
        }

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
                return _keys.Count(key => key != EmptyKey);
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
            if (_keys.Length > 0)
            {
                Note(number, new Invalidation(range.First, range.Last, pasid));
            }

            Volatile.Write(ref _invalidations, number);
            return number;
        }
    }

    /// <summary>Looks an address up. Inside <see cref="Gate"/> only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal IotlbResult TryFind(uint pasid, ulong iova, out int index)
    {
        if ((_sizes & SmallMark) != 0 && --_lookupsLeft == 0)
        {
            Spread();
        }

        for (ulong sizes = _sizes & ~SmallMark; sizes != 0; sizes &= sizes - 1)
        {
            int shift = BitOperations.TrailingZeroCount(sizes);
            int first = FirstOf(iova, shift);
            index = first < 0 ? -1 : FindInSet(first, KeyOf(iova, shift), pasid);
            if (index >= 0)
            {
                ref Entry entry = ref _entries[index];
                return entry.CheckedAt == _invalidations || !IsStale(index) ? IotlbResult.Hit : IotlbResult.Stale;
            }
        }

        index = -1;
        return IotlbResult.Miss;
    }

    /// <summary>
    /// The short way of <see cref="TryFind"/>, for an IOTLB that has all its sets and had pages of one size only: an entry that allows the
    /// access and that no invalidation came after. Inside <see cref="Gate"/> only.
    /// </summary>
    /// <param name="pasid">The address space.</param>
    /// <param name="iova">The address.</param>
    /// <param name="access">What the device wants to do.</param>
    /// <param name="writesMark">Whether a write needs an entry that is dirty.</param>
    /// <param name="physical">The physical address, of a hit.</param>
    /// <returns>A hit; a miss; or stale for an entry that has to be looked at more closely, and for pages of several sizes.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal IotlbResult TryHit(uint pasid, ulong iova, IoptePermissions access, bool writesMark, out ulong physical)
    {
        physical = 0;
        if (!BitOperations.IsPow2(_sizes))
        {
            return IotlbResult.Stale;
        }

        int shift = BitOperations.TrailingZeroCount(_sizes);
        int index = FindInSet(SetOf(iova, shift) * _geometry.Ways, KeyOf(iova, shift), pasid);
        if (index < 0)
        {
            return IotlbResult.Miss;
        }

        ref Entry entry = ref _entries[index];
        physical = entry.PagePhysical | (iova & ((1UL << shift) - 1));
        return
            (entry.Permissions & access) == access
            && entry.CheckedAt == _invalidations
            && (!writesMark || entry.Dirty || access == IoptePermissions.Read)
            ? IotlbResult.Hit
            : IotlbResult.Stale;
    }

    /// <summary>The entry that a look-up found or a fill made.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ref Entry At(int index) => ref _entries[index];

    /// <summary>The bits of the offset in the page that a look-up found.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong OffsetMaskAt(int index) => (1UL << ShiftOf(_keys[index])) - 1;

    /// <summary>Caches a translation. Inside <see cref="Gate"/> only.</summary>
    internal int Fill(uint pasid, ulong iova, in IopteTranslation translation)
    {
        int shift = translation.PageShift;
        ulong key = KeyOf(iova, shift);
        int first = FirstOf(iova, shift);
        if (first < 0)
        {
            first = AddSet(SetOf(iova, shift)) * _geometry.Ways;
        }

        int victim = NextVictim();
        int index = PlaceInSet(first, key, pasid);
        if (index < 0)
        {
            index = first + victim;
        }

        _sizes |= 1UL << shift;
        _keys[index] = key;
        ref Entry entry = ref _entries[index];
        entry.PagePhysical = translation.PagePhysical;
        entry.CheckedAt = _invalidations;
        entry.Pasid = pasid;
        entry.Permissions = translation.Permissions;
        entry.Dirty = translation.Dirty;
        return index;
    }

    // The first byte of the page and, in the bits of the offset, its size: the smallest page has 2^11 bytes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong KeyOf(ulong iova, int shift) => (iova >> shift << shift) | (uint)shift;

    private static IovaRange RangeOf(ulong key)
    {
        ulong mask = (1UL << ShiftOf(key)) - 1;
        return new IovaRange(key & ~mask, key | mask);
    }

    private static int ShiftOf(ulong key) => (int)(key & 63);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int SetOf(ulong iova, int shift) => (int)(iova >> shift) & (_geometry.Sets - 1);

    /// <summary>The first entry of an address's set; negative for a set without entries.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int FirstOf(ulong iova, int shift)
    {
        int set = SetOf(iova, shift);
        return (_sizes & ~SmallMark) == _sizes && _keys.Length > 0
            ? set * _geometry.Ways
            : Array.IndexOf(_few, set, 0, _fewCount) * _geometry.Ways;
    }

    /// <summary>Gives a set its entries: the next place while it is small, and the place of its number once it is not.</summary>
    /// <returns>The place, counted in sets.</returns>
    private int AddSet(int set)
    {
        if (_fewCount == FewSets)
        {
            Spread();
            return set;
        }

        if (_fewCount == _few.Length)
        {
            int capacity = Math.Min(Math.Max(1, _fewCount * 2), FewSets);
            Array.Resize(ref _few, capacity);
            Array.Resize(ref _keys, capacity * _geometry.Ways);
            Array.Resize(ref _entries, _keys.Length);
        }

        _sizes |= SmallMark;
        _few[_fewCount] = set;
        return _fewCount++;
    }

    /// <summary>All sets get their entries.</summary>
    private void Spread()
    {
        int ways = _geometry.Ways;
        ulong[] keys = new ulong[_geometry.Sets * ways];
        var entries = new Entry[keys.Length];
        for (int place = 0; place < _fewCount; place++)
        {
            Array.Copy(_keys, place * ways, keys, _few[place] * ways, ways);
            Array.Copy(_entries, place * ways, entries, _few[place] * ways, ways);
        }

        (_keys, _entries, _few, _fewCount) = (keys, entries, [], 0);
        _sizes &= ~SmallMark;
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

    /// <summary>The way of a set that has a page of an address space, or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int FindInSet(int first, ulong key, uint pasid)
    {
        if (_geometry.Ways != Vector256<ulong>.Count)
        {
            return FindAmong(first, key, pasid);
        }

        for (uint equal = WaysWith(first, key); equal != 0; equal &= equal - 1)
        {
            int index = first + BitOperations.TrailingZeroCount(equal);
            if (_entries[index].Pasid == pasid)
            {
                return index;
            }
        }

        return -1;
    }

    private int FindAmong(int first, ulong key, uint pasid)
    {
        for (int index = first; index < first + _geometry.Ways; index++)
        {
            if (_keys[index] == key && _entries[index].Pasid == pasid)
            {
                return index;
            }
        }

        return -1;
    }

    /// <summary>The way in which a page is put without replacing another: the first that is empty or has the page; or -1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int PlaceInSet(int first, ulong key, uint pasid)
    {
        if (_geometry.Ways != Vector256<ulong>.Count)
        {
            return PlaceAmong(first, key, pasid);
        }

        return (WaysWith(first, EmptyKey) | WaysWith(first, key)) == 0 ? -1 : PlaceAmong(first, key, pasid);
    }

    private int PlaceAmong(int first, ulong key, uint pasid)
    {
        for (int index = first; index < first + _geometry.Ways; index++)
        {
            if (_keys[index] == EmptyKey || (_keys[index] == key && _entries[index].Pasid == pasid))
            {
                return index;
            }
        }

        return -1;
    }

    /// <summary>Which of four ways have a key, a bit each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private uint WaysWith(int first, ulong key) =>
        Vector256
            .Equals(
                Vector256.LoadUnsafe(ref MemoryMarshal.GetArrayDataReference(_keys), (nuint)first),
                Vector256.Create(key)
            )
            .ExtractMostSignificantBits();

    // Round robin; counting down to the wrap instead of dividing.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int NextVictim()
    {
        int victim = _victim;
        _victim = victim + 1 == _geometry.Ways ? 0 : victim + 1;
        return victim;
    }

    /// <summary>
    /// Whether an invalidation that completed after the entry was filled covers it: then it should be gone. Each entry looks at each
    /// invalidation once; the log is long enough unless the entry slept for 64 of them, and then the rest is not checked.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsStale(int index)
    {
        ref Entry entry = ref _entries[index];
        IovaRange page = RangeOf(_keys[index]);
        ulong oldest = _invalidations < LogLength ? 0 : _invalidations - LogLength;
        for (ulong number = Math.Max(entry.CheckedAt, oldest) + 1; number <= _invalidations; number++)
        {
            ref Invalidation done = ref _log[number % (ulong)_log.Length];
            if (done.First <= page.Last && page.First <= done.Last && (done.Pasid is null || done.Pasid == entry.Pasid))
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
        if (HasFewPages(range))
        {
            RemovePages(range, pasid);
            return;
        }

        for (int index = 0; index < _keys.Length; index++)
        {
            ref ulong key = ref _keys[index];
            if (key != EmptyKey && RangeOf(key).Overlaps(range) && (pasid is null || pasid == _entries[index].Pasid))
            {
                key = EmptyKey;
            }
        }
    }

    /// <summary>Whether looking at the sets of a range's pages is less than looking at every entry.</summary>
    private bool HasFewPages(IovaRange range)
    {
        if (_keys.Length == 0 || (_sizes & SmallMark) != 0)
        {
            return false;
        }

        var most = (ulong)_geometry.Sets / 2;
        ulong pages = 0;
        for (ulong sizes = _sizes; sizes != 0 && pages <= most; sizes &= sizes - 1)
        {
            int shift = BitOperations.TrailingZeroCount(sizes);
            pages += Math.Min(most, (range.Last >> shift) - (range.First >> shift)) + 1;
        }

        return pages <= most;
    }

    private void RemovePages(IovaRange range, uint? pasid)
    {
        for (ulong sizes = _sizes; sizes != 0; sizes &= sizes - 1)
        {
            int shift = BitOperations.TrailingZeroCount(sizes);
            ulong left = (range.Last >> shift) - (range.First >> shift) + 1;
            for (ulong iova = range.First; left > 0; left--, iova += 1UL << shift)
            {
                ulong key = KeyOf(iova, shift);
                int first = SetOf(iova, shift) * _geometry.Ways;
                for (int index = first; index < first + _geometry.Ways; index++)
                {
                    if (_keys[index] == key && (pasid is null || pasid == _entries[index].Pasid))
                    {
                        _keys[index] = EmptyKey;
                    }
                }
            }
        }
    }

    /// <summary>A cached translation; its page is in the key beside it.</summary>
    internal struct Entry
    {
        internal ulong PagePhysical;

        /// <summary>The invalidations that were completed when the entry was filled or last checked.</summary>
        internal ulong CheckedAt;

        internal uint Pasid;
        internal bool Dirty;
        internal IoptePermissions Permissions;
    }

    private readonly record struct Invalidation(ulong First, ulong Last, uint? Pasid);
}
