using System.Globalization;
using System.Text;

namespace Akka.Configuration.Hocon;

/// <summary>One value of a configuration: an object, an array or a text.</summary>
public class HoconValue
{
    internal HoconObject AsObject { get; set; }
    internal List<HoconValue> AsArray { get; set; }
    internal string Text { get; set; }
    internal bool IsNull { get; set; }

    /// <summary>
    /// Whether it is nothing: null, or an object without values. An empty array or text is something.
    /// </summary>
    public bool IsEmpty => AsObject is not { Items.Count: > 0 } && AsArray is null && Text is null;

    internal static HoconValue OfText(string text) => new() { Text = text };

    internal static HoconValue OfObject(HoconObject o) => new() { AsObject = o };

    /// <summary>Whether it is a text; numbers and truth values are.</summary>
    public bool IsString() => Text is not null;

    /// <summary>Whether it is an object.</summary>
    public bool IsObject() => AsObject is not null;

    /// <summary>Whether it is an array; an object with numbered names is not, though it can be read as one.</summary>
    public bool IsArray() => AsArray is not null;

    /// <summary>The object; null when it is none.</summary>
    public HoconObject GetObject() => AsObject;

    /// <summary>
    /// The items of an array, or of an object whose names are numbers in their order; empty for anything else.
    /// </summary>
    public IList<HoconValue> GetArray() => AsArray ?? NumberedItems() ?? [];

    /// <summary>The text; null for anything else.</summary>
    public string GetString() => IsNull ? null : Text;

    /// <summary>The value of a name in an object; null when there is none.</summary>
    public HoconValue GetChildObject(string key) => AsObject?.GetKey(key);

    /// <inheritdoc cref="Config.GetBoolean"/>
    public bool GetBoolean() =>
        GetString()?.ToLowerInvariant() switch
        {
            "on" or "true" or "yes" => true,
            "off" or "false" or "no" => false,
            var other => throw new NotSupportedException($"Unknown boolean format: {other}"),
        };

    /// <summary>The number, in invariant notation.</summary>
    /// <exception cref="ArgumentNullException">It is not a text.</exception>
    /// <exception cref="FormatException">The text is not such a number.</exception>
    public int GetInt() => int.Parse(GetString(), NumberStyles.Any, CultureInfo.InvariantCulture);

    /// <summary>The number, in invariant notation.</summary>
    /// <exception cref="ArgumentNullException">It is not a text.</exception>
    /// <exception cref="FormatException">The text is not such a number.</exception>
    public long GetLong() => long.Parse(GetString(), NumberStyles.Any, CultureInfo.InvariantCulture);

    /// <summary>The number, in invariant notation.</summary>
    /// <exception cref="ArgumentNullException">It is not a text.</exception>
    /// <exception cref="FormatException">The text is not such a number.</exception>
    public float GetFloat() => float.Parse(GetString(), NumberStyles.Any, CultureInfo.InvariantCulture);

    /// <summary>The number, in invariant notation.</summary>
    /// <exception cref="ArgumentNullException">It is not a text.</exception>
    /// <exception cref="FormatException">The text is not such a number.</exception>
    public double GetDouble() => double.Parse(GetString(), NumberStyles.Any, CultureInfo.InvariantCulture);

    /// <summary>The number, in invariant notation.</summary>
    /// <exception cref="ArgumentNullException">It is not a text.</exception>
    /// <exception cref="FormatException">The text is not such a number.</exception>
    public decimal GetDecimal() => decimal.Parse(GetString(), NumberStyles.Any, CultureInfo.InvariantCulture);

    /// <summary>The texts of the items; null for an item that is no text.</summary>
    public IList<string> GetStringList() => GetArray().Select(v => v.GetString()).ToList();

    /// <inheritdoc cref="Config.GetTimeSpan"/>
    public TimeSpan GetTimeSpan(bool allowInfinite = true) => HoconUnits.Duration(GetString(), allowInfinite);

    /// <summary>A size in bytes; null for an empty text.</summary>
    public long? GetByteSize() => HoconUnits.ByteSize(GetString());

    /// <summary>This value with what is missing in it taken from another.</summary>
    internal HoconValue MergedOver(HoconValue other)
    {
        if (AsObject is null || other?.AsObject is null)
            return this;
        return OfObject(AsObject.MergedOver(other.AsObject));
    }

    private List<HoconValue> NumberedItems()
    {
        if (AsObject is null || AsObject.Items.Count == 0 || !AsObject.Items.Keys.All(k => int.TryParse(k, out _)))
            return null;
        return AsObject
            .Items.OrderBy(i => int.Parse(i.Key, CultureInfo.InvariantCulture))
            .Select(i => i.Value)
            .ToList();
    }

    /// <inheritdoc/>
    public override string ToString() => ToString(0);

    internal string ToString(int indent)
    {
        if (AsObject is not null)
            return "{\n" + AsObject.ToString(indent + 1) + new string(' ', indent * 2) + "}";
        if (AsArray is not null)
            return "[" + string.Join(",", AsArray.Select(v => v.ToString(indent + 1))) + "]";
        return IsNull ? "null" : Quoted(Text ?? "");
    }

