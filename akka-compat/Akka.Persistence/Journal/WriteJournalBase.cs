using System.Collections.Immutable;
using Akka.Actor;

namespace Akka.Persistence.Journal;

/// <summary>What journals share: events pass through the adapters that the configuration binds to their types.</summary>
public abstract class WriteJournalBase : ActorBase
{
    private readonly PersistenceExtension _persistence = Persistence.Instance.Apply(Context.System);
    private EventAdapters _adapters;

    // Not in the constructor: the extension registers a journal only after its actor has been made.
    private EventAdapters Adapters => _adapters ??= _persistence.AdaptersOf(Self.Path.Name);

    /// <summary>True when no adapter is bound: then events go in and out as they are.</summary>
    internal bool AdaptsNothing => Adapters.IsIdentity;

    /// <summary>The writes of a batch, their events as they are to be stored; deferred messages are left out.</summary>
    protected IEnumerable<AtomicWrite> PreparePersistentBatch(IEnumerable<IPersistentEnvelope> resequenceables)
    {
        foreach (var envelope in resequenceables)
        {
            if (envelope is AtomicWrite write)
                yield return write.Size == 1
                    ? new AtomicWrite(Stored(write.First))
                    : new AtomicWrite(ImmutableList.CreateRange(write.Events.Select(Stored)));
        }
    }

    // Who sent the command is not stored, and would not serialize well.
    private IPersistentRepresentation Stored(IPersistentRepresentation representation) =>
        AdaptToJournal(
            representation.Update(
                representation.SequenceNr,
                representation.PersistenceId,
                representation.IsDeleted,
                ActorRefs.NoSender,
                representation.WriterGuid
            )
        );

    /// <summary>
    /// The events that a stored one stands for, by the adapter of its type; all keep its place in the stream.
    /// </summary>
    protected IEnumerable<IPersistentRepresentation> AdaptFromJournal(IPersistentRepresentation representation)
    {
        if (AdaptsNothing)
            return [representation];
        return Adapters
            .Get(representation.Payload.GetType())
            .FromJournal(representation.Payload, representation.Manifest)
            .Events.Select(representation.WithPayload);
    }

    /// <summary>The event as it is to be stored, with the manifest of its type's adapter.</summary>
    protected IPersistentRepresentation AdaptToJournal(IPersistentRepresentation representation)
    {
        if (AdaptsNothing)
            return representation;
        var payload = representation.Payload;
        var adapter = Adapters.Get(payload.GetType());
        return representation.WithPayload(adapter.ToJournal(payload)).WithManifest(adapter.Manifest(payload));
    }
}
