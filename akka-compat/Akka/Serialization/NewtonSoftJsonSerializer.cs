using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;

namespace Akka.Serialization;

/// <summary>
/// Stands where Akka.NET has its Newtonsoft serializer (id 1). This runtime does not bring a JSON library that can read
/// and write Newtonsoft's type annotations, and a file written differently would not be readable by the real one, so it
/// refuses instead: bind your types to another serializer.
/// </summary>
public class NewtonSoftJsonSerializer : Serializer
{
    public NewtonSoftJsonSerializer(ExtendedActorSystem system)
        : base(system) { }

    public NewtonSoftJsonSerializer(ExtendedActorSystem system, Config config)
        : base(system) { }

    public override int Identifier => 1;
    public override bool IncludeManifest => false;

    public override byte[] ToBinary(object obj) => throw Refusal("write", obj?.GetType());

    public override object FromBinary(byte[] bytes, Type type) => throw Refusal("read", type);

    private static SerializationException Refusal(string verb, Type type) =>
        new(
            $"No serializer is bound to {type?.FullName ?? "this type"}: the JSON serializer (id 1) does not {verb} in this "
                + "runtime. Bind the type to a serializer in akka.actor.serialization-bindings, for example to Hyperion."
        );
}
