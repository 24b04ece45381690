using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Persistence.Journal;

/// <summary>Reads a stream back.</summary>
public interface IAsyncRecovery
{
    /// <summary>
    /// Gives the events from and to these numbers, both inclusive and at most max of them, in order to the callback;
    /// the task ends after the last. Events that are deleted may be given: they are passed over.
    /// </summary>
    Task ReplayMessagesAsync(
        IActorContext context,
        string persistenceId,
        long fromSequenceNr,
        long toSequenceNr,
        long max,
        Action<IPersistentRepresentation> recoveryCallback
    );

    /// <summary>
    /// The highest number ever used in the stream, deleted events included, 0 for none. It is at least the second
    /// argument if the stream is that long: nothing before it has to be looked at.
    /// </summary>
    Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr);
}

/// <summary>
/// A journal whose storage answers with tasks. Answers leave in the order of the requests, whichever task ends first; a
/// task that has ended when it is returned costs no detour over another thread.
/// </summary>
public abstract class AsyncWriteJournal : WriteJournalBase, IAsyncRecovery
{
    /// <summary>
    /// Whether deletions are published on the event stream, from akka.persistence.publish-plugin-commands.
    /// </summary>
    protected readonly bool CanPublish;

    private readonly Queue<Answer> _answers = new();
    private readonly PluginBreaker _breaker;
    private readonly ReplayFilterMode _filterMode;
    private readonly int _filterWindow;
    private readonly int _filterMaxOldWriters;
    private readonly bool _filterDebug;

    /// <summary>Reads the circuit breaker and the replay filter from the plugin's section.</summary>
    /// <exception cref="Akka.Configuration.ConfigurationException">
    /// The mode of the replay filter is not known.
    /// </exception>
    protected AsyncWriteJournal()
    {
        var extension = Persistence.Instance.Apply(Context.System);
        CanPublish = extension.Settings.Internal.PublishPluginCommands;
        var system = Context.System;
        var all = system.Settings.Config;
        var fallback = all.GetConfig("akka.persistence.journal-plugin-fallback");
        var own = all.HasPath(Self.Path.Name) ? all.GetConfig(Self.Path.Name) : null;
        var config = own is null ? fallback : own.WithFallback(fallback);
        _breaker = new PluginBreaker(config.GetConfig("circuit-breaker"), system.Scheduler);
        var filter = config.GetConfig("replay-filter");
        _filterMode = filter.GetString("mode", "off").ToLowerInvariant() switch
        {
            "repair-by-discard-old" => ReplayFilterMode.RepairByDiscardOld,
            "fail" => ReplayFilterMode.Fail,
            "warn" => ReplayFilterMode.Warn,
            "off" or "false" => ReplayFilterMode.Disabled,
            var other => throw new Configuration.ConfigurationException(
                $"Invalid replay-filter.mode [{other}], supported values [off, repair-by-discard-old, fail, warn]"
            ),
        };
        _filterWindow = filter.GetInt("window-size", 100);
        _filterMaxOldWriters = filter.GetInt("max-old-writers", 10);
        _filterDebug = filter.GetBoolean("debug");
    }

    /// <inheritdoc/>
    public abstract Task ReplayMessagesAsync(
        IActorContext context,
        string persistenceId,
        long fromSequenceNr,
        long toSequenceNr,
        long max,
        Action<IPersistentRepresentation> recoveryCallback
    );

    /// <inheritdoc/>
    public abstract Task<long> ReadHighestSequenceNrAsync(string persistenceId, long fromSequenceNr);

    /// <summary>
    /// Writes each element all or none. The result is null when all are written, else one entry for each element:
    /// null, or why it was rejected. A failed task means that nobody knows what was written.
    /// </summary>
    protected abstract Task<IImmutableList<Exception>> WriteMessagesAsync(IEnumerable<AtomicWrite> messages);

    /// <summary>
    /// Deletes events up to this number, inclusive. The highest number of the stream must outlive them.
    /// </summary>
    protected abstract Task DeleteMessagesToAsync(string persistenceId, long toSequenceNr);

    /// <summary>Handles what is not a journal's own message.</summary>
    protected virtual bool ReceivePluginInternal(object message) => false;

    /// <inheritdoc/>
    protected sealed override bool Receive(object message) =>
        ReceiveWriteJournal(message) || ReceivePluginInternal(message);

