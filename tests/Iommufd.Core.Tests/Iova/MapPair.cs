using Iommufd.Core.Iova;
using Iommufd.Messages;
using Xunit;

namespace Iommufd.Core.Tests.Iova;

/// <summary>One step against both maps. What the numbers mean depends on the kind.</summary>
internal readonly record struct MapStep(MapStepKind Kind, ulong A, ulong B, int Choice);

internal enum MapStepKind
{
    MapFixed,
    MapAutomatic,
    Remove,
    Reserve,
    Unreserve,
    Allow,
    Domain,
    Access,
    LargePages,
    ChangeArea,
    Cut,
    Query,
}

/// <summary>An <see cref="IovaMap"/> and its naive twin, driven together and compared after every step.</summary>
internal sealed class MapPair
{
    private readonly NaiveIovaMap _naive = new();
    private readonly List<Area> _run = [];
    private ulong _nextKey = 1;

    public IovaMap Map { get; } = new();

    /// <summary>How many of the automatic placements found room.</summary>
    public int Placed { get; private set; }

    public void Apply(MapStep step)
    {
        switch (step.Kind)
        {
            case MapStepKind.MapFixed:
                MapFixed(step.A, step.B);
                break;
            case MapStepKind.MapAutomatic:
                MapAutomatic(step.A, step.B);
                break;
            case MapStepKind.Remove:
                RemoveArea(step.Choice);
                break;
            case MapStepKind.Reserve:
                if (IovaRange.TryFromLength(step.A, step.B, out IovaRange reserved))
                {
                    Reserve(reserved, (ulong)(step.Choice % 4));
                }

                break;
            case MapStepKind.Unreserve:
                ulong owner = (ulong)((step.Choice % 3) + 1);
                Map.Unreserve(owner);
                _naive.Unreserve(owner);
                break;
            case MapStepKind.Allow:
                Allow(step.A, step.B, step.Choice);
                break;
            case MapStepKind.Domain:
                Domain((uint)(step.Choice % 3), step.A);
                break;
            case MapStepKind.Access:
                Access((uint)(step.Choice % 3), step.A % 2 == 0);
                break;
            case MapStepKind.LargePages:
                bool disabled = step.Choice % 2 == 0;
                Assert.Equal(_naive.SetLargePagesDisabled(disabled), Map.SetLargePagesDisabled(disabled));
                break;
            case MapStepKind.ChangeArea:
                ChangeArea(step.Choice, step.A);
                break;
            case MapStepKind.Cut:
                Cut(step.A, step.Choice);
                break;
            default:
                Query(step.A, step.B);
                break;
        }
    }

    /// <summary>Compares everything that can be seen, and checks the map's own invariants.</summary>
    public void Compare()
    {
        Map.CheckInvariants();
        Assert.Equal(_naive.Alignment, Map.Alignment);
        Assert.Equal(_naive.LargePagesDisabled, Map.LargePagesDisabled);
        Assert.Equal(_naive.Areas.Count, Map.AreaCount);
        Assert.Equal(_naive.Areas.OrderBy(a => a.Range.First), Map.InOrder());
        Assert.Equal(_naive.Allowed, Map.Allowed);
        Assert.Equal(_naive.UsableRanges(), Map.UsableRanges());
        Assert.Equal(
            _naive.Reserved.OrderBy(r => r.Range.First).ThenBy(r => r.Range.Last).ThenBy(r => r.Owner),
            Map.Reservations
        );
    }

    public void Reserve(IovaRange range, ulong owner) =>
        Assert.Equal(_naive.Reserve(range, owner), Map.Reserve(range, owner));

    public void Insert(IovaRange range, ulong startByte)
    {
        var area = new Area
        {
            Key = _nextKey++,
            Range = range,
            PageSet = 1,
            StartByte = startByte,
            Permissions = AreaPermissions.Read,
            State = AreaState.Ready,
        };
        Map.Insert(area);
        _naive.Areas.Add(area);
    }

    private void MapFixed(ulong iova, ulong length)
    {
        Errno expected = _naive.PlaceFixed(iova, length, out IovaRange naive);
        Assert.Equal(expected, Map.PlaceFixed(iova, length, out IovaRange range));
        if (expected == Errno.OK)
        {
            Assert.Equal(naive, range);
            Insert(range, 0);
        }
    }

    private void MapAutomatic(ulong hint, ulong length)
    {
        Errno expected = _naive.PlaceAutomatic(length, hint, out IovaRange naive);
        Assert.Equal(expected, Map.PlaceAutomatic(length, hint, out IovaRange range));
        Assert.Equal(naive, range);
        ulong offset = hint & HostPage.OffsetMask;
        if (expected == Errno.OK && Map.IsAligned(offset))
        {
            Placed++;
            Insert(range, offset);
        }
    }

