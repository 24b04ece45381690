// Journals as text in three files: JournalText writes and reads whole journals, EventJson has the fields of events, CsvLine the
// rules of CSV.
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Nodes;
using Iommufd.Messages.Events;

namespace Iommufd.Persistence;

/// <summary>How a journal is written as text.</summary>
public enum JournalTextFormat
{
    /// <summary>A JSON object a line: a header, the events with their fields, an end.</summary>
    JsonLines,

    /// <summary>A heading, then an event a line, with a sentence that says what happened.</summary>
    Csv,
}

/// <summary>A text that is no journal.</summary>
/// <param name="line">The line, from 1.</param>
/// <param name="column">The column, from 1.</param>
/// <param name="message">What is wrong, what would be right.</param>
public sealed class JournalTextException(int line, int column, string message) : Exception(message)
{
    /// <summary>The line, from 1.</summary>
    public int Line { get; } = line;

    /// <summary>The column, from 1.</summary>
    public int Column { get; } = column;

    /// <summary>The name of an event that there is none of; null when that is not what is wrong.</summary>
    public string? UnknownEvent { get; init; }
}

/// <summary>
/// Writes journals as text and reads them back. The payloads of what comes back are the same byte for byte; an event whose fields
/// do not say all of its payload carries the payload as well.
/// </summary>
public static class JournalText
{
    private const string CsvHeading = "row,stream,sequence,timestamp,event,text,payload";
    private const int CsvColumns = 7;

    /// <summary>Writes a journal.</summary>
    /// <returns>Number of events.</returns>
    /// <exception cref="JournalFormatException">The journal is damaged or from a newer version.</exception>
    public static long Write(JournalRows rows, JournalTextFormat format, TextWriter output)
    {
        long count = 0;
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        if (format == JournalTextFormat.Csv)
        {
            output.Write(CsvHeading + "\n");
        }
        else
        {
            output.Write(new JsonObject { ["journal"] = 1, ["vocabulary"] = EventTypes.Version }.ToJsonString() + "\n");
        }

        foreach (var row in rows.All())
        {
            var change = EventPayload.FromBytes(row.Payload);
            hash.AppendData(row.Payload);
            count++;
            output.Write(format == JournalTextFormat.Csv ? CsvOf(row, change) : JsonOf(row, change));
            output.Write('\n');
        }

        if (format == JournalTextFormat.JsonLines)
        {
            output.Write(
                new JsonObject
                {
                    ["end"] = true,
                    ["events"] = count,
                    ["sha256"] = Convert.ToHexStringLower(hash.GetHashAndReset()),
                }.ToJsonString() + "\n"
            );
        }

        return count;
    }

    /// <summary>Reads a journal; which format it is, its first line says.</summary>
    /// <returns>Number of events.</returns>
    /// <exception cref="JournalTextException">It is no journal, or damaged.</exception>
    public static long Read(TextReader input, JournalWriter journal)
    {
        var first = input.ReadLine();
        return first is null ? throw new JournalTextException(1, 1, "the file is empty")
            : string.Equals(first, CsvHeading, StringComparison.Ordinal) ? ReadCsv(input, journal)
            : ReadJson(first, input, journal);
    }

    private static string JsonOf(JournalRow row, ContextEvent change)
    {
        var line = new JsonObject
        {
            ["row"] = row.Ordering,
            ["stream"] = row.Stream,
            ["sequence"] = row.SequenceNr,
            ["timestamp"] = row.Timestamp,
            ["event"] = change.GetType().Name,
            ["fields"] = EventJson.FieldsOf(change),
        };
        if (!EventPayload.ToBytes(change).AsSpan().SequenceEqual(row.Payload))
        {
            // Of an earlier version: what stands here is what it is today.
            line["payload"] = Convert.ToBase64String(row.Payload);
        }

        return line.ToJsonString();
    }

    private static string CsvOf(JournalRow row, ContextEvent change) =>
        CsvLine.Of(
            row.Ordering.ToString(CultureInfo.InvariantCulture),
            row.Stream,
            row.SequenceNr.ToString(CultureInfo.InvariantCulture),
            row.Timestamp.ToString(CultureInfo.InvariantCulture),
            change.GetType().Name,
            EventSentence.Of(change).ReplaceLineEndings(" "),
            Convert.ToBase64String(row.Payload)
        );

