using System.Diagnostics;
using Iommufd.Core.Iova;
using Iommufd.Messages;

namespace Iommufd.Bench.Iova;

/// <summary>
/// What a MAP costs in the IOVA map: placing, inserting, removing one area in an IOAS of a thousand and of a million
/// areas. The peer is <see cref="SortedDictionary{TKey,TValue}"/>, which only adds and removes the same keys: it can
/// neither notice an overlap nor find a gap. Two more rows set the cost at a million against the cost at a thousand.
/// </summary>
public static class IovaBenchmarks
{
    private const string AreaName = "iova";
    private const int Operations = 20_000;
    private const int Rounds = 7;
    private const ulong Page = HostPage.Size;

    /// <summary>Runs everything; under ten seconds.</summary>
    public static IReadOnlyList<BenchRow> Run()
    {
        var rows = new List<BenchRow>();
        double[] small = MeasureAt(1_000, "1k", rows);
        double[] large = MeasureAt(1_000_000, "1M", rows);
        rows.Add(Row("fixed MAP, 1M areas", large[0], "the same at 1k areas", small[0]));
        rows.Add(Row("automatic MAP into a hole, 1M areas", large[1], "the same at 1k areas", small[1]));
        rows.Add(Row("automatic MAP past misaligned holes, 1M areas", large[2], "the same at 1k areas", small[2]));
        return rows;
    }

    private static BenchRow Row(string name, double value, string peer, double peerValue) =>
        new(AreaName, name, "ns/op", value, peer, peerValue, value / peerValue);

    private static double[] MeasureAt(int areas, string label, List<BenchRow> rows)
    {
        int[] picks = Picks(areas);
        var every = new Population(areas, 2 * Page);
        var dense = new Population(areas, Page);
        // Holes of two pages that start on odd pages: long enough for 8 KiB, never aligned to it.
        var odd = new Population(areas, 4 * Page, 2 * Page);
        var peer = new SortedDictionary<ulong, Area>();
        foreach (Area area in every.Areas)
        {
            peer.Add(area.Range.First, area);
        }

        double[] best = [double.MaxValue, double.MaxValue, double.MaxValue, double.MaxValue];
        for (int round = 0; round < Rounds; round++)
        {
            Keep(ref best[0], () => MapFixed(every, picks));
            Keep(ref best[3], () => AddRemove(peer, picks));
            Keep(ref best[1], () => MapIntoHole(dense, picks));
            Keep(ref best[2], () => MapPastHoles(odd));
        }

        const string peerName = "SortedDictionary, add and remove";
        rows.Add(Row($"fixed MAP, {label} areas", best[0], peerName, best[3]));
        rows.Add(Row($"automatic MAP into a hole, {label} areas", best[1], peerName, best[3]));
        rows.Add(Row($"automatic MAP past misaligned holes, {label} areas", best[2], peerName, best[3]));
        return best;
    }

    private static void Keep(ref double best, Action run)
    {
        long start = Stopwatch.GetTimestamp();
        run();
        best = Math.Min(best, Stopwatch.GetElapsedTime(start).TotalNanoseconds / Operations);
    }

    private static int[] Picks(int areas)
    {
        var random = new Random(1);
        int[] picks = new int[Operations];
        for (int i = 0; i < picks.Length; i++)
        {
            picks[i] = random.Next(areas);
        }

        return picks;
    }

    private static void MapFixed(Population population, int[] picks)
    {
        Area area = population.Spare;
        foreach (int pick in picks)
        {
            ulong iova = ((ulong)pick * 2 * Page) + (2 * Page);
            Require(population.Map.PlaceFixed(iova, Page, out IovaRange range));
            area.Range = range;
            population.Map.Insert(area);
            population.Map.Remove(area);
        }
    }

    private static void MapIntoHole(Population population, int[] picks)
    {
        foreach (int pick in picks)
        {
            Area area = population.Areas[pick];
            population.Map.Remove(area);
            Require(population.Map.PlaceAutomatic(Page, 0, out IovaRange range));
            area.Range = range;
            population.Map.Insert(area);
        }
    }

    private static void MapPastHoles(Population population)
    {
        Area area = population.Spare;
        for (int i = 0; i < Operations; i++)
        {
            Require(population.Map.PlaceAutomatic(2 * Page, 2 * Page, out IovaRange range));
            area.Range = range;
            population.Map.Insert(area);
            population.Map.Remove(area);
        }
    }

    private static void AddRemove(SortedDictionary<ulong, Area> peer, int[] picks)
    {
        Area area = peer.First().Value;
        foreach (int pick in picks)
        {
            ulong key = ((ulong)pick * 2 * Page) + (2 * Page);
            peer.Add(key, area);
            peer.Remove(key);
        }
    }

    private static void Require(Errno errno)
    {
        if (errno != Errno.OK)
        {
            throw new InvalidOperationException($"A placement that must succeed gave {errno}.");
        }
    }

    /// <summary>A map full of equal areas at equal distances, from the second page on.</summary>
    private sealed class Population
    {
        public Population(int areas, ulong stride, ulong length = Page)
        {
            Areas = new Area[areas];
            for (int i = 0; i < areas; i++)
            {
                ulong first = Page + ((ulong)i * stride);
                Areas[i] = new Area { Key = (ulong)i + 1, Range = new IovaRange(first, first + length - 1) };
                Map.Insert(Areas[i]);
            }
        }

        public IovaMap Map { get; } = new();

        public Area[] Areas { get; }

        /// <summary>One area more, for the MAPs.</summary>
        public Area Spare { get; } = new() { Key = ulong.MaxValue };
    }
}
