using Iommufd.Actors;
using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Zoo.Tests.Mistakes;

/// <summary>What can go wrong with domains.</summary>
internal static class HwptMistakes
{
    public static IEnumerable<Mistake> All =>
        [
            new(
                "second-domain-kept",
                "an UNMAP clears the first domain of the IOAS alone",
                "quarrel",
                Hwpt((request, go) => request is ClearArea { WantPfns: false } ? new AreaCleared([]) : go(request))
            ),
            new(
                "wrong-frames-read-back",
                "the frames read back from the IOPTEs are the neighbours'",
                "quarrel",
                Hwpt(NeighbouringFrames)
            ),
            new("last-page-not-mapped", "the last page of a long run is left out", "quarrel", Hwpt(OnePageShort)),
            new(
                "unpinned-before-invalidated",
                "pages are unpinned before the IOTLBs have forgotten them",
                "quarrel",
                TooEarly
            ),
        ];

    private static Func<HostOptions, HostOptions> Hwpt(Rule rule) => Meddling.At(ParticipantKind.Hwpt, rule);

    private static FlowResponse NeighbouringFrames(FlowRequest request, Func<FlowRequest, FlowResponse> go)
    {
        FlowResponse response = go(request);
        return request is ClearArea { WantPfns: true } && response is AreaCleared { Runs.Count: > 0 } cleared
            ? new AreaCleared([.. cleared.Runs.Select(r => r with { First = new Pfn(r.First.Value + 1) })])
            : response;
    }

    private static FlowResponse OnePageShort(FlowRequest request, Func<FlowRequest, FlowResponse> go)
    {
        if (request is not InstallArea install || install.Area.Range.Length < 3 * HostPage.Size)
        {
            return go(request);
        }

        IovaRange range = install.Area.Range;
        AreaView less = install.Area with { Range = new IovaRange(range.First, range.Last - HostPage.Size) };
        return go(install with { Area = less });
    }

    // The memory's part of an unmap is done when the IOPTEs are cleared, and left out where it belongs.
    private static HostOptions TooEarly(HostOptions options)
    {
        var covers = new Dictionary<ulong, (FillBegin Fill, IFlowParticipant Memory)>();
        var early = new HashSet<ulong>();
        return options with
        {
            Wrap = (who, state) =>
                who.Kind switch
                {
                    ParticipantKind.Memory => new Meddler(state, (request, go) => AtMemory(state, request, go)),
                    ParticipantKind.Hwpt => new Meddler(state, AtHwpt),
                    _ => state,
                },
        };

        FlowResponse AtMemory(IFlowParticipant memory, FlowRequest request, Func<FlowRequest, FlowResponse> go)
        {
            if (request is FillBegin fill)
            {
                covers[fill.AreaKey] = (fill, memory);
            }

            return request is Unfill unfill && early.Remove(unfill.AreaKey) ? FlowResponse.Done : go(request);
        }

        FlowResponse AtHwpt(FlowRequest request, Func<FlowRequest, FlowResponse> go)
        {
            FlowResponse response = go(request);
            if (
                request is ClearArea { WantPfns: true } clear
                && response is AreaCleared { Runs.Count: > 0 } cleared
                && covers.Remove(clear.Area.Key, out (FillBegin Fill, IFlowParticipant Memory) cover)
            )
            {
                early.Add(clear.Area.Key);
                cover.Memory.Handle(
                    new Unfill(cover.Fill.Context, cover.Fill.PageSet, clear.Area.Key, cleared.Runs, Committed: true)
                );
            }

            return response;
        }
    }
}
