using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Iommufd.Core.PageTables;

/// <summary>
/// Loops over neighbouring items of one table, by vectors of 512 bits, else of 256 or 128 as the machine has them. An aligned 8-byte
/// lane is written or read whole on every machine that .NET runs on, so a walker sees each item before or after a change, never half.
/// </summary>
internal static unsafe partial class ItemRuns
{
    /// <summary>Writes word, word + step, word + 2 * step, ...</summary>
    internal static void Fill(ulong* items, int count, ulong word, ulong step)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            i = Fill512(items, count, word, step);
        }
        else if (Vector.IsHardwareAccelerated)
        {
            i = FillNarrow(items, count, word, step);
        }

        for (; i < count; i++)
        {
            Volatile.Write(ref items[i], word + ((ulong)i * step));
        }
    }

    /// <summary>Empties items.</summary>
    internal static void Clear(ulong* items, int count) => Fill(items, count, 0, 0);

    /// <summary>Whether all items are empty.</summary>
    internal static bool AllEmpty(ulong* items, int count)
    {
        int i = 0;
        ulong any = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            i = Or512(items, count, out any);
        }
        else if (Vector.IsHardwareAccelerated)
        {
            i = OrNarrow(items, count, out any);
        }

        for (; i < count; i++)
        {
            any |= Volatile.Read(ref items[i]);
        }

        return any == 0;
    }

    /// <summary>
    /// How many items from the first are neither empty nor table pointers; a mask of 0 makes no item a table pointer.
    /// </summary>
    internal static int LeavesInRow(ulong* items, int count, ulong tableMask, ulong tableValue)
    {
        // Under a mask of 0 every word is 0: a value of 1 is never met.
        tableValue = tableMask == 0 ? 1 : tableValue;
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            i = Leaves512(items, count, tableMask, tableValue);
        }
        else if (Vector.IsHardwareAccelerated)
        {
            i = LeavesNarrow(items, count, tableMask, tableValue);
        }

        while (i < count)
        {
            ulong word = Volatile.Read(ref items[i]);
            if (word == 0 || (word & tableMask) == tableValue)
            {
                break;
            }

            i++;
        }

        return i;
    }

    /// <summary>Whether any item has a value under a mask.</summary>
    internal static bool AnyMatches(ulong* items, int count, ulong mask, ulong value)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<ulong> masks = Vector512.Create(mask);
            Vector512<ulong> values = Vector512.Create(value);
            for (; i <= count - 8; i += 8)
            {
                if (Vector512.EqualsAny(Vector512.Load(items + i) & masks, values))
                {
                    return true;
                }
            }
        }
        else if (Vector.IsHardwareAccelerated)
        {
            Vector<ulong> masks = new Vector<ulong>(mask);
            Vector<ulong> values = new Vector<ulong>(value);
            for (; i <= count - Vector<ulong>.Count; i += Vector<ulong>.Count)
            {
                if (Vector.EqualsAny(Vector.Load(items + i) & masks, values))
                {
                    return true;
                }
            }
        }

        for (; i < count; i++)
        {
            if ((Volatile.Read(ref items[i]) & mask) == value)
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>
    /// Copies the address fields of leaves, in place, until an empty item or one with a size code; gives back how many.
    /// </summary>
    internal static int CopyAddresses(
        ulong* items,
        ref ulong physical,
        int count,
        ulong addressMask,
        int addressShift,
        ulong sizeCodeMask
    )
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            Vector512<ulong> fields = Vector512.Create(addressMask);
            Vector512<ulong> codes = Vector512.Create(sizeCodeMask);
            for (; i <= count - 8; i += 8)
            {
                Vector512<ulong> words = Vector512.Load(items + i);
                if (Vector512.EqualsAny(words, Vector512<ulong>.Zero) || (words & codes) != Vector512<ulong>.Zero)
                {
                    break;
                }

                Vector512<ulong> found = words & fields;
                found = addressShift >= 0 ? found >>> addressShift : found << -addressShift;
                found.StoreUnsafe(ref physical, (nuint)i);
            }
        }
        else if (Vector.IsHardwareAccelerated)
        {
            Vector<ulong> fields = new Vector<ulong>(addressMask);
            Vector<ulong> codes = new Vector<ulong>(sizeCodeMask);
            for (; i <= count - Vector<ulong>.Count; i += Vector<ulong>.Count)
            {
                Vector<ulong> words = Vector.Load(items + i);
                if (Vector.EqualsAny(words, Vector<ulong>.Zero) || (words & codes) != Vector<ulong>.Zero)
                {
                    break;
                }

                Vector<ulong> found = words & fields;
                found = addressShift >= 0 ? found >>> addressShift : found << -addressShift;
                found.StoreUnsafe(ref physical, (nuint)i);
            }
        }

        for (; i < count; i++)
        {
            ulong word = Volatile.Read(ref items[i]);
            if (word == 0 || (word & sizeCodeMask) != 0)
            {
                break;
            }

            ulong field = word & addressMask;
            Unsafe.Add(ref physical, i) = addressShift >= 0 ? field >> addressShift : field << -addressShift;
        }

        return i;
    }

    internal static int Fill512(ulong* items, int count, ulong word, ulong step)
    {
        int i = 0;
        Vector512<ulong> words = Vector512.Create(word) + (Vector512<ulong>.Indices * step);
        Vector512<ulong> advance = Vector512.Create(8 * step);
        for (; i <= count - 8; i += 8)
        {
            words.Store(items + i);
            words += advance;
        }

        return i;
    }

    internal static int Or512(ulong* items, int count, out ulong any)
    {
        int i = 0;
        Vector512<ulong> or = Vector512<ulong>.Zero;
        Vector512<ulong> or2 = Vector512<ulong>.Zero;
        for (; i <= count - 32; i += 32)
        {
            or |= Vector512.Load(items + i) | Vector512.Load(items + i + 8);
            or2 |= Vector512.Load(items + i + 16) | Vector512.Load(items + i + 24);
        }

        or |= or2;
        for (; i <= count - 8; i += 8)
        {
            or |= Vector512.Load(items + i);
        }

        any = or == Vector512<ulong>.Zero ? 0UL : 1UL;
        return i;
    }

    internal static int Leaves512(ulong* items, int count, ulong tableMask, ulong tableValue)
    {
        int i = 0;
        if (tableMask == 0)
        {
            // The least of 32 words is 0 exactly if one of them is.
            while (i <= count - 32)
            {
                Vector512<ulong> a = Vector512.Min(Vector512.Load(items + i), Vector512.Load(items + i + 8));
                Vector512<ulong> b = Vector512.Min(Vector512.Load(items + i + 16), Vector512.Load(items + i + 24));
                if (Vector512.EqualsAny(Vector512.Min(a, b), Vector512<ulong>.Zero))
                {
                    break;
                }

                i += 32;
            }
        }

        Vector512<ulong> masks = Vector512.Create(tableMask);
        Vector512<ulong> values = Vector512.Create(tableValue);
        for (; i <= count - 8; i += 8)
        {
            Vector512<ulong> words = Vector512.Load(items + i);
            if (Vector512.EqualsAny(words, Vector512<ulong>.Zero) || Vector512.EqualsAny(words & masks, values))
            {
                // One of these eight; the caller's loop over single items finds it.
                break;
            }
        }

        return i;
    }

    // The widths that are not 512 bits: Vector<T> is as wide as the machine's registers, and its count a constant of the compiled code.
    internal static int FillNarrow(ulong* items, int count, ulong word, ulong step)
    {
        int i = 0;
        Vector<ulong> words = new Vector<ulong>(word) + (Vector<ulong>.Indices * step);
        var advance = new Vector<ulong>((ulong)Vector<ulong>.Count * step);
        for (; i <= count - Vector<ulong>.Count; i += Vector<ulong>.Count)
        {
            words.Store(items + i);
            words += advance;
        }

        return i;
    }

    internal static int OrNarrow(ulong* items, int count, out ulong any)
    {
        int i = 0;
        Vector<ulong> or = Vector<ulong>.Zero;
        for (; i <= count - Vector<ulong>.Count; i += Vector<ulong>.Count)
        {
            or |= Vector.Load(items + i);
        }

        any = or == Vector<ulong>.Zero ? 0UL : 1UL;
        return i;
    }

    internal static int LeavesNarrow(ulong* items, int count, ulong tableMask, ulong tableValue)
    {
        int i = 0;
        var masks = new Vector<ulong>(tableMask);
        var values = new Vector<ulong>(tableValue);
        for (; i <= count - Vector<ulong>.Count; i += Vector<ulong>.Count)
        {
            Vector<ulong> words = Vector.Load(items + i);
            if (Vector.EqualsAny(words, Vector<ulong>.Zero) || Vector.EqualsAny(words & masks, values))
            {
                break;
            }
        }

        return i;
    }
}
