using Iommufd.Actors;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Zoo.Tests.Mistakes;

/// <summary>What can go wrong with pins and what is charged for them.</summary>
internal static class MemoryMistakes
{
    public static IEnumerable<Mistake> All =>
        [
            new("double-pin-on-copy", "a COPY pins pages that are pinned already", "limits", Memory(PinsAgain)),
            new(
                "pin-kept-on-rollback",
                "a MAP that fails after pinning does not unpin",
                "quarrel",
                Memory(_ => (request, go) => request is Unfill { Committed: false } ? FlowResponse.Done : go(request))
            )
            {
                Faults = Meddling.Rollbacks,
            },
            new(
                "unpinned-under-access",
                "an UNMAP unpins pages that an access still holds",
                "limits",
                Memory(UnderAccess)
            ),
            new("charge-kept", "an UNMAP does not give the charge back", "limits", Memory(ChargesAgain<Unfill>)),
            new("charged-twice", "pages shared by a COPY are charged again", "limits", Memory(ChargesCopies)),
            new(
                "storage-not-moved",
                "pages are still read back from a domain that is gone",
                "moves",
                Memory(_ => Meddling.Forget<MoveStorage>())
            ),
            new(
                "pin-count-lost",
                "the same range pinned twice is released by the first unpin",
                "limits",
                Memory(CountsOnce)
            ),
            new(
                "frames-shifted",
                "the last page of a long fill gets its neighbour's frame",
                "quarrel",
                Memory(_ => LastRepeated)
            ),
        ];

    private static Func<HostOptions, HostOptions> Memory(Func<MemoryState, Rule> make) =>
        Meddling.At(ParticipantKind.Memory, state => make((MemoryState)state));

    private static Rule PinsAgain(MemoryState state) =>
        (request, go) =>
        {
            FlowResponse response = go(request);
            if (request is FillBegin && response is PfnsReady { Errno: Errno.OK, Pinned.Count: 0 } shared)
            {
                foreach (PfnRun run in shared.Runs)
                {
                    state.Memory.Physical.PinRun(run);
                }
            }

            return response;
        };

    private static Rule UnderAccess(MemoryState state)
    {
        var held = new List<(AccessAdd Range, IReadOnlyList<PfnRun> Runs)>();
        return (request, go) =>
        {
            FlowResponse response = go(request);
            switch (request)
            {
                case AccessAdd add when response is PfnsReady { Errno: Errno.OK } pfns:
                    held.Add((add, pfns.Runs));
                    break;
                case AccessRemove remove:
                    int released = held.FindIndex(h =>
                        h.Range.PageSet == remove.PageSet
                        && h.Range.First == remove.First
                        && h.Range.Last == remove.Last
                    );
                    held.RemoveRange(Math.Max(0, released), released < 0 ? 0 : 1);
                    break;
                case Unfill unfill when held.Find(h => h.Range.PageSet == unfill.PageSet) is { Runs: { } runs }:
                    foreach (PfnRun run in runs)
                    {
                        state.Memory.Physical.UnpinRun(run);
                    }

                    held.Clear();
                    break;
            }

            return response;
        };
    }

    private static Rule ChargesAgain<T>(MemoryState state)
        where T : FlowRequest =>
        (request, go) =>
        {
            long before = state.Memory.User.LockedPages;
            FlowResponse response = go(request);
            long returned = before - state.Memory.User.LockedPages;
            if (request is T && returned > 0)
            {
                state.Memory.Charge(AccountingMode.User, returned);
            }

            return response;
        };

    private static Rule ChargesCopies(MemoryState state) =>
        (request, go) =>
        {
            FlowResponse response = go(request);
            if (request is not FillBegin || response is not PfnsReady { Errno: Errno.OK, Pinned.Count: 0 } shared)
            {
                return response;
            }

            long pages = shared.Runs.Sum(r => (long)r.Count);
            return state.Memory.Charge(AccountingMode.User, pages) == Errno.OK
                ? response
                : new PfnsReady(Errno.ENOMEM, [], []);
        };

    private static Rule CountsOnce(MemoryState state)
    {
        var pinned = new Dictionary<(uint, ulong, ulong), FlowResponse>();
        return (request, go) =>
        {
            switch (request)
            {
                case AccessAdd add when pinned.TryGetValue((add.PageSet, add.First, add.Last), out FlowResponse? known):
                    return known;
                case AccessAdd add:
                    return pinned[(add.PageSet, add.First, add.Last)] = go(request);
                case AccessRemove remove:
                    pinned.Remove((remove.PageSet, remove.First, remove.Last));
                    return go(request);
                default:
                    return go(request);
            }
        };
    }

    private static FlowResponse LastRepeated(FlowRequest request, Func<FlowRequest, FlowResponse> go)
    {
        FlowResponse response = go(request);
        if (request is not FillBegin || response is not PfnsReady { Errno: Errno.OK } pfns)
        {
            return response;
        }

        Pfn[] frames =
        [
            .. pfns.Runs.SelectMany(r =>
                Enumerable.Range(0, (int)r.Count).Select(i => new Pfn(r.First.Value + (ulong)i))
            ),
        ];
        if (frames.Length < 3)
        {
            return response;
        }

        frames[^1] = frames[^2];
        return pfns with { Runs = [.. frames.Select(f => new PfnRun(f, 1))] };
    }
}
