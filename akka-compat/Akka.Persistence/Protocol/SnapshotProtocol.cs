namespace Akka.Persistence;

/// <summary>Persistent actor to snapshot store: send me the newest snapshot that qualifies.</summary>
public sealed class LoadSnapshot(string persistenceId, SnapshotSelectionCriteria criteria, long toSequenceNr)
    : ISnapshotRequest,
        IEquatable<LoadSnapshot>
{
    public string PersistenceId { get; } = persistenceId;
    public SnapshotSelectionCriteria Criteria { get; } = criteria;
    public long ToSequenceNr { get; } = toSequenceNr;

    public bool Equals(LoadSnapshot other) =>
        other is not null
        && Equals(PersistenceId, other.PersistenceId)
        && Equals(Criteria, other.Criteria)
        && Equals(ToSequenceNr, other.ToSequenceNr);

    public override bool Equals(object obj) => Equals(obj as LoadSnapshot);

    public override int GetHashCode() => HashCode.Combine(PersistenceId, Criteria, ToSequenceNr);

    public override string ToString() =>
        $"LoadSnapshot<persistenceId: {PersistenceId}, criteria: {Criteria}, toSequenceNr: {ToSequenceNr}>";
}

/// <summary>Snapshot store to persistent actor: the snapshot, or null.</summary>
public sealed class LoadSnapshotResult(SelectedSnapshot snapshot, long toSequenceNr)
    : ISnapshotResponse,
        IEquatable<LoadSnapshotResult>
{
    public SelectedSnapshot Snapshot { get; } = snapshot;
    public long ToSequenceNr { get; } = toSequenceNr;

    public bool Equals(LoadSnapshotResult other) =>
        other is not null && Equals(Snapshot, other.Snapshot) && Equals(ToSequenceNr, other.ToSequenceNr);

    public override bool Equals(object obj) => Equals(obj as LoadSnapshotResult);

    public override int GetHashCode() => HashCode.Combine(Snapshot, ToSequenceNr);

    public override string ToString() => $"LoadSnapshotResult<snapshot: {Snapshot}, toSequenceNr: {ToSequenceNr}>";
}

/// <summary>Snapshot store to persistent actor: no snapshot could be read.</summary>
public sealed class LoadSnapshotFailed(Exception cause) : ISnapshotResponse
{
    public Exception Cause { get; } = cause;

    public override string ToString() => $"LoadSnapshotFailed<cause: {Cause}>";
}

/// <summary>Persistent actor to snapshot store: store this.</summary>
public sealed class SaveSnapshot(SnapshotMetadata metadata, object snapshot)
    : ISnapshotRequest,
        IEquatable<SaveSnapshot>
{
    public SnapshotMetadata Metadata { get; } = metadata;
    public object Snapshot { get; } = snapshot;

    public bool Equals(SaveSnapshot other) =>
        other is not null && Equals(Metadata, other.Metadata) && Equals(Snapshot, other.Snapshot);

    public override bool Equals(object obj) => Equals(obj as SaveSnapshot);

    public override int GetHashCode() => HashCode.Combine(Metadata, Snapshot);

    public override string ToString() => $"SaveSnapshot<metadata: {Metadata}, snapshot: {Snapshot}>";
}

/// <summary>To the persistent actor: the snapshot is stored.</summary>
public sealed class SaveSnapshotSuccess(SnapshotMetadata metadata) : ISnapshotResponse, IEquatable<SaveSnapshotSuccess>
{
    public SnapshotMetadata Metadata { get; } = metadata;

    public bool Equals(SaveSnapshotSuccess other) => other is not null && Equals(Metadata, other.Metadata);

    public override bool Equals(object obj) => Equals(obj as SaveSnapshotSuccess);

    public override int GetHashCode() => HashCode.Combine(Metadata);

    public override string ToString() => $"SaveSnapshotSuccess<metadata: {Metadata}>";
}

/// <summary>To the persistent actor: the snapshot is not stored.</summary>
public sealed class SaveSnapshotFailure(SnapshotMetadata metadata, Exception cause)
    : ISnapshotResponse,
        IEquatable<SaveSnapshotFailure>
{
    public SnapshotMetadata Metadata { get; } = metadata;
    public Exception Cause { get; } = cause;

    public bool Equals(SaveSnapshotFailure other) =>
        other is not null && Equals(Metadata, other.Metadata) && Equals(Cause, other.Cause);

    public override bool Equals(object obj) => Equals(obj as SaveSnapshotFailure);

    public override int GetHashCode() => HashCode.Combine(Metadata);

    public override string ToString() => $"SaveSnapshotFailure<metadata: {Metadata}, cause: {Cause}>";
}

