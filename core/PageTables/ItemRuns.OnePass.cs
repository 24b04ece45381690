using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Iommufd.Core.PageTables;

// Runs checked and written in one pass. Loads and stores of one pass overlap, so it takes the time of the stores alone; two passes take
// the sum (19 and 28 ns for 256 items, see docs/decisions/0004-iopte-core.md).
internal static unsafe partial class ItemRuns
{
    /// <summary>Items that are checked, then written, before the next are looked at.</summary>
    private const int Block = 32;

    /// <summary>
    /// Fills items as <see cref="Fill"/> does. False when one of them is not empty: then all are again as they were.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static bool TryFillEmpty(ulong* items, int count, ulong word, ulong step)
    {
        if (!Vector512.IsHardwareAccelerated)
        {
            return TryFillEmptyNarrow(items, count, word, step);
        }

        ulong* at = items;
        ulong* end = items + count;
        Vector512<ulong> words = Vector512.Create(word) + (Vector512<ulong>.Indices * step);
        Vector512<ulong> advance = Vector512.Create(8 * step);
        while (at <= end - Block)
        {
            Vector512<ulong> low = Vector512.Load(at) | Vector512.Load(at + 8);
            Vector512<ulong> high = Vector512.Load(at + 16) | Vector512.Load(at + 24);
            if ((low | high) != Vector512<ulong>.Zero)
            {
                return TakeBack(items, at);
            }

            words.Store(at);
            words += advance;
            words.Store(at + 8);
            words += advance;
            words.Store(at + 16);
            words += advance;
            words.Store(at + 24);
            words += advance;
            at += Block;
        }

        return at == end || FillLast(items, at, end, words.ToScalar(), step);
    }

    /// <summary>
    /// Empties items from the first to the last, or to the first that is empty; gives back how many.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int ClearFull(ulong* items, int count)
    {
        ulong* at = items;
        ulong* end = items + count;
        if (Vector512.IsHardwareAccelerated)
        {
            while (at <= end - Block)
            {
                // The least of all words is 0 exactly if one of them is.
                Vector512<ulong> low = Vector512.Min(Vector512.Load(at), Vector512.Load(at + 8));
                Vector512<ulong> high = Vector512.Min(Vector512.Load(at + 16), Vector512.Load(at + 24));
                if (Vector512.EqualsAny(Vector512.Min(low, high), Vector512<ulong>.Zero))
                {
                    break;
                }

                Vector512<ulong>.Zero.Store(at);
                Vector512<ulong>.Zero.Store(at + 8);
                Vector512<ulong>.Zero.Store(at + 16);
                Vector512<ulong>.Zero.Store(at + 24);
                at += Block;
            }
        }

        return at == end ? count : (int)(at - items) + ClearFullNarrow(at, (int)(end - at));
    }

    /// <summary>
    /// Empties items from the first to the last, or to the first that is empty or a table pointer; gives back how many. A mask of 0
    /// makes no item a table pointer.
    /// </summary>
    internal static int ClearLeaves(ulong* items, int count, ulong tableMask, ulong tableValue)
    {
        ulong* at = items;
        ulong* end = items + count;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<ulong> masks = Vector512.Create(tableMask);
            // Under a mask of 0 every word is 0: a value of 1 is never met.
            Vector512<ulong> values = Vector512.Create(tableMask == 0 ? 1 : tableValue);
            for (; at <= end - (Block / 2); at += Block / 2)
            {
                Vector512<ulong> a = Vector512.Load(at);
                Vector512<ulong> b = Vector512.Load(at + 8);
                // 0 where a word is empty, or differs in nothing from a pointer.
                Vector512<ulong> empty = Vector512.Min(a, b);
                Vector512<ulong> pointer = Vector512.Min((a & masks) ^ values, (b & masks) ^ values);
                if (Vector512.EqualsAny(Vector512.Min(empty, pointer), Vector512<ulong>.Zero))
                {
                    break;
                }

                Vector512<ulong>.Zero.Store(at);
                Vector512<ulong>.Zero.Store(at + 8);
            }
        }

        int last = LeavesInRow(at, (int)(end - at), tableMask, tableValue);
        Clear(at, last);
        return (int)(at - items) + last;
    }

    private static bool FillLast(ulong* items, ulong* at, ulong* end, ulong word, ulong step) =>
        TryFillEmptyNarrow(at, (int)(end - at), word, step) || TakeBack(items, at);

    private static bool TryFillEmptyNarrow(ulong* items, int count, ulong word, ulong step)
    {
        if (!AllEmpty(items, count))
        {
            return false;
        }

        Fill(items, count, word, step);
        return true;
    }

    private static int ClearFullNarrow(ulong* items, int count)
    {
        int full = LeavesInRow(items, count, 0, 0);
        Clear(items, full);
        return full;
    }

    /// <summary>Empties what was filled; false.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool TakeBack(ulong* from, ulong* to)
    {
        Clear(from, (int)(to - from));
        return false;
    }
}
