using System.Runtime.CompilerServices;
using Iommufd.Messages;

namespace Iommufd.Core.PageTables.Formats;

/// <summary>How many levels a RISC-V table has, and what follows from that.</summary>
public interface IRiscVLevels
{
    /// <summary>The format's name.</summary>
    static abstract IoPageTableFormat Format { get; }

    /// <summary>The top level, the lowest being 0.</summary>
    static abstract int TopLevel { get; }

    /// <summary>Page sizes, a bit for each size in bytes.</summary>
    static abstract ulong PageSizes { get; }
}

/// <summary>Sv39: three levels, pages of 4 KiB, 64 KiB, 2 MiB and 1 GiB.</summary>
public readonly struct Sv39 : IRiscVLevels
{
    /// <inheritdoc/>
    public static IoPageTableFormat Format => IoPageTableFormat.RiscVSv39;

    /// <inheritdoc/>
    public static int TopLevel => 2;

    /// <inheritdoc/>
    public static ulong PageSizes => 0x4021_1000;
}

/// <summary>Sv48: four levels, pages of 512 GiB too.</summary>
public readonly struct Sv48 : IRiscVLevels
{
    /// <inheritdoc/>
    public static IoPageTableFormat Format => IoPageTableFormat.RiscVSv48;

    /// <inheritdoc/>
    public static int TopLevel => 3;

    /// <inheritdoc/>
    public static ulong PageSizes => 0x80_4021_1000;
}

/// <summary>Sv57: five levels, pages of 256 TiB too.</summary>
public readonly struct Sv57 : IRiscVLevels
{
    /// <inheritdoc/>
    public static IoPageTableFormat Format => IoPageTableFormat.RiscVSv57;

    /// <inheritdoc/>
    public static int TopLevel => 4;

    /// <inheritdoc/>
    public static ulong PageSizes => 0x1_0080_4021_1000;
}

/// <summary>RISC-V with Svnapot; the bits are in <see cref="RiscVEntry"/>.</summary>
/// <typeparam name="TLevels">How many levels: a constant of the compiled code, like the format itself.</typeparam>
public readonly struct RiscV<TLevels> : IIopteFormat
    where TLevels : struct, IRiscVLevels
{
    private const int BitsOfALevel = 9;

    /// <inheritdoc/>
    public static IoPageTableFormat Format => TLevels.Format;

    /// <inheritdoc/>
    public static int GranuleShift => 12;

    /// <inheritdoc/>
    public static int StartTopLevel => TLevels.TopLevel;

    /// <inheritdoc/>
    public static int MaxTopLevel => TLevels.TopLevel;

    /// <summary>38, 47 or 56, and the sign: addresses have a bit more.</summary>
    public static int InputBits => GranuleShift + (BitsOfALevel * (TLevels.TopLevel + 1)) - 1;

    /// <inheritdoc/>
    public static bool SignExtends => true;

    /// <inheritdoc/>
    public static int OutputBits => 56;

    /// <summary>A page, 16 pages, and what an item of each higher level maps.</summary>
    public static ulong PageSizes => TLevels.PageSizes;

    /// <summary>The lower half.</summary>
    public static IovaRange Aperture => new(0, (1UL << InputBits) - 1);

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
