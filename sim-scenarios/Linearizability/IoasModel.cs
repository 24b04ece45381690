using Iommufd.Messages;

namespace Iommufd.Scenarios.Linearizability;

/// <summary>
/// What the sequential model knows of one IOAS: whether it exists and which areas are in it. Immutable. The rules are those of
/// <c>SequentialContext</c>, whose state is too heavy to be copied at every branch of a search; a test plays random calls against both.
/// </summary>
public sealed class IoasModel
{
    /// <summary>No object has the id.</summary>
    public static readonly IoasModel Absent = new(exists: false, null);

    /// <summary>An IOAS without areas.</summary>
    public static readonly IoasModel Empty = new(exists: true, null);

    private readonly ModelAreas? _areas;

    private IoasModel(bool exists, ModelAreas? areas) => (Exists, _areas) = (exists, areas);

    /// <summary>Whether the id names an IOAS.</summary>
    public bool Exists { get; }

    /// <summary>The same for equal states, and (up to 64-bit collisions) for those alone.</summary>
    public ulong Hash => (_areas?.Hash ?? 0) ^ (Exists ? 0x5bd1_e995_0000_0001ul : 0);

    /// <summary>How many areas.</summary>
    public int AreaCount => _areas?.Count ?? 0;

    /// <summary>The areas, in rising order.</summary>
    public IEnumerable<ModelArea> Areas => ModelAreas.InOrder(_areas);

    /// <summary>The lowest area that shares an address with a range; null for none.</summary>
    public ModelArea? LowestIn(IovaRange range) => ModelAreas.LowestIn(_areas, range);

    /// <summary>Adds an area; null where the IOAS does not exist or something is there already.</summary>
    public IoasModel? Insert(in ModelArea area) =>
        Exists && LowestIn(area.Range) is null ? new IoasModel(true, ModelAreas.Add(_areas, area)) : null;

    /// <summary>Takes an area out.</summary>
    public IoasModel Remove(in ModelArea area) => new(Exists, ModelAreas.Remove(_areas, area.Range.First));

    /// <summary>
    /// Takes part of an area that may have seams out: what is left on both sides stays, and may have seams still.
    /// </summary>
    public IoasModel Carve(in ModelArea area, IovaRange part)
    {
        ModelAreas? rest = ModelAreas.Remove(_areas, area.Range.First);
        if (area.Range.First < part.First)
        {
            rest = ModelAreas.Add(rest, area with { Range = new IovaRange(area.Range.First, part.First - 1) });
        }

        if (area.Range.Last > part.Last)
        {
            rest = ModelAreas.Add(rest, area with { Range = new IovaRange(part.Last + 1, area.Range.Last) });
        }

        return new IoasModel(Exists, rest);
    }

    /// <summary>Whether areas with these permissions cover a range without a gap.</summary>
    /// <param name="range">The IOVAs.</param>
    /// <param name="permissions">At least one of these bits must be set in each area; 0 asks for none.</param>
    public bool Covers(IovaRange range, uint permissions)
    {
        if (!Exists)
        {
            return false;
        }

        for (ulong at = range.First; ; )
        {
            if (LowestIn(new IovaRange(at, range.Last)) is not { } area || area.Range.First > at)
            {
                return false;
            }

            if (permissions != 0 && (area.Permissions & permissions) == 0)
            {
                return false;
            }

            if (area.Range.Last >= range.Last)
            {
                return true;
            }

            at = area.Range.Last + 1;
        }
    }

    /// <summary>Whether an area in a range lacks a permission.</summary>
    public bool LacksPermission(IovaRange range, uint permission)
    {
        for (ulong at = range.First; LowestIn(new IovaRange(at, range.Last)) is { } area; at = area.Range.Last + 1)
        {
            if ((area.Permissions & permission) == 0)
            {
                return true;
            }

            if (area.Range.Last >= range.Last)
            {
                return false;
            }
        }

        return false;
    }
}
