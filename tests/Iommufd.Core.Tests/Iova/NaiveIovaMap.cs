using Iommufd.Core.Iova;
using Iommufd.Messages;

namespace Iommufd.Core.Tests.Iova;

/// <summary>
/// The IOVA map written down from the rules, with lists and linear scans and 128-bit arithmetic: slow, and short enough
/// to be compared with the rules by eye. Area keys stand for areas.
/// </summary>
internal sealed class NaiveIovaMap
{
    private static readonly UInt128 Top = ulong.MaxValue;

    public List<Area> Areas { get; } = [];

    public List<(IovaRange Range, ulong Owner)> Reserved { get; } = [];

    public List<IovaRange> Allowed { get; private set; } = [];

    public Dictionary<uint, ulong> Domains { get; } = [];

    public Dictionary<uint, bool> Accesses { get; } = [];

    public bool LargePagesDisabled { get; private set; }

    public ulong Alignment
    {
        get
        {
            ulong alignment = LargePagesDisabled ? 4096UL : 1;
            foreach (ulong page in Domains.Values)
            {
                alignment = Math.Max(alignment, page);
            }

            return Accesses.ContainsValue(true) ? 4096 : alignment;
        }
    }

    public Errno Reserve(IovaRange range, ulong owner)
    {
        if (Areas.Exists(a => a.Range.Overlaps(range)) || Allowed.Exists(a => a.Overlaps(range)))
        {
            return Errno.EADDRINUSE;
        }

        Reserved.Add((range, owner));
        return Errno.OK;
    }

    public void Unreserve(ulong owner) => Reserved.RemoveAll(r => r.Owner == owner);

    public Errno ReplaceAllowed(IReadOnlyList<IovaRange> ranges)
    {
        if (ranges.Any(range => Reserved.Exists(r => r.Range.Overlaps(range))))
        {
            return Errno.EADDRINUSE;
        }

        Allowed = [.. ranges.OrderBy(r => r.First)];
        return Errno.OK;
    }

    public List<IovaRange> UsableRanges() => Gaps(0, Top, Reserved.Select(r => r.Range));

    public Errno AddDomain(uint hwpt, ulong smallestPage)
    {
        if (smallestPage > 4096)
        {
            return Errno.EINVAL;
        }

        if (!Complies(Math.Max(smallestPage, Alignment)))
        {
            return Errno.EADDRINUSE;
        }

        Domains.Add(hwpt, smallestPage);
        return Errno.OK;
    }

    public Errno AddAccess(uint access, bool pins)
    {
        if (pins && !Complies(4096))
        {
            return Errno.EADDRINUSE;
        }

        Accesses.Add(access, pins);
        return Errno.OK;
    }

    public Errno SetLargePagesDisabled(bool disabled)
    {
        if (disabled && !LargePagesDisabled)
        {
            if (Domains.Count > 0 && Areas.Count > 0)
            {
                return Errno.EINVAL;
            }

            if (!Complies(4096))
            {
                return Errno.EADDRINUSE;
            }
        }

        LargePagesDisabled = disabled;
        return Errno.OK;
    }

    public Errno PlaceFixed(ulong iova, ulong length, out IovaRange range)
    {
        range = default;
        if (length % Alignment != 0 || iova % Alignment != 0)
        {
            return Errno.EINVAL;
        }

        UInt128 last = (UInt128)iova + length - 1;
        if (last > Top)
        {
            return Errno.EOVERFLOW;
        }

        var wanted = new IovaRange(iova, (ulong)last);
        if (Reserved.Exists(r => r.Range.Overlaps(wanted)))
        {
            return Errno.EINVAL;
        }

        if (Areas.Exists(a => a.Range.Overlaps(wanted)))
        {
            return Errno.EEXIST;
        }

        range = wanted;
        return Errno.OK;
    }