    /// <summary>Handles a journal's own messages; false for all others.</summary>
    protected bool ReceiveWriteJournal(object message)
    {
        switch (message)
        {
            case WriteMessages write:
                HandleWrite(write);
                return true;
            case ReplayMessages replay:
                HandleReplay(replay);
                return true;
            case DeleteMessagesTo delete:
                HandleDelete(delete);
                return true;
            case AnswerReady:
                SendAnswers();
                return true;
            default:
                return false;
        }
    }

    /// <summary>The failure inside an aggregate of one, however deep; anything else as it is.</summary>
    protected static Exception TryUnwrapException(Exception e) =>
        e is AggregateException { InnerExceptions.Count: 1 } aggregate
            ? TryUnwrapException(aggregate.InnerException)
            : e;

    private void HandleWrite(WriteMessages write)
    {
        AtomicWrite[] prepared;
        Task<IImmutableList<Exception>> task;
        try
        {
            prepared = [.. PreparePersistentBatch(write.Messages)];
            task = prepared.Length == 0 ? NothingWritten : _breaker.Call(() => WriteMessagesAsync(prepared));
        }
        catch (Exception e)
        {
            // An event that cannot be adapted was not written, for sure: rejected, all of them.
            prepared = [.. write.Messages.OfType<AtomicWrite>()];
            var rejections = ImmutableList.CreateRange(prepared.Select(_ => e));
            task = Task.FromResult<IImmutableList<Exception>>(rejections);
        }
        _answers.Enqueue(new Answer(write, prepared.Length, task));
        if (task.IsCompleted)
        {
            SendAnswers();
            return;
        }
        var self = Self;
        _ = task.ContinueWith(
            _ => self.Tell(AnswerReady.Instance, self),
            CancellationToken.None,
            TaskContinuationOptions.ExecuteSynchronously,
            TaskScheduler.Default
        );
    }

    private static readonly Task<IImmutableList<Exception>> NothingWritten = Task.FromResult<IImmutableList<Exception>>(
        null
    );

    private void SendAnswers()
    {
        while (_answers.TryPeek(out var answer) && answer.Result.IsCompleted)
        {
            _answers.Dequeue();
            Send(answer);
        }
    }

    private void Send(Answer answer)
    {
        var (write, count, result) = answer;
        var actor = write.PersistentActor;
        if (!result.IsCompletedSuccessfully)
        {
            var cause = TryUnwrapException(result.Exception) ?? new TaskCanceledException(result);
            WriteAnswers.Failed(write, cause, Self);
            return;
        }
        var results = result.Result;
        if (results is { Count: var given } && given != 0 && given != count)
        {
            WriteAnswers.Failed(
                write,
                new IllegalActorStateException(
                    $"AsyncWriteMessages return invalid number of results. Expected [{count}], but got [{given}]."
                ),
                Self
            );
            return;
        }
        WriteAnswers.Written(write, results is { Count: > 0 } ? results : null, Self);
    }

    private void HandleReplay(ReplayMessages message)
    {
        var context = Context;
        var target =
            _filterMode == ReplayFilterMode.Disabled
                ? message.PersistentActor
                : context.ActorOf(
                    ReplayFilter.Props(
                        message.PersistentActor,
                        _filterMode,
                        _filterWindow,
                        _filterMaxOldWriters,
                        _filterDebug
                    )
                );
        var highest = _breaker.Call(() =>
            ReadHighestSequenceNrAsync(message.PersistenceId, Math.Max(0, message.FromSequenceNr - 1))
        );
        if (highest.IsCompletedSuccessfully)
            Replay(context, message, target, highest.Result);
        else
            _ = ReplayLater(context, message, target, highest);
    }

    private async Task ReplayLater(IActorContext context, ReplayMessages message, IActorRef target, Task<long> highest)
    {
        try
        {
            Replay(context, message, target, await highest.ConfigureAwait(false));
        }
        catch (Exception e)
        {
            target.Tell(new ReplayMessagesFailure(TryUnwrapException(e)), ActorRefs.NoSender);
        }
    }

