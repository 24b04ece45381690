using Akka.Actor;

namespace Akka.Persistence;

public abstract partial class Eventsourced
{
    /// <summary>Where the actor is in its life. The order matters: everything before Processing is recovery.</summary>
    private enum Phase
    {
        AwaitingPermit,
        AwaitingSnapshot,
        Replaying,
        Processing,
        Persisting,
    }

    /// <summary>From the actor's own timer: has anything arrived since the last one?</summary>
    private sealed class RecoveryTick(bool isSnapshot) : INotInfluenceReceiveTimeout, INoSerializationVerificationNeeded
    {
        /// <summary>The only one of its kind.</summary>
        public static readonly RecoveryTick Snapshot = new(true);

        /// <summary>The only one of its kind.</summary>
        public static readonly RecoveryTick Events = new(false);

        /// <summary>Whether it is the snapshot that is waited for.</summary>
        public bool IsSnapshot => isSnapshot;
    }

    private Phase _phase = Phase.AwaitingPermit;
    private ICancelable _recoveryTimer;
    private TimeSpan _recoveryTimeout;
    private long _replayMax;
    private long _replayTo;
    private bool _eventSeen;

    /// <inheritdoc/>
    public override void AroundPreStart()
    {
        if (PersistenceId is null)
            throw new ArgumentNullException(
                nameof(PersistenceId),
                $"PersistenceId is [null] for PersistentActor [{Self.Path}]"
            );
        // A journal that cannot be started must fail here, where the supervisor sees it, not at the first event.
        _ = Journal;
        _ = SnapshotStore;
        RequestPermit();
        base.AroundPreStart();
    }

    /// <inheritdoc/>
    public override void AroundPreRestart(Exception cause, object message)
    {
        try
        {
            ReturnCommands();
        }
        finally
        {
            var inner = message switch
            {
                WriteMessageSuccess success => success.Persistent,
                LoopMessageSuccess loop => loop.Message,
                WrittenBatch batch => batch.Current,
                ReplayedMessage replayed => replayed.Persistent,
                _ => message,
            };
            // What was handed over before the failure is still written, as the documentation promises.
            SendBatch();
            base.AroundPreRestart(cause, inner);
        }
    }

    /// <inheritdoc/>
    public override void AroundPostRestart(Exception reason, object message)
    {
        RequestPermit();
        base.AroundPostRestart(reason, message);
    }

    /// <inheritdoc/>
    public override void AroundPostStop()
    {
        try
        {
            _recoveryTimer?.Cancel();
            ReturnCommands();
        }
        finally
        {
            base.AroundPostStop();
        }
    }

    /// <summary>Commands that wait go back into the mailbox, in order: to the next incarnation, or to dead letters.</summary>
    private void ReturnCommands()
    {
        _waiting.UnstashAll();
        _userStash?.Close();
        _userStash?.UnstashAll(UnstashFilterPredicate);
    }

    private void RequestPermit()
    {
        _phase = Phase.AwaitingPermit;
        Extension.RecoveryPermitter.Tell(RequestRecoveryPermit.Instance, Self);
    }

    private void ReturnPermit() => Extension.RecoveryPermitter.Tell(ReturnRecoveryPermit.Instance, Self);

    private void OnAwaitingPermit(object message)
    {
        if (message is RecoveryPermitGranted)
            StartRecovery();
        else
            StashCommand(message);
    }

    private void StartRecovery()
    {
        var recovery = Recovery;
        _phase = Phase.AwaitingSnapshot;
        _replayMax = recovery.ReplayMax;
        _replayTo = recovery.ToSequenceNr;
        _recoveryTimeout = Extension.RecoveryTimeoutOf(JournalPluginId);
        LoadSnapshot(SnapshotterId, recovery.FromSnapshot, recovery.ToSequenceNr);
        _recoveryTimer = Schedule(RecoveryTick.Snapshot, repeatedly: false);
    }

