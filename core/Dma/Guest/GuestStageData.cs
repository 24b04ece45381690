using System.Buffers.Binary;
using Iommufd.Core.Context;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Commands;

namespace Iommufd.Core.Dma.Guest;

/// <summary>The driver's data of a nested HWPT: where and what the guest's tables are. Immutable.</summary>
/// <param name="Type">See <see cref="HwptDataType"/>.</param>
/// <param name="Words">The data as 64-bit words.</param>
/// <param name="Stage">The first stage; null where addresses pass unchanged.</param>
public sealed record GuestStageData(uint Type, ulong[] Words, GuestStage? Stage)
{
    private const ulong VtdFlags = 7;
    private const uint FourLevels = 48;
    private const uint FiveLevels = 57;
    private const ulong SteValid = 1;
    private const ulong SteKnown = 0xF80F_FFFF_FFFF_FFFF;

    /// <summary>Bytes of the data of a type.</summary>
    public static int SizeOf(uint type) =>
        type switch
        {
            HwptDataType.VtdS1 => 24,
            HwptDataType.ArmSmmuV3 => 16,
            HwptDataType.AmdGuest => 32,
            _ => 0,
        };

    /// <summary>
    /// The type that a unit takes beside the selftest's; NONE for none. Arm's needs a vIOMMU, as its driver has it.
    /// </summary>
    public static uint TypeOf(IommuTraits unit, bool throughViommu)
    {
        ArgumentNullException.ThrowIfNull(unit);
        return (unit.Index < 0, unit.Format) switch
        {
            (true, _) => HwptDataType.None,
            (_, IoPageTableFormat.VtdSecondStage) => HwptDataType.VtdS1,
            (_, IoPageTableFormat.ArmV8Lpae4K) when throughViommu => HwptDataType.ArmSmmuV3,
            (_, IoPageTableFormat.AmdV1) => HwptDataType.AmdGuest,
            _ => HwptDataType.None,
        };
    }

    /// <summary>Turns the bytes of a caller into words.</summary>
    public static ulong[] WordsOf(ReadOnlySpan<byte> bytes)
    {
        var words = new ulong[bytes.Length / sizeof(ulong)];
        for (var i = 0; i < words.Length; i++)
        {
            words[i] = BinaryPrimitives.ReadUInt64LittleEndian(bytes[(i * sizeof(ulong))..]);
        }

        return words;
    }

    /// <summary>Understands the data of a type. EINVAL, EOPNOTSUPP, EIO (Arm: an illegal stream table entry).</summary>
    public static Errno TryParse(uint type, ulong[] words, out GuestStageData? data)
    {
        ArgumentNullException.ThrowIfNull(words);
        GuestStage? stage = null;
        Errno errno = type switch
        {
            HwptDataType.VtdS1 => ParseVtd(words, out stage),
            HwptDataType.ArmSmmuV3 => ParseStreamTableEntry(words, out stage),
            _ => ParseDeviceTableEntry(words, out stage),
        };
        data = errno == Errno.OK ? new GuestStageData(type, words, stage) : null;
        return errno;
    }

    // flags, address of the root table, address width (low half of the third word) and a reserved half.
    private static Errno ParseVtd(ulong[] words, out GuestStage? stage)
    {
        stage = null;
        if ((words[0] & ~VtdFlags) != 0 || words[2] >> 32 != 0)
        {
            return Errno.EOPNOTSUPP;
        }

        GuestTableFormat? format = (uint)words[2] switch
        {
            FourLevels => GuestTableFormat.X8664,
            FiveLevels => GuestTableFormat.X8664FiveLevels,
            _ => null,
        };
        if (format is null || (words[1] & HostPage.OffsetMask) != 0)
        {
            return Errno.EINVAL;
        }

        stage = new GuestStage(format, new DirectRoot(words[1]));
        return Errno.OK;
    }

