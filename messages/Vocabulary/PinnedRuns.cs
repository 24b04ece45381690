using System.Collections;

namespace Iommufd.Messages;

/// <summary>What one operation newly pinned, in the numbers in which events have it. Not changed once it is made.</summary>
public sealed class PinnedRuns : IReadOnlyList<PinnedRun>
{
    /// <summary>Nothing.</summary>
    public static readonly PinnedRuns None = new([]);

    private const int Stride = 4;

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

        // Half a megabyte for a guest's memory: every number is written below.
        var numbers = GC.AllocateUninitializedArray<ulong>(runs.Length * Stride);
        var at = 0;
        foreach (ref readonly var run in runs)
        {
            numbers[at] = run.PageSet;
            numbers[at + 1] = run.FirstIndex;
            numbers[at + 2] = run.Run.First.Value;
            numbers[at + 3] = run.Run.Count;
            at += Stride;
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
}
