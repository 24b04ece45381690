using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables.Formats;

/// <summary>ARMv8 VMSA, stage 1, 4 KiB granule, 4 levels, with the contiguous hint (16 items) and hardware management of dirty state.</summary>
public readonly struct ArmV8Lpae4K : IIopteFormat
{
    private const ulong Valid = 1;
    private const ulong TableOrPage = 2;

    /// <summary>AttrIndx 1: write-back cacheable in the usual MAIR.</summary>
    private const ulong NormalMemory = 1UL << 2;

    private const ulong Unprivileged = 1UL << 6;
    private const ulong ReadOnly = 1UL << 7;
    private const ulong InnerShareable = 3UL << 8;
    private const ulong Accessed = 1UL << 10;
    private const ulong NotGlobal = 1UL << 11;
    private const ulong DirtyBitModifier = 1UL << 51;
    private const ulong Contiguous = 1UL << 52;

    /// <inheritdoc/>
    public static IoPageTableFormat Format => IoPageTableFormat.ArmV8Lpae4K;

    /// <inheritdoc/>
    public static int GranuleShift => 12;

    /// <inheritdoc/>
    public static int StartTopLevel => 3;

    /// <inheritdoc/>
    public static int MaxTopLevel => 3;

    /// <summary>48: the range of TTBR0.</summary>
    public static int InputBits => 48;

    /// <inheritdoc/>
    public static int OutputBits => 48;

    /// <summary>4 KiB, 64 KiB, 2 MiB, 32 MiB, 1 GiB, 16 GiB.</summary>
    public static ulong PageSizes => 0x4_4221_1000;

    /// <inheritdoc/>
    public static IovaRange Aperture => new(0, (1UL << 48) - 1);

    /// <inheritdoc/>
    public static bool TracksDirty => true;

    /// <inheritdoc/>
    public static ulong DirtyMask => DirtyBitModifier | ReadOnly;

    /// <inheritdoc/>
    public static ulong DirtyValue => DirtyBitModifier;

    /// <inheritdoc/>
    public static ulong CleanValue => DirtyBitModifier | ReadOnly;

    /// <inheritdoc/>
    public static ulong AddressMask => 0x0000_FFFF_FFFF_F000;

    /// <inheritdoc/>
    public static ulong SizeCodeMask => 0;

    /// <inheritdoc/>
    public static int AddressShift => 0;

    /// <summary>The hint joins 16 full descriptors, each with its own address.</summary>
    public static ulong ContiguousStep(int level) => 1UL << (12 + (9 * level));

    /// <inheritdoc/>
    public static Errno CheckPermissions(IoptePermissions permissions) => Errno.OK;

    /// <inheritdoc/>
    public static ulong TableWord(ulong address, int level) => Valid | TableOrPage | address;

    /// <inheritdoc/>
    public static ulong TableMask => Valid | TableOrPage;

    /// <inheritdoc/>
    public static ulong TableValue(int level) => Valid | TableOrPage;

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong TableAddress(ulong word) => word & AddressMask;

    /// <summary>A writable leaf begins "writable clean": DBM set and read-only; the first write clears read-only.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static ulong LeafWord(ulong physical, int level, int shift, IoptePermissions permissions)
    {
        ulong word = physical | Valid | NormalMemory | Unprivileged | ReadOnly | InnerShareable | Accessed | NotGlobal;
        word = level == 0 ? word | TableOrPage : word;
        word = (permissions & IoptePermissions.Write) == 0 ? word : word | DirtyBitModifier;
        return shift == 12 + (9 * level) ? word : word | Contiguous;
    }

    /// <inheritdoc/>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int LeafShift(ulong word, int level) => 12 + (9 * level) + ((word & Contiguous) == 0 ? 0 : 4);

    /// <summary>Reading cannot be withheld; writing is allowed where DBM is set, clean or dirty.</summary>
    public static IoptePermissions Permissions(ulong word) =>
        (word & DirtyBitModifier) == 0 ? IoptePermissions.Read : IoptePermissions.ReadWrite;
}
