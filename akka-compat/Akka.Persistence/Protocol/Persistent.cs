using System.Collections.Immutable;
using Akka.Actor;
using Akka.Persistence.Serialization;

namespace Akka.Persistence;

/// <summary>Something in a batch for the journal: events to write, or a message to send back in its place.</summary>
public interface IPersistentEnvelope
{
    object Payload { get; }
    IActorRef Sender { get; }
    int Size { get; }
}

/// <summary>An event with its place in the stream of a persistent actor.</summary>
public interface IPersistentRepresentation : IMessage
{
    object Payload { get; }
    string Manifest { get; }
    string PersistenceId { get; }
    long SequenceNr { get; }

    /// <summary>Ticks; 0 when the journal does not say.</summary>
    long Timestamp { get; }
    string WriterGuid { get; }
    bool IsDeleted { get; }
    IActorRef Sender { get; }
    IPersistentRepresentation WithTimestamp(long timestamp);
    IPersistentRepresentation WithPayload(object payload);
    IPersistentRepresentation WithManifest(string manifest);
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

    public object Payload { get; } = payload;
    public long SequenceNr { get; } = sequenceNr;
    public string PersistenceId { get; } = persistenceId ?? Undefined;
    public string Manifest { get; } = manifest ?? Undefined;
    public bool IsDeleted { get; } = isDeleted;
    public IActorRef Sender { get; } = sender;
    public string WriterGuid { get; } = writerGuid ?? Undefined;
    public long Timestamp { get; } = timestamp;

    public IPersistentRepresentation WithTimestamp(long newTimestamp) =>
        newTimestamp == Timestamp
            ? this
            : new Persistent(Payload, SequenceNr, PersistenceId, Manifest, IsDeleted, Sender, WriterGuid, newTimestamp);

    public IPersistentRepresentation WithPayload(object payload) =>
        new Persistent(payload, SequenceNr, PersistenceId, Manifest, IsDeleted, Sender, WriterGuid, Timestamp);

    public IPersistentRepresentation WithManifest(string manifest) =>
        string.Equals(manifest, Manifest, StringComparison.Ordinal)
            ? this
            : new Persistent(Payload, SequenceNr, PersistenceId, manifest, IsDeleted, Sender, WriterGuid, Timestamp);

    public IPersistentRepresentation Update(
        long sequenceNr,
        string persistenceId,
        bool isDeleted,
        IActorRef sender,
        string writerGuid
    ) => new Persistent(Payload, sequenceNr, persistenceId, Manifest, isDeleted, sender, writerGuid, Timestamp);

    public bool Equals(IPersistentRepresentation other) =>
        other is not null
        && Equals(Payload, other.Payload)
        && SequenceNr == other.SequenceNr
        && string.Equals(PersistenceId, other.PersistenceId, StringComparison.Ordinal)
        && string.Equals(Manifest, other.Manifest, StringComparison.Ordinal)
        && IsDeleted == other.IsDeleted
        && Equals(Sender, other.Sender)
        && string.Equals(WriterGuid, other.WriterGuid, StringComparison.Ordinal);

    public bool Equals(Persistent other) => Equals((IPersistentRepresentation)other);

    public override bool Equals(object obj) => obj is IPersistentRepresentation other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(Payload, SequenceNr, PersistenceId);

    public override string ToString() =>
        $"Persistent<pid: {PersistenceId}, seqNr: {SequenceNr}, deleted: {IsDeleted}, manifest: {Manifest}, "
        + $"sender: {Sender}, payload: {Payload}, writerGuid: {WriterGuid}, timestamp: {Timestamp}>";
}

/// <summary>Events that are written together or not at all.</summary>
public sealed class AtomicWrite : IPersistentEnvelope, IMessage
{
    private readonly IPersistentRepresentation _first;
    private IImmutableList<IPersistentRepresentation> _all;

    public AtomicWrite(IPersistentRepresentation @event) => _first = @event;

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

    public IActorRef Sender => ActorRefs.NoSender;
    public int Size => _all?.Count ?? 1;
    public string PersistenceId => _first.PersistenceId;
    public long LowestSequenceNr => _first.SequenceNr;
    public long HighestSequenceNr => _all is null ? _first.SequenceNr : _all[^1].SequenceNr;

    /// <summary>The only event, or null when there are several: spares the list where it is not needed.</summary>
    internal IPersistentRepresentation Single => Size == 1 ? _first : null;

    /// <summary>Who sent the command: the same for all events of a write.</summary>
    internal IActorRef FirstSender => _first.Sender;

    internal IImmutableList<IPersistentRepresentation> Events => (IImmutableList<IPersistentRepresentation>)Payload;

    public bool Equals(AtomicWrite other) => other is not null && Events.SequenceEqual(other.Events);

    public override bool Equals(object obj) => obj is AtomicWrite other && Equals(other);

    public override int GetHashCode() => HashCode.Combine(_first, Size);

    public override string ToString() =>
        $"AtomicWrite<pid: {PersistenceId}, lowSeqNr: {LowestSequenceNr}, highSeqNr: {HighestSequenceNr}, size: {Size}>";
}

/// <summary>A deferred message: the journal sends it back in its turn and does not store it.</summary>
internal sealed class NonPersistentMessage(object payload, IActorRef sender) : IPersistentEnvelope
{
    public object Payload => payload;
    public IActorRef Sender => sender;
    public int Size => 1;
}
