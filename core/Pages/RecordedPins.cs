using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// The frames that a replayed command pins, in the order in which it pinned them when its journal was written. Used by one replay
/// at a time.
/// </summary>
public sealed class RecordedPins
{
    private readonly Queue<(ulong Address, PfnRun Run)> _runs = new();
    private readonly List<(ulong Address, PfnRun Run)> _known = [];
    private (ulong Address, PfnRun Run)? _rest;

    /// <summary>Whether every recorded frame has been taken.</summary>
    public bool IsEmpty => _runs.Count == 0 && _rest is null;

    /// <summary>Adds frames that will be pinned.</summary>
    /// <param name="address">Address (or file offset) of the first page.</param>
    /// <param name="run">The frames.</param>
    public void Add(ulong address, PfnRun run)
    {
        _runs.Enqueue((address, run));
        Know(address, run);
    }

    /// <summary>Makes room for frames that will be added.</summary>
    /// <param name="runs">How many times <see cref="Add"/> will be called.</param>
    public void Reserve(int runs)
    {
        _runs.EnsureCapacity(_runs.Count + runs);
        _known.EnsureCapacity(_known.Count + runs);
    }

    /// <summary>Forgets what was not taken.</summary>
    public void Clear()
    {
        _runs.Clear();
        _rest = null;
    }

    /// <summary>Takes the next frames.</summary>
    /// <exception cref="InvariantBrokenException">The command pins a page that no command had pinned when it was recorded.</exception>
    public PfnRun Take(ulong address, ulong pages)
    {
        var next = _rest ?? (_runs.Count > 0 ? _runs.Dequeue() : default);
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

    // What is known is in order and does not overlap: of a page that was recorded more than once the last frame counts.
    private void Know(ulong address, PfnRun run)
    {
        if (_known.Count == 0 || EndOf(_known[^1]) <= address)
        {
            _known.Add((address, run));
            return;
        }

        var end = EndOf((address, run));
        var from = FirstEndingAfter(address);
        var to = from;
        while (to < _known.Count && _known[to].Address < end)
        {
            to++;
        }

        if (to == from)
        {
            _known.Insert(from, (address, run));
            return;
        }

        var (first, last) = (_known[from], _known[to - 1]);
        _known[from] = (address, run);
        _known.RemoveRange(from + 1, to - from - 1);
        if (EndOf(last) > end)
        {
            var skipped = (end - last.Address) >> HostPage.Shift;
            _known.Insert(
                from + 1,
                (end, new PfnRun(new Pfn(last.Run.First.Value + skipped), last.Run.Count - skipped))
            );
        }

        if (first.Address < address)
        {
            _known.Insert(
                from,
                (first.Address, new PfnRun(first.Run.First, (address - first.Address) >> HostPage.Shift))
            );
        }
    }

    private PfnRun Known(ulong address, ulong pages)
    {
        var at = FirstEndingAfter(address);
        Invariant.Holds(
            at < _known.Count && _known[at].Address <= address,
            "a replayed command pins pages that were pinned before"
        );
        var (start, run) = _known[at];
        var skipped = (address - start) >> HostPage.Shift;
        return new PfnRun(new Pfn(run.First.Value + skipped), Math.Min(pages, run.Count - skipped));
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
}
