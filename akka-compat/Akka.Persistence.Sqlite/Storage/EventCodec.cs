using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Persistence.Journal;

namespace Akka.Persistence.Sqlite.Storage;

/// <summary>An event as it stands in a row.</summary>
internal readonly record struct EncodedEvent(byte[] Payload, int SerializerId, string Manifest, string Tags);

/// <summary>Events to bytes and back, by the serializers that the actor system binds to their types.</summary>
internal sealed class EventCodec(ActorSystem system)
{
    private readonly Dictionary<Type, Akka.Serialization.Serializer> _serializers = [];

    /// <summary>The row's share of an event; tags come out of their wrapping.</summary>
    public EncodedEvent Encode(object payload)
    {
        string tags = null;
        if (payload is Tagged tagged)
        {
            payload = tagged.Payload;
            // Sorted: a set's own order is not the same in every run.
            if (tagged.Tags.Count > 0)
                tags = ";" + string.Join(';', tagged.Tags.Order(StringComparer.Ordinal)) + ";";
        }
        var type = payload.GetType();
        if (!_serializers.TryGetValue(type, out var serializer))
            _serializers[type] = serializer = system.Serialization.FindSerializerForType(type);
        var manifest = Akka.Serialization.Serialization.ManifestFor(serializer, payload);
        return new EncodedEvent(serializer.ToBinary(payload), serializer.Identifier, manifest, tags);
    }

    /// <summary>The event of a row. Rows older than the serializer id's column have the type's name as their manifest.</summary>
    public object Decode(byte[] payload, int? serializerId, string manifest)
    {
        if (serializerId is { } id)
            return system.Serialization.Deserialize(payload, id, manifest);
        var type =
            Type.GetType(manifest, throwOnError: false)
            ?? throw new SerializationException(
                $"A row without serializer id names type [{manifest}], which no loaded assembly has."
            );
        return system.Serialization.FindSerializerForType(type).FromBinary(payload, type);
    }
}
