namespace Akka.Persistence;

/// <summary>Persistent actor to snapshot store: send me the newest snapshot that qualifies.</summary>
public sealed class LoadSnapshot(string persistenceId, SnapshotSelectionCriteria criteria, long toSequenceNr)
    : ISnapshotRequest,
        IEquatable<LoadSnapshot>
{
    /// <summary>Whose snapshots.</summary>
    public string PersistenceId { get; } = persistenceId;

    /// <summary>Which of them qualify.</summary>
    public SnapshotSelectionCriteria Criteria { get; } = criteria;

    /// <summary>An upper limit beside the criteria's own, inclusive.</summary>
    public long ToSequenceNr { get; } = toSequenceNr;

    /// <inheritdoc/>
    public bool Equals(LoadSnapshot other) =>
        other is not null
        && Equals(PersistenceId, other.PersistenceId)
        && Equals(Criteria, other.Criteria)
        && Equals(ToSequenceNr, other.ToSequenceNr);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as LoadSnapshot);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(PersistenceId, Criteria, ToSequenceNr);

    /// <inheritdoc/>
    public override string ToString() =>
        $"LoadSnapshot<persistenceId: {PersistenceId}, criteria: {Criteria}, toSequenceNr: {ToSequenceNr}>";
}

/// <summary>Snapshot store to persistent actor: the snapshot, or null.</summary>
public sealed class LoadSnapshotResult(SelectedSnapshot snapshot, long toSequenceNr)
    : ISnapshotResponse,
        IEquatable<LoadSnapshotResult>
{
    /// <summary>The newest one that qualifies; null when there is none.</summary>
    public SelectedSnapshot Snapshot { get; } = snapshot;

    /// <inheritdoc cref="LoadSnapshot.ToSequenceNr"/>
    public long ToSequenceNr { get; } = toSequenceNr;

    /// <inheritdoc/>
    public bool Equals(LoadSnapshotResult other) =>
        other is not null && Equals(Snapshot, other.Snapshot) && Equals(ToSequenceNr, other.ToSequenceNr);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as LoadSnapshotResult);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Snapshot, ToSequenceNr);

    /// <inheritdoc/>
    public override string ToString() => $"LoadSnapshotResult<snapshot: {Snapshot}, toSequenceNr: {ToSequenceNr}>";
}

/// <summary>Snapshot store to persistent actor: no snapshot could be read.</summary>
public sealed class LoadSnapshotFailed(Exception cause) : ISnapshotResponse
{
    /// <summary>Why no snapshot could be read.</summary>
    public Exception Cause { get; } = cause;

    /// <inheritdoc/>
    public override string ToString() => $"LoadSnapshotFailed<cause: {Cause}>";
}

/// <summary>Persistent actor to snapshot store: store this.</summary>
public sealed class SaveSnapshot(SnapshotMetadata metadata, object snapshot)
    : ISnapshotRequest,
        IEquatable<SaveSnapshot>
{
    /// <summary>Which one it is to be; a time that is not given is filled in by the store.</summary>
    public SnapshotMetadata Metadata { get; } = metadata;

    /// <summary>The state.</summary>
    public object Snapshot { get; } = snapshot;

    /// <inheritdoc/>
    public bool Equals(SaveSnapshot other) =>
        other is not null && Equals(Metadata, other.Metadata) && Equals(Snapshot, other.Snapshot);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as SaveSnapshot);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Metadata, Snapshot);

    /// <inheritdoc/>
    public override string ToString() => $"SaveSnapshot<metadata: {Metadata}, snapshot: {Snapshot}>";
}

/// <summary>To the persistent actor: the snapshot is stored.</summary>
public sealed class SaveSnapshotSuccess(SnapshotMetadata metadata) : ISnapshotResponse, IEquatable<SaveSnapshotSuccess>
{
    /// <summary>Which one it is; with the time that the store filled in.</summary>
    public SnapshotMetadata Metadata { get; } = metadata;

    /// <inheritdoc/>
    public bool Equals(SaveSnapshotSuccess other) => other is not null && Equals(Metadata, other.Metadata);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as SaveSnapshotSuccess);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Metadata);

    /// <inheritdoc/>
    public override string ToString() => $"SaveSnapshotSuccess<metadata: {Metadata}>";
}

/// <summary>To the persistent actor: the snapshot is not stored.</summary>
public sealed class SaveSnapshotFailure(SnapshotMetadata metadata, Exception cause)
    : ISnapshotResponse,
        IEquatable<SaveSnapshotFailure>
{
    /// <summary>Which one it is; with the time that the store filled in.</summary>
    public SnapshotMetadata Metadata { get; } = metadata;

    /// <summary>Why.</summary>
    public Exception Cause { get; } = cause;

    /// <inheritdoc/>
    public bool Equals(SaveSnapshotFailure other) =>
        other is not null && Equals(Metadata, other.Metadata) && Equals(Cause, other.Cause);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as SaveSnapshotFailure);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Metadata);

    /// <inheritdoc/>
    public override string ToString() => $"SaveSnapshotFailure<metadata: {Metadata}, cause: {Cause}>";
}

