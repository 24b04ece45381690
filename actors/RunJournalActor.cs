using Akka.Actor;
using Akka.Persistence;
using Iommufd.Messages.Events;

namespace Iommufd.Actors;

/// <summary>/user/run-journal: writes what happens to the run as a whole into a stream of its own.</summary>
public sealed class RunJournalActor : ReceivePersistentActor
{
    private readonly Action<JournalFailure>? _failed;

    /// <summary>Makes the writer.</summary>
    /// <param name="failed">Told when the stream cannot be read or written; null only logs.</param>
    public RunJournalActor(Action<JournalFailure>? failed)
    {
        _failed = failed;
        RecoverAny(_ => { });
        Command<RecordRun>(Append);
    }

    /// <inheritdoc/>
    public override string PersistenceId => RunStream.PersistenceId;

    /// <summary>Only the highest sequence number is wanted.</summary>
    public override Recovery Recovery => new(SnapshotSelectionCriteria.None, 0);

    /// <inheritdoc/>
    protected override void OnPersistFailure(Exception cause, object @event, long sequenceNr) =>
        _failed?.Invoke(new JournalFailure(PersistenceId, sequenceNr, cause));

    /// <inheritdoc/>
    protected override void OnPersistRejected(Exception cause, object @event, long sequenceNr) =>
        _failed?.Invoke(new JournalFailure(PersistenceId, sequenceNr, cause));

    /// <inheritdoc/>
    protected override void OnRecoveryFailure(Exception reason, object? message = null) =>
        _failed?.Invoke(new JournalFailure(PersistenceId, LastSequenceNr, reason));

    private void Append(RecordRun record)
    {
        var sender = Sender;
        PersistAsync(
            record.Event,
            written =>
            {
                if (record.WantsReply)
                {
                    sender.Tell(new RunRecorded(written));
                }
            }
        );
    }
}

/// <summary>Run → its journal: write an event. Events are written in the order in which they come.</summary>
/// <param name="Event">The event.</param>
/// <param name="WantsReply">Whether <see cref="RunRecorded"/> is wanted.</param>
public sealed record RecordRun(RunEvent Event, bool WantsReply);

/// <summary>Journal → run: the event is durable.</summary>
/// <param name="Event">The event.</param>
public sealed record RunRecorded(RunEvent Event);
