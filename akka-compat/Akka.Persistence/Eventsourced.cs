using System.Collections.Immutable;
using Akka.Actor;
using Akka.Event;

namespace Akka.Persistence;

// A persistent actor. Eventsourced.cs: what its code calls. Eventsourced.Recovery.cs: from the start to the first
// command. Eventsourced.Processing.cs: commands, events on their way to the journal, and the answers.

/// <summary>Has a stream of events.</summary>
public interface IPersistentIdentity
{
    /// <summary>Names the stream; the same for every incarnation, different for every actor.</summary>
    string PersistenceId { get; }

    /// <summary>Configuration path of the journal; empty for the default.</summary>
    string JournalPluginId { get; }

    /// <summary>Configuration path of the snapshot store; empty for the default.</summary>
    string SnapshotPluginId { get; }
}

/// <summary>Says how it recovers.</summary>
public interface IPersistenceRecovery
{
    /// <summary>Asked for once, at the start of each recovery.</summary>
    Recovery Recovery { get; }
}

/// <summary>Puts commands aside while events are written.</summary>
public interface IPersistenceStash : IWithUnboundedStash
{
    /// <summary>What happens to a command when no more can wait.</summary>
    IStashOverflowStrategy InternalStashOverflowStrategy { get; }
}

/// <summary>Takes snapshots.</summary>
public interface ISnapshotter
{
    /// <summary>Whose snapshots these are.</summary>
    string SnapshotterId { get; }

    /// <summary>The number that the next snapshot will bear.</summary>
    long SnapshotSequenceNr { get; }

    /// <summary>
    /// Asks the store; a <see cref="LoadSnapshotResult"/> or <see cref="LoadSnapshotFailed"/> comes as a message.
    /// </summary>
    void LoadSnapshot(string persistenceId, SnapshotSelectionCriteria criteria, long toSequenceNr);

    /// <summary>
    /// Stores a state; a <see cref="SaveSnapshotSuccess"/> or <see cref="SaveSnapshotFailure"/> comes as a message.
    /// </summary>
    void SaveSnapshot(object snapshot);

    /// <summary>Deletes the snapshots of a sequence number, whatever their time; the answer is a message.</summary>
    void DeleteSnapshot(long sequenceNr);

    /// <summary>Deletes those that qualify; the answer is a message.</summary>
    void DeleteSnapshots(SnapshotSelectionCriteria criteria);
}

