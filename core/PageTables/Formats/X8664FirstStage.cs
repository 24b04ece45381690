using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables.Formats;

/// <summary>x86-64 paging as an IOMMU first stage (Intel first stage; AMD v2 has the same bits), 4 levels, sign-extended.</summary>
public readonly struct X8664FirstStage : IIopteFormat
{
    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const ulong User = 4;
    private const ulong Accessed = 1UL << 5;
    private const ulong DirtyBit = 1UL << 6;
    private const ulong LargePage = 1UL << 7;

    /// <inheritdoc/>
    public static IoPageTableFormat Format => IoPageTableFormat.X8664FirstStage;

    /// <inheritdoc/>
    public static int GranuleShift => 12;

    /// <inheritdoc/>
    public static int StartTopLevel => 3;

    /// <inheritdoc/>
    public static int MaxTopLevel => 3;

    /// <summary>47, and the sign: addresses have 48 bits.</summary>
    public static int InputBits => 47;

    /// <inheritdoc/>
    public static bool SignExtends => true;

    /// <inheritdoc/>
    public static int OutputBits => 52;

    /// <summary>4 KiB, 2 MiB, 1 GiB.</summary>
    public static ulong PageSizes => 0x4020_1000;

    /// <summary>The lower half.</summary>
    public static IovaRange Aperture => new(0, (1UL << 47) - 1);

    /// <inheritdoc/>
    public static bool TracksDirty => false;

    /// <inheritdoc/>
    public static ulong DirtyMask => 0;

    /// <inheritdoc/>
    public static ulong DirtyValue => 0;

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
    public static ulong TableWord(ulong address, int level) => Present | Writable | User | Accessed | address;

    /// <inheritdoc/>
    public static ulong TableMask => LargePage | Present;

    /// <inheritdoc/>
    public static ulong TableValue(int level) => Present;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableAddress(ulong word) => word & AddressMask;

    /// <summary>Accessed is set from the start, and dirty in writable leaves: software does not follow them here.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafWord(ulong physical, int level, int shift, IoptePermissions permissions)
    {
        ulong word = physical | Present | User | Accessed | (level == 0 ? 0 : LargePage);
        return (permissions & IoptePermissions.Write) == 0 ? word : word | Writable | DirtyBit;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LeafShift(ulong word, int level) => 12 + (9 * level);

    /// <summary>Reading cannot be withheld.</summary>
    public static IoptePermissions Permissions(ulong word) =>
        IoptePermissions.Read | (IoptePermissions)(word & Writable);
}
