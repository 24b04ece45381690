using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence.Serialization;

namespace Akka.Persistence;

/// <summary>Something in a batch for the journal: events to write, or a message to send back in its place.</summary>
public interface IPersistentEnvelope
{
    /// <summary>The events of a write as an immutable list, or a deferred message.</summary>
    object Payload { get; }

    /// <summary>Who sent the command; nobody for a write, whose events know it themselves.</summary>
    IActorRef Sender { get; }

    /// <summary>How many events; 1 for a deferred message.</summary>
    int Size { get; }
}

/// <summary>An event with its place in the stream of a persistent actor.</summary>
public interface IPersistentRepresentation : IMessage
{
    /// <summary>The event itself.</summary>
    object Payload { get; }

    /// <summary>What the write adapter wants to be told when it is read back; empty for none.</summary>
    string Manifest { get; }

    /// <summary>Whose stream.</summary>
    string PersistenceId { get; }

    /// <summary>The place in the stream, from 1 on.</summary>
    long SequenceNr { get; }

    /// <summary>Ticks; 0 when the journal does not say.</summary>
    long Timestamp { get; }

    /// <summary>Which incarnation wrote it; what the replay filter tells writers apart by.</summary>
    string WriterGuid { get; }

    /// <summary>Whether it is deleted; journals that delete rows never give one that is.</summary>
    bool IsDeleted { get; }

    /// <summary>Who sent the command at which it was written; not stored.</summary>
    IActorRef Sender { get; }

    /// <summary>A copy with another timestamp, in ticks.</summary>
    IPersistentRepresentation WithTimestamp(long timestamp);

    /// <summary>A copy with another event at the same place.</summary>
    IPersistentRepresentation WithPayload(object payload);

    /// <summary>A copy with another manifest.</summary>
    IPersistentRepresentation WithManifest(string manifest);

    /// <summary>A copy with another place.</summary>
    IPersistentRepresentation Update(
        long sequenceNr,
        string persistenceId,
        bool isDeleted,
        IActorRef sender,
        string writerGuid
    );
}

/// <inheritdoc/>
public class Persistent(
    object payload,
    long sequenceNr = 0,
    string persistenceId = null,
    string manifest = null,
    bool isDeleted = false,
    IActorRef sender = null,
    string writerGuid = null,
    long timestamp = 0
) : IPersistentRepresentation, IEquatable<IPersistentRepresentation>
{
    /// <summary>Stands for a persistence id or manifest that was not given.</summary>
    public static string Undefined { get; } = string.Empty;

    /// <inheritdoc/>
    public object Payload { get; } = payload;

    /// <inheritdoc/>
    public long SequenceNr { get; } = sequenceNr;

    /// <inheritdoc/>
    public string PersistenceId { get; } = persistenceId ?? Undefined;

    /// <inheritdoc/>
    public string Manifest { get; } = manifest ?? Undefined;

    /// <inheritdoc/>
    public bool IsDeleted { get; } = isDeleted;

    /// <inheritdoc/>
    public IActorRef Sender { get; } = sender;

    /// <inheritdoc/>
    public string WriterGuid { get; } = writerGuid ?? Undefined;

    /// <inheritdoc/>
    public long Timestamp { get; } = timestamp;

    /// <inheritdoc/>
    public IPersistentRepresentation WithTimestamp(long newTimestamp) =>
        newTimestamp == Timestamp
            ? this
            : new Persistent(Payload, SequenceNr, PersistenceId, Manifest, IsDeleted, Sender, WriterGuid, newTimestamp);

    /// <inheritdoc/>
    public IPersistentRepresentation WithPayload(object payload) =>
        new Persistent(payload, SequenceNr, PersistenceId, Manifest, IsDeleted, Sender, WriterGuid, Timestamp);

    /// <inheritdoc/>
    public IPersistentRepresentation WithManifest(string manifest) =>
        string.Equals(manifest, Manifest, StringComparison.Ordinal)
            ? this
            : new Persistent(Payload, SequenceNr, PersistenceId, manifest, IsDeleted, Sender, WriterGuid, Timestamp);

    /// <inheritdoc/>
    public IPersistentRepresentation Update(
        long sequenceNr,
        string persistenceId,
        bool isDeleted,
        IActorRef sender,
        string writerGuid
    ) => new Persistent(Payload, sequenceNr, persistenceId, Manifest, isDeleted, sender, writerGuid, Timestamp);

    /// <summary>Compares everything but the timestamp.</summary>
    public bool Equals(IPersistentRepresentation other) =>
        other is not null
        && Equals(Payload, other.Payload)
        && SequenceNr == other.SequenceNr
        && string.Equals(PersistenceId, other.PersistenceId, StringComparison.Ordinal)
        && string.Equals(Manifest, other.Manifest, StringComparison.Ordinal)
        && IsDeleted == other.IsDeleted
        && Equals(Sender, other.Sender)
        && string.Equals(WriterGuid, other.WriterGuid, StringComparison.Ordinal);

    /// <summary>Compares everything but the timestamp.</summary>
    public bool Equals(Persistent other) => Equals((IPersistentRepresentation)other);

    /// <inheritdoc/>
    public override bool Equals(object obj) => obj is IPersistentRepresentation other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Payload, SequenceNr, PersistenceId);

    /// <inheritdoc/>
    public override string ToString() =>
        $"Persistent<pid: {PersistenceId}, seqNr: {SequenceNr}, deleted: {IsDeleted}, manifest: {Manifest}, "
        + $"sender: {Sender}, payload: {Payload}, writerGuid: {WriterGuid}, timestamp: {Timestamp}>";
}