/// <summary>Persistent actor to snapshot store: delete this one.</summary>
public sealed class DeleteSnapshot(SnapshotMetadata metadata) : ISnapshotRequest, IEquatable<DeleteSnapshot>
{
    public SnapshotMetadata Metadata { get; } = metadata;

    public bool Equals(DeleteSnapshot other) => other is not null && Equals(Metadata, other.Metadata);

    public override bool Equals(object obj) => Equals(obj as DeleteSnapshot);

    public override int GetHashCode() => HashCode.Combine(Metadata);

    public override string ToString() => $"DeleteSnapshot<metadata: {Metadata}>";
}

/// <summary>To the persistent actor: the snapshot is deleted.</summary>
public sealed class DeleteSnapshotSuccess(SnapshotMetadata metadata)
    : ISnapshotResponse,
        IEquatable<DeleteSnapshotSuccess>
{
    public SnapshotMetadata Metadata { get; } = metadata;

    public bool Equals(DeleteSnapshotSuccess other) => other is not null && Equals(Metadata, other.Metadata);

    public override bool Equals(object obj) => Equals(obj as DeleteSnapshotSuccess);

    public override int GetHashCode() => HashCode.Combine(Metadata);

    public override string ToString() => $"DeleteSnapshotSuccess<metadata: {Metadata}>";
}

/// <summary>To the persistent actor: the snapshot is not deleted.</summary>
public sealed class DeleteSnapshotFailure(SnapshotMetadata metadata, Exception cause)
    : ISnapshotResponse,
        IEquatable<DeleteSnapshotFailure>
{
    public SnapshotMetadata Metadata { get; } = metadata;
    public Exception Cause { get; } = cause;

    public bool Equals(DeleteSnapshotFailure other) =>
        other is not null && Equals(Metadata, other.Metadata) && Equals(Cause, other.Cause);

    public override bool Equals(object obj) => Equals(obj as DeleteSnapshotFailure);

    public override int GetHashCode() => HashCode.Combine(Metadata);

    public override string ToString() => $"DeleteSnapshotFailure<metadata: {Metadata}, cause: {Cause}>";
}

/// <summary>Persistent actor to snapshot store: delete all that qualify.</summary>
public sealed class DeleteSnapshots(string persistenceId, SnapshotSelectionCriteria criteria)
    : ISnapshotRequest,
        IEquatable<DeleteSnapshots>
{
    public string PersistenceId { get; } = persistenceId;
    public SnapshotSelectionCriteria Criteria { get; } = criteria;

    public bool Equals(DeleteSnapshots other) =>
        other is not null && Equals(PersistenceId, other.PersistenceId) && Equals(Criteria, other.Criteria);

    public override bool Equals(object obj) => Equals(obj as DeleteSnapshots);

    public override int GetHashCode() => HashCode.Combine(PersistenceId, Criteria);

    public override string ToString() => $"DeleteSnapshots<persistenceId: {PersistenceId}, criteria: {Criteria}>";
}

/// <summary>To the persistent actor: those snapshots are deleted.</summary>
public sealed class DeleteSnapshotsSuccess(SnapshotSelectionCriteria criteria)
    : ISnapshotResponse,
        IEquatable<DeleteSnapshotsSuccess>
{
    public SnapshotSelectionCriteria Criteria { get; } = criteria;

    public bool Equals(DeleteSnapshotsSuccess other) => other is not null && Equals(Criteria, other.Criteria);

    public override bool Equals(object obj) => Equals(obj as DeleteSnapshotsSuccess);

    public override int GetHashCode() => HashCode.Combine(Criteria);

    public override string ToString() => $"DeleteSnapshotsSuccess<criteria: {Criteria}>";
}

/// <summary>To the persistent actor: those snapshots are not deleted.</summary>
public sealed class DeleteSnapshotsFailure(SnapshotSelectionCriteria criteria, Exception cause)
    : ISnapshotResponse,
        IEquatable<DeleteSnapshotsFailure>
{
    public SnapshotSelectionCriteria Criteria { get; } = criteria;
    public Exception Cause { get; } = cause;

    public bool Equals(DeleteSnapshotsFailure other) =>
        other is not null && Equals(Criteria, other.Criteria) && Equals(Cause, other.Cause);

    public override bool Equals(object obj) => Equals(obj as DeleteSnapshotsFailure);

    public override int GetHashCode() => HashCode.Combine(Criteria);

    public override string ToString() => $"DeleteSnapshotsFailure<criteria: {Criteria}, cause: {Cause}>";
}
