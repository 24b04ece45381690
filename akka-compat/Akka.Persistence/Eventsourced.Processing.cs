using Akka.Actor;
using Akka.Event;

namespace Akka.Persistence;

public abstract partial class Eventsourced
{
    /// <summary>Tells the journal's answers to this incarnation from those to an earlier one.</summary>
    private readonly int _instanceId;
    private readonly string _writerGuid;

    /// <summary>Handlers of what is on its way, in the order in which the journal will answer.</summary>
    private readonly Queue<Pending> _pending = new();

    /// <summary>What has been handed over since the last batch went out.</summary>
    private List<IPersistentEnvelope> _events = [];

    /// <summary>How many of the pending make commands wait.</summary>
    private int _stashingPending;

    /// <summary>A batch is at the journal: the next goes when it has answered, so that batches grow under load.</summary>
    private bool _writeInProgress;

    private bool _taskIsRunning;

    /// <summary>The answer whose elements are being handled, while there are more.</summary>
    private WrittenBatch _batch;
    private long _sequenceNr;

    /// <inheritdoc/>
    protected override bool AroundReceive(Receive receive, object message)
    {
        switch (_phase)
        {
            case Phase.Processing:
                if (message is not IJournalResponse response)
                    ProcessCommand(receive, message);
                else
                    OnJournalResponse(response);
                break;
            case Phase.Persisting:
                if (message is not IJournalResponse answer)
                    StashCommand(message);
                else
                    OnJournalResponse(answer);
                break;
            case Phase.AwaitingPermit:
                OnAwaitingPermit(message);
                break;
            case Phase.AwaitingSnapshot:
                OnAwaitingSnapshot(message);
                break;
            default:
                OnReplaying(message);
                break;
        }
        return true;
    }

    private void ProcessCommand(Receive receive, object message)
    {
        if (message is RecoveryTick)
            return;
        try
        {
            base.AroundReceive(receive, message);
        }
        catch
        {
            AfterCommand(failed: true);
            throw;
        }
        if (!_taskIsRunning)
            AfterCommand(failed: false);
    }

    private void AfterCommand(bool failed)
    {
        SendBatch();
        if (_stashingPending > 0)
            _phase = Phase.Persisting;
        else
            Unstash(all: failed);
    }

    private void Unstash(bool all)
    {
        if (all)
            _waiting.UnstashAll();
        else
            _waiting.Unstash();
    }

    private void StashCommand(object message)
    {
        if (IsRecovering && IsStrayAnswer(message))
            return;
        try
        {
            _waiting.Stash();
        }
        catch (StashOverflowException e)
        {
            OnStashOverflow(e, message);
        }
    }

    /// <summary>Answers to an incarnation that is gone say nothing to this one.</summary>
    private static bool IsStrayAnswer(object message) =>
        message is IJournalResponse or LoadSnapshotResult or LoadSnapshotFailed or RecoveryTick;

    private void OnStashOverflow(StashOverflowException overflow, object message)
    {
        switch (InternalStashOverflowStrategy)
        {
            case DiscardToDeadLetterStrategy:
                Context.System.DeadLetters.Tell(new DeadLetter(message, Sender, Self), Sender);
                break;
            case ReplyToStrategy reply:
                Sender.Tell(reply.Response, Self);
                break;
            default:
                throw new StashOverflowException(overflow.Message, overflow);
        }
    }

    /// <summary>Sends what has been handed over, unless a batch is still at the journal.</summary>
    private void SendBatch()
    {
        if (_writeInProgress || _events.Count == 0)
            return;
        var batch = _events;
        _events = [];
        _writeInProgress = true;
        Journal.Tell(new WriteMessages(batch, Self, _instanceId) { TakesOneAnswer = true }, Self);
    }

