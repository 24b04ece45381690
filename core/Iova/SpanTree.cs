namespace Iommufd.Core.Iova;

/// <summary>
/// The occupied IOVAs: a B+-tree of spans that do not overlap, areas and reserved runs alike, which knows how much room
/// the gaps under every node may have. Look-up, insertion and removal cost O(log n); so does, amortised, finding the
/// lowest gap, for nearly every alignment of 1 KiB and more. Not thread-safe.
/// </summary>
/// <remarks>
/// The rooms that a branch notes for a child are upper bounds. An insertion only takes room away, so it leaves them; a
/// removal raises them along its path; a search that finds a child without the promised gap measures it again. Each
/// insertion causes at most one such disappointment a level, and most cause none.
/// Files: SpanNodes (entries and their summaries), SpanTree (shape), SpanTree.Search (look-ups, lowest fit),
/// SpanTree.Invariants. A node is merged with a neighbour when both together fill at most three quarters of one, which
/// leaves room for the next insertion; only a root may be empty.
/// </remarks>
internal sealed partial class SpanTree
{
    private const int MaxPooledNodes = 64;

    private readonly Stack<SpanLeaf> _freeLeaves = new();
    private readonly Stack<SpanBranch> _freeBranches = new();
    private SpanNode _root = new SpanLeaf();

    /// <summary>Levels above the leaves.</summary>
    private int _height;

    /// <summary>Number of spans.</summary>
    public int Count { get; private set; }

    /// <summary>Counts changes; an enumeration notices them.</summary>
    public int Version { get; private set; }

    /// <summary>Inserts a span that overlaps no other.</summary>
    /// <exception cref="InvalidOperationException">It overlaps one.</exception>
    public void Insert(ulong first, ulong last, Area? area)
    {
        SpanNode? split = InsertInto(_root, _height, first, last, area);
        if (split is not null)
        {
            SpanBranch root = TakeBranch();
            root.InsertAt(0, _root);
            root.InsertAt(1, split);
            _root = root;
            _height++;
        }

        Count++;
        Version++;
    }

    /// <summary>Removes the span that starts at an address.</summary>
    /// <exception cref="InvalidOperationException">None does, or it belongs to another area.</exception>
    public void Remove(ulong first, Area? area)
    {
        RemoveFrom(_root, _height, first, area, out _);
        while (_height > 0 && _root.Count == 1)
        {
            var old = (SpanBranch)_root;
            _root = old.Children[0]!;
            _height--;
            old.RemoveAt(0);
            Free(old);
        }

        Count--;
        Version++;
    }

    private SpanNode? InsertInto(SpanNode node, int level, ulong first, ulong last, Area? area)
    {
        int index = node.LowerBound(first);
        if (level == 0)
        {
            if (index < node.Count && node.Firsts[index] <= last)
            {
                throw new InvalidOperationException(
                    $"[0x{first:x}..0x{last:x}] overlaps [0x{node.Firsts[index]:x}..0x{node.Lasts[index]:x}]: "
                        + "place a range before inserting it."
                );
            }

            return InsertIntoLeaf(node.AsLeaf, index, first, last, area);
        }

        // Past the last entry the span belongs to the last child; between two it belongs to the right one.
        index = Math.Min(index, node.Count - 1);
        var branch = node.AsBranch;
        SpanNode? split = InsertInto(branch.Children[index]!, level - 1, first, last, area);
        if (split is not null)
        {
            branch.Refresh(index);
            return InsertIntoBranch(branch, index + 1, split);
        }

        // A span that became the child's first or last has made the gap beside it one of the child's own.
        if (first < branch.Firsts[index])
        {
            RaiseIfAny(branch, index, last, branch.Firsts[index]);
            branch.Firsts[index] = first;
        }
        else if (last > branch.Lasts[index])
        {
            RaiseIfAny(branch, index, branch.Lasts[index], first);
            branch.Lasts[index] = last;
        }

        return null;
    }

    private static void RaiseIfAny(SpanBranch branch, int index, ulong before, ulong after)
    {
        if (before + 1 != after)
        {
            branch.Raise(index, before + 1, after - 1);
        }
    }

    private SpanLeaf? InsertIntoLeaf(SpanLeaf leaf, int index, ulong first, ulong last, Area? area)
    {
        if (leaf.Count < SpanNode.Capacity)
        {
            leaf.InsertAt(index, first, last, area);
            return null;
        }

        SpanLeaf right = TakeLeaf();
        right.Next = leaf.Next;
        right.Previous = leaf;
        if (right.Next is not null)
        {
            right.Next.Previous = right;
        }

        leaf.Next = right;
        leaf.MoveTail(SplitPoint(index, right.Next is null), right);
        if (index <= leaf.Count && leaf.Count < SpanNode.Capacity)
        {
            leaf.InsertAt(index, first, last, area);
        }
        else
        {
            right.InsertAt(index - leaf.Count, first, last, area);
        }

        return right;
    }

