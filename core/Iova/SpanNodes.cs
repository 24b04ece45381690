using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;

namespace Iommufd.Core.Iova;

/// <summary>
/// A node of a <see cref="SpanTree"/>: its entries ascend and do not overlap. An entry is a span of IOVAs in a leaf, and
/// in a branch everything from the first to the last address under one child.
/// </summary>
internal abstract class SpanNode(int capacity)
{
    /// <summary>First address of each entry.</summary>
    public readonly ulong[] Firsts = new ulong[capacity];

    /// <summary>Last address of each entry, inclusive.</summary>
    public readonly ulong[] Lasts = new ulong[capacity];

    /// <summary>Entries in use.</summary>
    public int Count;

    /// <summary>Index of the lowest entry that ends at or after an address; <see cref="Count"/> when none does.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public int LowerBound(ulong address)
    {
        ref ulong lasts = ref MemoryMarshal.GetArrayDataReference(Lasts);
        int low = 0;
        int length = Count;
        while (length > 0)
        {
            int half = length >> 1;
            bool below = Unsafe.Add(ref lasts, low + half) < address;
            low = below ? low + half + 1 : low;
            length = below ? length - half - 1 : half;
        }

        return low;
    }

    /// <summary>Makes room for an entry.</summary>
    protected void ShiftRight(int index)
    {
        Array.Copy(Firsts, index, Firsts, index + 1, Count - index);
        Array.Copy(Lasts, index, Lasts, index + 1, Count - index);
    }

    /// <summary>Closes the place of an entry.</summary>
    protected void ShiftLeft(int index)
    {
        Array.Copy(Firsts, index + 1, Firsts, index, Count - index - 1);
        Array.Copy(Lasts, index + 1, Lasts, index, Count - index - 1);
    }

    /// <summary>Copies the entries from <paramref name="index"/> on to the end of another node of the same kind.</summary>
    public virtual void MoveTail(int index, SpanNode target)
    {
        Array.Copy(Firsts, index, target.Firsts, target.Count, Count - index);
        Array.Copy(Lasts, index, target.Lasts, target.Count, Count - index);
        target.Count += Count - index;
        Count = index;
    }

    /// <summary>The room in the gaps between this node's entries, those inside children included.</summary>
    public abstract void Measure(out GapRoom room);
}

/// <summary>A node whose entries are spans: areas, or reserved runs (no area).</summary>
internal sealed class SpanLeaf() : SpanNode(Capacity)
{
    /// <summary>Entries that fit.</summary>
    public const int Capacity = 48;

    /// <summary>The area of each entry, null for a reserved run.</summary>
    public readonly Area?[] Areas = new Area?[Capacity];

    /// <summary>The leaf to the left.</summary>
    public SpanLeaf? Previous;

    /// <summary>The leaf to the right.</summary>
    public SpanLeaf? Next;

    /// <summary>Inserts an entry; there must be room.</summary>
    public void InsertAt(int index, ulong first, ulong last, Area? area)
    {
        ShiftRight(index);
        Array.Copy(Areas, index, Areas, index + 1, Count - index);
        Firsts[index] = first;
        Lasts[index] = last;
        Areas[index] = area;
        Count++;
    }

    /// <summary>Removes an entry.</summary>
    public void RemoveAt(int index)
    {
        ShiftLeft(index);
        Array.Copy(Areas, index + 1, Areas, index, Count - index - 1);
        Count--;
        Areas[Count] = null;
    }

    /// <inheritdoc/>
    public override void MoveTail(int index, SpanNode target)
    {
        var leaf = (SpanLeaf)target;
        Array.Copy(Areas, index, leaf.Areas, leaf.Count, Count - index);
        Array.Clear(Areas, index, Count - index);
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
}

/// <summary>
/// A node whose entries are children, with an upper bound of the room in each child's gaps (see <see cref="SpanTree"/>).
/// </summary>
internal sealed class SpanBranch() : SpanNode(Capacity)
{
    /// <summary>Entries that fit.</summary>
    public const int Capacity = 32;

    /// <summary>The children.</summary>
    public readonly SpanNode?[] Children = new SpanNode?[Capacity];

    private readonly ulong[] _largest = new ulong[Capacity];

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
        Lasts[index] = child.Lasts[child.Count - 1];
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
        ShiftRight(index);
        Array.Copy(Children, index, Children, index + 1, Count - index);
        Array.Copy(_largest, index, _largest, index + 1, Count - index);
        Array.Copy(
            _rooms,
            index * GapRoom.Classes,
            _rooms,
            (index + 1) * GapRoom.Classes,
            (Count - index) * GapRoom.Classes
        );
        Children[index] = child;
        Count++;
        Refresh(index);
    }

    /// <summary>Removes a child.</summary>
    public void RemoveAt(int index)
    {
        ShiftLeft(index);
        Array.Copy(Children, index + 1, Children, index, Count - index - 1);
        Array.Copy(_largest, index + 1, _largest, index, Count - index - 1);
        Array.Copy(
            _rooms,
            (index + 1) * GapRoom.Classes,
            _rooms,
            index * GapRoom.Classes,
            (Count - index - 1) * GapRoom.Classes
        );
        Count--;
        Children[Count] = null;
    }

    /// <inheritdoc/>
    public override void MoveTail(int index, SpanNode target)
    {
        var branch = (SpanBranch)target;
        Array.Copy(Children, index, branch.Children, branch.Count, Count - index);
        Array.Clear(Children, index, Count - index);
        Array.Copy(_largest, index, branch._largest, branch.Count, Count - index);
        Array.Copy(
            _rooms,
            index * GapRoom.Classes,
            branch._rooms,
            branch.Count * GapRoom.Classes,
            (Count - index) * GapRoom.Classes
        );
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

    private void Store(int index, in GapRoom room)
    {
        _largest[index] = room.Largest;
        ref int row = ref _rooms[index * GapRoom.Classes];
        room.Low.StoreUnsafe(ref row);
        room.High.StoreUnsafe(ref row, 8);
    }
}