    public Errno PlaceAutomatic(ulong length, ulong hint, out IovaRange range)
    {
        range = default;
        if (length % Alignment != 0)
        {
            return Errno.EINVAL;
        }

        if (length == 0 || length >= ulong.MaxValue / 2)
        {
            return Errno.EOVERFLOW;
        }

        UInt128 alignment = 1;
        while (alignment < length)
        {
            alignment *= 2;
        }

        while (alignment > 2 << 20 || hint % alignment != 0)
        {
            alignment /= 2;
        }

        if (alignment < Alignment)
        {
            return Errno.EINVAL;
        }

        IEnumerable<IovaRange> occupied = Reserved.Select(r => r.Range).Concat(Areas.Select(a => a.Range));
        foreach (IovaRange window in Windows())
        {
            if (Fit(window.First, window.Last, length, alignment, hint % 4096) is not { } windowStart)
            {
                continue;
            }

            foreach (IovaRange gap in Gaps(windowStart, window.Last, occupied))
            {
                if (Fit(gap.First, gap.Last, length, alignment, hint % 4096) is { } start)
                {
                    range = new IovaRange((ulong)start, (ulong)(start + length - 1));
                    return Errno.OK;
                }
            }
        }

        return Errno.ENOSPC;
    }

    public Area? FirstOverlapping(IovaRange range) =>
        Areas.Where(a => a.Range.Overlaps(range)).MinBy(a => a.Range.First);

    public List<Area>? Contiguous(IovaRange range)
    {
        var run = Areas.Where(a => a.Range.Overlaps(range)).OrderBy(a => a.Range.First).ToList();
        bool covered =
            run.Count > 0
            && run[0].Range.First <= range.First
            && run[^1].Range.Last >= range.Last
            && run.TrueForAll(a => a.State == AreaState.Ready);
        for (int i = 1; i < run.Count; i++)
        {
            covered &= (UInt128)run[i - 1].Range.Last + 1 == run[i].Range.First;
        }

        return covered ? run : null;
    }

    public Errno CutErrno(ulong lastByteOfLeft, out bool cuts)
    {
        cuts = false;
        Area? area = Areas.Find(a => a.Range.Contains(lastByteOfLeft));
        if (area is null || area.Range.First == lastByteOfLeft || area.Range.Last == lastByteOfLeft)
        {
            return Errno.OK;
        }

        if (area.State != AreaState.Ready || area.PreventAccess)
        {
            return Errno.EBUSY;
        }

        if (area.IsDmaBuf)
        {
            return Errno.EOPNOTSUPP;
        }

        ulong byteInPageSet = area.StartByte + (lastByteOfLeft - area.Range.First) + 1;
        bool misaligned = (lastByteOfLeft + 1) % Alignment != 0 || byteInPageSet % Alignment != 0;
        bool maybeLargePage = area.StorageHwpt != 0 && !LargePagesDisabled;
        cuts = !misaligned && area.AccessUsers == 0 && !maybeLargePage;
        return cuts ? Errno.OK : Errno.EINVAL;
    }

    private static UInt128? Fit(UInt128 first, UInt128 last, ulong length, UInt128 alignment, ulong offset)
    {
        UInt128 start = (first + alignment - 1) / alignment * alignment;
        if (start > Top)
        {
            return null;
        }

        start |= offset;
        return start < last && last - start >= length - 1 ? start : null;
    }

    private static List<IovaRange> Gaps(UInt128 first, UInt128 last, IEnumerable<IovaRange> occupied)
    {
        var gaps = new List<IovaRange>();
        UInt128 next = first;
        foreach (IovaRange range in occupied.OrderBy(r => r.First))
        {
            if (range.First > next && next <= last)
            {
                gaps.Add(new IovaRange((ulong)next, (ulong)UInt128.Min(range.First - (UInt128)1, last)));
            }

            next = UInt128.Max(next, (UInt128)range.Last + 1);
        }

        if (next <= last)
        {
            gaps.Add(new IovaRange((ulong)next, (ulong)last));
        }

        return gaps;
    }

    /// <summary>The allowed ranges, joined where they touch, without the first and the last page of the space.</summary>
    private IEnumerable<IovaRange> Windows()
    {
        const ulong lowest = 4096;
        const ulong highest = ulong.MaxValue - 4096;
        if (Allowed.Count == 0)
        {
            return [new IovaRange(lowest, highest)];
        }

        // What is allowed is what lies between the gaps of the allowed ranges.
        return Gaps(lowest, highest, Gaps(0, Top, Allowed));
    }

    private bool Complies(ulong alignment) =>
        Areas.TrueForAll(a =>
            a.Range.First % alignment == 0 && a.Length % alignment == 0 && a.PageOffset % alignment == 0
        );
}