    private ICancelable Schedule(RecoveryTick tick, bool repeatedly)
    {
        if (_recoveryTimeout <= TimeSpan.Zero || _recoveryTimeout == Timeout.InfiniteTimeSpan)
            return null;
        var cancelable = new Cancelable(Context.System.Scheduler.Advanced);
        var scheduler = Context.System.Scheduler;
        if (repeatedly)
            scheduler.ScheduleTellRepeatedly(_recoveryTimeout, _recoveryTimeout, Self, tick, Self, cancelable);
        else
            scheduler.ScheduleTellOnce(_recoveryTimeout, Self, tick, Self, cancelable);
        return cancelable;
    }

    private void OnAwaitingSnapshot(object message)
    {
        switch (message)
        {
            case LoadSnapshotResult result:
                OnSnapshotLoaded(result);
                break;
            case LoadSnapshotFailed failed:
                FailRecovery(failed.Cause, null);
                break;
            case RecoveryTick { IsSnapshot: true }:
                FailRecovery(
                    new RecoveryTimedOutException(
                        $"Recovery timed out, didn't get snapshot within {_recoveryTimeout.TotalSeconds}s."
                    ),
                    null
                );
                break;
            default:
                StashCommand(message);
                break;
        }
    }

    private void OnSnapshotLoaded(LoadSnapshotResult result)
    {
        _recoveryTimer?.Cancel();
        if (result.Snapshot is { } snapshot)
        {
            LastSequenceNr = snapshot.Metadata.SequenceNr;
            try
            {
                base.AroundReceive(ReceiveRecover, new SnapshotOffer(snapshot.Metadata, snapshot.Snapshot));
            }
            catch (Exception e)
            {
                FailRecovery(e, snapshot);
                return;
            }
        }
        _phase = Phase.Replaying;
        _eventSeen = false;
        _recoveryTimer = Schedule(RecoveryTick.Events, repeatedly: true);
        Journal.Tell(new ReplayMessages(LastSequenceNr + 1, _replayTo, _replayMax, PersistenceId, Self), Self);
    }

    private void OnReplaying(object message)
    {
        switch (message)
        {
            case ReplayedMessage replayed:
                OnReplayed(replayed.Persistent);
                break;
            case RecoverySuccess success:
                OnReplayEnded(success.HighestSequenceNr);
                break;
            case ReplayMessagesFailure failure:
                FailRecovery(failure.Cause, null);
                break;
            case RecoveryTick { IsSnapshot: false }:
                if (_eventSeen)
                    _eventSeen = false;
                else
                    FailRecovery(
                        new RecoveryTimedOutException(
                            $"Recovery timed out, didn't get event within {_recoveryTimeout.TotalSeconds}s, "
                                + $"highest sequence number seen {LastSequenceNr}."
                        ),
                        null
                    );
                break;
            case RecoveryTick:
                break;
            default:
                StashCommand(message);
                break;
        }
    }

    private void OnReplayed(IPersistentRepresentation persistent)
    {
        _eventSeen = true;
        LastSequenceNr = persistent.SequenceNr;
        try
        {
            base.AroundReceive(_receiveRecover ??= ReceiveRecover, persistent.Payload);
        }
        catch (Exception e)
        {
            FailRecovery(e, persistent.Payload);
        }
    }

    private Receive _receiveRecover;

    private void OnReplayEnded(long highestSequenceNr)
    {
        _recoveryTimer?.Cancel();
        ReturnPermit();
        OnReplaySuccess();
        LastSequenceNr = Math.Max(LastSequenceNr, highestSequenceNr);
        _sequenceNr = LastSequenceNr;
        _phase = Phase.Processing;
        try
        {
            base.AroundReceive(ReceiveRecover, RecoveryCompleted.Instance);
        }
        catch
        {
            AfterCommand(failed: true);
            throw;
        }
        if (!_taskIsRunning)
            AfterCommand(failed: false);
    }

    private void FailRecovery(Exception cause, object message)
    {
        _recoveryTimer?.Cancel();
        try
        {
            ReturnPermit();
            OnRecoveryFailure(cause, message);
        }
        finally
        {
            // Whatever else arrives until the stop takes effect must not be taken for an event.
            _phase = Phase.AwaitingPermit;
            Context.Stop(Self);
        }
    }
}
