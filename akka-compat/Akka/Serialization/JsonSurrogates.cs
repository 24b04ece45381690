using System.Globalization;
using System.Reflection;
using System.Runtime.Serialization;
using Akka.Actor;
using Akka.Configuration;
using Akka.Util;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;
using Newtonsoft.Json.Serialization;

namespace Akka.Serialization;

/// <summary>
/// Writes what JSON alone would lose: objects with a surrogate as that, and int, float and decimal with their type, because
/// every number that stands where any object may stand would come back as long or double.
/// </summary>
internal sealed class JsonSurrogates(ExtendedActorSystem system) : JsonConverter
{
    private const string Number = "$";

    public override bool CanConvert(Type objectType)
    {
        var type = Nullable.GetUnderlyingType(objectType) ?? objectType;
        return type == typeof(int)
            || type == typeof(float)
            || type == typeof(decimal)
            || type == typeof(object)
            || type == typeof(Config)
            || type == typeof(Scope)
            || typeof(ISurrogated).IsAssignableFrom(type);
    }

    public override void WriteJson(JsonWriter writer, object value, JsonSerializer serializer)
    {
        switch (value)
        {
            case int or float or decimal:
                writer.WriteStartObject();
                writer.WritePropertyName(Number);
                writer.WriteValue(Encoded(value));
                writer.WriteEndObject();
                break;
            case Config config:
                writer.WriteValue(config.ToString());
                break;
            case ISurrogated surrogated:
                serializer.Serialize(writer, surrogated.ToSurrogate(system));
                break;
            default:
                // A bare object: it has nothing to write.
                writer.WriteStartObject();
                writer.WriteEndObject();
                break;
        }
    }

    public override object ReadJson(
        JsonReader reader,
        Type objectType,
        object existingValue,
        JsonSerializer serializer
    ) => Restored(serializer.Deserialize(reader), objectType, system);

    /// <summary>What the parsed value stands for.</summary>
    internal static object Restored(object parsed, Type wanted, ActorSystem system)
    {
        switch (parsed)
        {
            case JObject { Count: 1 } number when number[Number] is JValue { Value: string text }:
                return Decoded(text);
            case string config when wanted == typeof(Config):
                return ConfigurationFactory.ParseString(config);
            case ISurrogate surrogate:
                return surrogate.FromSurrogate(system);
            case JObject { Count: 0 } when wanted == typeof(object):
                return new object();
            case long or double when wanted is not null:
                var type = Nullable.GetUnderlyingType(wanted) ?? wanted;
                return type == typeof(int) || type == typeof(float) || type == typeof(decimal)
                    ? Convert.ChangeType(parsed, type, CultureInfo.InvariantCulture)
                    : parsed;
            default:
                return parsed;
        }
    }

    private static string Encoded(object value) =>
        value switch
        {
            int i => "I" + i.ToString(NumberFormatInfo.InvariantInfo),
            float f => "F" + f.ToString(NumberFormatInfo.InvariantInfo),
            decimal m => "M" + m.ToString(NumberFormatInfo.InvariantInfo),
            _ => throw new NotSupportedException(),
        };

    private static object Decoded(string text)
    {
        var digits = text.AsSpan(1);
        return text[0] switch
        {
            'I' => int.Parse(digits, NumberStyles.Integer, NumberFormatInfo.InvariantInfo),
            'F' => float.Parse(digits, NumberStyles.Float, NumberFormatInfo.InvariantInfo),
            'M' => decimal.Parse(digits, NumberStyles.Number, NumberFormatInfo.InvariantInfo),
            _ => throw new SerializationException($"'{text}' is not a number of a known type."),
        };
    }
}

/// <summary>Writes exceptions without marking their numbers: what reads them back asks for plain ones.</summary>
internal sealed class PlainExceptions : JsonConverter
{
    private readonly JsonSerializer _plain = JsonSerializer.Create(
        new JsonSerializerSettings
        {
            TypeNameHandling = TypeNameHandling.All,
            NullValueHandling = NullValueHandling.Ignore,
            ReferenceLoopHandling = ReferenceLoopHandling.Ignore,
            ContractResolver = new PrivateSetters(),
        }
    );

