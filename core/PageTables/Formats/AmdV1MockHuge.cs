using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables.Formats;

/// <summary>The kernel mock's table type 1: the bits of <see cref="AmdV1Mock"/>, offering two page sizes only.</summary>
public readonly struct AmdV1MockHuge : IIopteFormat
{
    /// <inheritdoc/>
    public static IoPageTableFormat Format => IoPageTableFormat.AmdV1MockHuge;

    /// <inheritdoc/>
    public static int GranuleShift => 11;

    /// <inheritdoc/>
    public static int StartTopLevel => 2;

    /// <inheritdoc/>
    public static int MaxTopLevel => 2;

    /// <inheritdoc/>
    public static int InputBits => 38;

    /// <inheritdoc/>
    public static int OutputBits => 51;

    /// <summary>4 KiB (two items) and 1 MiB.</summary>
    public static ulong PageSizes => 0x10_1000;

    /// <inheritdoc/>
    public static IovaRange Aperture => new(0, (1UL << 38) - 1);

    /// <inheritdoc/>
    public static bool TracksDirty => true;

    /// <inheritdoc/>
    public static ulong DirtyMask => AmdV1.DirtyBit;

    /// <inheritdoc/>
    public static ulong DirtyValue => AmdV1.DirtyBit;

    /// <inheritdoc/>
    public static ulong CleanValue => 0;

    /// <inheritdoc/>
    public static ulong AddressMask => AmdV1.AddressField;

    /// <inheritdoc/>
    public static ulong SizeCodeMask => AmdV1.NextLevelMask;

    /// <summary>The address counts 2 KiB granules from bit 12 up, so it lies one bit left of its place.</summary>
    public static int AddressShift => 1;

    /// <inheritdoc/>
    public static ulong ContiguousStep(int level) => 0;

    /// <inheritdoc/>
    public static Errno CheckPermissions(IoptePermissions permissions) => Errno.OK;

    /// <inheritdoc/>
    public static ulong TableWord(ulong address, int level) =>
        AmdV1.Present | ((ulong)level << 9) | (address << 1) | AmdV1.CanRead | AmdV1.CanWrite;

    /// <inheritdoc/>
    public static ulong TableMask => AmdV1.NextLevelMask;

    /// <inheritdoc/>
    public static ulong TableValue(int level) => (ulong)level << 9;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableAddress(ulong word) => (word & AmdV1.AddressField) >> 1;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafWord(ulong physical, int level, int shift, IoptePermissions permissions) =>
        AmdV1.LeafBits(physical << 1, shift - GranuleShift, level, permissions);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LeafShift(ulong word, int level) => GranuleShift + AmdV1.LeafOrder(word, level);

    /// <inheritdoc/>
    public static IoptePermissions Permissions(ulong word) => AmdV1.Permissions(word);
}
