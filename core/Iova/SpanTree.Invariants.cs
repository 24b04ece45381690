namespace Iommufd.Core.Iova;

internal sealed partial class SpanTree
{
    /// <summary>Checks order, shape, links and summaries.</summary>
    /// <exception cref="InvalidOperationException">Something does not hold.</exception>
    public void CheckInvariants()
    {
        SpanLeaf? previous = null;
        int count = CheckNode(_root, _height, ref previous, out _);
        Require(count == Count, $"{count} spans, counted {Count}.");
        Require(previous?.Next is null, "A leaf follows the last one.");
        Require(_height == 0 || _root.Count > 1, "The root has one child.");
    }

    /// <summary>Leaves and branches in use. O(n).</summary>
    public (int Leaves, int Branches) CountNodes() => CountNodes(_root, _height);

    private static (int Leaves, int Branches) CountNodes(SpanNode node, int level)
    {
        if (level == 0)
        {
            return (1, 0);
        }

        (int Leaves, int Branches) sum = (0, 1);
        for (int i = 0; i < node.Count; i++)
        {
            (int leaves, int branches) = CountNodes(node.AsBranch.Children[i]!, level - 1);
            sum = (sum.Leaves + leaves, sum.Branches + branches);
        }

        return sum;
    }

    private static void Require(bool holds, string message)
    {
        if (!holds)
        {
            throw new InvalidOperationException(message);
        }
    }

    private int CheckNode(SpanNode node, int level, ref SpanLeaf? previous, out GapRoom room)
    {
        Require(node.Count > 0 || ReferenceEquals(node, _root), "A node is empty.");
        for (int i = 0; i < node.Count; i++)
        {
            Require(node.Firsts[i] <= node.Lasts[i], $"A span ends before it starts, at 0x{node.Firsts[i]:x}.");
            Require(i == 0 || node.Lasts[i - 1] < node.Firsts[i], $"Spans overlap at 0x{node.Firsts[i]:x}.");
        }

        if (level > 0)
        {
            return CheckBranch((SpanBranch)node, level, ref previous, out room);
        }

        node.Measure(out room);
        return CheckLeaf((SpanLeaf)node, ref previous);
    }

    private static int CheckLeaf(SpanLeaf leaf, ref SpanLeaf? previous)
    {
        Require(ReferenceEquals(leaf.Previous, previous), "A leaf's left link is wrong.");
        Require(previous is null || ReferenceEquals(previous.Next, leaf), "A leaf's right link is wrong.");
        for (int i = 0; i < SpanNode.Capacity; i++)
        {
            Area? area = leaf.Areas[i];
            Require(i < leaf.Count || area is null, "A leaf holds on to an area that left.");
            Require(
                area is null || (area.Range.First == leaf.Firsts[i] && area.Range.Last == leaf.Lasts[i]),
                $"Area {area?.Key} changed its range while it was in the map."
            );
        }

        previous = leaf;
        return leaf.Count;
    }

    private int CheckBranch(SpanBranch branch, int level, ref SpanLeaf? previous, out GapRoom room)
    {
        int count = 0;
        room = default;
        for (int i = 0; i < branch.Count; i++)
        {
            SpanNode child = branch.Children[i]!;
            count += CheckNode(child, level - 1, ref previous, out GapRoom inside);
            Require(
                branch.Firsts[i] == child.Firsts[0] && branch.Lasts[i] == child.Last,
                $"A branch has the wrong ends for the child at 0x{child.Firsts[0]:x}."
            );
            GapRoom noted = branch.RoomOf(i);
            Require(noted.Covers(inside), $"A branch notes too little room for the child at 0x{child.Firsts[0]:x}.");
            room.Include(inside);
            if (i > 0 && branch.Lasts[i - 1] + 1 != branch.Firsts[i])
            {
                room.Add(branch.Lasts[i - 1] + 1, branch.Firsts[i] - 1);
            }
        }

        for (int i = branch.Count; i < SpanNode.Capacity; i++)
        {
            Require(branch.Children[i] is null, "A branch holds on to a child that left.");
        }

        return count;
    }
}
