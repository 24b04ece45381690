using System.Text.Json;

namespace Iommufd.Scenarios.Conformance;

/// <summary>Reads trace files: a header line, one line a step, an end line.</summary>
public static class TraceReader
{
    /// <summary>Reads one file.</summary>
    /// <exception cref="TraceFormatException">It does not follow the format.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static Trace Read(string path) => Parse(path, File.ReadLines(path));

    /// <summary>Reads the lines of a file.</summary>
    /// <param name="path">The name that errors mention.</param>
    /// <param name="lines">The lines.</param>
    /// <exception cref="TraceFormatException">They do not follow the format.</exception>
    public static Trace Parse(string path, IEnumerable<string> lines)
    {
        TraceHeader? header = null;
        var steps = new List<TraceStep>();
        bool ended = false;
        int number = 0;
        foreach (string line in lines)
        {
            number++;
            if (ended)
            {
                throw new TraceFormatException(path, number, 1, "a line after the end line");
            }

            JsonElement element = ParseLine(path, number, line);
            try
            {
                if (header is null)
                {
                    header = ReadHeader(element);
                }
                else if (element.TryGetProperty("end", out _))
                {
                    ended = true;
                    CheckEnd(path, number, element, steps.Count);
                }
                else
                {
                    steps.Add(ReadStep(element, steps.Count));
                }
            }
            catch (Exception e) when (e is KeyNotFoundException or InvalidOperationException or FormatException)
            {
                throw new TraceFormatException(path, number, 1, e.Message);
            }
        }

        if (header is null || !ended)
        {
            throw new TraceFormatException(path, number + 1, 1, "the file is cut short: it has no end line");
        }

        return new Trace(header, steps);
    }

    private static JsonElement ParseLine(string path, int number, string line)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            throw new TraceFormatException(path, number, (int)(e.BytePositionInLine ?? 0) + 1, "not valid JSON");
        }
    }

    private static void CheckEnd(string path, int number, JsonElement end, int steps)
    {
        int announced = end.GetProperty("steps").GetInt32();
        if (announced != steps)
        {
            throw new TraceFormatException(path, number, 1, $"{announced} steps are announced, {steps} are there");
        }
    }

    private static TraceHeader ReadHeader(JsonElement header) =>
        new(
            header.GetProperty("trace").GetString()!,
            header.GetProperty("cap_ipc_lock").GetBoolean(),
            TraceValue.ReadU64(header.GetProperty("rlimit_memlock")),
            header.GetProperty("arena").GetInt32(),
            header.GetProperty("scratch_buf").GetInt32(),
            [.. header.GetProperty("buffers").EnumerateArray().Select(ReadMemory)],
            [.. header.GetProperty("files").EnumerateArray().Select(ReadMemory)]
        );

    private static TraceMemory ReadMemory(JsonElement memory) =>
        new(
            memory.GetProperty("id").GetInt32(),
            TraceValue.ReadU64(memory.GetProperty("va")),
            TraceValue.ReadU64(memory.GetProperty("size")),
            memory.GetProperty("kind").GetString()!,
            memory.GetProperty("fill").GetString()!,
            memory.TryGetProperty("prot", out JsonElement protection) ? protection.GetString()! : "rw"
        );

    private static TraceStep ReadStep(JsonElement step, int index)
    {
        int number = step.GetProperty("i").GetInt32();
        if (number != index)
        {
            throw new FormatException($"step {index} is numbered {number}");
        }

        return new TraceStep(
            number,
            step.GetProperty("op").GetString()!,
            step.GetProperty("in"),
            step.GetProperty("ret").GetString()!,
            step.TryGetProperty("rv", out JsonElement value) ? value.GetInt64() : null,
            step.TryGetProperty("out", out JsonElement output) ? output : JsonDocument.Parse("{}").RootElement
        );
    }
}
