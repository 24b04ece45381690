using Akka.Actor;

namespace Akka.Persistence.Snapshot;

/// <summary>A store of snapshots whose storage answers with tasks; one that has ended when returned costs no detour.</summary>
public abstract class SnapshotStore : ActorBase
{
    private readonly PluginBreaker _breaker;
    private readonly bool _publishes;

    /// <summary>Reads the circuit breaker from the plugin's section.</summary>
    protected SnapshotStore()
    {
        // The extension's defaults must be in place before the breaker's are read.
        _publishes = Persistence.Instance.Apply(Context.System).Settings.Internal.PublishPluginCommands;
        var all = Context.System.Settings.Config;
        var fallback = all.GetConfig("akka.persistence.snapshot-store-plugin-fallback");
        var own = all.HasPath(Self.Path.Name) ? all.GetConfig(Self.Path.Name) : null;
        var config = own is null ? fallback : own.WithFallback(fallback);
        _breaker = new PluginBreaker(config.GetConfig("circuit-breaker"), Context.System.Scheduler);
    }

    /// <summary>The newest snapshot that qualifies, or null.</summary>
    protected abstract Task<SelectedSnapshot> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria);

    /// <summary>Stores a snapshot, in place of one of the same sequence number if the store keeps only one.</summary>
    protected abstract Task SaveAsync(SnapshotMetadata metadata, object snapshot);

    /// <summary>
    /// Deletes the snapshot of a sequence number; without a time, whatever its time. One that is not there is no
    /// failure.
    /// </summary>
    protected abstract Task DeleteAsync(SnapshotMetadata metadata);

    /// <summary>Deletes those that qualify.</summary>
    protected abstract Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria);

    /// <summary>Handles what is not a snapshot store's own message.</summary>
    protected virtual bool ReceivePluginInternal(object message) => false;

    /// <inheritdoc/>
    protected sealed override bool Receive(object message)
    {
        switch (message)
        {
            case LoadSnapshot load:
                Load(load);
                return true;
            case SaveSnapshot save:
                Save(save);
                return true;
            case DeleteSnapshot delete:
                Answer(
                    _breaker.Call(() => DeleteAsync(delete.Metadata)),
                    () => new DeleteSnapshotSuccess(delete.Metadata),
                    cause => new DeleteSnapshotFailure(delete.Metadata, cause),
                    delete
                );
                return true;
            case DeleteSnapshots delete:
                Answer(
                    _breaker.Call(() => DeleteAsync(delete.PersistenceId, delete.Criteria)),
                    () => new DeleteSnapshotsSuccess(delete.Criteria),
                    cause => new DeleteSnapshotsFailure(delete.Criteria, cause),
                    delete
                );
                return true;
            default:
                return ReceivePluginInternal(message);
        }
    }

    private void Load(LoadSnapshot load)
    {
        if (load.Criteria.Equals(SnapshotSelectionCriteria.None))
        {
            Sender.Tell(new LoadSnapshotResult(null, load.ToSequenceNr), Self);
            return;
        }
        var task = _breaker.Call(() => LoadAsync(load.PersistenceId, load.Criteria.Limit(load.ToSequenceNr)));
        Answer(
            task,
            () => new LoadSnapshotResult(task.Result, load.ToSequenceNr),
            cause => new LoadSnapshotFailed(cause)
        );
    }

    private void Save(SaveSnapshot save)
    {
        var given = save.Metadata;
        var metadata =
            given.Timestamp == SnapshotMetadata.TimestampNotSpecified
                ? new SnapshotMetadata(given.PersistenceId, given.SequenceNr, Context.System.Scheduler.Now.UtcDateTime)
                : given;
        Answer(
            _breaker.Call(() => SaveAsync(metadata, save.Snapshot)),
            () => new SaveSnapshotSuccess(metadata),
            cause => new SaveSnapshotFailure(metadata, cause)
        );
    }

    private void Answer(
        Task task,
        Func<object> success,
        Func<Exception, object> failure,
        ISnapshotRequest published = null
    )
    {
        var (sender, self) = (Sender, Self);
        var events = _publishes && published is not null ? Context.System.EventStream : null;
        if (task.IsCompleted)
            End(task);
        else
            _ = task.ContinueWith(
                End,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );

        void End(Task ended)
        {
            if (ended.IsCompletedSuccessfully)
                sender.Tell(success(), self);
            else
                sender.Tell(
                    failure((Exception)ended.Exception?.InnerException ?? new TaskCanceledException(ended)),
                    self
                );
            events?.Publish(published);
        }
    }
}

