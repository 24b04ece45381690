using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Zoo.Tests.Mistakes;

/// <summary>What can go wrong with areas and the IOVA space.</summary>
internal static class IoasMistakes
{
    public static IEnumerable<Mistake> All =>
        [
            new("end-of-space", "UNMAP does not reach the area that ends at U64_MAX", "edge", Ioas(OneByteLess)),
            new(
                "iova-wraps",
                "the search for an IOVA wraps around and finds one that is taken",
                "edge",
                Meddling.At(ParticipantKind.Ioas, _ => TakenIova())
            )
            {
                Kernel = "until 6.17",
            },
            new(
                "overlap-allowed",
                "a fixed MAP over an area succeeds, and nothing is there",
                "quarrel",
                Meddling.At(ParticipantKind.Ioas, _ => Phantom())
            ),
            new(
                "reserved-ignored",
                "an attach does not reserve the device's regions",
                "quarrel",
                Ioas(Meddling.Forget<ReserveRanges>())
            ),
            new(
                "reserved-kept",
                "a detach does not give the device's regions back",
                "quarrel",
                Ioas(Meddling.Forget<ReleaseRanges>())
            ),
            new(
                "rollback-keeps-area",
                "a MAP that fails leaves its area under construction",
                "quarrel",
                Meddling.At(ParticipantKind.Ioas, _ => RollbackForgotten())
            )
            {
                Faults = Meddling.Rollbacks,
            },
            new(
                "published-early",
                "an area can be used before it is filled",
                "quarrel",
                Ioas((request, go) => go(request is PlaceAreas place ? place with { Publish = true } : request))
            ),
            new("partial-unmap", "an UNMAP of part of an area takes all of it", "quarrel", Ioas(Widened)),
            new(
                "permission-unchecked",
                "an access may write where devices may only read",
                "quarrel",
                Ioas(
                    (request, go) =>
                        go(request is OpenAreas { Write: true } open ? open with { Write = false } : request)
                )
            ),
            new(
                "use-kept",
                "an unpin leaves the area in use",
                "quarrel",
                Meddling.At(ParticipantKind.Ioas, _ => EverySecond<CloseAreas>())
            ),
            new(
                "storage-not-noted",
                "the IOAS does not learn which domain holds the PFNs",
                "moves",
                Ioas(Meddling.Forget<SetStorage>())
            ),
        ];

    private static Func<Actors.HostOptions, Actors.HostOptions> Ioas(Rule rule) =>
        Meddling.At(ParticipantKind.Ioas, rule);

    private static FlowResponse OneByteLess(FlowRequest request, Func<FlowRequest, FlowResponse> go) =>
        request is NextUnmap { Range.Last: ulong.MaxValue } next
            ? go(next with { Range = new IovaRange(next.Range.First, ulong.MaxValue - 1) })
            : go(request);

    // The area is placed well, and the client is told another IOVA.
    private static Rule TakenIova()
    {
        ulong first = 0;
        return (request, go) =>
        {
            FlowResponse response = go(request);
            if (request is not PlaceAreas { Fixed: false } || response is not AreasPlaced { Errno: Errno.OK } placed)
            {
                return response;
            }

            ulong taken = first;
            first = placed.Iova;
            return taken == 0 ? placed : placed with { Iova = taken };
        };
    }

    private static Rule Phantom()
    {
        var phantoms = new HashSet<ulong>();
        return (request, go) =>
        {
            if (request is PublishAreas publish && publish.Keys.Any(phantoms.Contains))
            {
                return FlowResponse.Done;
            }

            FlowResponse response = go(request);
            if (request is PlaceAreas { Fixed: true } place && response.Errno == Errno.EEXIST)
            {
                phantoms.UnionWith(place.Pieces.Select(p => p.Key));
                return new AreasPlaced(Errno.OK, place.Iova, PageByPage: false);
            }

            return response;
        };
    }

    private static Rule RollbackForgotten()
    {
        var building = new HashSet<ulong>();
        return (request, go) =>
        {
            switch (request)
            {
                case RemoveAreas remove when remove.Keys.Any(building.Contains):
                    return FlowResponse.Done;
                case PublishAreas publish:
                    building.ExceptWith(publish.Keys);
                    return go(request);
                case PlaceAreas { Publish: false } place:
                    FlowResponse placed = go(request);
                    if (placed.Errno == Errno.OK)
                    {
                        building.UnionWith(place.Pieces.Select(p => p.Key));
                    }

                    return placed;
                default:
                    return go(request);
            }
        };
    }

    private static FlowResponse Widened(FlowRequest request, Func<FlowRequest, FlowResponse> go)
    {
        if (request is not NextUnmap next)
        {
            return go(request);
        }

        IovaRange range = next.Range;
        foreach (AreaView area in ((AreaList)go(ListAreas.Instance)).Areas.Where(a => a.Range.Overlaps(next.Range)))
        {
            range = new IovaRange(Math.Min(range.First, area.Range.First), Math.Max(range.Last, area.Range.Last));
        }

        return go(next with { Range = range });
    }

    private static Rule EverySecond<T>()
        where T : FlowRequest
    {
        int seen = 0;
        return (request, go) => request is T && ++seen % 2 == 0 ? FlowResponse.Done : go(request);
    }
}
