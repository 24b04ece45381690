using System.Runtime.InteropServices;
using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// Lists of runs of the calling thread, to gather in what is then copied in its exact size: a guest's memory has runs by the ten
/// thousand, and lists that grow throw as much away as they keep. Whoever takes one uses it up before calling anybody who may take it.
/// </summary>
internal static class ScratchRuns
{
    /// <summary>A list with more room than this many runs is not kept: 8 MiB.</summary>
    private const int MostKept = 1 << 18;

    [ThreadStatic]
    private static List<PfnRun>? t_runs;

    [ThreadStatic]
    private static List<PinnedRun>? t_pinned;

    [ThreadStatic]
    private static List<PfnRun>? t_unpacked;

    /// <summary>An empty list of runs.</summary>
    public static List<PfnRun> Runs => Emptied(ref t_runs);

    /// <summary>An empty list of pinned runs.</summary>
    public static List<PinnedRun> Pinned => Emptied(ref t_pinned);

    /// <summary>A copy of what was gathered.</summary>
    public static IReadOnlyList<PfnRun> Copy(List<PfnRun> runs) => PackedRuns.Copy(CollectionsMarshal.AsSpan(runs));

    /// <summary>The runs of a list; good until the next call from the same thread.</summary>
    public static ReadOnlySpan<PfnRun> SpanOf(IReadOnlyList<PfnRun> runs) =>
        runs switch
        {
            PfnRun[] array => array,
            List<PfnRun> list => CollectionsMarshal.AsSpan(list),
            PackedRuns packed => Unpacked(packed),
            _ => runs.ToArray(),
        };

    private static ReadOnlySpan<PfnRun> Unpacked(PackedRuns packed)
    {
        List<PfnRun> unpacked = Emptied(ref t_unpacked);
        packed.AppendTo(unpacked);
        return CollectionsMarshal.AsSpan(unpacked);
    }

    private static List<T> Emptied<T>(ref List<T>? kept)
    {
        List<T>? list = kept;
        if (list is null || list.Capacity > MostKept)
        {
            kept = list = [];
        }

        list.Clear();
        return list;
    }
}
