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
    private readonly Action<JournalFailure>? _failed;
    private long _given;

    /// <summary>Makes the writer of one stream.</summary>
    /// <param name="persistenceId">The stream.</param>
    /// <param name="failed">Told when the stream cannot be read or written; null only logs.</param>
    public JournalActor(string persistenceId, Action<JournalFailure>? failed = null)
    {
        PersistenceId = persistenceId;
        _failed = failed;
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

    // The framework stops the actor after each of these. Nothing more is acknowledged in this context; whoever runs the host ends it.

    /// <inheritdoc/>
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr)
    {
        if (_failed is null)
        {
            base.OnPersistFailure(cause, @event, sequenceNr);
        }

        _failed?.Invoke(new JournalFailure(PersistenceId, sequenceNr, cause));
    }

    /// <inheritdoc/>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr)
    {
        if (_failed is null)
        {
            base.OnPersistRejected(cause, @event, sequenceNr);
        }

        _failed?.Invoke(new JournalFailure(PersistenceId, sequenceNr, cause));
    }

    /// <inheritdoc/>
    protected override void OnRecoveryFailure(Exception reason, object? message = null)
    {
        if (_failed is null)
        {
            base.OnRecoveryFailure(reason, message);
        }

        _failed?.Invoke(new JournalFailure(PersistenceId, LastSequenceNr, reason));
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

/// <summary>A stream cannot be read or written any more.</summary>
/// <param name="PersistenceId">The stream.</param>
/// <param name="SequenceNr">The event that could not be written.</param>
/// <param name="Cause">Why.</param>
public sealed record JournalFailure(string PersistenceId, long SequenceNr, Exception Cause);

/// <summary>Context → journal: write an event.</summary>
internal sealed record AppendEvent(long Sequence, ContextEvent Event);

/// <summary>Journal → context: everything up to here is durable.</summary>
internal sealed record EventsDurable(long Sequence);

/// <summary>Journal → context: the writer has (re)started and found this much.</summary>
internal sealed record JournalStarted(long LastSequence);
