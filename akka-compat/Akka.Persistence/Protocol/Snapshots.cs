using Akka.Persistence;

namespace Akka.Persistence;

/// <summary>Which snapshot: whose, at which sequence number, when (UTC).</summary>
public sealed class SnapshotMetadata(string persistenceId, long sequenceNr, DateTime timestamp)
    : IEquatable<SnapshotMetadata>
{
    /// <summary>A time that says "not given": the store fills in its own clock's.</summary>
    internal static readonly DateTime TimestampNotSpecified = DateTime.MinValue;

    /// <summary>By stream (ordinally), sequence number and time.</summary>
    public static IComparer<SnapshotMetadata> Comparer { get; } =
        Comparer<SnapshotMetadata>.Create(
            static (x, y) =>
            {
                var byId = string.CompareOrdinal(x.PersistenceId, y.PersistenceId);
                var byNumber = byId != 0 ? byId : x.SequenceNr.CompareTo(y.SequenceNr);
                return byNumber != 0 ? byNumber : x.Timestamp.CompareTo(y.Timestamp);
            }
        );

    /// <summary>Whose snapshot.</summary>
    public string PersistenceId { get; } = persistenceId;

    /// <summary>The number of the last event that is in it.</summary>
    public long SequenceNr { get; } = sequenceNr;

    /// <summary>When it was taken, in UTC; <see cref="DateTime.MinValue"/> when that is not given.</summary>
    public DateTime Timestamp { get; } = timestamp;

    /// <inheritdoc/>
    public bool Equals(SnapshotMetadata other) =>
        other is not null
        && string.Equals(PersistenceId, other.PersistenceId, StringComparison.Ordinal)
        && SequenceNr == other.SequenceNr
        && Timestamp == other.Timestamp;

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as SnapshotMetadata);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(PersistenceId, SequenceNr, Timestamp);

    /// <inheritdoc/>
    public override string ToString() =>
        $"SnapshotMetadata<pid: {PersistenceId}, seqNr: {SequenceNr}, timestamp: {Timestamp:yyyy/MM/dd}>";
}

/// <summary>To a recovering actor: its state at a sequence number.</summary>
public sealed class SnapshotOffer(SnapshotMetadata metadata, object snapshot) : IEquatable<SnapshotOffer>
{
    /// <summary>Which one it is.</summary>
    public SnapshotMetadata Metadata { get; } = metadata;

    /// <summary>The state.</summary>
    public object Snapshot { get; } = snapshot;

    /// <inheritdoc/>
    public bool Equals(SnapshotOffer other) =>
        other is not null && Equals(Metadata, other.Metadata) && Equals(Snapshot, other.Snapshot);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as SnapshotOffer);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Metadata, Snapshot);

    /// <inheritdoc/>
    public override string ToString() => $"SnapshotOffer<metadata: {Metadata}, snapshot: {Snapshot}>";
}

/// <summary>Which snapshots qualify; all bounds are inclusive, the newest that qualifies is taken.</summary>
public sealed class SnapshotSelectionCriteria : IEquatable<SnapshotSelectionCriteria>
{
    /// <summary>All bounds are inclusive; no lower bound in time is <see cref="DateTime.MinValue"/>.</summary>
    [Newtonsoft.Json.JsonConstructor]
    public SnapshotSelectionCriteria(
        long maxSequenceNr,
        DateTime maxTimeStamp,
        long minSequenceNr = 0,
        DateTime? minTimestamp = null
    )
    {
        MaxSequenceNr = maxSequenceNr;
        MaxTimeStamp = maxTimeStamp;
        MinSequenceNr = minSequenceNr;
        MinTimestamp = minTimestamp ?? DateTime.MinValue;
    }

    /// <summary>Up to a sequence number, inclusive, of any time.</summary>
    public SnapshotSelectionCriteria(long maxSequenceNr)
        : this(maxSequenceNr, DateTime.MaxValue) { }

    /// <summary>Every snapshot qualifies.</summary>
    public static SnapshotSelectionCriteria Latest { get; } = new(long.MaxValue, DateTime.MaxValue);

    /// <summary>No snapshot qualifies.</summary>
    public static SnapshotSelectionCriteria None { get; } = new(0, DateTime.MinValue);

    /// <summary>The largest sequence number that qualifies.</summary>
    public long MaxSequenceNr { get; }

    /// <summary>The latest time that qualifies, in UTC.</summary>
    public DateTime MaxTimeStamp { get; }

    /// <summary>The smallest sequence number that qualifies.</summary>
    public long MinSequenceNr { get; }

    /// <summary>The earliest time that qualifies, in UTC; never null here.</summary>
    public DateTime? MinTimestamp { get; }

    internal SnapshotSelectionCriteria Limit(long toSequenceNr) =>
        toSequenceNr < MaxSequenceNr
            ? new SnapshotSelectionCriteria(toSequenceNr, MaxTimeStamp, MinSequenceNr, MinTimestamp)
            : this;

    internal bool IsMatch(SnapshotMetadata metadata) =>
        metadata.SequenceNr <= MaxSequenceNr
        && metadata.Timestamp <= MaxTimeStamp
        && metadata.SequenceNr >= MinSequenceNr
        && metadata.Timestamp >= (MinTimestamp ?? DateTime.MinValue);

    /// <inheritdoc/>
    public bool Equals(SnapshotSelectionCriteria other) =>
        other is not null
        && MaxSequenceNr == other.MaxSequenceNr
        && MaxTimeStamp == other.MaxTimeStamp
        && MinSequenceNr == other.MinSequenceNr
        && MinTimestamp == other.MinTimestamp;

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as SnapshotSelectionCriteria);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(MaxSequenceNr, MaxTimeStamp, MinSequenceNr, MinTimestamp);

    /// <inheritdoc/>
    public override string ToString() =>
        $"SnapshotSelectionCriteria<maxSeqNr: {MaxSequenceNr}, maxTimestamp: {MaxTimeStamp}, "
        + $"minSeqNr: {MinSequenceNr}, minTimestamp: {MinTimestamp}>";
}

/// <summary>A snapshot as a store found it.</summary>
public sealed class SelectedSnapshot(SnapshotMetadata metadata, object snapshot) : IEquatable<SelectedSnapshot>
{
    /// <summary>Which one it is.</summary>
    public SnapshotMetadata Metadata { get; } = metadata;

    /// <summary>The state.</summary>
    public object Snapshot { get; } = snapshot;

    /// <inheritdoc/>
    public bool Equals(SelectedSnapshot other) =>
        other is not null && Equals(Metadata, other.Metadata) && Equals(Snapshot, other.Snapshot);

    /// <inheritdoc/>
    public override bool Equals(object obj) => Equals(obj as SelectedSnapshot);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Metadata, Snapshot);

    /// <inheritdoc/>
    public override string ToString() => $"SelectedSnapshot<metadata: {Metadata}, snapshot: {Snapshot}>";
}
