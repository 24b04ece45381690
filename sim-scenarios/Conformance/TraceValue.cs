using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Iommufd.Scenarios.Conformance;

/// <summary>Values as traces write them: 64-bit quantities as hex strings, smaller ones as numbers.</summary>
internal static class TraceValue
{
    /// <summary>Reads a number or a hex string; negative ones wrap around at 2^64.</summary>
    /// <exception cref="FormatException">It is neither.</exception>
    public static ulong ReadU64(JsonElement value)
    {
        if (value.ValueKind == JsonValueKind.Number)
        {
            return value.TryGetUInt64(out ulong number) ? number : unchecked((ulong)value.GetInt64());
        }

        string text = value.ValueKind == JsonValueKind.String ? value.GetString()! : "";
        bool negative = text.StartsWith('-');
        ReadOnlySpan<char> digits = text.AsSpan(negative ? 1 : 0);
        if (
            !digits.StartsWith("0x", StringComparison.Ordinal)
            || !ulong.TryParse(
                digits[2..],
                NumberStyles.AllowHexSpecifier,
                CultureInfo.InvariantCulture,
                out ulong magnitude
            )
        )
        {
            throw new FormatException($"'{value}' is not a number.");
        }

        return negative ? unchecked(0 - magnitude) : magnitude;
    }

    /// <summary>A 64-bit quantity.</summary>
    public static JsonNode Hex(ulong value) => JsonValue.Create($"0x{value:x}");

    /// <summary>Bytes in the format's two ways: hex up to 64 of them, else their hash.</summary>
    public static void AddData(JsonObject output, ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length <= 64)
        {
            output["data"] = HexString(bytes);
        }
        else
        {
            output["data_fnv1a64"] = Hex(Fnv1a64(bytes));
        }
    }

    /// <summary>Bytes as lower-case hex digits.</summary>
    public static string HexString(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(bytes);

    /// <summary>The hash that the format uses.</summary>
    public static ulong Fnv1a64(ReadOnlySpan<byte> bytes)
    {
        ulong hash = 0xcbf29ce484222325;
        foreach (byte b in bytes)
        {
            hash = unchecked((hash ^ b) * 0x100000001b3);
        }

        return hash;
    }

    /// <summary>The pattern that steps fill memory with: byte i is seed + 31 i.</summary>
    public static byte[] StepPattern(ulong seed, int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = unchecked((byte)(seed + ((ulong)i * 31)));
        }

        return bytes;
    }

    /// <summary>The pattern that buffers start with; files have 64 added to their number.</summary>
    public static byte[] StartPattern(int number, int length)
    {
        var bytes = new byte[length];
        for (int i = 0; i < length; i++)
        {
            bytes[i] = unchecked((byte)((number * 37) + (i * 7) + ((i >> 8) * 13) + 1));
        }

        return bytes;
    }
}
