using Iommufd.Core.PageTables;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>
/// Walks a table the way the hardware's specification says, from the raw words alone: written from the specifications' bit
/// tables, with nothing taken from the walker or the formats.
/// </summary>
internal static class SpecificationDecoder
{
    /// <summary>What the hardware would find at an IOVA; null where it would fault.</summary>
    internal sealed record Found(ulong Physical, int Shift, bool Read, bool Write, bool Dirty, int Level);

    internal static Found? Walk(IoPageTable table, ulong iova)
    {
        (ulong address, int level) = table.Root;
        int granule = table.Format is IoPageTableFormat.AmdV1Mock or IoPageTableFormat.AmdV1MockHuge ? 11 : 12;
        int reach = granule + (9 * (level + 1));
        bool signed =
            table.Format
                is IoPageTableFormat.X8664FirstStage
                    or IoPageTableFormat.RiscVSv39
                    or IoPageTableFormat.RiscVSv48
                    or IoPageTableFormat.RiscVSv57;
        // Canonical: the bits above the highest that is translated repeat it, or are 0.
        ulong above = iova >> (reach - 1);
        bool canonical = signed
            ? above == 0 || above == ulong.MaxValue >> (reach - 1)
            : reach >= 64 || iova >> reach == 0;
        if (!canonical)
        {
            return null;
        }

        while (true)
        {
            int shift = granule + (9 * level);
            var index = (int)((iova >> shift) & 0x1FF);
            ulong word = IoPageTable.ReadWord(address, index);
            (ulong Child, Found? Leaf) step = table.Format switch
            {
                IoPageTableFormat.AmdV1 => Amd(word, level, shift, iova, 0),
                IoPageTableFormat.AmdV1Mock or IoPageTableFormat.AmdV1MockHuge => Amd(word, level, shift, iova, 1),
                IoPageTableFormat.VtdSecondStage => Vtd(word, level, shift, iova),
                IoPageTableFormat.X8664FirstStage => X86(word, level, shift, iova),
                IoPageTableFormat.ArmV8Lpae4K => Arm(word, level, shift, iova),
                _ => RiscV(word, level, shift, iova),
            };
            if (step.Child == 0)
            {
                return step.Leaf;
            }

            address = step.Child;
            level--;
        }
    }

    private static bool Bit(ulong word, int bit) => ((word >> bit) & 1) != 0;

    /// <summary>AMD IOMMU specification, "I/O page table entry": PR 0, D 6, next level 11:9, address 51:12, FC 60, IR 61, IW 62.</summary>
    private static (ulong Child, Found? Leaf) Amd(ulong word, int level, int shift, ulong iova, int addressLeft)
    {
        if (!Bit(word, 0))
        {
            return default;
        }

        ulong field = word & 0x000FFFFFFFFFF000;
        var next = (int)((word >> 9) & 7);
        if (next is >= 1 and <= 6)
        {
            Assert(next == level, "a pointer skips levels");
            return (field >> addressLeft, null);
        }

        if (addressLeft == 0)
        {
            Assert(Bit(word, 60), "a leaf is not force-coherent");
        }

        int size = shift;
        if (next == 7)
        {
            // Page size: count the ones of the address from bit 12 up; the first zero ends them.
            size = 13 - addressLeft;
            for (int bit = 12; Bit(field, bit); bit++)
            {
                size++;
            }
        }

        ulong page = (field >> addressLeft) >> size << size;
        return (0, new Found(page | Low(iova, size), size, Bit(word, 61), Bit(word, 62), Bit(word, 6), level));
    }

    /// <summary>VT-d specification, second-stage paging entries: R 0, W 1, PS 7, D 9, address 51:12.</summary>
    private static (ulong Child, Found? Leaf) Vtd(ulong word, int level, int shift, ulong iova)
    {
        if ((word & 3) == 0)
        {
            return default;
        }

        ulong address = word & 0x000FFFFFFFFFF000;
        if (level > 0 && !Bit(word, 7))
        {
            return (address, null);
        }

        Assert(Low(address, shift) == 0, "reserved address bits in a leaf");
        return (0, new Found(address | Low(iova, shift), shift, Bit(word, 0), Bit(word, 1), Bit(word, 9), level));
    }

    /// <summary>Intel SDM volume 3, 4-level paging: P 0, R/W 1, U 2, A 5, D 6, PS 7, address 51:12, XD 63.</summary>
    private static (ulong Child, Found? Leaf) X86(ulong word, int level, int shift, ulong iova)
    {
        if (!Bit(word, 0))
        {
            return default;
        }

        Assert(Bit(word, 2) && !Bit(word, 63), "not a user page, or not executable");
        ulong address = word & 0x000FFFFFFFFFF000;
        if (level > 0 && !Bit(word, 7))
        {
            return (address, null);
        }

        Assert(Low(address, shift) == 0, "reserved address bits in a leaf");
        return (0, new Found(address | Low(iova, shift), shift, Read: true, Bit(word, 1), Dirty: false, level));
    }

    /// <summary>RISC-V privileged specification: V 0, R 1, W 2, X 3, U 4, A 6, D 7, PPN 53:10, N 63 (Svnapot).</summary>
    private static (ulong Child, Found? Leaf) RiscV(ulong word, int level, int shift, ulong iova)
    {
        if (!Bit(word, 0))
        {
            return default;
        }

        ulong number = (word >> 10) & ((1UL << 44) - 1);
        if (!Bit(word, 1) && !Bit(word, 2) && !Bit(word, 3))
        {
            Assert(level > 0 && !Bit(word, 6) && !Bit(word, 7) && !Bit(word, 63), "reserved bits in a pointer");
            return (number << 12, null);
        }

        Assert(Bit(word, 1) || !Bit(word, 2), "writable but not readable is reserved");
        if (Bit(word, 63))
        {
            Assert(level == 0 && (number & 15) == 8, "a size code that Svnapot does not define");
            number -= 8;
            shift = 16;
        }

        Assert(Low(number << 12, shift) == 0, "a misaligned superpage");
        return (0, new Found((number << 12) | Low(iova, shift), shift, Bit(word, 1), Bit(word, 2), false, level));
    }

    /// <summary>Arm ARM, VMSAv8-64 stage 1: valid 0, type 1, AP 7:6, AF 10, address 47:12, DBM 51, contiguous 52.</summary>
    private static (ulong Child, Found? Leaf) Arm(ulong word, int level, int shift, ulong iova)
    {
        if (!Bit(word, 0))
        {
            return default;
        }

        ulong address = word & 0x0000FFFFFFFFF000;
        if (level > 0 && Bit(word, 1))
        {
            return (address, null);
        }

        Assert(Bit(word, 1) == (level == 0), "a block at the page level, or the other way round");
        Assert(Bit(word, 10), "the access flag is clear");
        bool managed = Bit(word, 51);
        bool readOnly = Bit(word, 7);
        ulong physical = address | Low(iova, shift);
        int size = Bit(word, 52) ? shift + 4 : shift;
        return (0, new Found(physical, size, true, managed || !readOnly, managed && !readOnly, level));
    }

    private static ulong Low(ulong value, int bits) => value & ((1UL << bits) - 1);

    private static void Assert(bool holds, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException(what);
        }
    }
}
