using System.Runtime.InteropServices;
using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>Lists of runs: appending with merging, and walking one in pieces; a cursor's list stays as it is meanwhile.</summary>
internal static class PfnRuns
{
    /// <summary>
    /// Appends a run, merged with the last one where it continues it. Entries before <paramref name="from"/> belong to
    /// somebody else and are left alone.
    /// </summary>
    public static void Append(List<PfnRun> runs, int from, PfnRun run)
    {
        if (runs.Count > from)
        {
            ref PfnRun tail = ref CollectionsMarshal.AsSpan(runs)[^1];
            if (tail.First.Value + tail.Count == run.First.Value)
            {
                tail = new PfnRun(tail.First, tail.Count + run.Count);
                return;
            }
        }

        runs.Add(run);
    }

    /// <summary>Appends pages that were pinned, merged with the last ones where they continue them.</summary>
    public static void Append(List<PinnedRun> pinned, int from, uint pageSet, ulong index, PfnRun run)
    {
        if (pinned.Count > from)
        {
            ref PinnedRun tail = ref CollectionsMarshal.AsSpan(pinned)[^1];
            PfnRun before = tail.Run;
            if (tail.FirstIndex + before.Count == index && before.First.Value + before.Count == run.First.Value)
            {
                tail = new PinnedRun(pageSet, tail.FirstIndex, new PfnRun(before.First, before.Count + run.Count));
                return;
            }
        }

        pinned.Add(new PinnedRun(pageSet, index, run));
    }

    /// <summary>Pages in a list of runs.</summary>
    public static ulong Pages(ReadOnlySpan<PfnRun> runs)
    {
        ulong pages = 0;
        foreach (ref readonly PfnRun run in runs)
        {
            pages += run.Count;
        }

        return pages;
    }
}

/// <summary>A place in a list of runs, moving forward page by page or run by run.</summary>
internal ref struct RunCursor(ReadOnlySpan<PfnRun> runs)
{
    private readonly ReadOnlySpan<PfnRun> _runs = runs;
    private int _at;
    private ulong _taken;

    /// <summary>The next pages as far as they are consecutive, at most <paramref name="pages"/>; moves past them.</summary>
    public PfnRun Take(ulong pages)
    {
        PfnRun run = _runs[_at];
        ulong count = Math.Min(pages, run.Count - _taken);
        var piece = new PfnRun(new Pfn(run.First.Value + _taken), count);
        _taken += count;
        if (_taken == run.Count)
        {
            _at++;
            _taken = 0;
        }

        return piece;
    }

    /// <summary>Moves past pages.</summary>
    public void Skip(ulong pages)
    {
        while (pages > 0)
        {
            pages -= Take(pages).Count;
        }
    }
}
