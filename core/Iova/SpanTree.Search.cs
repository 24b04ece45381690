using Iommufd.Messages;

namespace Iommufd.Core.Iova;

// Look-ups, and the search for the lowest gap that takes a placement.
internal sealed partial class SpanTree
{
    private enum Step
    {
        Continue,
        Found,
        WindowEnds,
    }

    /// <summary>The lowest span that ends at or after an address; false when there is none.</summary>
    public bool TryFirstEndingFrom(ulong address, out SpanLeaf leaf, out int index)
    {
        SpanNode node = _root;
        for (int level = _height; level > 0; level--)
        {
            int child = node.LowerBound(address);
            if (child == node.Count)
            {
                leaf = null!;
                index = 0;
                return false;
            }

            node = node.AsBranch.Children[child]!;
        }

        leaf = node.AsLeaf;
        index = leaf.LowerBound(address);
        return index < leaf.Count;
    }

    /// <summary>The span to the right of another; false when it was the last.</summary>
    public static bool TryAdvance(ref SpanLeaf leaf, ref int index)
    {
        if (++index < leaf.Count)
        {
            return true;
        }

        if (leaf.Next is null)
        {
            return false;
        }

        leaf = leaf.Next;
        index = 0;
        return true;
    }

    /// <summary>The lowest area that overlaps a range, null when none does.</summary>
    public Area? FirstArea(IovaRange range)
    {
        if (!TryFirstEndingFrom(range.First, out SpanLeaf leaf, out int index))
        {
            return null;
        }

        do
        {
            if (leaf.Firsts[index] > range.Last)
            {
                return null;
            }

            if (leaf.Areas[index] is { } area)
            {
                return area;
            }
        } while (TryAdvance(ref leaf, ref index));

        return null;
    }

    /// <summary>
    /// The start of a placement in the lowest gap that takes it; false when none does. A gap is what spans leave free of
    /// the request's window.
    /// </summary>
    public bool TryLowestFit(in FitRequest request, out ulong start)
    {
        var search = new FitSearch(request);
        Step step = Visit(_root, _height, ref search);
        if (step == Step.Continue && request.TryFit(search.Cursor, request.Last, out search.Start))
        {
            step = Step.Found;
        }

        start = search.Start;
        return step == Step.Found;
    }

    // Continue means that everything up to the node's end is passed: the cursor stands behind it, inside the window.
    private static Step Visit(SpanNode node, int level, ref FitSearch search)
    {
        ref readonly FitRequest request = ref search.Request;
        for (int i = node.LowerBound(search.Cursor); i < node.Count; i++)
        {
            ulong first = node.Firsts[i];
            if (first > search.Cursor)
            {
                if (request.TryFit(search.Cursor, Math.Min(first - 1, request.Last), out search.Start))
                {
                    return Step.Found;
                }

                if (first > request.Last)
                {
                    return Step.WindowEnds;
                }

                search.Cursor = first;
            }

            if (
                level > 0
                && node is SpanBranch branch
                && branch.MayFit(i, request.Need, request.PlacementClass, request.Room)
            )
            {
                Step step = Visit(branch.Children[i]!, level - 1, ref search);
                if (step != Step.Continue)
                {
                    return step;
                }

                branch.Refresh(i);
            }
            else
            {
                ulong last = node.Lasts[i];
                if (last >= request.Last)
                {
                    return Step.WindowEnds;
                }

                search.Cursor = last + 1;
            }
        }

        return Step.Continue;
    }

    private ref struct FitSearch
    {
        public readonly ref readonly FitRequest Request;

        /// <summary>First address that is not passed yet, inside the window.</summary>
        public ulong Cursor;

        public ulong Start;

        public FitSearch(in FitRequest request)
        {
            Request = ref request;
            Cursor = request.First;
        }
    }
}

/// <summary>A placement to find room for: a window of IOVAs, a length, an alignment and the offset OR-ed onto it.</summary>
internal readonly struct FitRequest
{
    /// <summary>First address of the window.</summary>
    public readonly ulong First;

    /// <summary>Last address of the window, inclusive.</summary>
    public readonly ulong Last;

    /// <summary>Bytes that a gap needs at least.</summary>
    public readonly ulong Need;

    /// <summary>Class of the placement in <see cref="GapRoom"/>.</summary>
    public readonly int PlacementClass;

    /// <summary>Room that a subtree must show in that class.</summary>
    public readonly int Room;

    private readonly ulong _length;
    private readonly ulong _mask;
    private readonly ulong _offset;

    /// <summary>Describes a placement; the alignment is a power of two, the length at least 1.</summary>
    public FitRequest(IovaRange window, ulong length, ulong alignment, ulong offset)
    {
        First = window.First;
        Last = window.Last;
        // A start that is the gap's last byte is refused, so one byte needs a gap of two.
        Need = Math.Max(length, 2);
        PlacementClass = GapRoom.ClassOf(alignment, offset);
        Room = GapRoom.RoomFor(Need);
        _length = length;
        _mask = alignment - 1;
        _offset = offset;
    }

    private FitRequest(in FitRequest request, ulong first)
    {
        this = request;
        First = first;
    }

    /// <summary>The same placement in a window that starts later.</summary>
    public FitRequest From(ulong first) => new(this, first);

    /// <summary>Where the placement starts in a gap of both ends inclusive; false when it does not fit.</summary>
    public bool TryFit(ulong first, ulong last, out ulong start)
    {
        start = first + _mask;
        if (start < first)
        {
            return false;
        }

        start = (start & ~_mask) | _offset;
        return start < last && last - start >= _length - 1;
    }
}