/// <summary>An actor whose state is the sum of its events.</summary>
public abstract partial class Eventsourced
    : ActorBase,
        IPersistentIdentity,
        IPersistenceStash,
        IPersistenceRecovery,
        ISnapshotter
{
    /// <summary>Keeps the journal's answers to an earlier incarnation from being unstashed into this one.</summary>
    public static readonly Func<Envelope, bool> UnstashFilterPredicate = static envelope =>
        envelope.Message is not (WriteMessageSuccess or WrittenBatch or ReplayedMessage);

    private readonly StashSupport _waiting;
    private PersistentStash _userStash;
    private ILoggingAdapter _log;
    private IStashOverflowStrategy _overflow;

    /// <summary>Starts the persistence extension of the system if nobody did.</summary>
    protected Eventsourced()
    {
        Extension = Persistence.Instance.Apply(Context.System);
        _instanceId = Extension.NextInstanceId();
        _writerGuid = Extension.WriterGuidOf(_instanceId);
        _waiting = new StashSupport((ActorCell)Context, Extension.StashCapacityOf(Context.Props));
    }

    /// <summary>The extension of the actor's system.</summary>
    protected PersistenceExtension Extension { get; }

    /// <summary>Logs as this actor.</summary>
    protected virtual ILoggingAdapter Log => _log ??= Context.GetLogger();

    /// <inheritdoc/>
    public abstract string PersistenceId { get; }

    /// <inheritdoc/>
    public virtual Recovery Recovery => Recovery.Default;

    /// <inheritdoc/>
    public virtual IStashOverflowStrategy InternalStashOverflowStrategy =>
        _overflow ??= Extension.DefaultInternalStashOverflowStrategy;

    /// <inheritdoc/>
    public IStash Stash
    {
        get => _userStash;
        set => _userStash = new PersistentStash(value, () => _waiting);
    }

    /// <inheritdoc/>
    public string JournalPluginId { get; protected set; } = string.Empty;

    /// <inheritdoc/>
    public string SnapshotPluginId { get; protected set; } = string.Empty;

    /// <summary>The actor's journal, started if need be.</summary>
    /// <exception cref="ArgumentException">The path is not configured, or what it names was not found.</exception>
    public IActorRef Journal => _journal ??= Extension.JournalFor(JournalPluginId);

    /// <summary>The actor's snapshot store, started if need be.</summary>
    /// <exception cref="ArgumentException">The path is not configured, or what it names was not found.</exception>
    public IActorRef SnapshotStore => _snapshotStore ??= Extension.SnapshotStoreFor(SnapshotPluginId);

    private IActorRef _journal;
    private IActorRef _snapshotStore;

    /// <inheritdoc/>
    public string SnapshotterId => PersistenceId;

    /// <summary>True until <see cref="RecoveryCompleted"/> is handed over.</summary>
    public bool IsRecovering => _phase < Phase.Processing;

    /// <summary>
    /// The opposite of <see cref="IsRecovering"/>; true inside the handler of <see cref="RecoveryCompleted"/>.
    /// </summary>
    public bool IsRecoveryFinished => !IsRecovering;

    /// <summary>Number of the last event replayed, or written and handled.</summary>
    public long LastSequenceNr { get; private set; }

    /// <inheritdoc/>
    public long SnapshotSequenceNr => LastSequenceNr;

    /// <inheritdoc/>
    public void LoadSnapshot(string persistenceId, SnapshotSelectionCriteria criteria, long toSequenceNr) =>
        SnapshotStore.Tell(new LoadSnapshot(persistenceId, criteria, toSequenceNr), Self);

    /// <summary>Stores the state as of the last event; the answer is a message.</summary>
    public void SaveSnapshot(object snapshot)
    {
        var metadata = new SnapshotMetadata(
            SnapshotterId,
            SnapshotSequenceNr,
            Context.System.Scheduler.Now.UtcDateTime
        );
        SnapshotStore.Tell(new SaveSnapshot(metadata, snapshot), Self);
    }

    /// <inheritdoc/>
    public void DeleteSnapshot(long sequenceNr) =>
        SnapshotStore.Tell(
            new DeleteSnapshot(new SnapshotMetadata(SnapshotterId, sequenceNr, SnapshotMetadata.TimestampNotSpecified)),
            Self
        );

    /// <inheritdoc/>
    public void DeleteSnapshots(SnapshotSelectionCriteria criteria) =>
        SnapshotStore.Tell(new DeleteSnapshots(SnapshotterId, criteria), Self);

    /// <summary>Deletes events up to this number, inclusive; the answer is a message.</summary>
    public void DeleteMessages(long toSequenceNr) =>
        Journal.Tell(new DeleteMessagesTo(PersistenceId, toSequenceNr, Self), Self);

    /// <summary>Handles a snapshot, an event, or <see cref="RecoveryCompleted"/>.</summary>
    protected abstract bool ReceiveRecover(object message);

    /// <summary>Handles a command.</summary>
    protected abstract bool ReceiveCommand(object message);

    /// <summary>Writes an event; commands wait until the handler has run.</summary>
    public void Persist<TEvent>(TEvent @event, Action<TEvent> handler)
    {
        RefuseWhileRecovering();
        _stashingPending++;
        _pending.Enqueue(new Pending<TEvent>(handler, isStashing: true));
        _events.Add(new AtomicWrite(NewPersistent(@event)));
    }

    /// <summary>Writes events, all or none; commands wait until the handler has run for the last.</summary>
    public void PersistAll<TEvent>(IEnumerable<TEvent> events, Action<TEvent> handler) =>
        PersistAll(events, handler, isStashing: true);

    /// <summary>Writes an event; commands are handled meanwhile.</summary>
    public void PersistAsync<TEvent>(TEvent @event, Action<TEvent> handler)
    {
        RefuseWhileRecovering();
        _pending.Enqueue(new Pending<TEvent>(handler, isStashing: false));
        _events.Add(new AtomicWrite(NewPersistent(@event)));
    }

    /// <summary>Writes events, all or none; commands are handled meanwhile.</summary>
    public void PersistAllAsync<TEvent>(IEnumerable<TEvent> events, Action<TEvent> handler) =>
        PersistAll(events, handler, isStashing: false);

    private void PersistAll<TEvent>(IEnumerable<TEvent> events, Action<TEvent> handler, bool isStashing)
    {
        RefuseWhileRecovering();
        if (events is null)
            return;
        var batch = ImmutableArray.CreateBuilder<IPersistentRepresentation>();
        var pending = new Pending<TEvent>(handler, isStashing);
        foreach (var @event in events)
        {
            if (isStashing)
                _stashingPending++;
            _pending.Enqueue(pending);
            batch.Add(NewPersistent(@event));
        }
        if (batch.Count > 0)
            _events.Add(new AtomicWrite(batch.ToImmutable()));
    }

    /// <summary>Runs the handler after those of all events before it, without writing anything; now if there are none.</summary>
    public void DeferAsync<TEvent>(TEvent evt, Action<TEvent> handler) => Defer(evt, handler, isStashing: false);

    /// <summary>As <see cref="DeferAsync"/>; commands wait until the handler has run.</summary>
    public void Defer<TEvent>(TEvent evt, Action<TEvent> handler) => Defer(evt, handler, isStashing: true);

    private void Defer<TEvent>(TEvent evt, Action<TEvent> handler, bool isStashing)
    {
        RefuseWhileRecovering();
        if (_pending.Count == 0)
        {
            handler(evt);
            return;
        }
        if (isStashing)
            _stashingPending++;
        _pending.Enqueue(new Pending<TEvent>(handler, isStashing));
        _events.Add(new NonPersistentMessage(evt, Sender));
    }

    private Persistent NewPersistent(object @event) =>
        new(@event, ++_sequenceNr, PersistenceId, sender: Sender, writerGuid: _writerGuid);

    private void RefuseWhileRecovering()
    {
        if (IsRecovering)
            throw new InvalidOperationException(
                "Cannot persist during replay. Events can be persisted when receiving RecoveryCompleted or later."
            );
    }

    /// <summary>Called when the last event has been replayed, before <see cref="RecoveryCompleted"/>.</summary>
    protected virtual void OnReplaySuccess() { }

    /// <summary>Recovery failed; the actor stops after this.</summary>
    /// <param name="reason">What the journal, the store or the handler failed with.</param>
    /// <param name="message">The event or snapshot at which it failed; null when the journal or store failed.</param>
    protected virtual void OnRecoveryFailure(Exception reason, object message = null)
    {
        if (message is not null)
            Log.Error(
                reason,
                "Exception in ReceiveRecover when replaying event type [{0}] with sequence number [{1}] for persistenceId [{2}]",
                message.GetType(),
                LastSequenceNr,
                PersistenceId
            );
        else
            Log.Error(
                reason,
                "Persistence failure when replaying events for persistenceId [{0}]. Last known sequence number [{1}]",
                PersistenceId,
                LastSequenceNr
            );
    }

    /// <summary>An event may or may not have been written; the actor stops after this.</summary>
    protected virtual void OnPersistFailure(Exception cause, object @event, long sequenceNr) =>
        Log.Error(
            cause,
            "Failed to persist event type [{0}] with sequence number [{1}] for persistenceId [{2}].",
            @event?.GetType(),
            sequenceNr,
            PersistenceId
        );

    /// <summary>An event cannot be written, for example not be serialized; the actor goes on.</summary>
    protected virtual void OnPersistRejected(Exception cause, object @event, long sequenceNr) =>
        Log.Error(
            cause,
            "Rejected to persist event type [{0}] with sequence number [{1}] for persistenceId [{2}] due to [{3}].",
            @event?.GetType(),
            sequenceNr,
            PersistenceId,
            cause.Message
        );

    /// <inheritdoc/>
    protected override void Unhandled(object message)
    {
        switch (message)
        {
            case RecoveryCompleted:
                return;
            case SaveSnapshotFailure failure:
                Log.Warning(
                    "Failed to SaveSnapshot given metadata [{0}] due to: [{1}: {2}]",
                    failure.Metadata,
                    failure.Cause,
                    failure.Cause.Message
                );
                return;
            case DeleteSnapshotFailure failure:
                Log.Warning(
                    "Failed to DeleteSnapshot given metadata [{0}] due to: [{1}: {2}]",
                    failure.Metadata,
                    failure.Cause,
                    failure.Cause.Message
                );
                return;
            case DeleteSnapshotsFailure failure:
                Log.Warning(
                    "Failed to DeleteSnapshots given criteria [{0}] due to: [{1}: {2}]",
                    failure.Criteria,
                    failure.Cause,
                    failure.Cause.Message
                );
                return;
            case DeleteMessagesFailure failure:
                Log.Warning(
                    "Failed to DeleteMessages ToSequenceNr [{0}] for PersistenceId [{1}] due to: [{2}: {3}]",
                    failure.ToSequenceNr,
                    PersistenceId,
                    failure.Cause,
                    failure.Cause.Message
                );
                return;
            default:
                base.Unhandled(message);
                return;
        }
    }

    /// <summary>An event on its way, or a deferred message: what to run when its turn comes.</summary>
    private abstract class Pending(bool isStashing)
    {
        /// <summary>Whether commands wait until it has run.</summary>
        public bool IsStashing => isStashing;

        /// <summary>Runs the handler with the event or the deferred message.</summary>
        public abstract void Run(object payload);
    }

    private sealed class Pending<TEvent>(Action<TEvent> handler, bool isStashing) : Pending(isStashing)
    {
        public override void Run(object payload) => handler?.Invoke((TEvent)payload);
    }
}
