using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Iommufd.Scenarios.Conformance;

/// <summary>How traces are played.</summary>
/// <param name="KeepGoing">
/// Go on after a step that does not agree. Later steps may then disagree for no reason but the first; without it the
/// trace ends there, and the steps that were not reached do not agree.
/// </param>
/// <param name="StepTimeout">
/// How long one step may take; a step that takes longer does not agree, and ends its trace.
/// </param>
public sealed record TracePlayerOptions(bool KeepGoing, TimeSpan StepTimeout)
{
    /// <summary>Stop at the first disagreement; 30 seconds a step.</summary>
    public static TracePlayerOptions Default { get; } = new(false, TimeSpan.FromSeconds(30));
}

/// <summary>
/// Plays one trace on a kernel and compares every answer: result, return value, every output that the client can see.
/// A step that throws, hangs, or is not implemented does not agree.
/// </summary>
public sealed class TracePlayer(TracePlayerOptions options)
{
    /// <summary>Called before each step is played; for tests and progress displays.</summary>
    public Action<TraceStep>? BeforeStep { get; init; }

    /// <summary>Plays a trace from its beginning.</summary>
    /// <param name="trace">The trace.</param>
    /// <param name="kernel">A fresh kernel. The caller disposes of it.</param>
    public async Task<TraceReport> PlayAsync(Trace trace, ISimulatedKernel kernel)
    {
        var disagreements = new List<Disagreement>();
        int agreeing = 0;
        int unsupported = 0;
        TraceStage? stage = await SetUpAsync(trace, kernel, disagreements).ConfigureAwait(false);
        for (int i = 0; stage is not null && i < trace.Steps.Count; i++)
        {
            TraceStep step = trace.Steps[i];
            BeforeStep?.Invoke(step);
            int before = disagreements.Count;
            StepEnd end = await PlayStepAsync(trace, stage, step, disagreements).ConfigureAwait(false);
            agreeing += disagreements.Count == before ? 1 : 0;
            unsupported += end == StepEnd.Unsupported ? 1 : 0;
            if (end == StepEnd.Lost || (!options.KeepGoing && disagreements.Count > before))
            {
                break;
            }
        }

        return new TraceReport(trace.Name, trace.Steps.Count, agreeing, unsupported, disagreements);
    }

    private enum StepEnd
    {
        Played,
        Unsupported,

        // Nothing more can be learned from this trace: the kernel does not answer any more.
        Lost,
    }

    private async Task<TraceStage?> SetUpAsync(Trace trace, ISimulatedKernel kernel, List<Disagreement> disagreements)
    {
        try
        {
            return await TraceStage
                .SetUpAsync(kernel, trace.Header)
                .WaitAsync(options.StepTimeout)
                .ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            disagreements.Add(new Disagreement(trace.Name, 0, "set-up", "ret", "OK", Describe(e)));
            return null;
        }
    }

    private async Task<StepEnd> PlayStepAsync(
        Trace trace,
        TraceStage stage,
        TraceStep step,
        List<Disagreement> disagreements
    )
    {
        try
        {
            TraceOp op =
                TraceOps.Find(step.Op) ?? throw new NotSupportedException($"operation {step.Op} is not in the format");
            StepAnswer answer = await op(stage, step).WaitAsync(options.StepTimeout).ConfigureAwait(false);
            Compare(trace, step, answer, disagreements);
            return StepEnd.Played;
        }
        catch (NotSupportedException e)
        {
            disagreements.Add(Differs(trace, step, "unsupported", step.Ret, e.Message));
            return StepEnd.Unsupported;
        }
        catch (TimeoutException e)
        {
            disagreements.Add(Differs(trace, step, "ret", step.Ret, Describe(e)));
            return StepEnd.Lost;
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            disagreements.Add(Differs(trace, step, "ret", step.Ret, Describe(e)));
            return StepEnd.Played;
        }
    }

    private static void Compare(Trace trace, TraceStep step, StepAnswer answer, List<Disagreement> disagreements)
    {
        if (answer.Ret != step.Ret)
        {
            disagreements.Add(Differs(trace, step, "ret", step.Ret, answer.Ret));
        }

        if (step.ReturnValue is { } value && answer.Value != value)
        {
            disagreements.Add(Differs(trace, step, "rv", Number(value), Number(answer.Value)));
        }

        foreach (JsonProperty expected in step.Out.EnumerateObject())
        {
            JsonNode? recorded = JsonNode.Parse(expected.Value.GetRawText());
            JsonNode? actual = answer.Out[expected.Name];
            if (!JsonNode.DeepEquals(recorded, actual))
            {
                disagreements.Add(Differs(trace, step, expected.Name, Text(recorded), Text(actual)));
            }
        }
    }

    private static Disagreement Differs(Trace trace, TraceStep step, string field, string expected, string actual) =>
        new(trace.Name, step.Index, step.Op, field, expected, actual);

    private static string Describe(Exception e) => $"{e.GetType().Name}: {e.Message}";

    // Strings stand for themselves, everything else is JSON.
    private static string Text(JsonNode? value) =>
        value is JsonValue plain && plain.TryGetValue(out string? text) ? text : value?.ToJsonString() ?? "null";

    private static string Number(long? number) => number?.ToString(CultureInfo.InvariantCulture) ?? "null";
}
