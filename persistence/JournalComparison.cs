using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>One event of one of two journals.</summary>
/// <param name="Row">Its number in the file.</param>
/// <param name="Event">The event.</param>
public sealed record ComparedEvent(long Row, ContextEvent Event);

/// <summary>Where two journals part.</summary>
/// <param name="Stream">The stream.</param>
/// <param name="SequenceNr">The event's number in the stream: all before it are the same.</param>
/// <param name="Ours">The one journal's event; null when it has no more.</param>
/// <param name="Theirs">The other's; null when it has no more.</param>
/// <param name="Before">The objects that the two events name, as they were before them, in both journals.</param>
/// <param name="Objects">What differs after them.</param>
/// <param name="StreamsThatDiffer">How many streams are not the same to their ends.</param>
public sealed record Divergence(
    string Stream,
    long SequenceNr,
    ComparedEvent? Ours,
    ComparedEvent? Theirs,
    IReadOnlyList<string> Before,
    IReadOnlyList<ObjectDifference> Objects,
    int StreamsThatDiffer
);

/// <summary>Compares two journals event by event.</summary>
public static class JournalComparison
{
    /// <summary>Finds the first event that differs, in the order of the first journal's file; null when all are the same.</summary>
    /// <param name="ours">The one journal.</param>
    /// <param name="theirs">The other.</param>
    /// <exception cref="JournalFormatException">One is damaged or from a newer version.</exception>
    public static Divergence? Of(JournalFile ours, JournalFile theirs)
    {
        (string Stream, long Sequence, long Row)? first = null;
        var differing = 0;
        foreach (var stream in ours.Streams().Union(theirs.Streams(), StringComparer.Ordinal))
        {
            if (FirstDifference(stream, ours, theirs) is not var (sequence, row))
            {
                continue;
            }

            differing++;
            if (first is not { } earliest || row < earliest.Row)
            {
                first = (stream, sequence, row);
            }
        }

        return first is { } found ? Describe(found.Stream, found.Sequence, differing, ours, theirs) : null;
    }

    // Payloads tell whether two events are the same; nothing is restored until it is known where to look.
    private static (long Sequence, long Row)? FirstDifference(string stream, JournalFile ours, JournalFile theirs)
    {
        using var a = ours.Read(stream).GetEnumerator();
        using var b = theirs.Read(stream).GetEnumerator();
        for (long number = 1; ; number++)
        {
            var mine = a.MoveNext() ? a.Current : null;
            var other = b.MoveNext() ? b.Current : null;
            if (mine is null && other is null)
            {
                return null;
            }

            if (mine is null || other is null || !AreSame(mine.Event, other.Event))
            {
                return (number, mine?.Ordering ?? other!.Ordering);
            }
        }
    }

    private static Divergence Describe(
        string stream,
        long sequence,
        int differing,
        JournalFile ours,
        JournalFile theirs
    )
    {
        var left = Restore(stream, sequence, ours);
        var right = Restore(stream, sequence, theirs);
        var before = StateObjects.Of(left.Context);
        List<string> named = [];
        foreach (var one in new[] { left.Next, right.Next })
        {
            if (one is not null)
            {
                named.AddRange(StateObjects.NamedBy(one.Event, before).Where(l => !named.Contains(l)));
            }
        }

        Apply(left);
        Apply(right);
        return new Divergence(
            stream,
            sequence,
            left.Next,
            right.Next,
            named,
            StateObjects.Differences(StateObjects.Of(left.Context), StateObjects.Of(right.Context)),
            differing
        );
    }

    // The context just before an event, and the event.
    private static (ReplayedContext Context, ComparedEvent? Next) Restore(
        string stream,
        long sequence,
        JournalFile journal
    )
    {
        var context = new ReplayedContext(JournalReplay.NumberOf(stream));
        foreach (var journaled in journal.Read(stream))
        {
            if (journaled.SequenceNr == sequence)
            {
                return (context, new ComparedEvent(journaled.Ordering, journaled.Event));
            }

            context.Apply(journaled.Event);
        }

        return (context, null);
    }

    private static void Apply((ReplayedContext Context, ComparedEvent? Next) side)
    {
        if (side.Next is { } next)
        {
            side.Context.Apply(next.Event);
        }
    }

    private static bool AreSame(ContextEvent ours, ContextEvent theirs) =>
        EventPayload.ToBytes(ours).AsSpan().SequenceEqual(EventPayload.ToBytes(theirs));
}
