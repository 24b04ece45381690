using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Iommufd.Core.PageTables;

/// <summary>
/// Which level-1 tables a tree has, by IOVA: what a paging-structure cache is to hardware. A walk that finds its table here loads
/// three words, not one for each level. Written by writers only, when they meet an empty slot or take a table off; a reader never
/// waits for it.
/// </summary>
/// <remarks>
/// A slot is one word, so that a reader never sees the address of one table with the tag of another: the table's address shifted left
/// by 16 (user addresses have 48 bits at most, and tables no low 12), and below it the tag, the IOVA's bits from
/// <see cref="TagShift"/>. An empty slot has the tag 0 and the address of a table in which nothing is mapped, so no walk asks whether it is
/// empty.
/// </remarks>
[InlineArray(Slots)]
internal unsafe struct MiddleTableCache
{
    /// <summary>log2 of the bytes under a level-1 table of the formats that are cached.</summary>
    internal const int SlotShift = 30;

    private const int Slots = 64;
    private const int TagShift = SlotShift + 6;
    private const int AddressShift = 16;
    private const ulong TagMask = (1UL << (64 - TagShift)) - 1;

    private static readonly ulong* s_emptyTable = NewEmptyTable();

    private ulong _first;

    /// <summary>Empties all slots.</summary>
    internal void Clear() => MemoryMarshal.CreateSpan(ref _first, Slots).Fill(Empty);

    /// <summary>
    /// The slot of an IOVA with its tag taken off; acquire, so that a table found through it was complete before.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong Find(ulong iova) => Volatile.Read(ref SlotOf(iova)) ^ (iova >> TagShift);

    /// <summary>Whether what was found is the table for the IOVA: the real one, or an empty one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool Fits(ulong found) => (found & TagMask) == 0;

    /// <summary>The address of a table that fits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong* TableOf(ulong found) => (ulong*)(found >> AddressShift);

    /// <summary>Whether what was found is not a table of the tree.</summary>
    internal static bool IsEmpty(ulong found) => found == Empty;

    /// <summary>Remembers the table of an IOVA if its slot is empty: first come, first kept, so two regions never take turns.</summary>
    internal void Remember(ulong iova, ulong* table)
    {
        if (SlotOf(iova) == Empty && (ulong)table >> (64 - AddressShift) == 0)
        {
            Volatile.Write(ref SlotOf(iova), ((ulong)table << AddressShift) | (iova >> TagShift));
        }
    }

    /// <summary>Forgets a table.</summary>
    internal void Forget(ulong* table)
    {
        foreach (ref ulong slot in MemoryMarshal.CreateSpan(ref _first, Slots))
        {
            if ((Volatile.Read(ref slot) & ~TagMask) == (ulong)table << AddressShift)
            {
                Volatile.Write(ref slot, Empty);
            }
        }
    }

    private static ulong Empty => (ulong)s_emptyTable << AddressShift;

    [UnscopedRef]
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ref ulong SlotOf(ulong iova) =>
        // Folded, because people put their ranges at powers of two.
        ref Unsafe.Add(ref _first, (nuint)(((iova >> SlotShift) ^ (iova >> TagShift)) & (Slots - 1)));

    private static ulong* NewEmptyTable()
    {
        var table = (ulong*)NativeMemory.AlignedAlloc(TableArena.PageBytes, TableArena.PageBytes);
        NativeMemory.Clear(table, TableArena.PageBytes);
        return table;
    }
}
