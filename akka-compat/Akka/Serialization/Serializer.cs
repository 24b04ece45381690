using Akka.Actor;
using Akka.Util;

namespace Akka.Serialization;

/// <summary>Turns objects into bytes and back.</summary>
public abstract class Serializer
{
    /// <summary>The system whose objects are written; null where a serializer was made without one.</summary>
    protected readonly ExtendedActorSystem system;
    private int? _identifier;

    /// <summary>
    /// The constructor that the runtime calls by reflection must have this parameter, and may have the section of its
    /// settings behind it.
    /// </summary>
    protected Serializer(ExtendedActorSystem system)
    {
        this.system = system;
    }

    /// <summary>The number that stored bytes carry: unless overridden, the one in the configuration.</summary>
    public virtual int Identifier => _identifier ??= SerializerIdentifier.FromConfig(GetType(), system);

    /// <summary>Whether the name of the type has to be stored beside the bytes.</summary>
    public abstract bool IncludeManifest { get; }

    /// <summary>The bytes of an object. Called by any number of threads at once.</summary>
    public abstract byte[] ToBinary(object obj);

    /// <summary>
    /// The object that bytes stand for; the type is null when none was stored. Called by any number of threads at once.
    /// </summary>
    public abstract object FromBinary(byte[] bytes, Type type);

    /// <summary>As <see cref="FromBinary(byte[], Type)"/>, for a type that is known.</summary>
    public T FromBinary<T>(byte[] bytes) => (T)FromBinary(bytes, typeof(T));

    /// <summary>As <see cref="ToBinary"/>; references without a host are written with this address.</summary>
    public byte[] ToBinaryWithAddress(Address address, object obj) =>
        Serialization.WithTransport(system, address, () => ToBinary(obj));
}

internal static class SerializerIdentifier
{
    internal static int FromConfig(Type type, ExtendedActorSystem system)
    {
        var name = type.TypeQualifiedName();
        var bindings = system.Settings.Config.GetConfig("akka.actor.serialization-identifiers");
        return bindings?.Root.GetObject().GetKey(name) is { } value
            ? value.GetInt()
            : throw new ArgumentException(
                $"Couldn't find serializer id for [{type}]. It must be set in akka.actor.serialization-identifiers or overridden."
            );
    }
}

/// <summary>A serializer that writes its own names of types.</summary>
public abstract class SerializerWithStringManifest : Serializer
{
    /// <summary>The constructor that the runtime calls by reflection must have this parameter.</summary>
    protected SerializerWithStringManifest(ExtendedActorSystem system)
        : base(system) { }

    /// <inheritdoc/>
    public sealed override bool IncludeManifest => true;

    /// <inheritdoc/>
    public sealed override object FromBinary(byte[] bytes, Type type) => FromBinary(bytes, type.TypeQualifiedName());

    /// <summary>The object that bytes stand for, by the manifest that they were stored with.</summary>
    public abstract object FromBinary(byte[] bytes, string manifest);

    /// <summary>What tells <see cref="FromBinary(byte[], string)"/> what the bytes of this object are.</summary>
    public abstract string Manifest(object o);
}

/// <summary>For byte arrays: they are their own bytes.</summary>
public class ByteArraySerializer : Serializer
{
    /// <summary>The system is not used.</summary>
    public ByteArraySerializer(ExtendedActorSystem system)
        : base(system) { }

    /// <inheritdoc/>
    public override bool IncludeManifest => false;

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) =>
        obj switch
        {
            null => null,
            byte[] bytes => bytes,
            _ => throw new NotSupportedException($"Type {obj.GetType()} is not supported, only byte[] is."),
        };

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, Type type) => bytes;
}

/// <summary>For null.</summary>
public class NullSerializer : Serializer
{
    /// <summary>The system is not used.</summary>
    public NullSerializer(ExtendedActorSystem system)
        : base(system) { }

    /// <inheritdoc/>
    public override int Identifier => 0;

    /// <inheritdoc/>
    public override bool IncludeManifest => false;

    /// <inheritdoc/>
    public override byte[] ToBinary(object obj) => [];

    /// <inheritdoc/>
    public override object FromBinary(byte[] bytes, Type type) => null;
}
