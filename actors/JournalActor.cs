using Akka.Actor;
using Akka.Persistence;
using Iommufd.Messages.Events;

namespace Iommufd.Actors;

/// <summary>
/// /user/iommufd-N/journal: writes a context's events through Akka.Persistence. Events carry the sequence number that they get in
/// the journal, so one that comes twice (after a restart) is written once.
/// </summary>
public sealed class JournalActor : ReceivePersistentActor
{
    private long _given;

    /// <summary>Makes the writer of one stream.</summary>
    public JournalActor(string persistenceId)
    {
        PersistenceId = persistenceId;
        RecoverAny(_ => { });
        Command<AppendEvent>(Append);
    }

    /// <inheritdoc/>
    public override string PersistenceId { get; }

    /// <summary>Only the highest sequence number is wanted: the state is the context's, not ours.</summary>
    public override Recovery Recovery => new(SnapshotSelectionCriteria.None, 0);

    /// <inheritdoc/>
    protected override void OnReplaySuccess()
    {
        base.OnReplaySuccess();
        _given = LastSequenceNr;
        Context.Parent.Tell(new JournalStarted(LastSequenceNr));
    }

    private void Append(AppendEvent append)
    {
        if (append.Sequence <= _given)
        {
            return;
        }

        _given = append.Sequence;
        var parent = Context.Parent;
        PersistAsync(append.Event, _ => parent.Tell(new EventsDurable(append.Sequence)));
    }
}

/// <summary>Context → journal: write an event.</summary>
internal sealed record AppendEvent(long Sequence, ContextEvent Event);

/// <summary>Journal → context: everything up to here is durable.</summary>
internal sealed record EventsDurable(long Sequence);

/// <summary>Journal → context: the writer has (re)started and found this much.</summary>
internal sealed record JournalStarted(long LastSequence);
