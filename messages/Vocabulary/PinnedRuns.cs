using System.Collections;

namespace Iommufd.Messages;

/// <summary>What one operation newly pinned, in the numbers in which events have it. Not changed once it is made.</summary>
public sealed class PinnedRuns : IReadOnlyList<PinnedRun>
{
    /// <summary>Nothing.</summary>
    public static readonly PinnedRuns None = new([]);

    /// <summary>Numbers that an event spends on a run: page set, first index, first PFN, pages.</summary>
    public const int Stride = 4;

    private PinnedRuns(ulong[] numbers) => Numbers = numbers;

    /// <summary>Page set, first index, first PFN, pages; repeated. Read only: events share it.</summary>
    public ulong[] Numbers { get; }

    /// <inheritdoc/>
    public int Count => Numbers.Length / Stride;

    /// <inheritdoc/>
    public PinnedRun this[int index]
    {
        get
        {
            var run = Numbers.AsSpan(index * Stride, Stride);
            return new PinnedRun((uint)run[0], run[1], new PfnRun(new Pfn(run[2]), run[3]));
        }
    }

    /// <summary>Copies runs.</summary>
    public static PinnedRuns Of(ReadOnlySpan<PinnedRun> runs)
    {
        if (runs.IsEmpty)
        {
            return None;
        }

        var numbers = NumbersFor(runs.Length);
        for (var i = 0; i < runs.Length; i++)
        {
            Write(runs[i], numbers.AsSpan(i * Stride, Stride));
        }

        return new PinnedRuns(numbers);
    }

    /// <summary>Copies runs that came in parts, one part after the other.</summary>
    public static PinnedRuns Joined(IReadOnlyList<IReadOnlyList<PinnedRun>> parts)
    {
        if (parts is [PinnedRuns whole])
        {
            return whole;
        }

        var count = parts.Sum(p => p.Count);
        if (count == 0)
        {
            return None;
        }

        var numbers = NumbersFor(count);
        var rest = numbers.AsSpan();
        foreach (var part in parts)
        {
            for (var i = 0; i < part.Count; i++)
            {
                Write(part[i], rest[..Stride]);
                rest = rest[Stride..];
            }
        }

        return new PinnedRuns(numbers);
    }

    /// <inheritdoc/>
    public IEnumerator<PinnedRun> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
        {
            yield return this[i];
        }
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    // Half a megabyte for a guest's memory: every number is written.
    private static ulong[] NumbersFor(int runs) => GC.AllocateUninitializedArray<ulong>(checked(runs * Stride));

    private static void Write(in PinnedRun run, Span<ulong> numbers)
    {
        numbers[0] = run.PageSet;
        numbers[1] = run.FirstIndex;
        numbers[2] = run.Run.First.Value;
        numbers[3] = run.Run.Count;
    }
}
