using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>What came of executing a journal again.</summary>
/// <param name="Compared">Events that came again and were compared.</param>
/// <param name="Applied">Events that were only applied, because what they record is not the doing of a command.</param>
/// <param name="First">The first event that differs; null when none does.</param>
/// <param name="Refusal">What is wrong when no single event shows it; null for nothing.</param>
public sealed record ReexecutionReport(long Compared, long Applied, EventDifference? First, string? Refusal)
{
    /// <summary>Whether everything was the same.</summary>
    public bool Ok => First is null && Refusal is null;
}

/// <summary>
/// Executes the commands of a journal again, in the sequential model: each with the ids, IOVAs and frames that were chosen when it
/// was recorded, in the order in which they completed. The event that a command makes now is compared with the recorded one.
/// </summary>
public static class ModelReexecution
{
    /// <summary>Executes and compares every context, up to the first difference.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="cancellation">Gives up between two events.</param>
    /// <exception cref="JournalFormatException">The journal is damaged.</exception>
    public static ReexecutionReport Run(JournalFile journal, CancellationToken cancellation = default)
    {
        long compared = 0;
        long applied = 0;
        foreach (var stream in journal.Streams())
        {
            var context = new ReplayedContext(JournalReplay.NumberOf(stream));
            context.State.KeepsEvents = true;
            foreach (var journaled in journal.Read(stream))
            {
                cancellation.ThrowIfCancellationRequested();
                var mismatches = context.Mismatches.Count;
                context.State.Events.Clear();
                try
                {
                    context.Apply(journaled.Event);
                }
                catch (JournalFormatException refused)
                {
                    return new ReexecutionReport(compared, applied, null, $"{stream}: {refused.Message}");
                }

                var found = Found(context, journaled.Event, mismatches);
                if (found is null)
                {
                    applied++;
                    continue;
                }

                compared++;
                if (!SamePayload(Neutral(journaled.Event), found))
                {
                    var first = new EventDifference(stream, journaled.SequenceNr, journaled.Event, found);
                    return new ReexecutionReport(compared, applied, first, null);
                }
            }
        }

        return new ReexecutionReport(compared, applied, null, null);
    }

    // What executing the event's commands made, in the journal's numbers of page sets; null when the event is no command's doing.
    private static ContextEvent? Found(ReplayedContext context, ContextEvent recorded, int mismatches)
    {
        switch (recorded)
        {
            case ContextOpened or ProcessSeen:
                return null;
            case DigestRecorded digest:
                return context.Mismatches.Count > mismatches
                    ? new DigestRecorded(context.Mismatches[^1].Found)
                    : digest;
            case AreasUnmapped unmapped:
                // An unmap of several areas is recorded as one event and executed area by area.
                var removed = context.State.Events.OfType<AreasUnmapped>().SelectMany(e => e.Removed);
                return new AreasUnmapped(unmapped.IoasId, [.. removed]);
            default:
                var made = context.State.Events.Find(e => e.GetType() == recorded.GetType());
                return made is null ? null : Neutral(context.InRecordedNumbers(made));
        }
    }

    // A replay asks for the IOVA that was chosen; whether the command asked for it does not show in what it did.
    private static ContextEvent Neutral(ContextEvent change) =>
        change switch
        {
            AreaMapped e => e with { Flags = e.Flags & ~(uint)IoasMapFlags.FixedIova },
            FileMapped e => e with { Flags = e.Flags & ~(uint)IoasMapFlags.FixedIova },
            AreasCopied e => e with { Flags = e.Flags & ~(uint)IoasMapFlags.FixedIova },
            _ => change,
        };

    private static bool SamePayload(ContextEvent one, ContextEvent other) =>
        EventPayload.ToBytes(one).AsSpan().SequenceEqual(EventPayload.ToBytes(other));
}
