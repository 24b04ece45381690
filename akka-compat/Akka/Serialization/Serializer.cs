using Akka.Actor;
using Akka.Util;

namespace Akka.Serialization;

/// <summary>Turns objects into bytes and back.</summary>
public abstract class Serializer
{
    protected readonly ExtendedActorSystem system;
    private int? _identifier;

    protected Serializer(ExtendedActorSystem system)
    {
        this.system = system;
    }

    /// <summary>The number that stored bytes carry: unless overridden, the one in the configuration.</summary>
    public virtual int Identifier => _identifier ??= SerializerIdentifier.FromConfig(GetType(), system);

    public abstract bool IncludeManifest { get; }

    public abstract byte[] ToBinary(object obj);

    public abstract object FromBinary(byte[] bytes, Type type);

    public T FromBinary<T>(byte[] bytes) => (T)FromBinary(bytes, typeof(T));

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
    protected SerializerWithStringManifest(ExtendedActorSystem system)
        : base(system) { }

    public sealed override bool IncludeManifest => true;

    public sealed override object FromBinary(byte[] bytes, Type type) => FromBinary(bytes, type.TypeQualifiedName());

    public abstract object FromBinary(byte[] bytes, string manifest);

    public abstract string Manifest(object o);
}

/// <summary>For byte arrays: they are their own bytes.</summary>
public class ByteArraySerializer : Serializer
{
    public ByteArraySerializer(ExtendedActorSystem system)
        : base(system) { }

    public override bool IncludeManifest => false;

    public override byte[] ToBinary(object obj) =>
        obj switch
        {
            null => null,
            byte[] bytes => bytes,
            _ => throw new NotSupportedException($"Type {obj.GetType()} is not supported, only byte[] is."),
        };

    public override object FromBinary(byte[] bytes, Type type) => bytes;
}

/// <summary>For null.</summary>
public class NullSerializer : Serializer
{
    public NullSerializer(ExtendedActorSystem system)
        : base(system) { }

    public override int Identifier => 0;
    public override bool IncludeManifest => false;

    public override byte[] ToBinary(object obj) => [];

    public override object FromBinary(byte[] bytes, Type type) => null;
}
