using Akka.Actor;

namespace Akka.Persistence;

/// <summary>How a persistent actor recovers: from which snapshot, up to which event, how many events at most.</summary>
public sealed class Recovery(
    SnapshotSelectionCriteria fromSnapshot = null,
    long toSequenceNr = long.MaxValue,
    long replayMax = long.MaxValue
)
{
    /// <summary>The latest snapshot and every event after it.</summary>
    public Recovery()
        : this(null) { }

    /// <summary>A snapshot that qualifies, and every event after it.</summary>
    public Recovery(SnapshotSelectionCriteria fromSnapshot)
        : this(fromSnapshot, long.MaxValue) { }

    /// <summary>A snapshot that qualifies, and the events after it up to a number, inclusive.</summary>
    public Recovery(SnapshotSelectionCriteria fromSnapshot, long toSequenceNr)
        : this(fromSnapshot, toSequenceNr, long.MaxValue) { }

    /// <summary>The latest snapshot and every event after it.</summary>
    public static Recovery Default { get; } = new(SnapshotSelectionCriteria.Latest);

    /// <summary>No snapshot and no event; numbers go on where the stream ends.</summary>
    public static Recovery None { get; } = new(SnapshotSelectionCriteria.None, 0, 0);

    /// <summary>Which snapshots qualify; the latest of all when none was given.</summary>
    public SnapshotSelectionCriteria FromSnapshot { get; } = fromSnapshot ?? SnapshotSelectionCriteria.Latest;

    /// <summary>Last sequence number to replay, inclusive.</summary>
    public long ToSequenceNr { get; } = toSequenceNr;

    /// <summary>How many events are replayed at most.</summary>
    public long ReplayMax { get; } = replayMax;
}

/// <summary>To a persistent actor: recovery is over; the last message of it, before any command.</summary>
public sealed class RecoveryCompleted
{
    /// <summary>The only one.</summary>
    public static readonly RecoveryCompleted Instance = new();

    private RecoveryCompleted() { }

    /// <inheritdoc/>
    public override bool Equals(object obj) => obj is RecoveryCompleted;

    /// <inheritdoc/>
    public override int GetHashCode() => 1;
}

/// <summary>A journal or snapshot store did not answer in time during recovery.</summary>
public sealed class RecoveryTimedOutException : AkkaException
{
    /// <summary>Without a message of its own.</summary>
    public RecoveryTimedOutException() { }

    /// <summary>The message says what did not come, and for how long.</summary>
    public RecoveryTimedOutException(string message, Exception cause = null)
        : base(message, cause) { }
}