    public override bool CanRead => false;

    public override bool CanConvert(Type objectType) => typeof(Exception).IsAssignableFrom(objectType);

    public override void WriteJson(JsonWriter writer, object value, JsonSerializer serializer) =>
        _plain.Serialize(writer, value, typeof(object));

    public override object ReadJson(
        JsonReader reader,
        Type objectType,
        object existingValue,
        JsonSerializer serializer
    ) => throw new NotSupportedException();
}

/// <summary>Fills properties whose setters are private too.</summary>
internal sealed class PrivateSetters : DefaultContractResolver
{
    /// <summary>Exceptions are written by themselves, whether or not their type is marked as serializable.</summary>
    protected override JsonContract CreateContract(Type objectType) =>
        typeof(Exception).IsAssignableFrom(objectType)
            ? CreateISerializableContract(objectType)
            : base.CreateContract(objectType);

    protected override JsonISerializableContract CreateISerializableContract(Type objectType)
    {
        var contract = base.CreateISerializableContract(objectType);
        if (contract.ISerializableCreator is null && typeof(Exception).IsAssignableFrom(objectType))
            contract.ISerializableCreator = parts => FromMessage(objectType, (SerializationInfo)parts[0]);
        return contract;
    }

    /// <summary>An exception that has no constructor for stored parts is made anew from its message.</summary>
    private static object FromMessage(Type type, SerializationInfo info)
    {
        const BindingFlags any = BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic;
        var message = info.GetString("Message");
        if (type.GetConstructor(any, [typeof(string)]) is { } withMessage)
            return withMessage.Invoke([message]);
        return type.GetConstructor(any, [typeof(string), typeof(Exception)]) is { } withCause
            ? withCause.Invoke([message, null])
            : Activator.CreateInstance(type, nonPublic: true);
    }

    protected override JsonProperty CreateProperty(MemberInfo member, MemberSerialization memberSerialization)
    {
        var property = base.CreateProperty(member, memberSerialization);
        if (!property.Writable && member is PropertyInfo { SetMethod: not null })
            property.Writable = true;
        return property;
    }
}

/// <summary>
/// Refuses names of the base library's types except plain data: stored bytes must not be able to make a process start or a
/// file open. Types of anybody else are theirs to vouch for.
/// </summary>
internal sealed class PlainTypesOnly : DefaultSerializationBinder
{
    public override Type BindToType(string assemblyName, string typeName)
    {
        var type = base.BindToType(assemblyName, typeName);
        return IsAllowed(type)
            ? type
            : throw new JsonSerializationException($"Type {type} is not one that stored JSON may name.");
    }

    private static bool IsAllowed(Type type)
    {
        if (type.HasElementType)
            return IsAllowed(type.GetElementType());
        if (type.IsGenericType && !type.GetGenericArguments().All(IsAllowed))
            return false;
        var assembly = type.Assembly.GetName().Name ?? "";
        var isOfTheBaseLibrary =
            assembly.StartsWith("System.", StringComparison.Ordinal)
            || assembly.StartsWith("Microsoft.", StringComparison.Ordinal)
            || assembly is "System" or "mscorlib" or "netstandard";
        if (!isOfTheBaseLibrary)
            return true;
        if (typeof(Delegate).IsAssignableFrom(type))
            return false;
        return type.IsValueType
            || typeof(Exception).IsAssignableFrom(type)
            || type.Namespace?.StartsWith("System.Collections", StringComparison.Ordinal) == true
            || type == typeof(object)
            || type == typeof(string)
            || type == typeof(Type)
            || type == typeof(Uri)
            || type == typeof(Version)
            || type.FullName?.StartsWith("System.Tuple`", StringComparison.Ordinal) == true;
    }
}