    private static long ReadJson(string header, TextReader input, JournalWriter journal)
    {
        CheckHeader(header);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long count = 0;
        for (var number = 2; ; number++)
        {
            var text =
                input.ReadLine()
                ?? throw new JournalTextException(number, 1, "the file is cut short: it has no end line");
            using var document = Parse(number, text);
            var line = document.RootElement;
            if (line.TryGetProperty("end", out _))
            {
                CheckEnd(number, line, count, Convert.ToHexStringLower(hash.GetHashAndReset()));
                return input.ReadLine() is null
                    ? count
                    : throw new JournalTextException(number + 1, 1, "a line after the end line");
            }

            var payload = At(
                number,
                () =>
                    line.TryGetProperty("payload", out var raw)
                        ? raw.GetBytesFromBase64()
                        : EventPayload.ToBytes(EventJson.EventOf(Text(line, "event"), line.GetProperty("fields")))
            );
            hash.AppendData(payload);
            At(
                number,
                () =>
                    journal.Append(
                        new JournalRow(
                            line.GetProperty("row").GetInt64(),
                            Text(line, "stream"),
                            line.GetProperty("sequence").GetInt64(),
                            line.GetProperty("timestamp").GetInt64(),
                            Checked(payload)
                        )
                    )
            );
            count++;
        }
    }

    private static long ReadCsv(TextReader input, JournalWriter journal)
    {
        long count = 0;
        for (var number = 2; input.ReadLine() is { } text; number++)
        {
            var columns = CsvLine.Columns(text);
            if (columns.Count != CsvColumns)
            {
                throw new JournalTextException(
                    number,
                    1,
                    FormattableString.Invariant($"{columns.Count} columns; an event has {CsvColumns}: {CsvHeading}")
                );
            }

            At(
                number,
                () =>
                    journal.Append(
                        new JournalRow(
                            long.Parse(columns[0], CultureInfo.InvariantCulture),
                            columns[1],
                            long.Parse(columns[2], CultureInfo.InvariantCulture),
                            long.Parse(columns[3], CultureInfo.InvariantCulture),
                            Checked(Convert.FromBase64String(columns[6]))
                        )
                    )
            );
            count++;
        }

        return count;
    }

    // What is written must be readable: a damaged payload is refused here and not by the next one who opens the journal.
    private static byte[] Checked(byte[] payload)
    {
        EventPayload.FromBytes(payload);
        return payload;
    }

    private static void CheckHeader(string text)
    {
        using var header = Parse(1, text);
        if (
            header.RootElement.ValueKind != JsonValueKind.Object
            || !header.RootElement.TryGetProperty("journal", out _)
        )
        {
            throw new JournalTextException(
                1,
                1,
                "no exported journal: the first line is neither {\"journal\":1,…} nor the heading " + CsvHeading
            );
        }

        var version = At(1, () => header.RootElement.GetProperty("vocabulary").GetInt32());
        if (version > EventTypes.Version)
        {
            throw new JournalTextException(
                1,
                1,
                FormattableString.Invariant(
                    $"the journal has events of version {version}; this program knows {EventTypes.Version}"
                )
            );
        }
    }

    private static void CheckEnd(int number, JsonElement line, long count, string sha256)
    {
        var announced = At(number, () => line.GetProperty("events").GetInt64());
        if (announced != count)
        {
            throw new JournalTextException(
                number,
                1,
                FormattableString.Invariant($"{announced} events are announced, {count} are there")
            );
        }

        if (!string.Equals(At(number, () => Text(line, "sha256")), sha256, StringComparison.Ordinal))
        {
            throw new JournalTextException(number, 1, "the events are not those that were exported: sha256 differs");
        }
    }

    private static string Text(JsonElement line, string name) =>
        line.GetProperty(name).GetString() ?? throw new FormatException($"\"{name}\" is null");

    private static JsonDocument Parse(int number, string text)
    {
        try
        {
            return JsonDocument.Parse(text);
        }
        catch (JsonException e)
        {
            throw new JournalTextException(number, (int)(e.BytePositionInLine ?? 0) + 1, "not valid JSON");
        }
    }

    private static void At(int line, Action read) =>
        At(
            line,
            () =>
            {
                read();
                return true;
            }
        );

    private static T At<T>(int line, Func<T> read)
    {
        try
        {
            return read();
        }
        catch (KeyNotFoundException)
        {
            throw new JournalTextException(
                line,
                1,
                "a member is missing: row, stream, sequence, timestamp, event, fields"
            );
        }
        catch (UnknownEventException e)
        {
            throw new JournalTextException(line, 1, e.Message) { UnknownEvent = e.Name };
        }
        catch (Exception e)
            when (e is FormatException or InvalidOperationException or JsonException or JournalFormatException)
        {
            throw new JournalTextException(line, 1, e.Message);
        }
    }
}
