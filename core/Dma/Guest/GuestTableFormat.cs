using Iommufd.Core.PageTables;

namespace Iommufd.Core.Dma.Guest;

/// <summary>
/// The bits of a guest's page tables: what hardware reads in them, and what guest software writes. Unlike <see cref="IIopteFormat"/>
/// nothing is assumed about words that are not present: they are the guest's. A table has 512 words of 8 bytes; level 0 is the
/// lowest. Stateless.
/// </summary>
public abstract class GuestTableFormat
{
    /// <summary>log2 of the bytes that a word of level 0 maps.</summary>
    public const int PageShift = 12;

    /// <summary>log2 of the words of a table.</summary>
    public const int IndexBits = 9;

    /// <summary>x86-64 first stage of four levels.</summary>
    public static readonly GuestTableFormat X8664 = new X8664GuestFormat(topLevel: 3);

    /// <summary>x86-64 first stage of five levels.</summary>
    public static readonly GuestTableFormat X8664FiveLevels = new X8664GuestFormat(topLevel: 4);

    /// <summary>ARMv8 stage 1 with 4 KiB pages and four levels.</summary>
    public static readonly GuestTableFormat ArmV8 = new ArmV8GuestFormat();

    /// <summary>The level of the root.</summary>
    public abstract int TopLevel { get; }

    /// <summary>Whether the tables can translate an address at all.</summary>
    public abstract bool Covers(ulong iova);

    /// <summary>Whether a word says anything.</summary>
    public abstract bool IsPresent(ulong word);

    /// <summary>Whether a present word of a level above 0 points to a table.</summary>
    public abstract bool IsTable(ulong word, int level);

    /// <summary>The guest-physical address in a table word, or of the first byte of a leaf.</summary>
    public abstract ulong AddressOf(ulong word, int level);

    /// <summary>What a word lets through: a leaf's permissions, or the most that the tables below it can give.</summary>
    public abstract IoptePermissions PermissionsOf(ulong word, bool isLeaf);

    /// <summary>The word after hardware has used it: marked accessed, and dirty for a write through a leaf.</summary>
    public abstract ulong Used(ulong word, bool isLeaf, bool write);

    /// <summary>A pointer to a table, as guest software writes it.</summary>
    public abstract ulong TableWord(ulong address);

    /// <summary>A leaf of a level, as guest software writes it: neither accessed nor dirty.</summary>
    public abstract ulong LeafWord(ulong address, int level, IoptePermissions permissions);

    /// <summary>Where an address stands in a table of a level.</summary>
    public static int IndexOf(ulong iova, int level) => (int)(iova >> ShiftOf(level)) & ((1 << IndexBits) - 1);

    /// <summary>log2 of the bytes that a word of a level maps.</summary>
    public static int ShiftOf(int level) => PageShift + (IndexBits * level);

    /// <summary>log2 of the bytes of a leaf.</summary>
    public virtual int LeafShift(ulong word, int level) => ShiftOf(level);
}

/// <summary>x86-64 paging as Intel's first stage and AMD's v2 tables have it.</summary>
internal sealed class X8664GuestFormat(int topLevel) : GuestTableFormat
{
    private const ulong Present = 1;
    private const ulong Writable = 2;
    private const ulong User = 4;
    private const ulong Accessed = 1UL << 5;
    private const ulong Dirty = 1UL << 6;
    private const ulong LargePage = 1UL << 7;
    private const ulong AddressField = 0x000F_FFFF_FFFF_F000;

    public override int TopLevel => topLevel;

    // Canonical addresses: the bits above the highest translated one repeat it.
    public override bool Covers(ulong iova)
    {
        int unused = 64 - ShiftOf(topLevel + 1);
        return (ulong)((long)(iova << unused) >> unused) == iova;
    }

    public override bool IsPresent(ulong word) => (word & Present) != 0;

    public override bool IsTable(ulong word, int level) => (word & LargePage) == 0 || level > 2;

    public override ulong AddressOf(ulong word, int level) =>
        IsTable(word, level) && level > 0 ? word & AddressField : word & AddressField & ~((1UL << ShiftOf(level)) - 1);

    public override IoptePermissions PermissionsOf(ulong word, bool isLeaf) =>
        (word & User) == 0 ? IoptePermissions.None
        : (word & Writable) == 0 ? IoptePermissions.Read
        : IoptePermissions.ReadWrite;

    public override ulong Used(ulong word, bool isLeaf, bool write) => word | Accessed | (isLeaf && write ? Dirty : 0);

    public override ulong TableWord(ulong address) => address | Present | Writable | User;

    public override ulong LeafWord(ulong address, int level, IoptePermissions permissions) =>
        address
        | Present
        | User
        | (level > 0 ? LargePage : 0)
        | ((permissions & IoptePermissions.Write) != 0 ? Writable : 0);
}

/// <summary>ARMv8 stage 1, 4 KiB granule, 48 bits, with hardware management of the access flag and the dirty state.</summary>
internal sealed class ArmV8GuestFormat : GuestTableFormat
{
    private const ulong Valid = 1;
    private const ulong TableOrPage = 2;
    private const ulong NormalMemory = 1UL << 2;
    private const ulong Unprivileged = 1UL << 6;
    private const ulong ReadOnly = 1UL << 7;
    private const ulong InnerShareable = 3UL << 8;
    private const ulong Accessed = 1UL << 10;
    private const ulong NotGlobal = 1UL << 11;
    private const ulong DirtyBitModifier = 1UL << 51;
    private const ulong AddressField = 0x0000_FFFF_FFFF_F000;

    public override int TopLevel => 3;

    public override bool Covers(ulong iova) => iova < 1UL << 48;

    public override bool IsPresent(ulong word) => (word & Valid) != 0;

    public override bool IsTable(ulong word, int level) => (word & TableOrPage) != 0;

    public override ulong AddressOf(ulong word, int level) =>
        IsTable(word, level) && level > 0 ? word & AddressField : word & AddressField & ~((1UL << ShiftOf(level)) - 1);

    public override IoptePermissions PermissionsOf(ulong word, bool isLeaf) =>
        !isLeaf ? IoptePermissions.ReadWrite
        : (word & Unprivileged) == 0 ? IoptePermissions.None
        : (word & ReadOnly) != 0 && (word & DirtyBitModifier) == 0 ? IoptePermissions.Read
        : IoptePermissions.ReadWrite;

    public override ulong Used(ulong word, bool isLeaf, bool write)
    {
        if (!isLeaf)
        {
            return word;
        }

        ulong used = word | Accessed;
        return write && (word & DirtyBitModifier) != 0 ? used & ~ReadOnly : used;
    }

    public override ulong TableWord(ulong address) => address | Valid | TableOrPage;

    // Writable and clean: read-only with the dirty bit modifier, which the first write through it clears.
    public override ulong LeafWord(ulong address, int level, IoptePermissions permissions) =>
        address
        | Valid
        | (level == 0 ? TableOrPage : 0)
        | NormalMemory
        | Unprivileged
        | ReadOnly
        | InnerShareable
        | NotGlobal
        | ((permissions & IoptePermissions.Write) != 0 ? DirtyBitModifier : 0);
}
