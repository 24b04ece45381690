using System.Diagnostics;

namespace Iommufd.Bench.Iopte;

/// <summary>Something that is measured in rounds.</summary>
internal interface ITimed
{
    /// <summary>Measures for at least this long and keeps the result if it is the least so far.</summary>
    void Round(TimeSpan atLeast);

    /// <summary>Forgets what was measured.</summary>
    void Reset();
}

/// <summary>One thing to measure: runs a fixed number of operations each time it is called.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Operations">Operations of one call of <paramref name="Run"/>.</param>
/// <param name="Run">The work.</param>
internal sealed record Measured(string Name, int Operations, Action Run) : ITimed
{
    /// <summary>Nanoseconds an operation, the least of all rounds.</summary>
    internal double Best { get; private set; } = double.MaxValue;

    public void Round(TimeSpan atLeast)
    {
        long start = Stopwatch.GetTimestamp();
        long calls = 0;
        TimeSpan elapsed;
        do
        {
            Run();
            calls++;
            elapsed = Stopwatch.GetElapsedTime(start);
        } while (elapsed < atLeast);

        Best = Math.Min(Best, elapsed.TotalNanoseconds / (calls * (double)Operations));
    }

    public void Reset() => Best = double.MaxValue;
}

/// <summary>
/// A map and its unmap, timed apart: a few spans are mapped, then unmapped, so that the clock's own cost (measured, and taken
/// off) spreads over some calls. Reading the clock also empties the processor's pipeline, which is not taken off: the more spans,
/// the less it weighs.
/// </summary>
/// <param name="Name">What is mapped.</param>
/// <param name="Spans">How many; all of them should fit the first-level cache where a figure is called hot.</param>
/// <param name="Map">Maps span number n.</param>
/// <param name="Unmap">Unmaps it.</param>
internal sealed record HalfTimed(string Name, int Spans, Action<int> Map, Action<int> Unmap) : ITimed
{
    private const int Repeats = 64;

    /// <summary>Nanoseconds of one map.</summary>
    internal double MapBest { get; private set; } = double.MaxValue;

    /// <summary>Nanoseconds of one unmap.</summary>
    internal double UnmapBest { get; private set; } = double.MaxValue;

    public void Reset() => MapBest = UnmapBest = double.MaxValue;

    public void Round(TimeSpan atLeast)
    {
        long begin = Stopwatch.GetTimestamp();
        do
        {
            long clock = long.MaxValue;
            long map = 0;
            long unmap = 0;
            for (int i = 0; i < Repeats; i++)
            {
                long start = Stopwatch.GetTimestamp();
                clock = Math.Min(clock, Stopwatch.GetTimestamp() - start);
                start = Stopwatch.GetTimestamp();
                Each(Map);
                long middle = Stopwatch.GetTimestamp();
                Each(Unmap);
                unmap += Stopwatch.GetTimestamp() - middle;
                map += middle - start;
            }

            double tick = 1e9 / Stopwatch.Frequency / (Spans * Repeats);
            MapBest = Math.Min(MapBest, (map - (clock * Repeats)) * tick);
            UnmapBest = Math.Min(UnmapBest, (unmap - (clock * Repeats)) * tick);
        } while (Stopwatch.GetElapsedTime(begin) < atLeast);
    }

    private void Each(Action<int> action)
    {
        for (int span = 0; span < Spans; span++)
        {
            action(span);
        }
    }
}

/// <summary>Measures things in alternating rounds, so that a slow moment of the machine hits all of them.</summary>
internal static class RoundRobin
{
    private const int Rounds = 9;
    private static readonly TimeSpan WarmUp = TimeSpan.FromMilliseconds(120);
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(8);

    internal static void Measure(IReadOnlyCollection<ITimed> things)
    {
        foreach (ITimed thing in things)
        {
            thing.Round(WarmUp);
        }

        // Code compiled in the background after the first warm-up is used from here on.
        foreach (ITimed thing in things)
        {
            thing.Round(WarmUp / 4);
            thing.Reset();
        }

        for (int round = 0; round < Rounds; round++)
        {
            foreach (ITimed thing in things)
            {
                thing.Round(Slice);
            }
        }
    }
}
