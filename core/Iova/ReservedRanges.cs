using System.Runtime.InteropServices;
using Iommufd.Messages;

namespace Iommufd.Core.Iova;

/// <summary>
/// The reservations of an IOAS: ranges with owners, which may overlap one another, and the runs that they cover
/// together. A hundred thousand devices that reserve the same MSI window cost one entry with a count.
/// </summary>
internal sealed class ReservedRanges
{
    /// <summary>Ascending by first, then last address; no two equal.</summary>
    private readonly List<(IovaRange Range, int Count)> _distinct = [];

    /// <summary>What the ranges cover, ascending, disjoint.</summary>
    private readonly List<IovaRange> _runs = [];

    private readonly Dictionary<ulong, IovaRange[]> _byOwner = [];

    // Devices of one kind reserve the same window: owners of one range share its array while they follow one another.
    private IovaRange[] _lastSingle = [];

    /// <summary>What is reserved: ascending, disjoint.</summary>
    public IReadOnlyList<IovaRange> Runs => _runs;

    /// <summary>The reservations, ascending by first address, last address, owner.</summary>
    public List<(IovaRange Range, ulong Owner)> ToList()
    {
        var all = new List<(IovaRange Range, ulong Owner)>();
        foreach ((ulong owner, IovaRange[] ranges) in _byOwner)
        {
            foreach (IovaRange range in ranges)
            {
                all.Add((range, owner));
            }
        }

        all.Sort(
            static (a, b) => Compare(a.Range, b.Range) is var order and not 0 ? order : a.Owner.CompareTo(b.Owner)
        );
        return all;
    }

    /// <summary>Whether exactly this range is reserved already, by any owner.</summary>
    public bool Contains(IovaRange range) => FindDistinct(range) >= 0;

    /// <summary>Whether a range meets a reserved one.</summary>
    public bool Overlaps(IovaRange range)
    {
        int run = FirstRunEndingFrom(range.First);
        return run < _runs.Count && _runs[run].First <= range.Last;
    }

    /// <summary>Adds a reservation. Runs that it swallows and the run that results go to the tree.</summary>
    public void Add(IovaRange range, ulong owner, SpanTree tree)
    {
        ref IovaRange[]? owned = ref CollectionsMarshal.GetValueRefOrAddDefault(_byOwner, owner, out _);
        owned = owned is null ? Single(range) : [.. owned, range];
        int index = FindDistinct(range);
        if (index >= 0)
        {
            _distinct[index] = (range, _distinct[index].Count + 1);
            return;
        }

        _distinct.Insert(~index, (range, 1));
        int first = FirstRunEndingFrom(range.First);
        int end = first;
        IovaRange run = range;
        for (; end < _runs.Count && _runs[end].First <= range.Last; end++)
        {
            run = new IovaRange(Math.Min(run.First, _runs[end].First), Math.Max(run.Last, _runs[end].Last));
            tree.Remove(_runs[end].First, null);
        }

        _runs.RemoveRange(first, end - first);
        _runs.Insert(first, run);
        tree.Insert(run.First, run.Last, null);
    }

    /// <summary>Removes all reservations of an owner, from here and where nothing else covers them from the tree.</summary>
    public void Remove(ulong owner, SpanTree tree)
    {
        if (!_byOwner.Remove(owner, out IovaRange[]? owned))
        {
            return;
        }

        foreach (IovaRange range in owned)
        {
            int index = FindDistinct(range);
            int count = _distinct[index].Count - 1;
            if (count > 0)
            {
                _distinct[index] = (range, count);
                continue;
            }

            _distinct.RemoveAt(index);
            Recover(range, tree);
        }
    }

    // The run around a range that went falls apart into what the ranges left in it cover.
    private void Recover(IovaRange gone, SpanTree tree)
    {
        int at = FirstRunEndingFrom(gone.First);
        IovaRange old = _runs[at];
        _runs.RemoveAt(at);
        tree.Remove(old.First, null);
        int index = FindDistinct(new IovaRange(old.First, old.First));
        index = index < 0 ? ~index : index;
        while (index < _distinct.Count && _distinct[index].Range.First <= old.Last)
        {
            IovaRange run = _distinct[index].Range;
            for (index++; index < _distinct.Count && _distinct[index].Range.First <= run.Last; index++)
            {
                run = new IovaRange(run.First, Math.Max(run.Last, _distinct[index].Range.Last));
            }

            _runs.Insert(at++, run);
            tree.Insert(run.First, run.Last, null);
        }
    }

    private IovaRange[] Single(IovaRange range)
    {
        if (_lastSingle.Length == 0 || _lastSingle[0] != range)
        {
            _lastSingle = [range];
        }

        return _lastSingle;
    }

    private int FirstRunEndingFrom(ulong address)
    {
        int low = 0;
        int high = _runs.Count;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_runs[middle].Last < address)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low;
    }

    private int FindDistinct(IovaRange range)
    {
        int low = 0;
        int high = _distinct.Count - 1;
        while (low <= high)
        {
            int middle = (low + high) >>> 1;
            int order = Compare(_distinct[middle].Range, range);
            if (order == 0)
            {
                return middle;
            }

            if (order < 0)
            {
                low = middle + 1;
            }
            else
            {
                high = middle - 1;
            }
        }

        return ~low;
    }

    private static int Compare(IovaRange a, IovaRange b) =>
        a.First.CompareTo(b.First) is var order and not 0 ? order : a.Last.CompareTo(b.Last);
}
