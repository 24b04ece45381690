using Iommufd.Actors;
using Iommufd.Messages.Events;

namespace Iommufd.Zoo.Tests.Mistakes;

/// <summary>What can go wrong between a context and its journal.</summary>
internal static class JournalMistakes
{
    public static IEnumerable<Mistake> All =>
        [
            new("replay-out-of-order", "two events change places", "quarrel", OutOfOrder),
            new(
                "half-an-unmap-journalled",
                "the event of an UNMAP leaves its last area out",
                "quarrel",
                Changed(LastAreaLeftOut)
            ),
            new(
                "unmap-not-journalled",
                "an UNMAP has no event",
                "quarrel",
                Changed(c => c is AreasUnmapped ? null : c)
            ),
            new("frames-not-journalled", "the event of a MAP has no frames", "quarrel", Changed(FramesLeftOut)),
        ];

    // What the reader of the journal is given; sequence numbers are those of what is left.
    private static Func<HostOptions, HostOptions> Changed(Func<ContextEvent, ContextEvent?> change) =>
        options =>
        {
            var next = new Dictionary<int, long>();
            return options with
            {
                Recorded = (context, _, recorded) =>
                {
                    if (change(recorded) is { } kept)
                    {
                        long sequence = next.GetValueOrDefault(context) + 1;
                        next[context] = sequence;
                        options.Recorded?.Invoke(context, sequence, kept);
                    }
                },
            };
        };

    private static HostOptions OutOfOrder(HostOptions options)
    {
        ContextEvent? held = null;
        return options with
        {
            Recorded = (context, sequence, recorded) =>
            {
                // A MAP waits until the event behind it is written.
                if (held is null && recorded is AreaMapped)
                {
                    held = recorded;
                    return;
                }

                options.Recorded?.Invoke(context, held is null ? sequence : sequence - 1, recorded);
                if (held is { } late)
                {
                    held = null;
                    options.Recorded?.Invoke(context, sequence, late);
                }
            },
        };
    }

    private static ContextEvent LastAreaLeftOut(ContextEvent change) =>
        change is AreasUnmapped { Removed.Length: > 2 } unmapped
            ? unmapped with
            {
                Removed = unmapped.Removed[..^2],
            }
            : change;

    private static ContextEvent FramesLeftOut(ContextEvent change) =>
        change is AreaMapped { Pinned.Length: > 0 } mapped ? mapped with { Pinned = [] } : change;
}