/// <summary>Events that are written together or not at all.</summary>
public sealed class AtomicWrite : IPersistentEnvelope, IMessage
{
    private readonly IPersistentRepresentation _first;
    private IImmutableList<IPersistentRepresentation> _all;

    /// <summary>One event.</summary>
    public AtomicWrite(IPersistentRepresentation @event) => _first = @event;

    /// <summary>Several events, in order.</summary>
    /// <exception cref="ArgumentException">There is none, or they belong to different streams.</exception>
    public AtomicWrite(IImmutableList<IPersistentRepresentation> payload)
    {
        if (payload is null || payload.Count == 0)
            throw new ArgumentException("Payload of AtomicWrite must not be empty.", nameof(payload));
        _first = payload[0];
        foreach (var other in payload)
        {
            if (!string.Equals(other.PersistenceId, _first.PersistenceId, StringComparison.Ordinal))
                throw new ArgumentException(
                    $"AtomicWrite must contain messages for the same persistenceId, yet different persistenceIds found: "
                        + $"{_first.PersistenceId}, {other.PersistenceId}",
                    nameof(payload)
                );
        }
        if (payload.Count > 1)
            _all = payload;
    }

    /// <summary>The events, an immutable list.</summary>
    public object Payload => _all ??= ImmutableList.Create(_first);

    /// <summary>Nobody: each event knows its own.</summary>
    public IActorRef Sender => ActorRefs.NoSender;

    /// <summary>How many events.</summary>
    public int Size => _all?.Count ?? 1;

    /// <summary>Whose stream.</summary>
    public string PersistenceId => _first.PersistenceId;

    /// <summary>The number of the first event.</summary>
    public long LowestSequenceNr => _first.SequenceNr;

    /// <summary>The number of the last event.</summary>
    public long HighestSequenceNr => _all is null ? _first.SequenceNr : _all[^1].SequenceNr;

    /// <summary>The only event, or null when there are several: spares the list where it is not needed.</summary>
    internal IPersistentRepresentation Single => Size == 1 ? _first : null;

    /// <summary>Who sent the command: the same for all events of a write.</summary>
    internal IActorRef FirstSender => _first.Sender;

    internal IPersistentRepresentation First => _first;

    internal IImmutableList<IPersistentRepresentation> Events => (IImmutableList<IPersistentRepresentation>)Payload;

    /// <inheritdoc/>
    public bool Equals(AtomicWrite other) => other is not null && Events.SequenceEqual(other.Events);

    /// <inheritdoc/>
    public override bool Equals(object obj) => obj is AtomicWrite other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_first, Size);

    /// <inheritdoc/>
    public override string ToString() =>
        $"AtomicWrite<pid: {PersistenceId}, lowSeqNr: {LowestSequenceNr}, highSeqNr: {HighestSequenceNr}, size: {Size}>";
}

/// <summary>A deferred message: the journal sends it back in its turn and does not store it.</summary>
internal sealed class NonPersistentMessage(object payload, IActorRef sender) : IPersistentEnvelope
{
    /// <inheritdoc/>
    public object Payload => payload;

    /// <inheritdoc/>
    public IActorRef Sender => sender;

    /// <inheritdoc/>
    public int Size => 1;
}