    private void OnJournalResponse(IJournalResponse response)
    {
        switch (response)
        {
            case WrittenBatch written:
                if (written.ActorInstanceId == _instanceId)
                    RunBatch(written);
                return;
            case WriteMessageSuccess success:
                if (success.ActorInstanceId != _instanceId)
                    return;
                LastSequenceNr = Math.Max(LastSequenceNr, success.Persistent.SequenceNr);
                RunHandler(success.Persistent.Payload);
                return;
            case WriteMessagesSuccessful:
                _writeInProgress = false;
                SendBatch();
                return;
            case LoopMessageSuccess loop:
                if (loop.ActorInstanceId == _instanceId)
                    RunHandler(loop.Message);
                return;
            case WriteMessageRejected rejected:
                if (rejected.ActorInstanceId == _instanceId)
                    OnRejected(rejected);
                return;
            case WriteMessageFailure failure:
                if (failure.ActorInstanceId == _instanceId)
                    OnFailed(failure);
                return;
            default:
                // WriteMessagesFailed: the failures that follow it stop the actor. Answers to a recovery that is over.
                return;
        }
    }

    private void RunBatch(WrittenBatch written)
    {
        if (!written.IsAnnounced)
        {
            written.IsAnnounced = true;
            _writeInProgress = false;
            SendBatch();
        }
        _batch = written;
        var mailbox = ((ActorCell)Context).Mailbox;
        while (_batch is not null)
        {
            var persistent = written.Next(out var deferred);
            if (!written.HasMore)
                _batch = null;
            if (persistent is not null)
                LastSequenceNr = Math.Max(LastSequenceNr, persistent.SequenceNr);
            RunHandler(persistent is null ? deferred : persistent.Payload);
            // A stop, a task or the supervisor come before the next handler, as they would between two messages.
            if (_batch is not null && (_taskIsRunning || mailbox.HasSystemMessages))
                PutBatchBack();
        }
    }

    /// <summary>The rest of a batch goes to the front of the mailbox, behind what is unstashed after this.</summary>
    private void PutBatchBack()
    {
        if (_batch is not { } rest)
            return;
        _batch = null;
        ((ActorCell)Context).Mailbox.EnqueueFirst(new Envelope(rest, Sender));
    }

    private void RunHandler(object payload)
    {
        var pending = _pending.Peek();
        try
        {
            pending.Run(payload);
        }
        catch
        {
            PutBatchBack();
            Complete(failed: true);
            throw;
        }
        Complete(failed: false);
    }

    private void Complete(bool failed)
    {
        if (_pending.Dequeue().IsStashing)
            _stashingPending--;
        if (_taskIsRunning)
            return;
        SendBatch();
        if (_stashingPending > 0)
        {
            _phase = Phase.Persisting;
            return;
        }
        _phase = Phase.Processing;
        if (_waiting.NonEmpty)
            PutBatchBack();
        Unstash(all: failed);
    }

    private void OnRejected(WriteMessageRejected rejected)
    {
        var persistent = rejected.Persistent;
        LastSequenceNr = Math.Max(LastSequenceNr, persistent.SequenceNr);
        Complete(failed: false);
        OnPersistRejected(rejected.Cause, persistent.Payload, persistent.SequenceNr);
    }

    private void OnFailed(WriteMessageFailure failure)
    {
        Complete(failed: false);
        try
        {
            OnPersistFailure(failure.Cause, failure.Persistent.Payload, failure.Persistent.SequenceNr);
        }
        finally
        {
            Context.Stop(Self);
        }
    }

    /// <summary>Runs asynchronous work as this actor; no message is handled, and nothing is written, before it ends.</summary>
    protected void RunTask(Func<Task> action)
    {
        _taskIsRunning = true;
        ActorTaskRunner.Run(async () =>
        {
            try
            {
                await action();
            }
            catch
            {
                TaskEnded(failed: true);
                throw;
            }
            TaskEnded(failed: false);
        });
    }

    private void TaskEnded(bool failed)
    {
        _taskIsRunning = false;
        AfterCommand(failed);
        if (_stashingPending == 0)
            _phase = Phase.Processing;
    }
}
