using Akka.Actor;
using Akka.Persistence;
using Iommufd.Core.Faults;
using Iommufd.Messages.Events;

namespace Iommufd.Actors;

/// <summary>
/// /user/iommufd-N/journal: writes a context's events through Akka.Persistence. Events carry the sequence number that they get in
/// the journal. One that comes twice (after a restart) is written once; one that comes before its predecessor, because the writer
/// died with that one, is not written now: the context gives it again, in order, when it hears how far the journal got. A write
/// that fails or is rejected ends the writer; the context starts another.
/// </summary>
public sealed class JournalActor : ReceivePersistentActor
{
    private readonly IFaultSource? _faults;
    private readonly FaultSite _site;
    private readonly Action<JournalFailure>? _failed;
    private readonly Queue<AppendEvent> _late = new();
    private bool _isSlow;
    private long _given;

    /// <summary>Makes the writer of one stream.</summary>
    /// <param name="persistenceId">The stream's name.</param>
    /// <param name="faults">Decides whether writes fail; null where none does.</param>
    /// <param name="context">The context's number.</param>
    /// <param name="failed">Told when the stream cannot be read or written; null only logs.</param>
    public JournalActor(
        string persistenceId,
        IFaultSource? faults = null,
        int context = 0,
        Action<JournalFailure>? failed = null
    )
    {
        _failed = failed;
        PersistenceId = persistenceId;
        _faults = faults;
        _site = new FaultSite(context, 0);
        RecoverAny(message =>
        {
            if (message is RecoveryCompleted)
            {
                Started();
            }
        });
        Command<AppendEvent>(append =>
        {
            if (_isSlow)
            {
                _late.Enqueue(append);
            }
            else
            {
                Append(append);
            }
        });
        Command<GoOn>(_ => CatchUp());
    }

    /// <inheritdoc/>
    public override string PersistenceId { get; }

    /// <summary>Only the highest sequence number is wanted: the state is the context's, not ours.</summary>
    public override Recovery Recovery => new(SnapshotSelectionCriteria.None, 0);

    // Not in OnReplaySuccess: where no event is replayed the highest number is not known before the recovery is complete.
    private void Started()
    {
        _given = LastSequenceNr;
        Context.Parent.Tell(new JournalStarted(LastSequenceNr));
    }

    // The framework stops the actor after a failed write or recovery; the context would start another. Where somebody is told, the
    // run ends: what failed is the journal itself, and not one write of it.

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
        Context.Stop(Self);
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
        if (append.Sequence != _given + 1 || (_faults is { } faults && Fails(faults, append)))
        {
            return;
        }

        _given = append.Sequence;
        var parent = Context.Parent;
        PersistAsync(append.Event, _ => parent.Tell(new EventsDurable(append.Sequence)));
    }

    private bool Fails(IFaultSource faults, AppendEvent append)
    {
        if (faults.ShouldFail(FaultPoints.JournalKilled, _site))
        {
            throw new InjectedCrashException(FaultPoints.JournalKilled);
        }

        // What Akka.Persistence does with an actor whose event could not be written.
        if (faults.ShouldFail(FaultPoints.JournalError, _site) || faults.ShouldFail(FaultPoints.JournalFull, _site))
        {
            Context.Stop(Self);
            return true;
        }

        if (!faults.ShouldFail(FaultPoints.JournalSlow, _site))
        {
            return false;
        }

        _isSlow = true;
        _late.Enqueue(append);
        var jumps = faults.ShouldFail(FaultPoints.ClockJump, _site);
        var wait = jumps ? TimeSpan.Zero : TimeSpan.FromMilliseconds(1 + faults.Choose(20));
        Context.System.Scheduler.ScheduleTellOnce(wait, Self, GoOn.Instance, Self);
        return true;
    }

    // What was held back is written without asking again: the write was slow, not lost.
    private void CatchUp()
    {
        _isSlow = false;
        while (_late.TryDequeue(out var append))
        {
            if (append.Sequence == _given + 1)
            {
                _given = append.Sequence;
                var parent = Context.Parent;
                PersistAsync(append.Event, _ => parent.Tell(new EventsDurable(append.Sequence)));
            }
        }
    }

    private sealed class GoOn
    {
        public static readonly GoOn Instance = new();
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
