using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>
/// The fields of events as JSON: names in camel case, 64-bit quantities as <c>"0x…"</c>, bytes in base64. Thread-safe.
/// </summary>
public static class EventJson
{
    private static readonly JsonSerializerOptions Options = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        RespectRequiredConstructorParameters = true,
        Converters = { new HexNumber() },
    };

    private static readonly Dictionary<string, Type> ByName = EventTypes.InFileOrder.ToDictionary(
        t => t.Name,
        StringComparer.Ordinal
    );

    /// <summary>The names of all events.</summary>
    public static IReadOnlyCollection<string> Names => ByName.Keys;

    /// <summary>The fields of an event.</summary>
    public static JsonNode FieldsOf(ContextEvent change) =>
        JsonSerializer.SerializeToNode(change, change.GetType(), Options)!;

    /// <summary>The event with these fields.</summary>
    /// <exception cref="FormatException">There is no event of that name, or its fields are others.</exception>
    public static ContextEvent EventOf(string name, JsonElement fields)
    {
        if (!ByName.TryGetValue(name, out var type))
        {
            throw new UnknownEventException(name);
        }

        try
        {
            return fields.Deserialize(type, Options) as ContextEvent
                ?? throw new FormatException($"{name} has no fields");
        }
        catch (JsonException e)
        {
            throw new FormatException($"{name}: {e.Message}", e);
        }
    }

    private sealed class HexNumber : JsonConverter<ulong>
    {
        public override ulong Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            var text = reader.GetString();
            return
                text is not null
                && text.StartsWith("0x", StringComparison.Ordinal)
                && ulong.TryParse(
                    text.AsSpan(2),
                    NumberStyles.AllowHexSpecifier,
                    CultureInfo.InvariantCulture,
                    out var n
                )
                ? n
                : throw new JsonException($"'{text}' is not a number like 0x1000");
        }

        public override void Write(Utf8JsonWriter writer, ulong value, JsonSerializerOptions options) =>
            writer.WriteStringValue(FormattableString.Invariant($"0x{value:x}"));
    }
}

/// <summary>A name that is no event's.</summary>
/// <param name="name">The name.</param>
public sealed class UnknownEventException(string name) : FormatException($"unknown event '{name}'")
{
    /// <summary>The name.</summary>
    public string Name { get; } = name;
}
