using System.Numerics;
using FsCheck;
using FsCheck.Fluent;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.PageTables;

/// <summary>Random operations on every format, against <see cref="TableModel"/> and the specification's decoder.</summary>
public sealed class TablePropertyTests
{
    public static TheoryData<IoPageTableFormat> Formats => [.. Enum.GetValues<IoPageTableFormat>()];

    [Theory]
    [MemberData(nameof(Formats))]
    public void A_table_does_what_the_model_does(IoPageTableFormat format)
    {
        Arbitrary<int[]> programs = RandomCases.From(Gen.Choose(0, int.MaxValue).ArrayOf(), Shorter);
        Prop.ForAll(programs, program => Run(format, program)).Check(RandomCases.Try(60));
    }

    private static IEnumerable<int[]> Shorter(int[] program)
    {
        for (int chunk = program.Length / 2; chunk > 0; chunk /= 2)
        {
            for (int at = 0; at + chunk <= program.Length; at += chunk)
            {
                yield return [.. program[..at], .. program[(at + chunk)..]];
            }
        }
    }

    private static void Run(IoPageTableFormat format, int[] program)
    {
        using IoPageTable table = IoPageTable.Create(format);
        var model = new TableModel(table);
        foreach (int seed in program)
        {
            new Step(table, model, new Random(seed)).Execute();
            table.CheckInvariants();
            Assert.Equal(model.Entries.Count, table.GetStatistics().Entries);
        }

        foreach (ulong at in model.Entries.Keys.Take(200))
        {
            CompareAt(table, model, at);
        }
    }

    private static void CompareAt(IoPageTable table, TableModel model, ulong iova)
    {
        IopteTranslation? expected = model.Translate(iova);
        bool found = table.TryTranslate(iova, out IopteTranslation actual);
        Assert.Equal(expected, found ? actual : null);
        SpecificationDecoder.Found? decoded = SpecificationDecoder.Walk(table, iova);
        Assert.Equal(found, decoded is not null);
        if (decoded is not null)
        {
            Assert.Equal((actual.Physical, actual.PageShift), (decoded.Physical, decoded.Shift));
            Assert.Equal(actual.Permissions.HasFlag(IoptePermissions.Read), decoded.Read);
            Assert.Equal(actual.Permissions.HasFlag(IoptePermissions.Write), decoded.Write);
            Assert.Equal(table.TracksDirty && actual.Dirty, decoded.Dirty);
        }
    }

    /// <summary>One random operation on both.</summary>
    private sealed class Step(IoPageTable table, TableModel model, Random random)
    {
        internal void Execute()
        {
            switch (random.Next(12))
            {
                case <= 3:
                    Map();
                    break;
                case <= 5:
                    Unmap();
                    break;
                case 6:
                    Split();
                    break;
                case 7:
                    Merge();
                    break;
                case 8:
                    ReadDirty();
                    break;
                case <= 10:
                    ulong dirty = Address();
                    Assert.Equal(model.SetDirty(dirty), table.SetDirty(dirty));
                    break;
                default:
                    CompareAt(table, model, Address());
                    break;
            }
        }

        /// <summary>An address near the edges of a few regions, aligned to a random page size.</summary>
        private ulong Address()
        {
            ulong region = (ulong)random.Next(3) << (random.Next(2) == 0 ? 21 : 34);
            if (table.UpperInputRange is { } upper && random.Next(3) == 0)
            {
                region += upper.First;
            }

            return (region + ((ulong)random.Next(1 << 12) * table.SmallestPage)) & ~(Size() - 1);
        }

        private ulong Size()
        {
            List<int> shifts = [.. Enumerable.Range(0, 36).Where(i => (table.PageSizes >> i & 1) != 0)];
            return 1UL << shifts[random.Next(random.Next(2) == 0 ? shifts.Count : Math.Min(6, shifts.Count))];
        }

        private ulong Length() => random.Next(2) == 0 ? Size() : table.SmallestPage * (ulong)random.Next(1, 1100);

        private void Map()
        {
            ulong iova = Address();
            ulong length = Length();
            // Long runs with no common alignment would be cut into hundreds of thousands of pages.
            bool aligned = length > 4 << 20 || random.Next(2) == 0;
            // Physical addresses have no upper half.
            ulong physical = (aligned ? iova + (1UL << 35) : Address()) & ((1UL << 37) - 1);
            var permissions = (IoptePermissions)random.Next(1, 4);
            MapOptions options = random.Next(4) == 0 && length < 1 << 22 ? MapOptions.PageByPage : MapOptions.None;
            ulong sizes = options == MapOptions.None ? table.PageSizes : table.PageSizes & 0x1FFF;
            Assert.Equal(
                model.Map(iova, physical, length, permissions, sizes),
                table.Map(iova, physical, length, permissions, options)
            );
        }

        private void Unmap()
        {
            ulong iova = Address();
            ulong length = Length();
            var cut = (UnmapCut)random.Next(3);
            if (cut == UnmapCut.Split && model.Overlapping(iova, iova + length).Any(e => e.Value.Shift > 31))
            {
                cut = UnmapCut.Refuse;
            }

            Assert.Equal(model.Unmap(iova, length, cut), table.Unmap(iova, length, cut));
        }

        private void Split()
        {
            ulong size = Size();
            ulong first = Address() & ~(size - 1);
            ulong last = first + (size * (ulong)random.Next(1, 4)) - 1;
            bool tooMany = model.Overlapping(first, last).Any(e => e.Value.Shift - BitOperations.Log2(size) > 11);
            if (!tooMany)
            {
                Assert.Equal(model.Split(first, last, size), table.Split(new IovaRange(first, last), size));
            }
        }

        private void Merge()
        {
            ulong size = Size();
            ulong iova = Address() & ~(size - 1);
            Assert.Equal(model.Merge(iova, size), table.Merge(iova, size));
        }

        private void ReadDirty()
        {
            if (!table.TracksDirty)
            {
                return;
            }

            ulong first = Address();
            ulong last = first + Length() - 1;
            var options = (DirtyReadOptions)random.Next(4);
            var spans = new DirtySpans();
            Assert.Equal(Errno.OK, table.ReadAndClearDirty(new IovaRange(first, last), spans, options));
            Assert.Equal(model.ReadDirty(first, last, options), spans.Spans);
        }
    }
}
