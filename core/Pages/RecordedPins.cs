using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// The frames that a replayed command pins, in the order in which it pinned them when its journal was written. Used by one replay
/// at a time.
/// </summary>
public sealed class RecordedPins
{
    // Runs that may wait to be sorted: their events' arrays stay in memory so long.
    private const long MostUnsorted = 1 << 16;

    /// <summary>What the command that is replayed pins.</summary>
    private readonly List<Part> _coming = [];

    /// <summary>What commands have pinned, not yet among <see cref="_known"/>, in their order.</summary>
    private readonly List<Part> _unsorted = [];

    /// <summary>What commands have pinned, by address.</summary>
    private readonly List<(ulong Address, PfnRun Run)> _known = [];

    private long _unsortedRuns;
    private int _part;
    private int _at;
    private (ulong Address, PfnRun Run)? _rest;

    /// <summary>Whether every recorded frame has been taken.</summary>
    public bool IsEmpty => _part == _coming.Count && _rest is null;

    /// <summary>Adds frames that will be pinned, as an event has them.</summary>
    /// <param name="pinned">Page set, first index, first frame and pages of each run; not changed afterwards.</param>
    /// <param name="from">Where the first run of these begins.</param>
    /// <param name="to">Where the last one ends.</param>
    /// <param name="start">Address (or file offset) of the page set's first page.</param>
    public void Add(ulong[] pinned, int from, int to, ulong start)
    {
        var part = new Part(pinned, from, to, start);
        _coming.Add(part);
        _unsorted.Add(part);
        _unsortedRuns += part.Runs;
        if (_unsortedRuns > Math.Max(MostUnsorted, _known.Count))
        {
            Sort();
        }
    }

    /// <summary>Forgets what was not taken.</summary>
    public void Clear()
    {
        _coming.Clear();
        (_part, _at) = (0, 0);
        _rest = null;
    }

    /// <summary>Takes the next frames.</summary>
    /// <exception cref="InvariantBrokenException">The command pins a page that no command had pinned when it was recorded.</exception>
    public PfnRun Take(ulong address, ulong pages)
    {
        var next = _rest ?? Next();
        if (next.Run.Count == 0 || next.Address != address)
        {
            // Commands that overlapped may have found pages pinned by each other; one after the other each pins for itself. The
            // frames are the same: a page keeps its frame while it is mapped.
            _rest = next.Run.Count == 0 ? null : next;
            return Known(address, pages);
        }

        var count = Math.Min(pages, next.Run.Count);
        _rest =
            count == next.Run.Count
                ? null
                : (
                    address + (count << HostPage.Shift),
                    new PfnRun(new Pfn(next.Run.First.Value + count), next.Run.Count - count)
                );
        return new PfnRun(next.Run.First, count);
    }

    private (ulong Address, PfnRun Run) Next()
    {
        if (_part == _coming.Count)
        {
            return default;
        }

        var part = _coming[_part];
        var next = part.At(_at++);
        if (_at == part.Runs)
        {
            (_part, _at) = (_part + 1, 0);
        }

        return next;
    }

    private PfnRun Known(ulong address, ulong pages)
    {
        Sort();
        var at = FirstEndingAfter(address);
        Invariant.Holds(
            at < _known.Count && _known[at].Address <= address,
            "a replayed command pins pages that were pinned before"
        );
        var (start, run) = _known[at];
        var skipped = (address - start) >> HostPage.Shift;
        return new PfnRun(new Pfn(run.First.Value + skipped), Math.Min(pages, run.Count - skipped));
    }

    // Seldom asked for: only commands that overlapped look at what others have pinned.
    private void Sort()
    {
        foreach (var part in _unsorted)
        {
            _known.EnsureCapacity(_known.Count + part.Runs);
            for (var i = 0; i < part.Runs; i++)
            {
                Sort(part.At(i));
            }
        }

        _unsorted.Clear();
        _unsortedRuns = 0;
    }

    // What is known is in order and does not overlap: of a page that was recorded more than once the last frame counts.
    private void Sort((ulong Address, PfnRun Run) next)
    {
        var (address, end) = (next.Address, EndOf(next));
        if (_known.Count == 0 || EndOf(_known[^1]) <= address)
        {
            _known.Add(next);
            return;
        }

        var from = FirstEndingAfter(address);
        var to = from;
        while (to < _known.Count && _known[to].Address < end)
        {
            to++;
        }

        if (to == from)
        {
            _known.Insert(from, next);
            return;
        }

        var (first, last) = (_known[from], _known[to - 1]);
        _known[from] = next;
        _known.RemoveRange(from + 1, to - from - 1);
        if (EndOf(last) > end)
        {
            var skipped = (end - last.Address) >> HostPage.Shift;
            var behind = new PfnRun(new Pfn(last.Run.First.Value + skipped), last.Run.Count - skipped);
            _known.Insert(from + 1, (end, behind));
        }

        if (first.Address < address)
        {
            var before = new PfnRun(first.Run.First, (address - first.Address) >> HostPage.Shift);
            _known.Insert(from, (first.Address, before));
        }
    }

    private static ulong EndOf((ulong Address, PfnRun Run) known) =>
        known.Address + (known.Run.Count << HostPage.Shift);

    private int FirstEndingAfter(ulong address)
    {
        var (from, to) = (0, _known.Count);
        while (from < to)
        {
            var middle = (from + to) >>> 1;
            if (EndOf(_known[middle]) <= address)
            {
                from = middle + 1;
            }
            else
            {
                to = middle;
            }
        }

        return from;
    }

    /// <summary>Runs of one page set in an event.</summary>
    private readonly record struct Part(ulong[] Pinned, int From, int To, ulong Start)
    {
        public int Runs => (To - From) / PinnedRuns.Stride;

        public (ulong Address, PfnRun Run) At(int run)
        {
            var numbers = Pinned.AsSpan(From + (run * PinnedRuns.Stride), PinnedRuns.Stride);
            return (Start + (numbers[1] << HostPage.Shift), new PfnRun(new Pfn(numbers[2]), numbers[3]));
        }
    }
}
