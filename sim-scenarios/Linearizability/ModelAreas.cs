using Iommufd.Messages;

namespace Iommufd.Scenarios.Linearizability;

/// <summary>An area as the sequential model knows it.</summary>
/// <param name="Range">Its IOVAs.</param>
/// <param name="Permissions">Bit 0 devices may write, bit 1 devices may read.</param>
/// <param name="MayHaveSeams">Whether it may be several areas side by side: a COPY of a range does not say how many it found there.</param>
public readonly record struct ModelArea(IovaRange Range, uint Permissions, bool MayHaveSeams);

/// <summary>
/// A set of disjoint areas: immutable, shared between the states that a search compares. A treap whose priorities are hashes of the
/// keys, so that the same areas always make the same tree.
/// </summary>
internal sealed class ModelAreas
{
    private readonly ModelArea _area;
    private readonly ulong _priority;
    private readonly ModelAreas? _left;
    private readonly ModelAreas? _right;

    private ModelAreas(ModelArea area, ulong priority, ModelAreas? left, ModelAreas? right)
    {
        (_area, _priority, _left, _right) = (area, priority, left, right);
        Hash = unchecked(HashOf(area) + (left?.Hash ?? 0) + (right?.Hash ?? 0));
        Count = 1 + (left?.Count ?? 0) + (right?.Count ?? 0);
    }

    /// <summary>Depends on the areas alone, not on how the set came about.</summary>
    public ulong Hash { get; }

    /// <summary>How many areas.</summary>
    public int Count { get; }

    /// <summary>Adds an area that overlaps none of the set.</summary>
    public static ModelAreas Add(ModelAreas? set, in ModelArea area)
    {
        ulong priority = Mix(area.Range.First);
        if (set is null)
        {
            return new ModelAreas(area, priority, null, null);
        }

        if (priority > set._priority)
        {
            Split(set, area.Range.First, out ModelAreas? below, out ModelAreas? above);
            return new ModelAreas(area, priority, below, above);
        }

        return area.Range.First < set._area.Range.First
            ? set.With(Add(set._left, area), set._right)
            : set.With(set._left, Add(set._right, area));
    }

    /// <summary>Takes the area that begins at an address out.</summary>
    public static ModelAreas? Remove(ModelAreas? set, ulong first)
    {
        if (set is null)
        {
            return null;
        }

        if (first == set._area.Range.First)
        {
            return Join(set._left, set._right);
        }

        return first < set._area.Range.First
            ? set.With(Remove(set._left, first), set._right)
            : set.With(set._left, Remove(set._right, first));
    }

    /// <summary>The lowest area that shares an address with a range.</summary>
    public static ModelArea? LowestIn(ModelAreas? set, IovaRange range)
    {
        ModelArea? found = null;
        for (ModelAreas? at = set; at is not null; )
        {
            // Disjoint areas are in the order of their ends, too.
            if (at._area.Range.Last < range.First)
            {
                at = at._right;
                continue;
            }

            if (at._area.Range.First <= range.Last)
            {
                found = at._area;
            }

            at = at._left;
        }

        return found;
    }

    /// <summary>The areas in rising order.</summary>
    public static IEnumerable<ModelArea> InOrder(ModelAreas? set) =>
        set is null ? [] : [.. InOrder(set._left), set._area, .. InOrder(set._right)];

    private ModelAreas With(ModelAreas? left, ModelAreas? right) => new(_area, _priority, left, right);

    private static void Split(ModelAreas? set, ulong first, out ModelAreas? below, out ModelAreas? above)
    {
        if (set is null)
        {
            (below, above) = (null, null);
        }
        else if (set._area.Range.First < first)
        {
            Split(set._right, first, out ModelAreas? middle, out above);
            below = set.With(set._left, middle);
        }
        else
        {
            Split(set._left, first, out below, out ModelAreas? middle);
            above = set.With(middle, set._right);
        }
    }

    private static ModelAreas? Join(ModelAreas? left, ModelAreas? right)
    {
        if (left is null || right is null)
        {
            return left ?? right;
        }

        return left._priority > right._priority
            ? left.With(left._left, Join(left._right, right))
            : right.With(Join(left, right._left), right._right);
    }

    private static ulong HashOf(in ModelArea area) =>
        Mix(
            unchecked(
                Mix(area.Range.First)
                + (area.Range.Last * 0x9e37_79b9_7f4a_7c15)
                + (area.Permissions * 2)
                + (area.MayHaveSeams ? 1u : 0u)
            )
        );

    private static ulong Mix(ulong value)
    {
        unchecked
        {
            value += 0x9e37_79b9_7f4a_7c15;
            value = (value ^ (value >> 30)) * 0xbf58_476d_1ce4_e5b9;
            value = (value ^ (value >> 27)) * 0x94d0_49bb_1331_11eb;
            return value ^ (value >> 31);
        }
    }
}
