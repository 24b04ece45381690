using Iommufd.Messages;

namespace Iommufd.Core.Pages;

/// <summary>
/// The frames that a replayed command pins, in the order in which it pinned them when its journal was written. Used by one replay
/// at a time.
/// </summary>
public sealed class RecordedPins
{
    private readonly Queue<(ulong Address, PfnRun Run)> _runs = new();
    private (ulong Address, PfnRun Run)? _rest;

    /// <summary>Whether every recorded frame has been taken.</summary>
    public bool IsEmpty => _runs.Count == 0 && _rest is null;

    /// <summary>Adds frames that will be pinned.</summary>
    /// <param name="address">Address (or file offset) of the first page.</param>
    /// <param name="run">The frames.</param>
    public void Add(ulong address, PfnRun run) => _runs.Enqueue((address, run));

    /// <summary>Forgets what was not taken.</summary>
    public void Clear()
    {
        _runs.Clear();
        _rest = null;
    }

    /// <summary>Takes the next frames.</summary>
    /// <exception cref="InvariantBrokenException">The command pins a page that it did not pin when it was recorded.</exception>
    public PfnRun Take(ulong address, ulong pages)
    {
        var next = _rest ?? (_runs.Count > 0 ? _runs.Dequeue() : default);
        Invariant.Holds(next.Run.Count > 0 && next.Address == address, "a replayed command pins the recorded pages");
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
}
