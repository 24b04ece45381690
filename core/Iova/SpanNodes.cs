using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace Iommufd.Core.Iova;

/// <summary>One address for each entry of a node, stored in the node: a look-up in a cold leaf waits for memory once.</summary>
[InlineArray(SpanNode.Capacity)]
internal struct NodeAddresses
{
    private ulong _first;
}

/// <summary>One area for each entry of a leaf.</summary>
[InlineArray(SpanNode.Capacity)]
internal struct NodeAreas
{
    private Area? _first;
}

/// <summary>One child for each entry of a branch.</summary>
[InlineArray(SpanNode.Capacity)]
internal struct NodeChildren
{
    private SpanNode? _first;
}

/// <summary>
/// A node of a <see cref="SpanTree"/>: its entries ascend and do not overlap. An entry is a span of IOVAs in a leaf, and
/// in a branch everything from the first to the last address under one child.
/// </summary>
internal abstract class SpanNode
{
    /// <summary>Entries that fit.</summary>
    public const int Capacity = 32;

    /// <summary>Last address of each entry, inclusive; 2^64 - 1 in the places that are not in use.</summary>
    public NodeAddresses Lasts;

    /// <summary>First address of each entry.</summary>
    public NodeAddresses Firsts;

    /// <summary>Entries in use.</summary>
    public int Count;

    protected SpanNode() => ((Span<ulong>)Lasts).Fill(ulong.MaxValue);

    /// <summary>
    /// This node as a leaf or a branch, which its level tells. Unchecked: a cast would wait for the node's header, one
    /// more line of memory, before the look-up starts.
    /// </summary>
    public SpanLeaf AsLeaf => Unsafe.As<SpanLeaf>(this);

    /// <inheritdoc cref="AsLeaf"/>
    public SpanBranch AsBranch => Unsafe.As<SpanBranch>(this);

    /// <summary>The last address under this node; there must be an entry.</summary>
    public ulong Last => Lasts[Count - 1];

    /// <summary>Index of the lowest entry that ends at or after an address; <see cref="Count"/> when none does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int LowerBound(ulong address)
    {
        // Counts the entries that end before the address. All loads are independent, unlike those of a binary search,
        // so a cold node costs one wait for memory, and no branch is mispredicted. Unused places count as not before.
        ref ulong lasts = ref Unsafe.As<NodeAddresses, ulong>(ref Lasts);
        Vector256<ulong> wanted = Vector256.Create(address);
        Vector256<ulong> before = Vector256<ulong>.Zero;
        for (nuint i = 0; i < Capacity; i += 8)
        {
            before += Vector256.LessThan(Vector256.LoadUnsafe(ref lasts, i), wanted);
            before += Vector256.LessThan(Vector256.LoadUnsafe(ref lasts, i + 4), wanted);
        }

        return -(int)Vector256.Sum(before);
    }

    /// <summary>Copies the entries from <paramref name="index"/> on to the end of another node of the same kind.</summary>
    public virtual void MoveTail(int index, SpanNode target)
    {
        MoveTail<ulong>(Firsts, index, target.Firsts, target.Count);
        MoveTail<ulong>(Lasts, index, target.Lasts, target.Count);
        ((Span<ulong>)Lasts)[index..].Fill(ulong.MaxValue);
        target.Count += Count - index;
        Count = index;
    }

    /// <summary>The room in the gaps between this node's entries, those inside children included.</summary>
    public abstract void Measure(out GapRoom room);

    /// <summary>Makes room for an entry; <see cref="Count"/> rises.</summary>
    protected virtual void Open(int index)
    {
        Open<ulong>(Firsts, index);
        Open<ulong>(Lasts, index);
        Count++;
    }

    /// <summary>Closes the place of an entry; <see cref="Count"/> falls.</summary>
    protected virtual void Close(int index)
    {
        Close<ulong>(Firsts, index);
        Close<ulong>(Lasts, index);
        Count--;
        Lasts[Count] = ulong.MaxValue;
    }

    protected void Open<T>(Span<T> values, int index, int width = 1) =>
        values[(index * width)..(Count * width)].CopyTo(values[((index + 1) * width)..]);

    protected void Close<T>(Span<T> values, int index, int width = 1) =>
        values[((index + 1) * width)..(Count * width)].CopyTo(values[(index * width)..]);

    protected void MoveTail<T>(Span<T> values, int index, Span<T> target, int at, int width = 1) =>
        values[(index * width)..(Count * width)].CopyTo(target[(at * width)..]);
}

/// <summary>A node whose entries are spans: areas, or reserved runs (no area).</summary>
internal sealed class SpanLeaf : SpanNode
{
    /// <summary>The area of each entry, null for a reserved run.</summary>
    public NodeAreas Areas;

    /// <summary>The leaf to the left.</summary>
    public SpanLeaf? Previous;

    /// <summary>The leaf to the right.</summary>
    public SpanLeaf? Next;

