using Iommufd.Core.Flows;
using Iommufd.Core.Iova;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>The participant behind an IOAS: its IOVA map, and the rules of who may do what to an area (facts sheet C).</summary>
public sealed partial class IoasState : IFlowParticipant
{
    // Reservation owners share one space: domains and devices have different ids of one table, so ids are enough.
    private readonly IovaMap _map = new();
    private readonly Dictionary<ulong, Area> _byKey = [];
    private readonly List<Area> _scratch = [];

    /// <summary>Areas in any state.</summary>
    public int AreaCount => _byKey.Count;

    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request) =>
        request switch
        {
            PlaceAreas place => Place(place),
            PublishAreas publish => Publish(publish),
            RemoveAreas remove => Remove(remove.Keys),
            NextUnmap next => Next(next),
            FindContiguous find => Find(find.Range),
            ListAreas => new AreaList(Errno.OK, [.. _map.InOrder().Select(View)], _map.LargePagesDisabled),
            SetStorage storage => Store(storage),
            AddDomain domain => Join(domain),
            RemoveDomain domain => Leave(domain.HwptId),
            ReserveRanges reserve => Reserve(reserve),
            ReleaseRanges release => Unreserve(release.Owner),
            AddAccess access => Answer(_map.AddAccessAlignment(access.AccessId, access.Pins)),
            RemoveAccess access => LeaveAccess(access.AccessId),
            QueryRanges => new UsableRanges(_map.UsableRanges(), _map.Alignment),
            ReplaceAllowed allowed => Answer(_map.ReplaceAllowed(allowed.Ranges)),
            LargePages large => SetLargePages(large.Disabled),
            OpenAreas open => Open(open),
            CloseAreas close => Close(close),
            AreaByIndex index => ByIndex(index.Index),
            CutArea cut => Cut(cut),
            ContiguousFrom from => ContiguousPrefix(from.Range),
            ListPageSets => ListPageSetsInOrder(),
            DescribeState describe => Describe(describe.WithText),
            CheckState => Check(),
            _ => throw new InvariantBrokenException($"an IOAS is not asked for {request.GetType().Name}"),
        };

    private static FlowResponse Answer(Errno errno) => errno == Errno.OK ? FlowResponse.Done : FlowResponse.Fail(errno);

    internal static AreaView View(Area area) =>
        new(area.Key, area.Range, area.PageSet, area.StartByte, (uint)area.Permissions, area.StorageHwpt);

    private static AreaView Slice(Area area, IovaRange range)
    {
        var first = Math.Max(area.Range.First, range.First);
        var last = Math.Min(area.Range.Last, range.Last);
        return View(area) with { Range = new IovaRange(first, last), StartByte = area.StartByteOf(first) };
    }

    private AreasPlaced Place(PlaceAreas place)
    {
        var length = 0ul;
        foreach (var piece in place.Pieces)
        {
            length += piece.Length;
        }

        var errno = place.Fixed
            ? _map.PlaceFixed(place.Iova, length, out var range)
            : _map.PlaceAutomatic(length, place.Hint, out range);
        if (errno != Errno.OK)
        {
            return new AreasPlaced(errno, 0, PageByPage: false);
        }

        foreach (var piece in place.Pieces)
        {
            if ((place.Permissions & 1) != 0 && !piece.Writable)
            {
                return new AreasPlaced(Errno.EPERM, 0, PageByPage: false);
            }

            if (!_map.IsAligned(piece.StartByte & HostPage.OffsetMask))
            {
                return new AreasPlaced(Errno.EINVAL, 0, PageByPage: false);
            }
        }

        var at = range.First;
        foreach (var piece in place.Pieces)
        {
            var area = new Area
            {
                Key = piece.Key,
                Range = new IovaRange(at, at + (piece.Length - 1)),
                PageSet = piece.PageSet,
                StartByte = piece.StartByte,
                Permissions = (AreaPermissions)place.Permissions,
                IsDmaBuf = piece.IsDmabuf,
                State = place.Publish ? AreaState.Ready : AreaState.Building,
            };
            _map.Insert(area);
            _byKey.Add(area.Key, area);
            at = unchecked(at + piece.Length);
        }

        return new AreasPlaced(Errno.OK, range.First, _map.LargePagesDisabled);
    }

    /// <summary>Whether large pages are disabled.</summary>
    internal bool MapsPageByPage => _map.LargePagesDisabled;

    /// <summary>Places one area at a fixed IOVA; false, with nothing changed, where <see cref="PlaceAreas"/> would fail.</summary>
    internal bool TryPlace(Area area, ulong iova, ulong length)
    {
        if (
            _map.PlaceFixed(iova, length, out var range) != Errno.OK
            || !_map.IsAligned(area.StartByte & HostPage.OffsetMask)
        )
        {
            return false;
        }

        area.Range = range;
        _map.Insert(area);
        _byKey.Add(area.Key, area);
        return true;
    }

    /// <summary>
    /// Begins to unmap the area of exactly a range; null, with nothing changed, where <see cref="NextUnmap"/> would fail, find
    /// another range, or have accesses notified first.
    /// </summary>
    internal Area? TryTearDown(IovaRange range)
    {
        if (
            _map.FirstOverlapping(range) is not { State: AreaState.Ready, Locks: 0, AccessUsers: 0 } area
            || area.Range != range
        )
        {
            return null;
        }

        area.State = AreaState.Teardown;
        return area;
    }

    /// <summary>The area that was torn down is gone.</summary>
    internal void RemoveTornDown(Area area)
    {
        _byKey.Remove(area.Key);
        _map.Remove(area);
    }

    private FlowResponse Publish(PublishAreas publish)
    {
        foreach (var key in publish.Keys)
        {
            var area = _byKey[key];
            area.StorageHwpt = publish.StorageHwpt;
            area.State = AreaState.Ready;
        }

        return FlowResponse.Done;
    }

    private FlowResponse Remove(IReadOnlyList<ulong> keys)
    {
        foreach (var key in keys)
        {
            if (_byKey.Remove(key, out var area))
            {
                Invariant.Holds(area.State != AreaState.Ready, "only an area in transition is removed");
                _map.Remove(area);
            }
        }

        return FlowResponse.Done;
    }

    private UnmapStep Next(NextUnmap next)
    {
        if (next.Finished != 0)
        {
            Remove([next.Finished]);
        }

        var area = _map.FirstOverlapping(next.Range);
        if (area is null)
        {
            return new UnmapStep(Errno.OK, UnmapAction.Nothing, null);
        }

        if (area.State != AreaState.Ready || area.Locks > 0)
        {
            return new UnmapStep(Errno.EBUSY, UnmapAction.Nothing, null);
        }

        if (!next.Range.Contains(area.Range))
        {
            return new UnmapStep(Errno.ENOENT, UnmapAction.Nothing, null);
        }

        if (area.AccessUsers > 0)
        {
            area.PreventAccess = true;
            return new UnmapStep(Errno.OK, UnmapAction.Notify, View(area));
        }

        area.State = AreaState.Teardown;
        return new UnmapStep(Errno.OK, UnmapAction.TearDown, View(area));
    }

    private AreaList Find(IovaRange range)
    {
        return _map.TryContiguous(range, _scratch)
            ? new AreaList(Errno.OK, [.. _scratch.Select(a => Slice(a, range))], _map.LargePagesDisabled)
            : new AreaList(Errno.ENOENT, [], _map.LargePagesDisabled);
    }

    private FlowResponse Store(SetStorage storage)
    {
        foreach (var key in storage.Keys)
        {
            _byKey[key].StorageHwpt = storage.StorageHwpt;
        }

        return FlowResponse.Done;
    }

    private FlowResponse Join(AddDomain domain)
    {
        var errno = _map.AddDomainAlignment(domain.HwptId, domain.SmallestPage);
        if (errno == Errno.OK && domain.Aperture.First > 0)
        {
            errno = _map.Reserve(new IovaRange(0, domain.Aperture.First - 1), domain.HwptId);
        }

        if (errno == Errno.OK && domain.Aperture.Last < ulong.MaxValue)
        {
            errno = _map.Reserve(new IovaRange(domain.Aperture.Last + 1, ulong.MaxValue), domain.HwptId);
        }

        if (errno != Errno.OK)
        {
            Leave(domain.HwptId);
        }

        return Answer(errno);
    }

    private FlowResponse Leave(uint hwpt)
    {
        _map.RemoveDomainAlignment(hwpt);
        _map.Unreserve(hwpt);
        return FlowResponse.Done;
    }

    private FlowResponse Reserve(ReserveRanges reserve)
    {
        foreach (var range in reserve.Ranges)
        {
            var errno = _map.Reserve(range, reserve.Owner);
            if (errno != Errno.OK)
            {
                if (reserve.Owner != 0)
                {
                    _map.Unreserve(reserve.Owner);
                }

                return FlowResponse.Fail(errno);
            }
        }

        return FlowResponse.Done;
    }

    private FlowResponse Unreserve(uint owner)
    {
        _map.Unreserve(owner);
        return FlowResponse.Done;
    }

    private FlowResponse LeaveAccess(uint access)
    {
        _map.RemoveAccessAlignment(access);
        return FlowResponse.Done;
    }

    private LargePagesState SetLargePages(bool? disabled)
    {
        var errno = disabled is { } wanted ? _map.SetLargePagesDisabled(wanted) : Errno.OK;
        return new LargePagesState(errno, !_map.LargePagesDisabled);
    }

    private AreasOpened Open(OpenAreas open)
    {
        var opened = new List<AreaView>();
        var wanted = open.Write ? AreaPermissions.Write : AreaPermissions.Read;
        var at = open.Range.First;
        for (var area = _map.At(at); ; area = _map.At(at))
        {
            if (area is null || area.State != AreaState.Ready)
            {
                return new AreasOpened(opened, Errno.ENOENT);
            }

            var goesOn = area.Range.Last < open.Range.Last;
            if (area.PreventAccess)
            {
                return new AreasOpened(opened, Errno.EINVAL);
            }

            if (open.Pin && !StartsAndEndsOnPages(area, at, goesOn))
            {
                return new AreasOpened(opened, Errno.EINVAL);
            }

            if ((area.Permissions & wanted) == 0)
            {
                return new AreasOpened(opened, Errno.EPERM);
            }

            opened.Add(Slice(area, new IovaRange(at, open.Range.Last)));
            if (open.Pin)
            {
                area.AccessUsers++;
                area.Locks += open.Lock ? 1 : 0;
            }

            if (!goesOn)
            {
                return new AreasOpened(opened, Errno.OK);
            }

            at = area.Range.Last + 1;
        }
    }

    private static bool StartsAndEndsOnPages(Area area, ulong at, bool goesOn) =>
        (area.StartByteOf(at) & HostPage.OffsetMask) == 0
        && (!goesOn || ((area.StartByteOf(area.Range.Last) + 1) & HostPage.OffsetMask) == 0);

    private FlowResponse Close(CloseAreas close)
    {
        foreach (var key in close.Keys)
        {
            var area = _byKey[key];
            area.AccessUsers--;
            area.Locks -= close.Lock ? 1 : 0;
            Invariant.Holds(area.AccessUsers >= 0 && area.Locks >= 0, "an area is closed as often as it was opened");
        }

        return FlowResponse.Done;
    }

    private AreaList ByIndex(uint index)
    {
        var left = index;
        foreach (var area in _map.InOrder())
        {
            if (left-- == 0)
            {
                return new AreaList(Errno.OK, [View(area)], _map.LargePagesDisabled);
            }
        }

        return new AreaList(Errno.OK, [], _map.LargePagesDisabled);
    }

    private AreaCut Cut(CutArea cut)
    {
        var whole = _map.At(cut.LastByte);
        var view = whole is null ? null : View(whole);
        var errno = _map.Cut(cut.LastByte, cut.LeftKey, cut.RightKey, out var left, out var right);
        if (errno != Errno.OK || left is null || right is null)
        {
            return new AreaCut(errno, null, null, null);
        }

        _byKey.Remove(view!.Key);
        _byKey.Add(left.Key, left);
        _byKey.Add(right.Key, right);
        return new AreaCut(Errno.OK, view, View(left), View(right));
    }

    private StateDescription Describe(bool withText)
    {
        var lines = new StateLines(withText);
        lines.Add($"alignment {_map.Alignment} largePages {!_map.LargePagesDisabled}");
        // Reservations come in the order of their ranges, then of their owners.
        foreach (var (range, owner) in _map.Reservations)
        {
            lines.Add($"reserved {range} owner {owner}");
        }

        foreach (var range in _map.Allowed.OrderBy(r => r.First))
        {
            lines.Add($"allowed {range}");
        }

        foreach (var area in _map.InOrder())
        {
            lines.Add($"area {area.Range} start {area.StartByte} permissions {(uint)area.Permissions}");
            lines.Add($"  storage {area.StorageHwpt} users {area.AccessUsers} state {area.State}");
        }

        return lines.ToDescription();
    }

    private StateChecked Check()
    {
        var broken = new List<string>();
        try
        {
            _map.CheckInvariants();
        }
        catch (Exception e) when (e is InvariantBrokenException or InvalidOperationException)
        {
            broken.Add(e.Message);
        }

        return new StateChecked(1, broken);
    }
}