    private void Replay(IActorContext context, ReplayMessages message, IActorRef target, long highest)
    {
        var to = Math.Min(message.ToSequenceNr, highest);
        if (highest == 0 || to == 0 || message.FromSequenceNr > to)
        {
            target.Tell(new RecoverySuccess(highest), ActorRefs.NoSender);
            return;
        }
        Task replay;
        try
        {
            replay = ReplayMessagesAsync(
                context,
                message.PersistenceId,
                message.FromSequenceNr,
                to,
                message.Max,
                persistent =>
                {
                    if (persistent.IsDeleted)
                        return;
                    foreach (var adapted in AdaptFromJournal(persistent))
                        target.Tell(new ReplayedMessage(adapted), ActorRefs.NoSender);
                }
            );
        }
        catch (Exception e)
        {
            replay = Task.FromException(e);
        }
        if (replay.IsCompleted)
            EndReplay(replay, target, highest);
        else
            _ = replay.ContinueWith(
                ended => EndReplay(ended, target, highest),
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
    }

    private static void EndReplay(Task replay, IActorRef target, long highest)
    {
        if (replay.IsCompletedSuccessfully)
            target.Tell(new RecoverySuccess(highest), ActorRefs.NoSender);
        else
            target.Tell(
                new ReplayMessagesFailure(TryUnwrapException(replay.Exception) ?? new TaskCanceledException(replay)),
                ActorRefs.NoSender
            );
    }

    private void HandleDelete(DeleteMessagesTo message)
    {
        var system = Context.System;
        var delete = _breaker.Call(() => DeleteMessagesToAsync(message.PersistenceId, message.ToSequenceNr));
        if (delete.IsCompleted)
            End(delete);
        else
            _ = delete.ContinueWith(
                End,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );

        void End(Task ended)
        {
            object answer = ended.IsCompletedSuccessfully
                ? new DeleteMessagesSuccess(message.ToSequenceNr)
                : new DeleteMessagesFailure(
                    TryUnwrapException(ended.Exception) ?? new TaskCanceledException(ended),
                    message.ToSequenceNr
                );
            message.PersistentActor.Tell(answer, ActorRefs.NoSender);
            if (CanPublish)
                system.EventStream.Publish(message);
        }
    }

    private sealed record Answer(WriteMessages Request, int Writes, Task<IImmutableList<Exception>> Result)
        : INoSerializationVerificationNeeded;

    /// <summary>To itself: a task has ended, perhaps the one whose turn it is.</summary>
    private sealed class AnswerReady : INoSerializationVerificationNeeded
    {
        /// <summary>The only one.</summary>
        public static readonly AnswerReady Instance = new();
    }
}

/// <summary>The answers to a batch, in the order in which its events were handed over.</summary>
internal static class WriteAnswers
{
    /// <summary>Of the rejections, one stands for each atomic write, null for those that are written; null when all are.</summary>
    public static void Written(WriteMessages write, IReadOnlyList<Exception> rejections, IActorRef journal)
    {
        var actor = write.PersistentActor;
        var id = write.ActorInstanceId;
        if (write.TakesOneAnswer && rejections is null && WrittenBatch.SharedSender(write) is { } sender)
        {
            actor.Tell(new WrittenBatch(write), sender);
            return;
        }
        actor.Tell(WriteMessagesSuccessful.Instance, journal);
        var index = 0;
        foreach (var envelope in write.Messages)
        {
            if (envelope is not AtomicWrite atomic)
            {
                actor.Tell(new LoopMessageSuccess(envelope.Payload, id), envelope.Sender);
                continue;
            }
            var rejection = rejections?[index++];
            if (rejection is null && atomic.Single is { } single)
            {
                actor.Tell(new WriteMessageSuccess(single, id), single.Sender);
                continue;
            }
            foreach (var persistent in atomic.Events)
            {
                object answer = rejection is null
                    ? new WriteMessageSuccess(persistent, id)
                    : new WriteMessageRejected(persistent, rejection, id);
                actor.Tell(answer, persistent.Sender);
            }
        }
    }

    /// <summary>Every event failed; deferred messages go back all the same.</summary>
    public static void Failed(WriteMessages write, Exception cause, IActorRef journal)
    {
        var actor = write.PersistentActor;
        var id = write.ActorInstanceId;
        actor.Tell(new WriteMessagesFailed(cause, write.Messages.OfType<AtomicWrite>().Count()), journal);
        foreach (var envelope in write.Messages)
        {
            if (envelope is not AtomicWrite atomic)
            {
                actor.Tell(new LoopMessageSuccess(envelope.Payload, id), envelope.Sender);
                continue;
            }
            foreach (var persistent in atomic.Events)
                actor.Tell(new WriteMessageFailure(persistent, cause, id), persistent.Sender);
        }
    }
}
