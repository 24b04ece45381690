using System.Numerics;
using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables.Formats;

/// <summary>AMD IOMMU version 1, host page tables. Bit 60 (force coherent) is always set in leaves.</summary>
public readonly struct AmdV1 : IIopteFormat
{
    internal const ulong Present = 1;
    internal const ulong DirtyBit = 1UL << 6;
    internal const ulong NextLevelMask = 7UL << 9;
    internal const ulong AddressField = 0x000F_FFFF_FFFF_F000;
    internal const ulong ForceCoherent = 1UL << 60;
    internal const ulong CanRead = 1UL << 61;
    internal const ulong CanWrite = 1UL << 62;

    /// <inheritdoc/>
    public static IoPageTableFormat Format => IoPageTableFormat.AmdV1;

    /// <inheritdoc/>
    public static int GranuleShift => 12;

    /// <inheritdoc/>
    public static int StartTopLevel => 2;

    /// <inheritdoc/>
    public static int MaxTopLevel => 5;

    /// <inheritdoc/>
    public static int InputBits => 64;

    /// <inheritdoc/>
    public static int OutputBits => 52;

    /// <summary>Every power of two from 4 KiB to 2^51 except 512 GiB.</summary>
    public static ulong PageSizes => 0x000F_FF7F_FFFF_F000;

    /// <inheritdoc/>
    public static IovaRange Aperture => IovaRange.All;

    /// <inheritdoc/>
    public static bool TracksDirty => true;

    /// <inheritdoc/>
    public static ulong DirtyMask => DirtyBit;

    /// <inheritdoc/>
    public static ulong DirtyValue => DirtyBit;

    /// <inheritdoc/>
    public static ulong CleanValue => 0;

    /// <inheritdoc/>
    public static ulong AddressMask => AddressField;

    /// <inheritdoc/>
    public static ulong SizeCodeMask => NextLevelMask;

    /// <inheritdoc/>
    public static int AddressShift => 0;

    /// <summary>All items of a contiguous entry are the same word.</summary>
    public static ulong ContiguousStep(int level) => 0;

    /// <inheritdoc/>
    public static Errno CheckPermissions(IoptePermissions permissions) => Errno.OK;

    /// <inheritdoc/>
    public static ulong TableWord(ulong address, int level) =>
        Present | ((ulong)level << 9) | address | CanRead | CanWrite;

    /// <summary>Next-level 0 (leaf of the item size) and 7 (leaf with its size in the address) are leaves, 1 to 6 tables.</summary>
    public static ulong TableMask => NextLevelMask;

    /// <inheritdoc/>
    public static ulong TableValue(int level) => (ulong)level << 9;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableAddress(ulong word) => word & AddressField;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafWord(ulong physical, int level, int shift, IoptePermissions permissions) =>
        ForceCoherent | LeafBits(physical, shift - GranuleShift, level, permissions);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LeafShift(ulong word, int level) => GranuleShift + LeafOrder(word, level);

    /// <inheritdoc/>
    public static IoptePermissions Permissions(ulong word) => (IoptePermissions)((word >> 61) & 3);

    /// <summary>
    /// A leaf of 2^order granules whose address field is already in place: larger than an item, the size is coded as
    /// order - 1 ones at the low end of the address field, then a zero (there by alignment).
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong LeafBits(ulong addressField, int order, int level, IoptePermissions permissions)
    {
        ulong word = Present | addressField | ((ulong)permissions << 61);
        return order == 9 * level ? word : word | NextLevelMask | (((1UL << (order - 1)) - 1) << 12);
    }

    /// <summary>log2 of the granules of a leaf.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int LeafOrder(ulong word, int level) =>
        (word & NextLevelMask) == 0 ? 9 * level : 1 + BitOperations.TrailingZeroCount(~(word & AddressField) >> 12);
}