    // Valid, configuration (abort 0, bypass 4, translate 5), a linear table of context descriptors with its address and size.
    private static Errno ParseStreamTableEntry(ulong[] words, out GuestStage? stage)
    {
        const int abort = 0;
        const int bypass = 4;
        const int translate = 5;
        stage = null;
        var configuration = (int)(words[0] >> 1) & 7;
        var isLinear = (words[0] >> 4 & 3) == 0;
        if ((words[0] & SteValid) == 0 || (words[0] & ~SteKnown) != 0 || !isLinear)
        {
            return Errno.EIO;
        }

        switch (configuration)
        {
            case bypass:
                return Errno.OK;
            case abort:
                stage = new GuestStage(GuestTableFormat.ArmV8, NoRoot.Instance);
                return Errno.OK;
            case translate:
                var contexts = new ContextDescriptors(words[0] & 0x000F_FFFF_FFFF_FFC0, (int)(words[0] >> 59));
                stage = new GuestStage(GuestTableFormat.ArmV8, contexts);
                return Errno.OK;
            default:
                return Errno.EIO;
        }
    }

    // Guest translation valid, one level of the table of PASIDs, its address in three pieces, four or five levels of paging.
    private static Errno ParseDeviceTableEntry(ulong[] words, out GuestStage? stage)
    {
        stage = null;
        var isValid = (words[0] >> 55 & 1) != 0;
        var tableLevels = words[0] >> 56 & 3;
        var pagingMode = words[2] >> 53 & 3;
        if (!isValid || tableLevels != 0 || pagingMode > 1)
        {
            return Errno.EINVAL;
        }

        var table = ((words[0] >> 58) & 7) << 12 | ((words[1] >> 16) & 0xFFFF) << 15 | (words[1] >> 43) << 31;
        stage = new GuestStage(
            pagingMode == 0 ? GuestTableFormat.X8664 : GuestTableFormat.X8664FiveLevels,
            new PasidTable(table)
        );
        return Errno.OK;
    }

    private sealed class NoRoot : GuestRoot
    {
        public static readonly NoRoot Instance = new();

        public override bool TryFind(GuestMemory memory, uint pasid, out ulong table)
        {
            table = 0;
            return false;
        }
    }
}

/// <summary>SMMUv3: a linear table of context descriptors in guest memory, 64 bytes each, by substream (PASID).</summary>
/// <param name="address">Guest-physical address of the table.</param>
/// <param name="log2Count">log2 of the number of descriptors.</param>
public sealed class ContextDescriptors(ulong address, int log2Count) : GuestRoot
{
    /// <summary>Bytes of a descriptor.</summary>
    public const ulong DescriptorBytes = 64;

    private const ulong Valid = 1UL << 31;
    private const ulong Is64Bit = 1UL << 41;
    private const ulong FirstTableOff = 1UL << 14;
    private const ulong GranuleMask = 3UL << 6;
    private const ulong Unused16Bits = 16;
    private const ulong SizeMask = 0x3F;

    /// <inheritdoc/>
    public override bool HasPasids => true;

    /// <summary>The first word of a descriptor that the walk accepts: valid, 64-bit tables, 4 KiB pages, 48 bits.</summary>
    public static ulong FirstWord => Valid | Is64Bit | Unused16Bits;

    /// <inheritdoc/>
    public override bool TryFind(GuestMemory memory, uint pasid, out ulong table)
    {
        table = 0;
        var at = address + (pasid * DescriptorBytes);
        if (
            pasid >> log2Count != 0
            || !memory.TryReadWord(at, out var first)
            || !memory.TryReadWord(at + sizeof(ulong), out var second)
        )
        {
            return false;
        }

        var accepted = (first & (Valid | Is64Bit | FirstTableOff | GranuleMask)) == (Valid | Is64Bit);
        table = second & 0x000F_FFFF_FFFF_F000;
        return accepted && (first & SizeMask) == Unused16Bits;
    }
}

/// <summary>AMD: one table of 512 root pointers in guest memory, by PASID.</summary>
/// <param name="address">Guest-physical address of the table.</param>
public sealed class PasidTable(ulong address) : GuestRoot
{
    private const ulong Valid = 1;
    private const uint Entries = 512;

    /// <inheritdoc/>
    public override bool HasPasids => true;

    /// <summary>An entry for a root table.</summary>
    public static ulong EntryFor(ulong table) => table | Valid;

    /// <inheritdoc/>
    public override bool TryFind(GuestMemory memory, uint pasid, out ulong table)
    {
        table = 0;
        if (pasid >= Entries || !memory.TryReadWord(address + (pasid * sizeof(ulong)), out var word))
        {
            return false;
        }

        table = word & 0x000F_FFFF_FFFF_F000;
        return (word & Valid) != 0;
    }
}
