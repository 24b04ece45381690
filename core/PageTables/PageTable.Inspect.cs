using System.Globalization;

namespace Iommufd.Core.PageTables;

public sealed unsafe partial class PageTable<TFormat>
{
    /// <summary>Called for each table (leaf shift 0) or entry met by a walk.</summary>
    private delegate void Visitor(ulong iova, int level, int index, ulong* table, ulong word, int leafShift);

    /// <inheritdoc/>
    public override IoPageTableStatistics GetStatistics()
    {
        long tables = 1;
        long entries = 0;
        long dirty = 0;
        ulong mapped = 0;
        var bySize = new long[64];
        Visit(
            (_, level, index, table, word, shift) =>
            {
                if (shift == 0)
                {
                    tables++;
                    return;
                }

                entries++;
                bySize[shift]++;
                mapped += 1UL << shift;
                if (AnyDirty(table + index, 1 << (shift - ItemShift(level))))
                {
                    dirty++;
                }
            }
        );
        return new IoPageTableStatistics(tables, tables * TableArena.PageBytes, entries, mapped, dirty, bySize);
    }

    /// <inheritdoc/>
    public override void Dump(TextWriter writer)
    {
        writer.WriteLine($"{TFormat.Format} top level {Root.Level}");
        Visit(
            (iova, level, index, table, word, shift) =>
            {
                if (shift == 0)
                {
                    return;
                }

                bool isDirty = AnyDirty(table + index, 1 << (shift - ItemShift(level)));
                writer.WriteLine(
                    string.Create(
                        CultureInfo.InvariantCulture,
                        $"0x{iova:x} L{level} 2^{shift} -> 0x{LeafAddress(word, shift):x} {TFormat.Permissions(word)}{(isDirty ? " dirty" : "")}"
                    )
                );
            }
        );
    }

    /// <inheritdoc/>
    public override void CheckInvariants()
    {
        TableReclamation.ReadSection section = TableReclamation.Enter();
        try
        {
            (ulong top, int level) = Root;
            if (top != 0)
            {
                CheckTable((ulong*)top, level, 0, []);
            }
        }
        finally
        {
            TableReclamation.Exit(section);
        }
    }

    // Every entry of every table, at every quiet moment of a soak: no call for an entry of the usual kind that is right.
    private static void CheckTable(ulong* table, int level, ulong iova, HashSet<nint> seen)
    {
        int itemShift = ItemShift(level);
        bool isSizeOffered = (TFormat.PageSizes >> itemShift & 1) != 0 && LevelOf(itemShift) == level;
        for (int index = 0; index < Items; )
        {
            ulong word = Volatile.Read(ref table[index]);
            if (word == 0)
            {
                index++;
                continue;
            }

            if (IsTable(word, level))
            {
                ulong at = IovaOf(iova, level, index);
                CheckLink(word, level, at, seen);
                CheckTable((ulong*)TFormat.TableAddress(word), level - 1, at, seen);
                index++;
                continue;
            }

            int shift = TFormat.LeafShift(word, level);
            if (
                isSizeOffered
                && shift == itemShift
                && WithoutDirty(word)
                    == TFormat.LeafWord(LeafAddress(word, shift), level, shift, TFormat.Permissions(word))
            )
            {
                index++;
                continue;
            }

            CheckEntry(IovaOf(iova, level, index), level, index, table, word, shift);
            index += Math.Max(1, 1 << (shift - itemShift));
        }
    }

    private static void CheckLink(ulong word, int level, ulong iova, HashSet<nint> seen)
    {
        ulong child = TFormat.TableAddress(word);
        Require(seen.Add((nint)child), iova, level, "the table is linked twice");
        Require(child % TableArena.PageBytes == 0, iova, level, "the table pointer is not aligned");
        Require(word == TFormat.TableWord(child, level), iova, level, "a table pointer has stray bits");
    }

    private static void CheckEntry(ulong iova, int level, int index, ulong* table, ulong word, int shift)
    {
        Require((TFormat.PageSizes >> shift & 1) != 0, iova, level, "an entry of a size that is not offered");
        Require(LevelOf(shift) == level, iova, level, "an entry at the wrong level");
        int items = 1 << (shift - ItemShift(level));
        Require((index & (items - 1)) == 0, iova, level, "a contiguous entry that is not aligned");
        ulong expected = TFormat.LeafWord(LeafAddress(word, shift), level, shift, TFormat.Permissions(word));
        for (int i = 0; i < items; i++)
        {
            ulong item = expected + ((ulong)i * TFormat.ContiguousStep(level));
            Require(
                WithoutDirty(table[index + i]) == item,
                iova,
                level,
                "the items of an entry differ, or have stray bits"
            );
        }
    }

    private static ulong IovaOf(ulong tableIova, int level, int index)
    {
        ulong at = tableIova + ((ulong)index << ItemShift(level));
        return TFormat.SignExtends && level == TFormat.StartTopLevel && index >= Items / 2
            ? at | (ulong.MaxValue << TFormat.InputBits)
            : at;
    }

    private static void Require(bool holds, ulong iova, int level, string what)
    {
        if (!holds)
        {
            throw new InvalidOperationException($"{TFormat.Format} page table, IOVA 0x{iova:x}, level {level}: {what}");
        }
    }

    private static bool AnyDirty(ulong* items, int count)
    {
        for (int i = 0; i < count; i++)
        {
            if (IsDirty(Volatile.Read(ref items[i])))
            {
                return true;
            }
        }

        return false;
    }

    private void Visit(Visitor visitor)
    {
        TableReclamation.ReadSection section = TableReclamation.Enter();
        try
        {
            (ulong top, int level) = Root;
            if (top != 0)
            {
                VisitTable((ulong*)top, level, 0, visitor);
            }
        }
        finally
        {
            TableReclamation.Exit(section);
        }
    }

    private static void VisitTable(ulong* table, int level, ulong iova, Visitor visitor)
    {
        for (int index = 0; index < Items; )
        {
            ulong word = Volatile.Read(ref table[index]);
            ulong at = IovaOf(iova, level, index);
            int items = 1;
            if (word != 0 && IsTable(word, level))
            {
                visitor(at, level, index, table, word, 0);
                VisitTable((ulong*)TFormat.TableAddress(word), level - 1, at, visitor);
            }
            else if (word != 0)
            {
                int shift = TFormat.LeafShift(word, level);
                visitor(at, level, index, table, word, shift);
                items = Math.Max(1, 1 << (shift - ItemShift(level)));
            }

            index += items;
        }
    }
}
