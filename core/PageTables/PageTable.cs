using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics.X86;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

// PageTable<TFormat> in parts: this file (the tree), .Map, .Unmap, .Translate, .Dirty, .Resize, .Inspect. The protocol is
// explained in docs/iopte-core.md.

/// <summary>
/// The walker, specialised by the JIT for one format. Use it directly where the format is known at compile time and calls must
/// be as cheap as possible; <see cref="IoPageTable"/> otherwise.
/// </summary>
/// <typeparam name="TFormat">The format.</typeparam>
public sealed unsafe partial class PageTable<TFormat> : IoPageTable
    where TFormat : struct, IIopteFormat
{
    private const int Items = 512;
    private const int LevelMask = 7;

    private readonly ITableAllocationGate? _gate;

    /// <summary>Where the epoch is: read through a field it costs less than as a constant.</summary>
    private readonly ulong* _epoch = TableReclamation.Epoch;

    /// <summary>The top table's address with its level in the low bits: one word, so that both change together.</summary>
    private ulong _top;

    /// <summary>The level-1 tables near at hand.</summary>
    private MiddleTableCache _middle;

    /// <summary>Counts tables taken off the tree; walk caches and cursors compare it.</summary>
    private DetachCounter _detached = new();

    /// <summary>Makes an empty table.</summary>
    /// <param name="gate">Asked before each table allocation after the first; null for none.</param>
    /// <exception cref="OutOfMemoryException">The system has no memory for the top table.</exception>
    public PageTable(ITableAllocationGate? gate = null)
    {
        nint top = TableReclamation.ThreadTables.Current.TakeClean();
        if (top == 0)
        {
            throw new OutOfMemoryException("no memory for the top I/O page table");
        }

        _gate = gate;
        _middle.Clear();
        _top = (ulong)top | (uint)TFormat.StartTopLevel;
    }

    /// <summary>Frees the tables of a page table that was never disposed.</summary>
    ~PageTable() => Dispose(disposing: false);

    /// <inheritdoc/>
    public override IoPageTableFormat Format => TFormat.Format;

    /// <inheritdoc/>
    public override ulong PageSizes => TFormat.PageSizes;

    /// <inheritdoc/>
    public override IovaRange Aperture => TFormat.Aperture;

    /// <inheritdoc/>
    public override IovaRange InputRange => new(0, LastInput);

    /// <inheritdoc/>
    public override bool TracksDirty => TFormat.TracksDirty;

    /// <inheritdoc/>
    public override (ulong Address, int Level) Root
    {
        get
        {
            ulong top = Volatile.Read(ref _top);
            return (top & ~(ulong)LevelMask, (int)(top & LevelMask));
        }
    }

    /// <inheritdoc/>
    public override IovaRange? UpperInputRange =>
        TFormat.SignExtends ? new IovaRange(ulong.MaxValue << TFormat.InputBits, ulong.MaxValue) : null;

    private static ulong LastInput => TFormat.InputBits == 64 ? ulong.MaxValue : (1UL << TFormat.InputBits) - 1;

    /// <summary>Whether a range (inclusive, not wrapping) can be mapped: it lies in the input range, or in one of its halves.</summary>
    private static bool IsInput(ulong first, ulong last)
    {
        if (!TFormat.SignExtends)
        {
            return last <= LastInput;
        }

        // All bits from the sign up are 0, or all are 1; and alike at both ends.
        long half = (long)first >> TFormat.InputBits;
        return half is 0 or -1 && half == (long)last >> TFormat.InputBits;
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        ulong top = Interlocked.Exchange(ref _top, 0);
        if (top != 0)
        {
            _middle.Clear();
            RetireTree((ulong*)(top & ~(ulong)LevelMask), (int)(top & LevelMask));
        }
    }

    /// <summary>log2 of the bytes that an item of a level maps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ItemShift(int level) => TFormat.GranuleShift + (9 * level);

    /// <summary>The item of an IOVA in a table of a level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong* ItemAt(ulong* table, ulong iova, int level) =>
        // One instruction less, on the shortest paths there are.
        Bmi1.X64.IsSupported
            ? table + Bmi1.X64.BitFieldExtract(iova, (byte)ItemShift(level), 9)
            : table + ((iova >> ItemShift(level)) & (Items - 1));

    /// <summary>The index of an IOVA in a table of a level.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int IndexOf(ulong iova, int level) => (int)(iova >> ItemShift(level)) & (Items - 1);

    /// <summary>The level whose items hold pages of 2^shift bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int LevelOf(int shift) => (int)((uint)(shift - TFormat.GranuleShift) / 9);

    /// <summary>Whether a word of a table of a level points to a table; false for the empty word.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool IsTable(ulong word, int level) =>
        level != 0 && (word & TFormat.TableMask) == TFormat.TableValue(level);

    /// <summary>Whether a tree with this top level reaches an address.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Reaches(int topLevel, ulong iova)
    {
        int bits = ItemShift(topLevel + 1);
        return TFormat.SignExtends ? IsInput(iova, iova) : bits >= 64 || iova >> bits == 0;
    }

    /// <summary>The physical address of the first byte of a leaf.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LeafAddress(ulong word, int shift) => FieldAddress(word) & ~((1UL << shift) - 1);

    /// <summary>The address field of a leaf in its place; low bits may be a size code.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong FieldAddress(ulong word)
    {
        ulong field = word & TFormat.AddressMask;
        return TFormat.AddressShift >= 0 ? field >> TFormat.AddressShift : field << -TFormat.AddressShift;
    }

    /// <summary>A difference of addresses as a difference of words.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong AddressStep(ulong bytes) =>
        TFormat.AddressShift >= 0 ? bytes << TFormat.AddressShift : bytes >> -TFormat.AddressShift;

    private static bool IsDirty(ulong word) => TFormat.TracksDirty && (word & TFormat.DirtyMask) == TFormat.DirtyValue;

    private static ulong WithDirty(ulong word) =>
        (word & TFormat.DirtyMask) == TFormat.CleanValue ? word ^ (TFormat.CleanValue ^ TFormat.DirtyValue) : word;

    /// <summary>The word marked clean: as <see cref="IIopteFormat.LeafWord"/> made it.</summary>
    private static ulong WithoutDirty(ulong word) =>
        IsDirty(word) ? word ^ (TFormat.CleanValue ^ TFormat.DirtyValue) : word;

    /// <summary>
    /// The largest size of a set that divides an address and fits a length, as log2; -1 when none does.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int BestShift(ulong sizes, ulong address, ulong length)
    {
        // Bits up to and including the lowest set bit of the address (all bits for address 0).
        ulong aligned = address ^ (address - 1);
        ulong fitting = sizes & aligned & (ulong.MaxValue >> BitOperations.LeadingZeroCount(length));
        return 63 - BitOperations.LeadingZeroCount(fitting);
    }

    private nint NewTable() =>
        _gate is not null && !_gate.MayAllocate() ? 0 : TableReclamation.ThreadTables.Current.TakeClean();

    /// <summary>Retires a table that no item points to any more, with all tables below it.</summary>
    private static void RetireTree(ulong* table, int level)
    {
        if (level > 0)
        {
            for (int i = 0; i < Items; i++)
            {
                ulong word = Volatile.Read(ref table[i]);
                if (word != 0 && IsTable(word, level))
                {
                    RetireTree((ulong*)TFormat.TableAddress(word), level - 1);
                }
            }
        }

        TableReclamation.ThreadTables.Current.Retire((nint)table, clean: false);
    }

    /// <summary>As <see cref="FindTable"/>, by a walk of any depth.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private Errno FindOrMakeTable(ulong iova, int level, out ulong* table)
    {
        ulong top = Volatile.Read(ref _top);
        int at = (int)(top & LevelMask);
        while (at < level || !Reaches(at, iova))
        {
            Errno grown = Grow(top);
            if (grown != Errno.OK)
            {
                table = null;
                return grown;
            }

            top = Volatile.Read(ref _top);
            at = (int)(top & LevelMask);
        }

        table = (ulong*)(top & ~(ulong)LevelMask);
        for (; at > level; at--)
        {
            ref ulong item = ref table[IndexOf(iova, at)];
            ulong word = Volatile.Read(ref item);
            if (word == 0)
            {
                word = LinkNewTable(ref item, at);
                if (word == 0)
                {
                    return Errno.ENOMEM;
                }
            }

            if (!IsTable(word, at))
            {
                return Errno.EADDRINUSE;
            }

            table = (ulong*)TFormat.TableAddress(word);
            if (CachesMiddle && at == 2)
            {
                _middle.Remember(iova, table);
            }
        }

        return Errno.OK;
    }

    /// <summary>Puts a new table into an empty item, or finds the one that another writer put there meanwhile; 0: no memory.</summary>
    private ulong LinkNewTable(ref ulong item, int level)
    {
        if (TFormat.Weakened != OrderingFault.None && LinkWeakened(ref item, level, out ulong weakly))
        {
            return weakly;
        }

        nint page = NewTable();
        if (page == 0)
        {
            return 0;
        }

        // Full fence: the page's zeros are visible before the pointer to it. Without it a walker could read what the page held
        // in its former life. Compare-and-swap: two writers of disjoint ranges may meet in one missing table.
        ulong word = TFormat.TableWord((ulong)page, level);
        ulong found = Interlocked.CompareExchange(ref item, word, 0);
        if (found == 0)
        {
            return word;
        }

        TableReclamation.ThreadTables.Current.GiveBack(page, clean: true);
        return found;
    }

    /// <summary>Puts a table on top of the tree, whose first item points to the old top.</summary>
    private Errno Grow(ulong top)
    {
        int level = (int)(top & LevelMask) + 1;
        if (level > TFormat.MaxTopLevel)
        {
            return Errno.ERANGE;
        }

        nint page = NewTable();
        if (page == 0)
        {
            return Errno.ENOMEM;
        }

        *(ulong*)page = TFormat.TableWord(top & ~(ulong)LevelMask, level);
        // Full fence: the first item is written before anyone finds the page. Walkers that hold the old top go on in the old
        // tree, which stays as it is.
        if (Interlocked.CompareExchange(ref _top, (ulong)page | (uint)level, top) != top)
        {
            *(ulong*)page = 0;
            TableReclamation.ThreadTables.Current.GiveBack(page, clean: true);
        }

        return Errno.OK;
    }

    /// <summary>Finds the item that decides an IOVA: a leaf, or an empty item (word 0). False outside the tree's reach.</summary>
    private bool TryFindItem(ulong iova, out ulong* item, out ulong word, out int level)
    {
        int at = 1;
        ulong* table = CachedMiddleOrNull(iova);
        if (table == null)
        {
            // Acquire: a top read here was complete before it was published.
            ulong top = Volatile.Read(ref _top);
            at = (int)(top & LevelMask);
            table = (ulong*)(top & ~(ulong)LevelMask);
            if (!Reaches(at, iova) || top == 0)
            {
                item = null;
                word = 0;
                level = at;
                return false;
            }
        }

        while (true)
        {
            ulong* place = table + IndexOf(iova, at);
            ulong found = Volatile.Read(ref *place);
            if (!IsTable(found, at))
            {
                item = place;
                word = found;
                level = at;
                return true;
            }

            table = (ulong*)TFormat.TableAddress(found);
            at--;
        }
    }
}