/// <summary>A store that lives as long as its actor.</summary>
public class MemorySnapshotStore : SnapshotStore
{
    /// <summary>In the order in which they were saved; touched only by the store's actor.</summary>
    protected virtual List<SnapshotEntry> Snapshots { get; } = [];

    /// <inheritdoc/>
    protected override Task<SelectedSnapshot> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        SnapshotEntry newest = null;
        foreach (var entry in Matching(persistenceId, criteria))
        {
            if (newest is null || entry.SequenceNr >= newest.SequenceNr)
                newest = entry;
        }
        return Task.FromResult(newest is null ? null : new SelectedSnapshot(newest.Metadata, newest.Snapshot));
    }

    /// <inheritdoc/>
    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot)
    {
        Snapshots.RemoveAll(e => IsOf(e, metadata.PersistenceId) && e.SequenceNr == metadata.SequenceNr);
        Snapshots.Add(
            new SnapshotEntry
            {
                PersistenceId = metadata.PersistenceId,
                SequenceNr = metadata.SequenceNr,
                Timestamp = metadata.Timestamp.Ticks,
                Snapshot = snapshot,
            }
        );
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override Task DeleteAsync(SnapshotMetadata metadata)
    {
        Snapshots.RemoveAll(e =>
            IsOf(e, metadata.PersistenceId)
            && e.SequenceNr == metadata.SequenceNr
            && (metadata.Timestamp == SnapshotMetadata.TimestampNotSpecified || e.Timestamp == metadata.Timestamp.Ticks)
        );
        return Task.CompletedTask;
    }

    /// <inheritdoc/>
    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria)
    {
        foreach (var entry in Matching(persistenceId, criteria).ToArray())
            Snapshots.Remove(entry);
        return Task.CompletedTask;
    }

    private IEnumerable<SnapshotEntry> Matching(string persistenceId, SnapshotSelectionCriteria criteria) =>
        Snapshots.Where(e => IsOf(e, persistenceId) && criteria.IsMatch(e.Metadata));

    private static bool IsOf(SnapshotEntry entry, string persistenceId) =>
        string.Equals(entry.PersistenceId, persistenceId, StringComparison.Ordinal);
}

/// <summary>A snapshot in memory.</summary>
public class SnapshotEntry
{
    /// <summary>For stores that name their entries; not used here.</summary>
    public string Id { get; set; }

    /// <summary>Whose snapshot.</summary>
    public string PersistenceId { get; set; }

    /// <summary>The number of the last event that is in it.</summary>
    public long SequenceNr { get; set; }

    /// <summary>UTC ticks.</summary>
    public long Timestamp { get; set; }

    /// <summary>The state, as it was handed over: it is not serialized.</summary>
    public object Snapshot { get; set; }

    internal SnapshotMetadata Metadata => new(PersistenceId, SequenceNr, new DateTime(Timestamp, DateTimeKind.Utc));
}

/// <summary>A store that has no snapshot and takes none.</summary>
public sealed class NoSnapshotStore : SnapshotStore
{
    /// <inheritdoc/>
    protected override Task<SelectedSnapshot> LoadAsync(string persistenceId, SnapshotSelectionCriteria criteria) =>
        Task.FromResult<SelectedSnapshot>(null);

    /// <inheritdoc/>
    protected override Task SaveAsync(SnapshotMetadata metadata, object snapshot) => Refuse();

    /// <inheritdoc/>
    protected override Task DeleteAsync(SnapshotMetadata metadata) => Refuse();

    /// <inheritdoc/>
    protected override Task DeleteAsync(string persistenceId, SnapshotSelectionCriteria criteria) => Refuse();

    private static Task Refuse() => Task.FromException(new NoSnapshotStoreException("No snapshot store configured."));

    /// <summary>A snapshot was to be saved or deleted, but there is no store.</summary>
    public class NoSnapshotStoreException : Exception
    {
        /// <summary>Without a message of its own.</summary>
        public NoSnapshotStoreException() { }

        /// <summary>The message says what was asked.</summary>
        public NoSnapshotStoreException(string message)
            : base(message) { }

        /// <summary>The message says what was asked.</summary>
        public NoSnapshotStoreException(string message, Exception innerException)
            : base(message, innerException) { }
    }
}
