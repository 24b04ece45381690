using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Iommufd.Core.Iova;

/// <summary>
/// How much fits into the gaps of a subtree: for each of 16 placement classes the most bytes that one gap takes. A class
/// is an alignment and the sub-page offset that is OR-ed onto the aligned start; together they cover every placement
/// whose alignment is 1 KiB to 2 MiB, so that a subtree without room is skipped without looking at its gaps.
/// </summary>
/// <remarks>
/// Rooms are 32-bit and saturate near 2 GiB; <see cref="Largest"/> is exact. Both are upper bounds for a length.
/// Class: 0..9 = 4 KiB..2 MiB, offset 0; 10, 11 = 2 KiB, offset 0 and 0x800; 12..15 = 1 KiB, offset 0, 0x400, 0x800, 0xc00.
/// </remarks>
internal struct GapRoom
{
    /// <summary>Number of classes.</summary>
    public const int Classes = 16;

    /// <summary>No class covers the placement: only <see cref="Largest"/> guides the search.</summary>
    public const int NoClass = -1;

    private const int LargestAlignment = 2 << 20;

    /// <summary>The longest gap in bytes.</summary>
    public ulong Largest;

    /// <summary>Rooms of classes 0 to 7.</summary>
    public Vector256<int> Low;

    /// <summary>Rooms of classes 8 to 15.</summary>
    public Vector256<int> High;

    private static Vector256<int> LowMask =>
        Vector256.Create(0xfff, 0x1fff, 0x3fff, 0x7fff, 0xffff, 0x1ffff, 0x3ffff, 0x7ffff);

    private static Vector256<int> HighMask =>
        Vector256.Create(0xfffff, 0x1fffff, 0x7ff, 0x7ff, 0x3ff, 0x3ff, 0x3ff, 0x3ff);

    private static Vector256<int> HighOffset => Vector256.Create(0, 0, 0, 0x800, 0, 0x400, 0x800, 0xc00);

    /// <summary>The class of an alignment (a power of two) and an offset, or <see cref="NoClass"/>.</summary>
    public static int ClassOf(ulong alignment, ulong offset)
    {
        int shift = BitOperations.TrailingZeroCount(alignment);
        return shift switch
        {
            >= 12 when offset == 0 && alignment <= LargestAlignment => shift - 12,
            11 when offset is 0 or 0x800 => 10 + (int)(offset >> 11),
            10 when (offset & 0x3ff) == 0 => 12 + (int)(offset >> 10),
            _ => NoClass,
        };
    }

    /// <summary>The room that a gap must show to take a length; saturated gaps always show enough.</summary>
    public static int RoomFor(ulong length) => (int)Math.Min(length, int.MaxValue - 2UL * LargestAlignment);

    /// <summary>Counts one gap, both ends inclusive.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(ulong first, ulong last)
    {
        ulong size = last - first + 1;
        Largest = Math.Max(Largest, size);
        Vector256<int> start = Vector256.Create((int)(first & (LargestAlignment - 1)));
        Vector256<int> end = start + Vector256.Create((int)Math.Min(size, int.MaxValue - LargestAlignment));
        Vector256<int> low = Vector256.AndNot(start + LowMask, LowMask);
        Vector256<int> high = Vector256.AndNot(start + HighMask, HighMask) | HighOffset;
        Low = Vector256.Max(Low, end - low);
        High = Vector256.Max(High, end - high);
    }
}
