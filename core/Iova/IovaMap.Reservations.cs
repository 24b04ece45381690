using Iommufd.Messages;

namespace Iommufd.Core.Iova;

// Reserved ranges keep areas out; allowed ranges say where automatic IOVAs may go, and keep reservations out.
public sealed partial class IovaMap
{
    private readonly ReservedRanges _reserved = new();

    /// <summary>Ascending, disjoint.</summary>
    private IovaRange[] _allowed = [];

    /// <summary>Where automatic IOVAs may go while something is allowed: the allowed ranges, joined where they touch.</summary>
    private List<IovaRange> _windows = [];

    /// <summary>The reservations with their owners, ascending by first address, last address, owner; a copy.</summary>
    public IReadOnlyList<(IovaRange Range, ulong Owner)> Reservations => _reserved.ToList();

    /// <summary>Where automatic IOVAs may go, ascending; empty for everywhere.</summary>
    public IReadOnlyList<IovaRange> Allowed => _allowed;

    /// <summary>Reserves a range. Reservations may overlap one another.</summary>
    /// <param name="range">The range.</param>
    /// <param name="owner">Who gives it back; 0 for no one: it stays as long as the map.</param>
    /// <returns>EADDRINUSE when an area, in any state, or an allowed range overlaps it.</returns>
    public Errno Reserve(IovaRange range, ulong owner)
    {
        // What is reserved already has been checked, and nothing may have come since.
        if (!_reserved.Contains(range) && (_occupied.FirstArea(range) is not null || OverlapsAllowed(range)))
        {
            return Errno.EADDRINUSE;
        }

        _reserved.Add(range, owner, _occupied);
        return Errno.OK;
    }

    /// <summary>Gives all reservations of an owner back; nothing happens when it has none.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The owner is 0: those reservations are for ever.</exception>
    public void Unreserve(ulong owner)
    {
        ArgumentOutOfRangeException.ThrowIfZero(owner);
        _reserved.Remove(owner, _occupied);
    }

    /// <summary>
    /// Replaces the list of allowed ranges as a whole; an empty one allows everything. Areas outside the list stay.
    /// </summary>
    /// <param name="ranges">Ranges that do not overlap one another (see <see cref="ValidateAllowed"/>), in any order.</param>
    /// <returns>EADDRINUSE when one overlaps a reserved range: the old list stays in force.</returns>
    public Errno ReplaceAllowed(IReadOnlyList<IovaRange> ranges)
    {
        foreach (IovaRange range in ranges)
        {
            if (_reserved.Overlaps(range))
            {
                return Errno.EADDRINUSE;
            }
        }

        _allowed = SortedByFirst(ranges);
        _windows = WindowsOf(_allowed);
        return Errno.OK;
    }

    /// <summary>
    /// Checks the array of ALLOW_IOVAS before its entries become ranges: every start below its last address (so a range
    /// of one byte is refused), and no two overlapping.
    /// </summary>
    /// <param name="entries">The array, or the part of it that could be read.</param>
    /// <returns>OK or EINVAL.</returns>
    public static Errno ValidateAllowed(IReadOnlyList<(ulong Start, ulong Last)> entries)
    {
        foreach ((ulong start, ulong last) in entries)
        {
            if (start >= last)
            {
                return Errno.EINVAL;
            }
        }

        (ulong Start, ulong Last)[] sorted = [.. entries];
        Array.Sort(sorted, static (a, b) => a.Start.CompareTo(b.Start));
        for (int i = 1; i < sorted.Length; i++)
        {
            if (sorted[i].Start <= sorted[i - 1].Last)
            {
                return Errno.EINVAL;
            }
        }

        return Errno.OK;
    }

    /// <summary>What is not reserved: the gaps between reserved ranges over 0 to 2^64 - 1, ascending.</summary>
    public List<IovaRange> UsableRanges()
    {
        var gaps = new List<IovaRange>(_reserved.Runs.Count + 1);
        ulong next = 0;
        foreach (IovaRange run in _reserved.Runs)
        {
            if (run.First > next)
            {
                gaps.Add(new IovaRange(next, run.First - 1));
            }

            if (run.Last == ulong.MaxValue)
            {
                return gaps;
            }

            next = run.Last + 1;
        }

        gaps.Add(new IovaRange(next, ulong.MaxValue));
        return gaps;
    }

    private static IovaRange[] SortedByFirst(IReadOnlyList<IovaRange> ranges)
    {
        IovaRange[] sorted = [.. ranges];
        Array.Sort(sorted, static (a, b) => a.First.CompareTo(b.First));
        return sorted;
    }

    // Allowed ranges that touch are one window: an automatic IOVA range may span both.
    private static List<IovaRange> WindowsOf(IovaRange[] allowed)
    {
        var windows = new List<IovaRange>(allowed.Length);
        IovaRange whole = AutomaticWindow;
        foreach (IovaRange range in allowed)
        {
            if (!range.Overlaps(whole))
            {
                continue;
            }

            var clipped = new IovaRange(Math.Max(range.First, whole.First), Math.Min(range.Last, whole.Last));
            if (windows.Count > 0 && windows[^1].Last == clipped.First - 1)
            {
                windows[^1] = new IovaRange(windows[^1].First, clipped.Last);
            }
            else
            {
                windows.Add(clipped);
            }
        }

        return windows;
    }

    private bool OverlapsAllowed(IovaRange range)
    {
        int low = 0;
        int high = _allowed.Length;
        while (low < high)
        {
            int middle = (low + high) >>> 1;
            if (_allowed[middle].Last < range.First)
            {
                low = middle + 1;
            }
            else
            {
                high = middle;
            }
        }

        return low < _allowed.Length && _allowed[low].First <= range.Last;
    }
}
