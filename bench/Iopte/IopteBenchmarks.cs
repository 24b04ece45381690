using Iommufd.Core.PageTables;

namespace Iommufd.Bench.Iopte;

/// <summary>
/// The page tables against the machine's raw limits and against what a .NET user would reach for, in one run. Each figure is
/// the least of nine alternating rounds; a ratio below 1 is faster (or smaller) than the peer.
/// </summary>
public static class IopteBenchmarks
{
    private const string Area = "iopte";
    private const ulong Page = 4096;
    private const ulong Large = 2UL << 20;

    /// <summary>Runs everything; under a minute.</summary>
    public static IReadOnlyList<BenchRow> Run()
    {
        var rows = new List<BenchRow>();
        using (var limits = new RawLimits())
        using (var work = new TableWork())
        {
            AddWrites(rows, limits, work);
            AddReads(rows, limits, work);
            AddCollections(rows, work);
        }

        ThreadScaling.Add(rows);
        return rows;
    }

    private static void AddWrites(List<BenchRow> rows, RawLimits limits, TableWork work)
    {
        Measured one = work.MapUnmapOne();
        Measured cursor = work.MapUnmapOneCursor();
        HalfTimed pages = work.HotRuns();
        HalfTimed walking = work.WalkingRuns();
        Measured sweep = work.Sweep();
        HalfTimed table = work.Halves("512 x 4K, a whole table", 1UL << 39, Large, Large);
        HalfTimed large = work.Halves("one 2M", 3UL << 38, Large, Large, misalign: Large, spans: 64);
        HalfTimed larges = work.Halves("256 x 2M", 1UL << 41, 256 * Large, 512 * Large, misalign: Large);
        HalfTimed contiguous = work.Contiguous();
        Measured[] limitsUsed = [limits.CompareAndSwap, limits.StoreLoop, limits.StoreLoopHot, limits.StoreHot];
        RoundRobin.Measure([one, cursor, pages, walking, sweep, table, large, larges, contiguous, .. limitsUsed]);
        Add(rows, one, limits.CompareAndSwap);
        Add(rows, cursor, limits.CompareAndSwap);
        AddHalves(rows, pages, limits.StoreLoop);
        AddHalves(rows, pages, limits.StoreLoopHot);
        AddHalves(rows, walking, limits.StoreLoop);
        Add(rows, sweep, limits.StoreLoop);
        AddHalves(rows, table, limits.StoreHot);
        AddHalves(rows, large, limits.CompareAndSwap);
        AddHalves(rows, larges, limits.StoreLoop);
        AddHalves(rows, contiguous, limits.StoreLoop);
        double allocated = work.AllocatedPerOperation();
        rows.Add(new BenchRow(Area, "allocation an operation", "bytes", allocated, "none", 0, 0));
    }

    private static void AddReads(List<BenchRow> rows, RawLimits limits, TableWork work)
    {
        Measured hot = work.TranslateHot();
        Measured section = work.TranslateHotInSection();
        Measured sequential = work.TranslateSequential();
        Measured reader = work.TranslateSequentialReader();
        Measured random = work.TranslateRandom();
        Measured each = work.TranslateRandomEach();
        Measured dependent = work.TranslateDependent();
        Measured range = work.TranslateRange();
        RoundRobin.Measure(
            [
                hot,
                section,
                sequential,
                reader,
                random,
                each,
                dependent,
                range,
                limits.SmallChase,
                limits.LargeChase,
                limits.LargeLoad,
            ]
        );
        Add(rows, hot, limits.SmallChase);
        Add(rows, section, limits.SmallChase);
        Add(rows, sequential, limits.SmallChase);
        Add(rows, reader, limits.SmallChase);
        Add(rows, random, limits.LargeLoad);
        Add(rows, each, limits.LargeLoad);
        Add(rows, dependent, limits.LargeChase);
        Add(rows, range, limits.SmallChase);
        IoPageTableStatistics statistics = work.Million.GetStatistics();
        double bytes = statistics.TableBytes / (double)statistics.Entries;
        rows.Add(new BenchRow(Area, "table memory a 4K page", "bytes", bytes, "an 8-byte entry", 8, bytes / 8));
    }

    private static void AddCollections(List<BenchRow> rows, TableWork work)
    {
        // One pair at a time: whoever runs in between would empty the caches of both.
        using var collections = new CollectionWork();
        Measured get = collections.TableGet;
        Measured set = collections.TableSet;
        foreach (Measured peer in new[] { collections.ConcurrentGet, collections.SortedGet })
        {
            RoundRobin.Measure([get, peer]);
            Add(rows, get, peer);
        }

        foreach (Measured peer in new[] { collections.ConcurrentSet, collections.SortedSet })
        {
            RoundRobin.Measure([set, peer]);
            Add(rows, set, peer);
        }

        double bytes = work.Million.GetStatistics().TableBytes / (double)(1 << 20);
        double theirs = collections.ConcurrentBytes;
        rows.Add(
            new BenchRow(Area, "memory a mapping", "bytes", bytes, "ConcurrentDictionary", theirs, bytes / theirs)
        );
    }

    private static void Add(List<BenchRow> rows, Measured ours, Measured peer) =>
        rows.Add(new BenchRow(Area, ours.Name, "ns", ours.Best, peer.Name, peer.Best, ours.Best / peer.Best));

    private static void AddHalves(List<BenchRow> rows, HalfTimed ours, Measured peer)
    {
        double map = ours.MapBest;
        double unmap = ours.UnmapBest;
        rows.Add(new BenchRow(Area, $"map {ours.Name}", "ns", map, peer.Name, peer.Best, map / peer.Best));
        rows.Add(new BenchRow(Area, $"unmap {ours.Name}", "ns", unmap, peer.Name, peer.Best, unmap / peer.Best));
    }
}
