using System.Collections;
using System.Runtime.InteropServices;
using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// Many runs in little room. Frames are handed out at equal distances, so the pages of a guest's memory are ten thousand runs that
/// follow from the first two. Not changed once it is made.
/// </summary>
internal sealed class PackedRuns : IReadOnlyList<PfnRun>
{
    /// <summary>Below this number of runs nothing is gained.</summary>
    private const int FewRuns = 64;

    /// <summary>Rows that an index may have to be looked for in.</summary>
    private const int MostRows = 64;

    private readonly Row[] _rows;

    private PackedRuns(Row[] rows, int count) => (_rows, Count) = (rows, count);

    /// <inheritdoc/>
    public int Count { get; }

    /// <inheritdoc/>
    public PfnRun this[int index]
    {
        get
        {
            foreach (Row row in _rows)
            {
                if (index < row.Runs)
                {
                    return row.At(index);
                }

                index -= row.Runs;
            }

            throw new ArgumentOutOfRangeException(nameof(index));
        }
    }

    /// <summary>Copies runs: packed where that takes a fraction of their room, else as they are.</summary>
    public static IReadOnlyList<PfnRun> Copy(ReadOnlySpan<PfnRun> runs)
    {
        if (runs.Length < FewRuns)
        {
            return runs.ToArray();
        }

        var rows = new List<Row>();
        for (int from = 0; from < runs.Length; )
        {
            int length = LengthOfRow(runs[from..], out ulong distance);
            rows.Add(new Row(runs[from], distance, length));
            if (rows.Count > Math.Min(MostRows, runs.Length / 8))
            {
                PfnRun[] copy = GC.AllocateUninitializedArray<PfnRun>(runs.Length);
                runs.CopyTo(copy);
                return copy;
            }

            from += length;
        }

        return new PackedRuns([.. rows], runs.Length);
    }

    /// <summary>Appends all runs.</summary>
    public void AppendTo(List<PfnRun> runs)
    {
        int at = runs.Count;
        CollectionsMarshal.SetCount(runs, at + Count);
        Span<PfnRun> room = CollectionsMarshal.AsSpan(runs)[at..];
        foreach (Row row in _rows)
        {
            ulong frame = row.First.First.Value;
            for (int i = 0; i < row.Runs; i++)
            {
                room[i] = new PfnRun(new Pfn(frame), row.First.Count);
                frame = unchecked(frame + row.Distance);
            }

            room = room[row.Runs..];
        }
    }

    /// <inheritdoc/>
    public IEnumerator<PfnRun> GetEnumerator()
    {
        foreach (Row row in _rows)
        {
            for (int i = 0; i < row.Runs; i++)
            {
                yield return row.At(i);
            }
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>How many of the first runs have the same length and lie at the same distance, downwards too.</summary>
    private static int LengthOfRow(ReadOnlySpan<PfnRun> runs, out ulong distance)
    {
        distance = 0;
        if (runs.Length == 1)
        {
            return 1;
        }

        distance = unchecked(runs[1].First.Value - runs[0].First.Value);
        ulong pages = runs[0].Count;
        ulong frame = runs[0].First.Value;
        int length = 1;
        while (length < runs.Length)
        {
            frame = unchecked(frame + distance);
            PfnRun run = runs[length];
            if (run.First.Value != frame || run.Count != pages)
            {
                break;
            }

            length++;
        }

        return length;
    }

    private readonly record struct Row(PfnRun First, ulong Distance, int Runs)
    {
        public PfnRun At(int index) =>
            First with
            {
                First = new Pfn(unchecked(First.First.Value + ((ulong)index * Distance))),
            };
    }
}
