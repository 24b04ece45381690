using System.Runtime.CompilerServices;

namespace Iommufd.Core.PageTables.Formats;

/// <summary>The RISC-V leaf and pointer bits, common to Sv39, Sv48 and Sv57: the three differ only in their number of levels.</summary>
internal static class RiscVEntry
{
    /// <summary>Bits 53:10, the physical address shifted right by 2.</summary>
    internal const ulong PageNumber = 0x003F_FFFF_FFFF_FC00;

    internal const ulong Valid = 1;
    internal const ulong Napot = 1UL << 63;

    /// <summary>A pointer is valid and has none of R, W, X.</summary>
    internal const ulong PointerMask = Valid | CanRead | CanWrite | CanExecute;

    private const ulong CanRead = 1UL << 1;
    private const ulong CanWrite = 1UL << 2;
    private const ulong CanExecute = 1UL << 3;
    private const ulong User = 1UL << 4;
    private const ulong Accessed = 1UL << 6;
    private const ulong DirtyBit = 1UL << 7;

    /// <summary>In a 64 KiB page the low page number bits are 1000: the size code of Svnapot.</summary>
    private const ulong Napot64K = 8UL << 10;

    private const int Shift64K = 16;

    internal static ulong TableWord(ulong address) => Valid | (address >> 2);

    /// <summary>Writing needs reading here; accessed and dirty are set from the start, software does not follow them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong LeafWord(ulong physical, int shift, IoptePermissions permissions)
    {
        ulong word = Valid | Accessed | User | CanRead | CanExecute | (physical >> 2);
        word = (permissions & IoptePermissions.Write) == 0 ? word : word | CanWrite | DirtyBit;
        return shift == Shift64K ? word | Napot | Napot64K : word;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int LeafShift(ulong word, int level) => (long)word < 0 && level == 0 ? Shift64K : 12 + (9 * level);

    internal static IoptePermissions Permissions(ulong word) => (IoptePermissions)((word >> 1) & 3);
}
