// Which events of a stream still matter at a point of it. EventLifetimes follows objects, areas, attachments and pins and says which
// events belong together; EventLifetimes.Objects has the events of devices, HWPTs and accesses; EventGroups keeps the sets.
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>
/// The life of each event of one stream. An event is over when everything that it made is gone again and nothing that is left
/// depends on it: a map and its unmap, an object with all that was done to it and its destruction. Leaving out the events that
/// are over gives the same state as applying all. Where a rule does not know, events live for ever, which is slow and never wrong.
/// Not thread-safe.
/// </summary>
internal sealed partial class EventLifetimes
{
    private readonly EventGroups _groups = new();
    private readonly Dictionary<uint, Tracked> _objects = [];
    private readonly Dictionary<uint, Tracked> _hwpts = [];
    private readonly Dictionary<(uint Device, uint Pasid), Attachment> _attachments = [];
    private readonly Dictionary<(uint Access, uint Pin), OpenPin> _pins = [];

    // Once areas were copied, a page may be pinned by way of any IOAS.
    private bool _sharesPages;

    /// <summary>Number of events.</summary>
    public int Count => _groups.Count;

    /// <summary>Takes the next event of the stream.</summary>
    /// <param name="ordering">Its row in the file.</param>
    /// <param name="change">The event.</param>
    public void Add(uint ordering, ContextEvent change)
    {
        var node = _groups.Add(ordering);
        if (!TryFollow(node, change))
        {
            _groups.Anchor(node);
            _groups.AnchorAll();
        }

        _groups.Settle(node);
    }

    /// <summary>For each event the row after which it does not matter any more; <see cref="EventGroups.Never"/> when it always does.</summary>
    public uint[] Deaths() => _groups.Deaths();

    /// <summary>The rows, in order, whose events make up the state now.</summary>
    public List<uint> LiveRows() => _groups.LiveRows();

    // False for an event that no rule is known for, or that does not fit what is known.
    private bool TryFollow(int node, ContextEvent change)
    {
        switch (change)
        {
            case ContextOpened or ProcessSeen or AccountingModeSet:
                _groups.Anchor(node);
                return true;
            case DigestRecorded or ContextClosed:
                return true;
            case IoasAllocated e:
                return Open(node, e.IoasId, new Tracked(Kind.Ioas, node));
            case AllowedReplaced e:
                return BelongsTo(node, e.IoasId);
            case LargePagesSet e:
                return BelongsTo(node, e.IoasId);
            case RangeReserved e:
                return BelongsTo(node, e.IoasId);
            case AreaMapped e:
                return OpenArea(node, e.IoasId, e.Iova, e.Length);
            case FileMapped e:
                return OpenArea(node, e.IoasId, e.Iova, e.Length);
            case VfioMapped e:
                return OpenArea(node, e.IoasId, e.Iova, e.Length);
            case AreasCopied e:
                return Copy(node, e);
            case AreasUnmapped e:
                return Unmap(node, e);
            case AreaCutInTwo e:
                return Cut(node, e);
            default:
                return TryFollowObject(node, change);
        }
    }

    private bool Open(int node, uint id, Tracked made)
    {
        if (!_objects.TryAdd(id, made))
        {
            return false;
        }

        _groups.Open(node);
        return true;
    }

    private Tracked? Find(uint id, Kind kind) =>
        _objects.TryGetValue(id, out var found) && found.Kind == kind ? found : null;

    private bool BelongsTo(int node, uint ioas)
    {
        if (Find(ioas, Kind.Ioas) is not { } found)
        {
            return false;
        }

        _groups.Join(node, found.Node);
        return true;
    }

    // The event names the object without making it.
    private void Refer(int node, Tracked named) => named.Referrers.Add(node, _groups);

    // The object goes with this event.
    private void Gone(int node, Tracked gone)
    {
        _groups.Join(node, gone.Node);
        gone.Referrers.GoneWith(node, _groups);
        _groups.Close(node);
    }

    private bool OpenArea(int node, uint ioas, ulong iova, ulong length)
    {
        if (length == 0 || Find(ioas, Kind.Ioas) is not { } found)
        {
            return false;
        }

        _groups.Open(node);
        Refer(node, found);
        return found.Areas.TryAdd(iova, new Area(iova, iova + (length - 1), node));
    }

