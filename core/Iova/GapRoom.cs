using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Iommufd.Core.Iova;

/// <summary>
/// How much fits into the gaps of a subtree: for each of 16 placement classes the most bytes that one gap takes. A class
/// is an alignment and the sub-page offset that is OR-ed onto the aligned start; a placement that has no class of its
/// own uses one that never shows less room.
/// </summary>
/// <remarks>
/// Rooms are 32-bit and saturate near 2 GiB; <see cref="Largest"/> is exact. Classes 0 to 9: 4 KiB to 2 MiB, offset 0;
/// 10, 11: 2 KiB, offset 0 and 0x800; 12, 13, 14: 1 KiB, offset 0, 0x400 and 0xc00; 15: any start. In each of them a
/// later gap start never gives an earlier placement, so a part of a gap never has more room than the whole.
/// (1 KiB with offset 0x800 breaks that rule - 0x400 becomes 0xc00, 0x800 stays - and so has no class.)
/// </remarks>
internal struct GapRoom
{
    /// <summary>Number of classes.</summary>
    public const int Classes = 16;

    private const int LargestAlignment = 2 << 20;

    /// <summary>Where rooms saturate: what the longest gap counted still shows when aligning its start costs the most.</summary>
    private const int MostRoom = int.MaxValue - (2 * LargestAlignment);

    /// <summary>The longest gap in bytes.</summary>
    public ulong Largest;

    /// <summary>Rooms of classes 0 to 7.</summary>
    public Vector256<int> Low;

    /// <summary>Rooms of classes 8 to 15.</summary>
    public Vector256<int> High;

    private static Vector256<int> LowMask =>
        Vector256.Create(0xfff, 0x1fff, 0x3fff, 0x7fff, 0xffff, 0x1ffff, 0x3ffff, 0x7ffff);

    private static Vector256<int> HighMask => Vector256.Create(0xfffff, 0x1fffff, 0x7ff, 0x7ff, 0x3ff, 0x3ff, 0x3ff, 0);

    private static Vector256<int> HighOffset => Vector256.Create(0, 0, 0, 0x800, 0, 0x400, 0xc00, 0);

    /// <summary>The class of an alignment (a power of two) and an offset.</summary>
    public static int ClassOf(ulong alignment, ulong offset) =>
        (alignment, offset) switch
        {
            (>= 4096 and <= LargestAlignment, 0) => BitOperations.Log2(alignment) - 12,
            (2048, 0) => 10,
            (2048, 0x800) => 11,
            (1024, 0 or 0x800) => 12,
            (1024, 0x400) => 13,
            (1024, 0xc00) => 14,
            _ => 15,
        };

    /// <summary>The room that a gap must show to take a length; saturated gaps always show enough.</summary>
    public static int RoomFor(ulong length) => (int)Math.Min(length, (ulong)MostRoom);

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
        Low = Vector256.Max(Low, Vector256.Min(end - low, Vector256.Create(MostRoom)));
        High = Vector256.Max(High, Vector256.Min(end - high, Vector256.Create(MostRoom)));
    }

    /// <summary>Counts the gaps of another subtree.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Include(in GapRoom other)
    {
        Largest = Math.Max(Largest, other.Largest);
        Low = Vector256.Max(Low, other.Low);
        High = Vector256.Max(High, other.High);
    }

    /// <summary>Whether every room is at least that of another.</summary>
    public readonly bool Covers(in GapRoom other) =>
        Largest >= other.Largest
        && Vector256.GreaterThanOrEqualAll(Low, other.Low)
        && Vector256.GreaterThanOrEqualAll(High, other.High);
}
