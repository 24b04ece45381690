using Iommufd.Messages;

namespace Iommufd.Core.Iova;

/// <summary>
/// The IOVA space of one IOAS: its areas, what is reserved in it, what the user allowed, and the alignment that
/// everything in it must have. It decides where a mapping goes and who may not come; it moves no page.
/// </summary>
/// <remarks>
/// Not thread-safe: one actor owns it. Ranges are inclusive at both ends; addresses and lengths are bytes. Files:
/// IovaMap (areas), .Reservations (reserved and allowed), .Alignment, .Placement (where a mapping goes), .Cut,
/// .Invariants; the occupied space is a <see cref="SpanTree"/>.
/// </remarks>
public sealed partial class IovaMap
{
    private readonly SpanTree _occupied = new();

    /// <summary>Areas by how well they are aligned: log2, cut at a page; decides alignment rises without a walk.</summary>
    private readonly int[] _areasByAlignment = new int[HostPage.Shift + 1];

    /// <summary>Number of areas, in any state.</summary>
    public int AreaCount { get; private set; }

    /// <summary>Inserts an area where a placement said that it fits.</summary>
    /// <exception cref="InvalidOperationException">It overlaps an area or a reserved range.</exception>
    public void Insert(Area area)
    {
        _occupied.Insert(area.Range.First, area.Range.Last, area);
        _areasByAlignment[AlignmentLog2(area)]++;
        AreaCount++;
    }

    /// <summary>Removes an area.</summary>
    /// <exception cref="InvalidOperationException">It is not in the map.</exception>
    public void Remove(Area area)
    {
        _occupied.Remove(area.Range.First, area);
        _areasByAlignment[AlignmentLog2(area)]--;
        AreaCount--;
    }

    /// <summary>The lowest area, in any state, that overlaps a range; null when none does.</summary>
    public Area? FirstOverlapping(IovaRange range) => _occupied.FirstArea(range);

    /// <summary>The area that holds an IOVA, null for none.</summary>
    public Area? At(ulong iova) =>
        _occupied.TryFirstEndingFrom(iova, out SpanLeaf leaf, out int index) && leaf.Firsts[index] <= iova
            ? leaf.Areas[index]
            : null;

    /// <summary>The lowest area above another, null when it is the last. The other need not be in the map any more.</summary>
    public Area? Next(Area area) =>
        area.Range.Last == ulong.MaxValue
            ? null
            : _occupied.FirstArea(new IovaRange(area.Range.Last + 1, ulong.MaxValue));

    /// <summary>All areas, ascending. The map must not change while they are enumerated.</summary>
    public AreaSequence InOrder() => new(_occupied);

    /// <summary>
    /// Collects the run of finished areas that covers a range without a gap (what COPY and accesses need). The first and
    /// the last may stick out.
    /// </summary>
    /// <param name="range">The IOVAs to cover.</param>
    /// <param name="into">Receives the areas, ascending; cleared first, and left empty when the answer is false.</param>
    /// <returns>False where an IOVA has no area, or one in transition.</returns>
    public bool TryContiguous(IovaRange range, List<Area> into)
    {
        into.Clear();
        if (_occupied.TryFirstEndingFrom(range.First, out SpanLeaf leaf, out int index))
        {
            ulong covered = range.First;
            do
            {
                Area? area = leaf.Areas[index];
                if (leaf.Firsts[index] > covered || area is not { State: AreaState.Ready })
                {
                    break;
                }

                into.Add(area);
                if (leaf.Lasts[index] >= range.Last)
                {
                    return true;
                }

                covered = leaf.Lasts[index] + 1;
            } while (SpanTree.TryAdvance(ref leaf, ref index));
        }

        into.Clear();
        return false;
    }
}
