using Akka.Serialization;
using Hyperion;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>
/// The types that Hyperion names by number instead of by name. Their order is part of the file format: it is
/// <see cref="EventTypes.InFileOrder"/>.
/// </summary>
public sealed class EventKnownTypes : IKnownTypesProvider
{
    /// <inheritdoc/>
    public IEnumerable<Type> GetKnownTypes() => EventTypes.InFileOrder;
}

/// <summary>
/// Event payloads: Hyperion's wire format with known types and without version data or references, which makes a row four times
/// smaller. Thread-safe.
/// </summary>
public static class EventPayload
{
    private static readonly EventUpcasting Upcasting = new();

    /// <summary>The id of the serializer in the journal's rows: Hyperion's in Akka.NET.</summary>
    public const int SerializerId = -5;

    /// <summary>Writes an event.</summary>
    public static byte[] ToBytes(ContextEvent change)
    {
        using var stream = new MemoryStream();
        Hyperions.Serializer.Serialize(change, stream);
        return stream.ToArray();
    }

    /// <summary>Reads an event; one of an earlier version comes as what it is today.</summary>
    /// <exception cref="JournalFormatException">The bytes are no event of this version or an earlier one.</exception>
    public static ContextEvent FromBytes(ReadOnlySpan<byte> payload)
    {
        EventTypeCheck.Demand(payload, EventTypes.InFileOrder.Count);
        var read = EventReader.TryRead(payload) ?? FromHyperion(payload.ToArray());
        return Upcasting.IsEmpty ? read : Upcasting.ToCurrent(read);
    }

    /// <summary>Reads an event as Hyperion does: what <see cref="EventReader"/> is measured by.</summary>
    internal static ContextEvent FromHyperion(byte[] payload)
    {
        try
        {
            using var stream = new MemoryStream(payload);
            return Hyperions.Serializer.Deserialize<object>(stream) as ContextEvent
                ?? throw new JournalFormatException("a row of the journal holds something that is no event");
        }
        catch (Exception e) when (e is not JournalFormatException)
        {
            throw new JournalFormatException(
                "a row of the journal cannot be read: written by a newer version, or damaged",
                e
            );
        }
    }

    // Made when it is first needed: it compiles code for every type.
    private static class Hyperions
    {
        public static readonly Hyperion.Serializer Serializer = new(
            new SerializerOptions(
                versionTolerance: false,
                preserveObjectReferences: false,
                knownTypes: EventTypes.InFileOrder
            )
        );
    }
}

/// <summary>A journal that cannot be read.</summary>
public sealed class JournalFormatException : Exception
{
    /// <summary>Says what is wrong with it.</summary>
    public JournalFormatException(string message)
        : base(message) { }

    /// <summary>Says what is wrong with it, and what was met.</summary>
    public JournalFormatException(string message, Exception inner)
        : base(message, inner) { }
}