    private void RemoveArea(int choice)
    {
        if (_naive.Areas.Count > 0)
        {
            Area area = _naive.Areas[choice % _naive.Areas.Count];
            _naive.Areas.Remove(area);
            Map.Remove(area);
        }
    }

    private void Allow(ulong first, ulong length, int choice)
    {
        // Up to four ranges: touching, apart, or far apart.
        var ranges = new List<(ulong Start, ulong Last)>();
        ulong gap = (choice / 4 % 3) switch
        {
            0 => 0UL,
            1 => 0x1000,
            _ => length,
        };
        for (int i = 0; i < choice % 4; i++)
        {
            ranges.Add((first, unchecked(first + length - 1)));
            first = unchecked(first + length + gap);
        }

        if (IovaMap.ValidateAllowed(ranges) == Errno.OK)
        {
            var list = ranges.ConvertAll(r => new IovaRange(r.Start, r.Last));
            list.Reverse();
            Assert.Equal(_naive.ReplaceAllowed(list), Map.ReplaceAllowed(list));
        }
    }

    private void Domain(uint hwpt, ulong choice)
    {
        if (_naive.Domains.Remove(hwpt))
        {
            Map.RemoveDomainAlignment(hwpt);
        }
        else
        {
            ulong page = 1UL << (int)(choice % 14);
            Assert.Equal(_naive.AddDomain(hwpt, page), Map.AddDomainAlignment(hwpt, page));
        }
    }

    private void Access(uint access, bool pins)
    {
        if (_naive.Accesses.Remove(access))
        {
            Map.RemoveAccessAlignment(access);
        }
        else
        {
            Assert.Equal(_naive.AddAccess(access, pins), Map.AddAccessAlignment(access, pins));
        }
    }

    private void ChangeArea(int choice, ulong what)
    {
        if (_naive.Areas.Count == 0)
        {
            return;
        }

        Area area = _naive.Areas[choice % _naive.Areas.Count];
        switch (what % 5)
        {
            case 0:
                area.State = (AreaState)(what / 5 % 3);
                break;
            case 1:
                area.StorageHwpt = (uint)(what / 5 % 2);
                break;
            case 2:
                area.AccessUsers = (int)(what / 5 % 2);
                break;
            case 3:
                area.PreventAccess = what / 5 % 2 == 0;
                break;
            default:
                area.IsDmaBuf = what / 5 % 4 == 0;
                break;
        }
    }

    private void Cut(ulong near, int choice)
    {
        ulong at = near;
        if (_naive.Areas.Count > 0)
        {
            Area area = _naive.Areas[choice % _naive.Areas.Count];
            at = area.Range.First + (near % area.Length / 2048 * 2048) - (ulong)(choice % 3 == 0 ? 0 : 1);
        }

        Area? whole = _naive.Areas.Find(a => a.Range.Contains(at));
        Errno expected = _naive.CutErrno(at, out bool cuts);
        ulong key = _nextKey;
        Assert.Equal(expected, Map.Cut(at, key, key + 1, out Area? left, out Area? right));
        Assert.Equal(cuts, left is not null);
        Assert.Equal(cuts, right is not null);
        if (cuts)
        {
            _nextKey += 2;
            Assert.Equal(new IovaRange(whole!.Range.First, at), left!.Range);
            Assert.Equal(new IovaRange(at + 1, whole.Range.Last), right!.Range);
            Assert.Equal(whole.StartByte + left.Length, right.StartByte);
            _naive.Areas.Remove(whole);
            _naive.Areas.Add(left);
            _naive.Areas.Add(right);
        }
    }

    private void Query(ulong first, ulong length)
    {
        if (!IovaRange.TryFromLength(first, length, out IovaRange range))
        {
            return;
        }

        Area? overlapping = _naive.FirstOverlapping(range);
        Assert.Same(overlapping, Map.FirstOverlapping(range));
        Assert.Same(_naive.Areas.Find(a => a.Range.Contains(first)), Map.At(first));
        if (overlapping is not null)
        {
            Area? next = _naive.Areas.Where(a => a.Range.First > overlapping.Range.Last).MinBy(a => a.Range.First);
            Assert.Same(next, Map.Next(overlapping));
        }

        List<Area>? run = _naive.Contiguous(range);
        Assert.Equal(run is not null, Map.TryContiguous(range, _run));
        Assert.Equal(run ?? [], _run);
    }
}