    private SpanBranch? InsertIntoBranch(SpanBranch branch, int index, SpanNode child)
    {
        if (branch.Count < SpanNode.Capacity)
        {
            branch.InsertAt(index, child);
            return null;
        }

        SpanBranch right = TakeBranch();
        branch.MoveTail(SplitPoint(index, rightmost: true), right);
        if (index <= branch.Count && branch.Count < SpanNode.Capacity)
        {
            branch.InsertAt(index, child);
        }
        else
        {
            right.InsertAt(index - branch.Count, child);
        }

        return right;
    }

    /// <summary>Entries that stay left: all of them when the space fills upwards, so that full nodes stay full.</summary>
    private static int SplitPoint(int index, bool rightmost) =>
        rightmost && index == SpanNode.Capacity ? SpanNode.Capacity : SpanNode.Capacity / 2;

    private void RemoveFrom(SpanNode node, int level, ulong first, Area? area, out FreedGap gap)
    {
        int index = node.LowerBound(first);
        if (index == node.Count)
        {
            throw new InvalidOperationException($"Nothing to remove at 0x{first:x}.");
        }

        if (level == 0)
        {
            var leaf = node.AsLeaf;
            if (leaf.Firsts[index] != first || !ReferenceEquals(leaf.Areas[index], area))
            {
                throw new InvalidOperationException($"What starts at 0x{first:x} is something else, or nothing.");
            }

            gap = FreedGap.Around(leaf, index);
            leaf.RemoveAt(index);
            return;
        }

        var branch = node.AsBranch;
        SpanNode child = branch.Children[index]!;
        RemoveFrom(child, level - 1, first, area, out gap);
        if (child.Count == 0)
        {
            branch.RemoveAt(index);
            Free(child);
        }
        else
        {
            branch.RefreshEnds(index);
            if (gap.Before < gap.After && branch.Firsts[index] <= gap.Before && branch.Lasts[index] >= gap.After)
            {
                branch.Raise(index, gap.Before + 1, gap.After - 1);
            }

            MergeAround(branch, index);
        }
    }

    private void MergeAround(SpanBranch branch, int index)
    {
        const int limit = SpanNode.Capacity * 3 / 4;
        int count = branch.Children[index]!.Count;
        if (index > 0 && branch.Children[index - 1]!.Count + count <= limit)
        {
            MergeIntoLeft(branch, index - 1);
        }
        else if (index + 1 < branch.Count && branch.Children[index + 1]!.Count + count <= limit)
        {
            MergeIntoLeft(branch, index);
        }
    }

    private void MergeIntoLeft(SpanBranch branch, int left)
    {
        SpanNode right = branch.Children[left + 1]!;
        right.MoveTail(0, branch.Children[left]!);
        branch.RemoveAt(left + 1);
        branch.Refresh(left);
        Free(right);
    }

    private SpanLeaf TakeLeaf() => _freeLeaves.TryPop(out SpanLeaf? leaf) ? leaf : new SpanLeaf();

    private SpanBranch TakeBranch() => _freeBranches.TryPop(out SpanBranch? branch) ? branch : new SpanBranch();

    private void Free(SpanNode node)
    {
        if (node is SpanLeaf leaf)
        {
            if (leaf.Previous is not null)
            {
                leaf.Previous.Next = leaf.Next;
            }

            if (leaf.Next is not null)
            {
                leaf.Next.Previous = leaf.Previous;
            }

            leaf.Previous = null;
            leaf.Next = null;
            if (_freeLeaves.Count < MaxPooledNodes)
            {
                _freeLeaves.Push(leaf);
            }
        }
        else if (_freeBranches.Count < MaxPooledNodes)
        {
            _freeBranches.Push((SpanBranch)node);
        }
    }

    /// <summary>The gap that a removal leaves: the last address before it and the first after it; equal for none.</summary>
    private readonly record struct FreedGap(ulong Before, ulong After)
    {
        public static FreedGap Around(SpanLeaf leaf, int index)
        {
            bool hasBefore = index > 0 || leaf.Previous is not null;
            bool hasAfter = index + 1 < leaf.Count || leaf.Next is not null;
            if (!hasBefore || !hasAfter)
            {
                // Nothing bounds it, so it is no gap between spans.
                return default;
            }

            ulong before = index > 0 ? leaf.Lasts[index - 1] : leaf.Previous!.Last;
            ulong after = index + 1 < leaf.Count ? leaf.Firsts[index + 1] : leaf.Next!.Firsts[0];
            return new FreedGap(before, after);
        }
    }
}
