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
/// A slot is one word, so that a reader never sees the address of one table with the tag of another: the IOVA's bits from
/// <see cref="TagShift"/> in their place, below them the table's address shifted right by 12 (user addresses have 48 bits at
/// most). An empty slot has the tag 0 and the address of a table in which nothing is mapped, so no walk asks whether it is empty.
/// </remarks>
[InlineArray(Slots)]
internal unsafe struct MiddleTableCache
{
    /// <summary>log2 of the bytes under a level-1 table of the formats that are cached.</summary>
    internal const int SlotShift = 30;

    private const int Slots = 64;
    private const int TagShift = SlotShift + 6;
    private const int AddressBits = 48;

    private static readonly ulong* s_emptyTable = NewEmptyTable();

    private ulong _first;

    /// <summary>Empties all slots.</summary>
    internal void Clear() => MemoryMarshal.CreateSpan(ref _first, Slots).Fill(Empty);

    /// <summary>Whether <see cref="TableOf"/> a slot is the table for an IOVA: the real one, or an empty one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool Fits(ulong slot, ulong iova) => slot >> TagShift == iova >> TagShift;

    /// <summary>The table's address in a slot.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong* TableOf(ulong slot) => (ulong*)(slot << (64 - TagShift) >> (64 - AddressBits));

    /// <summary>Whether a slot holds no table of the tree.</summary>
    internal static bool IsEmpty(ulong slot) => slot == Empty;

    /// <summary>The slot of an IOVA; acquire, so that a table found through it was complete before.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong Find(ulong iova) => Volatile.Read(ref SlotOf(iova));

    /// <summary>Remembers the table of an IOVA if its slot is empty: first come, first kept, so two regions never take turns.</summary>
    internal void Remember(ulong iova, ulong* table)
    {
        if (SlotOf(iova) == Empty && (ulong)table >> AddressBits == 0)
        {
            Volatile.Write(ref SlotOf(iova), (iova >> TagShift << TagShift) | ((ulong)table >> 12));
        }
    }

    /// <summary>Forgets a table.</summary>
    internal void Forget(ulong* table)
    {
        foreach (ref ulong slot in MemoryMarshal.CreateSpan(ref _first, Slots))
        {
            if (TableOf(Volatile.Read(ref slot)) == table)
            {
                Volatile.Write(ref slot, Empty);
            }
        }
    }

    private static ulong Empty => (ulong)s_emptyTable >> 12;

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
