using System.Diagnostics;

namespace Iommufd.Bench.Iopte;

/// <summary>Something that is measured in rounds.</summary>
internal interface ITimed
{
    /// <summary>Measures for at least this long and keeps the result if it is the least so far.</summary>
    void Round(TimeSpan atLeast);

    /// <summary>Runs for at least this long, unmeasured.</summary>
    void Warm(TimeSpan atLeast);

    /// <summary>Forgets what was measured.</summary>
    void Reset();
}

/// <summary>One thing to measure: runs a fixed number of operations each time it is called.</summary>
/// <param name="Name">What it is.</param>
/// <param name="Operations">Operations of one call of <paramref name="Run"/>.</param>
/// <param name="Run">The work.</param>
/// <param name="Visit">Reads once all that the work may read at random; null where that is little.</param>
internal sealed record Measured(string Name, int Operations, Action Run, Action? Visit = null) : ITimed
{
    /// <summary>Nanoseconds an operation, the least of all rounds.</summary>
    internal double Best { get; private set; } = double.MaxValue;

    public void Round(TimeSpan atLeast)
    {
        long start = Stopwatch.GetTimestamp();
        // CPU time of this thread: what other work on the machine takes away does not count.
        double began = NativeCalls.ThreadNanoseconds();
        long calls = 0;
        do
        {
            Run();
            calls++;
        } while (Stopwatch.GetElapsedTime(start) < atLeast);

        Best = Math.Min(Best, (NativeCalls.ThreadNanoseconds() - began) / (calls * (double)Operations));
    }

    public void Warm(TimeSpan atLeast)
    {
        Visit?.Invoke();
        long start = Stopwatch.GetTimestamp();
        do
        {
            Run();
        } while (Stopwatch.GetElapsedTime(start) < atLeast);
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
    /// <summary>Spans that are mapped between two looks at the whole time.</summary>
    private const int Batch = 512;

    /// <summary>Nanoseconds of one map.</summary>
    internal double MapBest { get; private set; } = double.MaxValue;

    /// <summary>Nanoseconds of one unmap.</summary>
    internal double UnmapBest { get; private set; } = double.MaxValue;

    public void Warm(TimeSpan atLeast)
    {
        long start = Stopwatch.GetTimestamp();
        do
        {
            Each(Map);
            Each(Unmap);
        } while (Stopwatch.GetElapsedTime(start) < atLeast);
    }

    public void Reset() => MapBest = UnmapBest = double.MaxValue;

    public void Round(TimeSpan atLeast)
    {
        int repeats = Math.Max(1, Batch / Spans);
        long begin = Stopwatch.GetTimestamp();
        do
        {
            long clock = long.MaxValue;
            long map = 0;
            long unmap = 0;
            for (int i = 0; i < repeats; i++)
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

            double tick = 1e9 / Stopwatch.Frequency / ((double)Spans * repeats);
            MapBest = Math.Min(MapBest, (map - (clock * repeats)) * tick);
            UnmapBest = Math.Min(UnmapBest, (unmap - (clock * repeats)) * tick);
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

/// <summary>
/// Measures things in alternating rounds, so that a slow moment of the machine hits all of them. Before each round a thing runs for a
/// while unmeasured: the caches then hold what it leaves there itself, not what its predecessor left.
/// </summary>
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
                thing.Warm(Slice / 2);
                thing.Round(Slice);
            }
        }
    }
}