    /// <summary>Inserts an entry; there must be room.</summary>
    public void InsertAt(int index, ulong first, ulong last, Area? area)
    {
        Open(index);
        Firsts[index] = first;
        Lasts[index] = last;
        Areas[index] = area;
    }

    /// <summary>Removes an entry.</summary>
    public void RemoveAt(int index)
    {
        Close(index);
        Areas[Count] = null;
    }

    /// <inheritdoc/>
    public override void MoveTail(int index, SpanNode target)
    {
        MoveTail<Area?>(Areas, index, ((SpanLeaf)target).Areas, target.Count);
        ((Span<Area?>)Areas)[index..Count].Clear();
        base.MoveTail(index, target);
    }

    /// <inheritdoc/>
    public override void Measure(out GapRoom room)
    {
        room = default;
        for (int i = 1; i < Count; i++)
        {
            ulong first = Lasts[i - 1] + 1;
            if (first != Firsts[i])
            {
                room.Add(first, Firsts[i] - 1);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Open(int index)
    {
        Open<Area?>(Areas, index);
        base.Open(index);
    }

    /// <inheritdoc/>
    protected override void Close(int index)
    {
        Close<Area?>(Areas, index);
        base.Close(index);
    }
}

/// <summary>
/// A node whose entries are children, with an upper bound of the room in each child's gaps (see <see cref="SpanTree"/>).
/// </summary>
internal sealed class SpanBranch : SpanNode
{
    /// <summary>The children.</summary>
    public NodeChildren Children;

    private NodeAddresses _largest;

    /// <summary>One row of <see cref="GapRoom.Classes"/> rooms for each child.</summary>
    private readonly int[] _rooms = new int[Capacity * GapRoom.Classes];

    /// <summary>Whether a gap inside a child may take a length in a class; false is certain.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool MayFit(int index, ulong length, int placementClass, int room) =>
        _largest[index] >= length && _rooms[(index * GapRoom.Classes) + placementClass] >= room;

    /// <summary>Counts a gap that has come up inside a child.</summary>
    public void Raise(int index, ulong first, ulong last)
    {
        GapRoom room = RoomOf(index);
        room.Add(first, last);
        Store(index, room);
    }

    /// <summary>Takes over a child's ends after it changed; its rooms stay.</summary>
    public void RefreshEnds(int index)
    {
        SpanNode child = Children[index]!;
        Firsts[index] = child.Firsts[0];
        Lasts[index] = child.Last;
    }

    /// <summary>Takes over a child's ends and measures its rooms.</summary>
    public void Refresh(int index)
    {
        RefreshEnds(index);
        Children[index]!.Measure(out GapRoom room);
        Store(index, room);
    }

    /// <summary>The rooms noted for a child.</summary>
    public GapRoom RoomOf(int index)
    {
        ref int row = ref _rooms[index * GapRoom.Classes];
        return new GapRoom
        {
            Largest = _largest[index],
            Low = Vector256.LoadUnsafe(ref row),
            High = Vector256.LoadUnsafe(ref row, 8),
        };
    }

    /// <summary>Inserts a child; there must be room.</summary>
    public void InsertAt(int index, SpanNode child)
    {
        Open(index);
        Children[index] = child;
        Refresh(index);
    }

    /// <summary>Removes a child.</summary>
    public void RemoveAt(int index)
    {
        Close(index);
        Children[Count] = null;
    }

    /// <inheritdoc/>
    public override void MoveTail(int index, SpanNode target)
    {
        var branch = (SpanBranch)target;
        MoveTail<SpanNode?>(Children, index, branch.Children, target.Count);
        MoveTail<ulong>(_largest, index, branch._largest, target.Count);
        MoveTail<int>(_rooms, index, branch._rooms, target.Count, GapRoom.Classes);
        ((Span<SpanNode?>)Children)[index..Count].Clear();
        base.MoveTail(index, target);
    }

    /// <inheritdoc/>
    public override void Measure(out GapRoom room)
    {
        room = default;
        for (int i = 0; i < Count; i++)
        {
            room.Include(RoomOf(i));
            if (i > 0 && Lasts[i - 1] + 1 != Firsts[i])
            {
                room.Add(Lasts[i - 1] + 1, Firsts[i] - 1);
            }
        }
    }

    /// <inheritdoc/>
    protected override void Open(int index)
    {
        Open<SpanNode?>(Children, index);
        Open<ulong>(_largest, index);
        Open<int>(_rooms, index, GapRoom.Classes);
        base.Open(index);
    }

    /// <inheritdoc/>
    protected override void Close(int index)
    {
        Close<SpanNode?>(Children, index);
        Close<ulong>(_largest, index);
        Close<int>(_rooms, index, GapRoom.Classes);
        base.Close(index);
    }

    private void Store(int index, in GapRoom room)
    {
        _largest[index] = room.Largest;
        ref int row = ref _rooms[index * GapRoom.Classes];
        room.Low.StoreUnsafe(ref row);
        room.High.StoreUnsafe(ref row, 8);
    }
}