    // What was copied shares its pages with its source: both matter until both are gone.
    private bool Copy(int node, AreasCopied e)
    {
        _sharesPages = true;
        if (e.Length == 0 || Find(e.SrcIoasId, Kind.Ioas) is not { } from || Find(e.DstIoasId, Kind.Ioas) is not { } to)
        {
            return false;
        }

        Refer(node, from);
        Refer(node, to);
        var last = e.SrcIova + (e.Length - 1);
        var at = e.SrcIova;
        while (true)
        {
            if (AreaAt(from, at) is not { } source)
            {
                return false;
            }

            var end = Math.Min(last, source.Last);
            var first = at - e.SrcIova + e.DstIova;
            _groups.Join(node, source.Node);
            _groups.Open(node);
            if (!to.Areas.TryAdd(first, new Area(first, end - e.SrcIova + e.DstIova, node)))
            {
                return false;
            }

            if (end == last)
            {
                return true;
            }

            at = end + 1;
        }
    }

    private bool Unmap(int node, AreasUnmapped e)
    {
        if (Find(e.IoasId, Kind.Ioas) is not { } ioas)
        {
            return false;
        }

        for (var i = 0; i + 1 < e.Removed.Length; i += 2)
        {
            if (!ioas.Areas.TryGetValue(e.Removed[i], out var area) || area.Last != e.Removed[i + 1])
            {
                return false;
            }

            ioas.Areas.Remove(e.Removed[i]);
            Unmapped(node, area);
        }

        Refer(node, ioas);
        return true;
    }

    private void Unmapped(int node, Area area)
    {
        _groups.Join(node, area.Node);
        area.Referrers.GoneWith(node, _groups);
        _groups.Close(node);
    }

    private bool Cut(int node, AreaCutInTwo e)
    {
        if (
            Find(e.IoasId, Kind.Ioas) is not { } ioas
            || AreaAt(ioas, e.LastOfLeft) is not { } area
            || area.Last == e.LastOfLeft
        )
        {
            return false;
        }

        // Both halves have the pins of the whole.
        _groups.Join(node, area.Node);
        area.Referrers.GoneWith(node, _groups);
        _groups.Open(node);
        Refer(node, ioas);
        ioas.Areas[area.First] = new Area(area.First, e.LastOfLeft, area.Node);
        return ioas.Areas.TryAdd(e.LastOfLeft + 1, new Area(e.LastOfLeft + 1, area.Last, node));
    }

    // Cuts and copies are rare beside maps and unmaps: a search is good enough.
    private static Area? AreaAt(Tracked ioas, ulong iova) =>
        ioas.Areas.TryGetValue(iova, out var exact)
            ? exact
            : ioas.Areas.Values.FirstOrDefault(a => a.First <= iova && iova <= a.Last);

    private enum Kind
    {
        Ioas,
        Hwpt,
        Device,
        Stdev,
        Access,
    }

    // An object: the event that made it, and what the kind needs.
    private sealed record Tracked(Kind Kind, int Node)
    {
        // Events that name it.
        public EventReferrers Referrers { get; } = new();

        // IOAS: its areas, by first IOVA.
        public SortedDictionary<ulong, Area> Areas { get; } = [];

        // HWPT, access: the IOAS.
        public uint Ioas { get; set; }

        // HWPT that an attach made: it goes with the last attachment.
        public bool IsAutomatic { get; init; }

        // Automatic HWPT: attachments.
        public int Users { get; set; }

        // Device: its attachments' PASIDs. Access: its pins' ids.
        public List<uint> Parts { get; } = [];

        // Selftest device: its DEVICE.
        public uint Device { get; init; }
    }

    private sealed record Area(ulong First, ulong Last, int Node)
    {
        // Pins in it.
        public EventReferrers Referrers { get; } = new();
    }

    private readonly record struct Attachment(int Node, uint Hwpt);

    private readonly record struct OpenPin(int Node, uint Ioas, ulong First, ulong Last);
}