    internal static string Quoted(string text)
    {
        var plain = text.Length > 0 && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_');
        return plain ? text : "\"" + text.Replace("\\", "\\\\").Replace("\"", "\\\"").Replace("\n", "\\n") + "\"";
    }
}

/// <summary>Named values, in the order in which they were first named.</summary>
public class HoconObject
{
    /// <summary>By name, case counting.</summary>
    public Dictionary<string, HoconValue> Items { get; } = new(StringComparer.Ordinal);

    /// <summary>The values by name, with objects as dictionaries; arrays and texts stay values.</summary>
    public IDictionary<string, object> Unwrapped =>
        Items.ToDictionary(i => i.Key, object (i) => i.Value.AsObject is { } o ? o.Unwrapped : i.Value);

    /// <summary>The value of a name, which is not split at dots; null when there is none.</summary>
    public HoconValue GetKey(string key) => Items.GetValueOrDefault(key);

    internal HoconObject MergedOver(HoconObject other)
    {
        var merged = new HoconObject();
        foreach (var (key, value) in Items)
            merged.Items[key] = other.Items.TryGetValue(key, out var below) ? value.MergedOver(below) : value;
        foreach (var (key, value) in other.Items)
            merged.Items.TryAdd(key, value);
        return merged;
    }

    /// <inheritdoc/>
    public override string ToString() => ToString(0);

    internal string ToString(int indent)
    {
        var text = new StringBuilder();
        foreach (var (key, value) in Items)
            text.Append(' ', indent * 2)
                .Append(HoconValue.Quoted(key))
                .Append(" : ")
                .Append(value.ToString(indent))
                .Append('\n');
        return text.ToString();
    }
}

/// <summary>A reference of one value to another; resolved while parsing.</summary>
public class HoconSubstitution(string path)
{
    /// <summary>What is referred to, as a dotted path.</summary>
    public string Path { get; } = path;
}

/// <summary>The outcome of parsing a text.</summary>
public class HoconRoot(HoconValue value, params HoconSubstitution[] substitutions)
{
    /// <summary>The value of the whole text.</summary>
    public HoconValue Value { get; } = value;

    /// <summary>The references that the text held.</summary>
    public IEnumerable<HoconSubstitution> Substitutions { get; } = substitutions;
}

/// <summary>Numbers with units.</summary>
internal static class HoconUnits
{
    internal static TimeSpan Duration(string text, bool allowInfinite)
    {
        var trimmed = text.Trim();
        if (allowInfinite && trimmed.Equals("infinite", StringComparison.OrdinalIgnoreCase))
            return Timeout.InfiniteTimeSpan;
        var digits = 0;
        while (digits < trimmed.Length && (char.IsDigit(trimmed[digits]) || trimmed[digits] is '.' or '-' or '+'))
            digits++;
        if (!double.TryParse(trimmed.AsSpan(0, digits), NumberStyles.Any, CultureInfo.InvariantCulture, out var number))
            throw new FormatException($"Not a duration: [{text}]");
        var unit = trimmed[digits..].Trim();
        double ticks = unit switch
        {
            "" or "ms" or "milli" or "millis" or "millisecond" or "milliseconds" => TimeSpan.TicksPerMillisecond,
            "s" or "second" or "seconds" => TimeSpan.TicksPerSecond,
            "m" or "minute" or "minutes" => TimeSpan.TicksPerMinute,
            "h" or "hour" or "hours" => TimeSpan.TicksPerHour,
            "d" or "day" or "days" => TimeSpan.TicksPerDay,
            "us" or "micro" or "micros" or "microsecond" or "microseconds" => TimeSpan.TicksPerMicrosecond,
            "ns" or "nano" or "nanos" or "nanosecond" or "nanoseconds" => 0.01,
            _ => throw new FormatException($"Unknown unit of time [{unit}] in [{text}]"),
        };
        return TimeSpan.FromTicks((long)(number * ticks));
    }

    internal static long? ByteSize(string text)
    {
        if (string.IsNullOrWhiteSpace(text))
            return null;
        var trimmed = text.Trim();
        var digits = 0;
        while (digits < trimmed.Length && (char.IsDigit(trimmed[digits]) || trimmed[digits] is '.'))
            digits++;
        var number = decimal.Parse(trimmed.AsSpan(0, digits), CultureInfo.InvariantCulture);
        decimal factor = trimmed[digits..].Trim() switch
        {
            "" or "b" or "B" or "byte" or "bytes" => 1,
            "kB" or "kilobyte" or "kilobytes" => 1000,
            "K" or "k" or "Ki" or "KiB" or "kibibyte" or "kibibytes" => 1024,
            "MB" or "megabyte" or "megabytes" => 1_000_000,
            "M" or "m" or "Mi" or "MiB" or "mebibyte" or "mebibytes" => 1 << 20,
            "GB" or "gigabyte" or "gigabytes" => 1_000_000_000,
            "G" or "g" or "Gi" or "GiB" or "gibibyte" or "gibibytes" => 1 << 30,
            var unit => throw new FormatException($"Unknown unit of size [{unit}] in [{text}]"),
        };
        return (long)(number * factor);
    }
}
