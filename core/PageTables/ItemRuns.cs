using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Iommufd.Core.PageTables;

/// <summary>
/// Loops over neighbouring items of one table, by vectors of 512, 256 or 128 bits. An aligned 8-byte lane is written or read
/// whole on every machine that .NET runs on, so a walker sees each item before or after, never half.
/// </summary>
internal static unsafe class ItemRuns
{
    /// <summary>Writes word, word + step, word + 2 * step, ...</summary>
    internal static void Fill(ulong* items, int count, ulong word, ulong step)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated && count >= 8)
        {
            Vector512<ulong> words = Vector512.Create(word) + (Vector512<ulong>.Indices * step);
            Vector512<ulong> advance = Vector512.Create(8 * step);
            for (; i <= count - 8; i += 8)
            {
                words.Store(items + i);
                words += advance;
            }
        }
        else if (Vector256.IsHardwareAccelerated && count >= 4)
        {
            Vector256<ulong> words = Vector256.Create(word, word + step, word + (2 * step), word + (3 * step));
            Vector256<ulong> advance = Vector256.Create(4 * step);
            for (; i <= count - 4; i += 4)
            {
                words.Store(items + i);
                words += advance;
            }
        }
        else if (Vector128.IsHardwareAccelerated && count >= 2)
        {
            Vector128<ulong> words = Vector128.Create(word, word + step);
            Vector128<ulong> advance = Vector128.Create(2 * step);
            for (; i <= count - 2; i += 2)
            {
                words.Store(items + i);
                words += advance;
            }
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
        ulong any = 0;
        int i = 0;
        if (Vector512.IsHardwareAccelerated && count >= 8)
        {
            Vector512<ulong> or = Vector512<ulong>.Zero;
            for (; i <= count - 8; i += 8)
            {
                or |= Vector512.Load(items + i);
            }

            if (or != Vector512<ulong>.Zero)
            {
                return false;
            }
        }
        else if (Vector128.IsHardwareAccelerated && count >= 2)
        {
            Vector128<ulong> or = Vector128<ulong>.Zero;
            for (; i <= count - 2; i += 2)
            {
                or |= Vector128.Load(items + i);
            }

            any = or[0] | or[1];
        }

        for (; i < count; i++)
        {
            any |= Volatile.Read(ref items[i]);
        }

        return any == 0;
    }

    /// <summary>Whether no item is empty.</summary>
    internal static bool AllPresent(ulong* items, int count)
    {
        int i = 0;
        if (Vector512.IsHardwareAccelerated)
        {
            for (; i <= count - 8; i += 8)
            {
                if (Vector512.EqualsAny(Vector512.Load(items + i), Vector512<ulong>.Zero))
                {
                    return false;
                }
            }
        }

        for (; i < count; i++)
        {
            if (Volatile.Read(ref items[i]) == 0)
            {
                return false;
            }
        }

        return true;
    }
}
