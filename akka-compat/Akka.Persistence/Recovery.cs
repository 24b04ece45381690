using Akka.Actor;

namespace Akka.Persistence;

/// <summary>How a persistent actor recovers: from which snapshot, up to which event, how many events at most.</summary>
public sealed class Recovery(
    SnapshotSelectionCriteria fromSnapshot = null,
    long toSequenceNr = long.MaxValue,
    long replayMax = long.MaxValue
)
{
    public Recovery()
        : this(null) { }

    public Recovery(SnapshotSelectionCriteria fromSnapshot)
        : this(fromSnapshot, long.MaxValue) { }

    public Recovery(SnapshotSelectionCriteria fromSnapshot, long toSequenceNr)
        : this(fromSnapshot, toSequenceNr, long.MaxValue) { }

    /// <summary>The latest snapshot and every event after it.</summary>
    public static Recovery Default { get; } = new(SnapshotSelectionCriteria.Latest);

    /// <summary>No snapshot and no event; numbers go on where the stream ends.</summary>
    public static Recovery None { get; } = new(SnapshotSelectionCriteria.None, 0, 0);

    public SnapshotSelectionCriteria FromSnapshot { get; } = fromSnapshot ?? SnapshotSelectionCriteria.Latest;

    /// <summary>Last sequence number to replay, inclusive.</summary>
    public long ToSequenceNr { get; } = toSequenceNr;
    public long ReplayMax { get; } = replayMax;
}

/// <summary>To a persistent actor: recovery is over; the last message of it, before any command.</summary>
public sealed class RecoveryCompleted
{
    public static readonly RecoveryCompleted Instance = new();

    private RecoveryCompleted() { }

    public override bool Equals(object obj) => obj is RecoveryCompleted;

    public override int GetHashCode() => 1;
}

/// <summary>A journal or snapshot store did not answer in time during recovery.</summary>
public sealed class RecoveryTimedOutException : AkkaException
{
    public RecoveryTimedOutException() { }

    public RecoveryTimedOutException(string message, Exception cause = null)
        : base(message, cause) { }
}
