namespace Iommufd.Persistence;

/// <summary>
/// What an event that was changed in a journal did to the state. A journal has the digest of a state and not the state; but where a run
/// can be executed again, the event that was overwritten comes again as it was, and with it the state.
/// </summary>
public static class ChangedEvent
{
    /// <summary>The objects that differ where a digest was recorded.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="changed">The event as the journal has it and as it came when the run was executed again.</param>
    /// <param name="at">The recorded digest that was not found again.</param>
    /// <returns>
    /// Each object as the journal's events leave it and as it was; null when the event, put right, does not lead to the recorded digest:
    /// it is not all that was changed.
    /// </returns>
    /// <exception cref="JournalFormatException">The journal is damaged.</exception>
    public static IReadOnlyList<ObjectDifference>? Objects(
        JournalFile journal,
        EventDifference changed,
        DigestMismatch at
    )
    {
        if (
            changed.Found is null
            || JournalReplay.NumberOf(changed.Stream) != at.Context
            || changed.SequenceNr >= at.SequenceNr
        )
        {
            return null;
        }

        var asItIs = new ReplayedContext(at.Context);
        var asItWas = new ReplayedContext(at.Context);
        try
        {
            foreach (var journaled in journal.Read(changed.Stream))
            {
                if (journaled.SequenceNr == at.SequenceNr)
                {
                    break;
                }

                asItIs.Apply(journaled.Event);
                asItWas.Apply(journaled.SequenceNr == changed.SequenceNr ? changed.Found : journaled.Event);
            }
        }
        catch (JournalFormatException)
        {
            // What follows fits the event as it is overwritten, and not as it was: more than it was changed.
            return null;
        }

        return asItWas.Digest == at.Recorded
            ? StateObjects.Differences(StateObjects.Of(asItIs), StateObjects.Of(asItWas))
            : null;
    }
}
