using Iommufd.Messages;

namespace Iommufd.Core.PageTables;

// Where formats meet the walker. Words used on both sides: a table is 4 KiB of 512 items; an item is one 8-byte slot; an
// entry is one item, or a naturally aligned run of 2^k items ("contiguous") that acts as one page; a leaf maps memory;
// level 0 is the lowest; IOVA is the input address, OA the output (physical) address.

/// <summary>
/// One hardware format: geometry and bits, no state, no walking. Implemented by empty structs; every member is a constant
/// or a pure function of its arguments, so the JIT folds it into the walker.
/// </summary>
/// <remarks>
/// <para>Contract with the walker:</para>
/// <para>- An empty item is the word 0 and nothing else; every other word is present and is a table pointer or a leaf.</para>
/// <para>- A word describes itself: from the word and its level alone the walker learns whether it is a leaf, how large the
/// entry is, and its address. So one 8-byte read is one consistent translation, and the items of a contiguous entry may be
/// written one after the other: each of them already translates its own part rightly.</para>
/// <para>- Marking dirty changes only bits under <see cref="DirtyMask"/>; a compare-and-swap on one item therefore never
/// changes where it points. Devices do it at any moment; writers that replace a live leaf must use compare-and-swap or
/// exchange and carry the mark over.</para>
/// </remarks>
public interface IIopteFormat
{
    /// <summary>Which format this is.</summary>
    static abstract IoPageTableFormat Format { get; }

    /// <summary>log2 of the bytes that a level-0 item maps: 12, or 11 for the kernel's mock.</summary>
    static abstract int GranuleShift { get; }

    /// <summary>The level of the top table of a new tree.</summary>
    static abstract int StartTopLevel { get; }

    /// <summary>The level up to which the tree may grow; the same as the start where it is fixed.</summary>
    static abstract int MaxTopLevel { get; }

    /// <summary>Input bits that can be mapped; where the format extends signs, those below the sign.</summary>
    static abstract int InputBits { get; }

    /// <summary>
    /// Whether an input address has its highest bit repeated up to bit 63, so that there is a second half of the same size at the top of
    /// the 64-bit space.
    /// </summary>
    static virtual bool SignExtends => false;

    /// <summary>Output address bits.</summary>
    static abstract int OutputBits { get; }

    /// <summary>The page sizes offered, as a bitmap of powers of two.</summary>
    static abstract ulong PageSizes { get; }

    /// <summary>What a domain of this format reports as its aperture.</summary>
    static abstract IovaRange Aperture { get; }

    /// <summary>Whether the entries record that a device wrote.</summary>
    static abstract bool TracksDirty { get; }

    /// <summary>The bits that say dirty or clean; 0 without tracking.</summary>
    static abstract ulong DirtyMask { get; }

    /// <summary>What a dirty leaf has under <see cref="DirtyMask"/>.</summary>
    static abstract ulong DirtyValue { get; }

    /// <summary>
    /// What a clean leaf that can become dirty has under <see cref="DirtyMask"/>. A leaf with neither value (read-only, on ARM) is
    /// clean and stays so.
    /// </summary>
    static abstract ulong CleanValue { get; }

    /// <summary>Bits of a leaf that hold its address, size encoding included.</summary>
    static abstract ulong AddressMask { get; }

    /// <summary>
    /// Bits that, any of them set, say that the address field of a leaf carries a size code in its low bits; 0 where none does.
    /// </summary>
    static abstract ulong SizeCodeMask { get; }

    /// <summary>How far the address field lies left (positive) or right (negative) of the output address.</summary>
    static abstract int AddressShift { get; }

    /// <summary>How much the address field of neighbouring items of one contiguous entry differs at a level: 0, or one item.</summary>
    static abstract ulong ContiguousStep(int level);

    /// <summary>OK, or the errno with which the format refuses these permissions.</summary>
    static abstract Errno CheckPermissions(IoptePermissions permissions);

    /// <summary>A pointer, stored in a table of <paramref name="level"/>, to a table one level lower.</summary>
    static abstract ulong TableWord(ulong address, int level);

    /// <summary>
    /// A word of a table above level 0 points to a table exactly if it has <see cref="TableValue"/> under this mask; leaves and
    /// the empty word never do.
    /// </summary>
    static abstract ulong TableMask { get; }

    /// <summary>See <see cref="TableMask"/>.</summary>
    static abstract ulong TableValue(int level);

    /// <summary>The address in a table pointer.</summary>
    static abstract ulong TableAddress(ulong word);

    /// <summary>The first item of a leaf of 2^<paramref name="shift"/> bytes at a level, clean where the format tracks.</summary>
    static abstract ulong LeafWord(ulong physical, int level, int shift, IoptePermissions permissions);

    /// <summary>log2 of the bytes of a leaf.</summary>
    static abstract int LeafShift(ulong word, int level);

    /// <summary>The permissions of a leaf.</summary>
    static abstract IoptePermissions Permissions(ulong word);

    /// <summary>For tests of the tests; every real format keeps the default, and the JIT removes what depends on it.</summary>
    internal static virtual OrderingFault Weakened => OrderingFault.None;
}
