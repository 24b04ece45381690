using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables.Formats;

/// <summary>RISC-V Sv39 with Svnapot; the bits are in <see cref="RiscVEntry"/>.</summary>
public readonly struct RiscVSv39 : IIopteFormat
{
    /// <inheritdoc/>
    public static IoPageTableFormat Format => IoPageTableFormat.RiscVSv39;

    /// <inheritdoc/>
    public static int GranuleShift => 12;

    /// <inheritdoc/>
    public static int StartTopLevel => 2;

    /// <inheritdoc/>
    public static int MaxTopLevel => 2;

    /// <summary>38, and the sign: addresses have 39 bits.</summary>
    public static int InputBits => 38;

    /// <inheritdoc/>
    public static bool SignExtends => true;

    /// <inheritdoc/>
    public static int OutputBits => 56;

    /// <summary>4 KiB, 64 KiB, 2 MiB, 1 GiB.</summary>
    public static ulong PageSizes => 0x4021_1000;

    /// <summary>The lower half.</summary>
    public static IovaRange Aperture => new(0, (1UL << 38) - 1);

    /// <inheritdoc/>
    public static bool TracksDirty => false;

    /// <inheritdoc/>
    public static ulong DirtyMask => 0;

    /// <inheritdoc/>
    public static ulong DirtyValue => 0;

    /// <inheritdoc/>
    public static ulong CleanValue => 0;

    /// <inheritdoc/>
    public static ulong AddressMask => RiscVEntry.PageNumber;

    /// <inheritdoc/>
    public static ulong SizeCodeMask => RiscVEntry.Napot;

    /// <inheritdoc/>
    public static int AddressShift => -2;

    /// <inheritdoc/>
    public static ulong ContiguousStep(int level) => 0;

    /// <inheritdoc/>
    public static Errno CheckPermissions(IoptePermissions permissions) => Errno.OK;

    /// <inheritdoc/>
    public static ulong TableWord(ulong address, int level) => RiscVEntry.TableWord(address);

    /// <inheritdoc/>
    public static ulong TableMask => RiscVEntry.PointerMask;

    /// <inheritdoc/>
    public static ulong TableValue(int level) => RiscVEntry.Valid;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableAddress(ulong word) => (word & RiscVEntry.PageNumber) << 2;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafWord(ulong physical, int level, int shift, IoptePermissions permissions) =>
        RiscVEntry.LeafWord(physical, shift, permissions);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LeafShift(ulong word, int level) => RiscVEntry.LeafShift(word, level);

    /// <inheritdoc/>
    public static IoptePermissions Permissions(ulong word) => RiscVEntry.Permissions(word);
}
