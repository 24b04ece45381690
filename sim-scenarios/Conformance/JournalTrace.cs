// Journals and traces in four files: JournalTrace plays a context's events as calls and writes down the answers, TraceScript says
// which calls an event was, TraceScenery what memory and files the caller has, TraceJournal goes the other way.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Iommufd.Messages.Events;
using Iommufd.Scenarios.Conformance.Kernel;

namespace Iommufd.Scenarios.Conformance;

/// <summary>A journal that the trace format has no words for.</summary>
/// <param name="number">The event's number in its stream.</param>
/// <param name="message">What cannot be said.</param>
public sealed class TraceExportException(long number, string message) : Exception(message)
{
    /// <summary>The event's number in its stream.</summary>
    public long Number { get; } = number;
}

/// <summary>
/// A context's journal as a trace: the calls that make the same changes, with the simulator's answers, so that another
/// implementation can be asked the same. Calls that changed nothing are not in a journal; devices of a scenario become the
/// selftest's, with the ids that these get.
/// </summary>
public static class JournalTrace
{
    private static readonly JsonSerializerOptions Written = new()
    {
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Writes the trace of one context.</summary>
    /// <param name="name">The trace's name.</param>
    /// <param name="events">The context's events, from its open on.</param>
    /// <param name="output">Where it goes.</param>
    /// <returns>Number of steps.</returns>
    /// <exception cref="TraceExportException">The format has no words for an event.</exception>
    public static async Task<int> WriteAsync(string name, IReadOnlyList<ContextEvent> events, TextWriter output)
    {
        TraceScenery scenery = TraceScenery.Of(events);
        string header = scenery.ToHeader(name).ToJsonString(Written);
        // What is played is what is written: the header is read back as every player does.
        TraceHeader read = TraceReader.Parse(name, [header, "{\"end\":true,\"steps\":0}"]).Header;
        SimulatedKernel kernel = SimulatedKernel.Sequential();
        await using (kernel.ConfigureAwait(false))
        {
            TraceStage stage = await SetUpAsync(kernel, read).ConfigureAwait(false);
            await output.WriteAsync(header + "\n").ConfigureAwait(false);
            var script = new TraceScript(scenery);
            int steps = 0;
            for (int i = 0; i < events.Count; i++)
            {
                foreach (TraceCall call in Calls(script, events, i))
                {
                    JsonObject line = await PlayAsync(stage, call, steps, i + 1).ConfigureAwait(false);
                    await output.WriteAsync(line.ToJsonString(Written) + "\n").ConfigureAwait(false);
                    steps++;
                }
            }

            await kernel.EndAsync().ConfigureAwait(false);
            await output
                .WriteAsync(FormattableString.Invariant($"{{\"end\":true,\"steps\":{steps}}}\n"))
                .ConfigureAwait(false);
            return steps;
        }
    }

    private static async Task<TraceStage> SetUpAsync(SimulatedKernel kernel, TraceHeader header)
    {
        try
        {
            return await TraceStage.SetUpAsync(kernel, header).ConfigureAwait(false);
        }
        catch (TraceStageException impossible)
        {
            throw new TraceExportException(1, $"its memory cannot be laid out: {impossible.Message}");
        }
    }

    // One call at a time: what one gives, the next may name.
    private static IEnumerable<TraceCall> Calls(TraceScript script, IReadOnlyList<ContextEvent> events, int at)
    {
        using IEnumerator<TraceCall> calls = Say(events, at, () => script.CallsOf(events, at).GetEnumerator());
        while (Say(events, at, calls.MoveNext))
        {
            yield return calls.Current;
        }
    }

    private static T Say<T>(IReadOnlyList<ContextEvent> events, int at, Func<T> say)
    {
        try
        {
            return say();
        }
        catch (Exception unsaid) when (unsaid is NotSupportedException or KeyNotFoundException)
        {
            throw new TraceExportException(
                at + 1,
                $"{events[at].GetType().Name} cannot be said in the trace format: {unsaid.Message}"
            );
        }
    }

    private static string Hint(TraceCall call) =>
        call.Op.StartsWith("TEST_MOCK_DOMAIN", StringComparison.Ordinal)
            ? " (the selftest's IOMMU translates 0x1000000..0x7fffffff, and what is mapped elsewhere is in its way)"
            : string.Empty;

    private static async Task<JsonObject> PlayAsync(TraceStage stage, TraceCall call, int number, int eventNumber)
    {
        var expected = new JsonObject();
        foreach (string output in call.Outputs)
        {
            expected[output] = 0;
        }

        using JsonDocument input = JsonDocument.Parse(call.Input.ToJsonString());
        using JsonDocument outputs = JsonDocument.Parse(expected.ToJsonString());
        var step = new TraceStep(number, call.Op, input.RootElement, "OK", null, outputs.RootElement);
        StepAnswer answer;
        try
        {
            answer = await TraceOps.Find(call.Op)!(stage, step).ConfigureAwait(false);
        }
        catch (TraceStageException impossible)
        {
            throw new TraceExportException(eventNumber, $"{call.Op}: {impossible.Message}");
        }

        if (!answer.IsOk)
        {
            throw new TraceExportException(eventNumber, $"{call.Op} does not succeed again: {answer.Ret}{Hint(call)}");
        }

        call.Learn?.Invoke(answer.Out);
        var line = new JsonObject
        {
            ["i"] = number,
            ["op"] = call.Op,
            ["in"] = call.Input.DeepClone(),
            ["ret"] = answer.Ret,
        };
        if (answer.Value is { } value)
        {
            line["rv"] = value;
        }

        line["out"] = answer.Out.DeepClone();
        return line;
    }
}