/// <summary>Persistent actor to snapshot store: delete this one.</summary>
public sealed class DeleteSnapshot(SnapshotMetadata metadata) : ISnapshotRequest, IEquatable<DeleteSnapshot>
{
    /// <summary>Which one; without a time, whatever its time.</summary>
    public SnapshotMetadata Metadata { get; } = metadata;

    /// <inheritdoc/>
    public bool Equals(DeleteSnapshot other) => other is not null && Equals(Metadata, other.Metadata);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as DeleteSnapshot);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Metadata);

    /// <inheritdoc/>
    public override string ToString() => $"DeleteSnapshot<metadata: {Metadata}>";
}

/// <summary>To the persistent actor: the snapshot is deleted.</summary>
public sealed class DeleteSnapshotSuccess(SnapshotMetadata metadata)
    : ISnapshotResponse,
        IEquatable<DeleteSnapshotSuccess>
{
    /// <summary>Which one, as asked.</summary>
    public SnapshotMetadata Metadata { get; } = metadata;

    /// <inheritdoc/>
    public bool Equals(DeleteSnapshotSuccess other) => other is not null && Equals(Metadata, other.Metadata);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as DeleteSnapshotSuccess);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Metadata);

    /// <inheritdoc/>
    public override string ToString() => $"DeleteSnapshotSuccess<metadata: {Metadata}>";
}

/// <summary>To the persistent actor: the snapshot is not deleted.</summary>
public sealed class DeleteSnapshotFailure(SnapshotMetadata metadata, Exception cause)
    : ISnapshotResponse,
        IEquatable<DeleteSnapshotFailure>
{
    /// <summary>Which one, as asked.</summary>
    public SnapshotMetadata Metadata { get; } = metadata;

    /// <summary>Why.</summary>
    public Exception Cause { get; } = cause;

    /// <inheritdoc/>
    public bool Equals(DeleteSnapshotFailure other) =>
        other is not null && Equals(Metadata, other.Metadata) && Equals(Cause, other.Cause);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as DeleteSnapshotFailure);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Metadata);

    /// <inheritdoc/>
    public override string ToString() => $"DeleteSnapshotFailure<metadata: {Metadata}, cause: {Cause}>";
}

/// <summary>Persistent actor to snapshot store: delete all that qualify.</summary>
public sealed class DeleteSnapshots(string persistenceId, SnapshotSelectionCriteria criteria)
    : ISnapshotRequest,
        IEquatable<DeleteSnapshots>
{
    /// <summary>Whose snapshots.</summary>
    public string PersistenceId { get; } = persistenceId;

    /// <summary>Which ones.</summary>
    public SnapshotSelectionCriteria Criteria { get; } = criteria;

    /// <inheritdoc/>
    public bool Equals(DeleteSnapshots other) =>
        other is not null && Equals(PersistenceId, other.PersistenceId) && Equals(Criteria, other.Criteria);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as DeleteSnapshots);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(PersistenceId, Criteria);

    /// <inheritdoc/>
    public override string ToString() => $"DeleteSnapshots<persistenceId: {PersistenceId}, criteria: {Criteria}>";
}

/// <summary>To the persistent actor: those snapshots are deleted.</summary>
public sealed class DeleteSnapshotsSuccess(SnapshotSelectionCriteria criteria)
    : ISnapshotResponse,
        IEquatable<DeleteSnapshotsSuccess>
{
    /// <summary>Which ones.</summary>
    public SnapshotSelectionCriteria Criteria { get; } = criteria;

    /// <inheritdoc/>
    public bool Equals(DeleteSnapshotsSuccess other) => other is not null && Equals(Criteria, other.Criteria);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as DeleteSnapshotsSuccess);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Criteria);

    /// <inheritdoc/>
    public override string ToString() => $"DeleteSnapshotsSuccess<criteria: {Criteria}>";
}

/// <summary>To the persistent actor: those snapshots are not deleted.</summary>
public sealed class DeleteSnapshotsFailure(SnapshotSelectionCriteria criteria, Exception cause)
    : ISnapshotResponse,
        IEquatable<DeleteSnapshotsFailure>
{
    /// <summary>Which ones.</summary>
    public SnapshotSelectionCriteria Criteria { get; } = criteria;

    /// <summary>Why.</summary>
    public Exception Cause { get; } = cause;

    /// <inheritdoc/>
    public bool Equals(DeleteSnapshotsFailure other) =>
        other is not null && Equals(Criteria, other.Criteria) && Equals(Cause, other.Cause);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as DeleteSnapshotsFailure);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Criteria);

    /// <inheritdoc/>
    public override string ToString() => $"DeleteSnapshotsFailure<criteria: {Criteria}, cause: {Cause}>";
}
