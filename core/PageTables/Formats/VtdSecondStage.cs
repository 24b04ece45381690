using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables.Formats;

/// <summary>Intel VT-d second-stage tables, 4 levels. An entry without permissions is empty: there is no present bit.</summary>
public readonly struct VtdSecondStage : IIopteFormat
{
    private const ulong CanRead = 1;
    private const ulong CanWrite = 2;
    private const ulong LargePage = 1UL << 7;
    private const ulong DirtyBit = 1UL << 9;

    /// <inheritdoc/>
    public static IoPageTableFormat Format => IoPageTableFormat.VtdSecondStage;

    /// <inheritdoc/>
    public static int GranuleShift => 12;

    /// <inheritdoc/>
    public static int StartTopLevel => 3;

    /// <inheritdoc/>
    public static int MaxTopLevel => 3;

    /// <summary>48.</summary>
    public static int InputBits => 48;

    /// <inheritdoc/>
    public static int OutputBits => 52;

    /// <summary>4 KiB, 2 MiB, 1 GiB.</summary>
    public static ulong PageSizes => 0x4020_1000;

    /// <inheritdoc/>
    public static IovaRange Aperture => new(0, (1UL << 48) - 1);

    /// <inheritdoc/>
    public static bool TracksDirty => true;

    /// <inheritdoc/>
    public static ulong DirtyMask => DirtyBit;

    /// <inheritdoc/>
    public static ulong DirtyValue => DirtyBit;

    /// <inheritdoc/>
    public static ulong CleanValue => 0;

    /// <inheritdoc/>
    public static ulong AddressMask => 0x000F_FFFF_FFFF_F000;

    /// <inheritdoc/>
    public static ulong SizeCodeMask => 0;

    /// <inheritdoc/>
    public static int AddressShift => 0;

    /// <inheritdoc/>
    public static ulong ContiguousStep(int level) => 0;

    /// <inheritdoc/>
    public static Errno CheckPermissions(IoptePermissions permissions) => Errno.OK;

    /// <inheritdoc/>
    public static ulong TableWord(ulong address, int level) => CanRead | CanWrite | address;

    /// <inheritdoc/>
    public static ulong TableMask => LargePage | CanRead | CanWrite;

    /// <inheritdoc/>
    public static ulong TableValue(int level) => CanRead | CanWrite;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableAddress(ulong word) => word & AddressMask;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafWord(ulong physical, int level, int shift, IoptePermissions permissions) =>
        physical | (ulong)permissions | (level == 0 ? 0 : LargePage);

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LeafShift(ulong word, int level) => 12 + (9 * level);

    /// <inheritdoc/>
    public static IoptePermissions Permissions(ulong word) => (IoptePermissions)(word & (CanRead | CanWrite));
}
