using System.Text.Json;
using System.Text.Json.Serialization;

namespace Iommufd.Scenarios.Conformance;

/// <summary>One output of one step that is not the recorded kernel's.</summary>
/// <param name="Trace">The trace's name.</param>
/// <param name="Step">The step's number.</param>
/// <param name="Op">What was called.</param>
/// <param name="Field"><c>ret</c>, <c>rv</c>, the name of an output, or <c>unsupported</c>.</param>
/// <param name="Expected">The kernel's answer; JSON where it is not a string.</param>
/// <param name="Actual">Ours, likewise; what stopped the step, where it gave no answer.</param>
public sealed record Disagreement(string Trace, int Step, string Op, string Field, string Expected, string Actual);

/// <summary>How one trace went.</summary>
/// <param name="Trace">Its name.</param>
/// <param name="Steps">Its steps.</param>
/// <param name="StepsAgreeing">Steps that were played and agreed in everything.</param>
/// <param name="Unsupported">Steps that were played and are not implemented.</param>
/// <param name="Disagreements">What did not agree, in the order of the steps.</param>
public sealed record TraceReport(
    string Trace,
    int Steps,
    int StepsAgreeing,
    int Unsupported,
    IReadOnlyList<Disagreement> Disagreements
)
{
    /// <summary>Every step was played and agreed.</summary>
    [JsonIgnore]
    public bool Agrees => StepsAgreeing == Steps;
}

/// <summary>How all traces went: what <c>conform --output json</c> prints.</summary>
/// <param name="Traces">Number of traces.</param>
/// <param name="Agreeing">Traces that agree in every step.</param>
/// <param name="Steps">Number of steps in all traces.</param>
/// <param name="StepsAgreeing">Steps that agree; those that were not reached do not.</param>
/// <param name="Unsupported">Steps that were reached and are not implemented.</param>
/// <param name="Disagreements">What did not agree, in the order of traces and steps.</param>
public sealed record ConformanceReport(
    int Traces,
    int Agreeing,
    int Steps,
    int StepsAgreeing,
    int Unsupported,
    IReadOnlyList<Disagreement> Disagreements
)
{
    private static readonly JsonSerializerOptions Format = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.CamelCase,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>Whether every trace agrees in every step.</summary>
    [JsonIgnore]
    public bool Ok => Agreeing == Traces;

    /// <summary>Each trace by itself, in the order they were given.</summary>
    [JsonIgnore]
    public IReadOnlyList<TraceReport> PerTrace { get; private init; } = [];

    /// <summary>Adds up the reports of traces.</summary>
    public static ConformanceReport Of(IReadOnlyList<TraceReport> traces) =>
        new(
            traces.Count,
            traces.Count(t => t.Agrees),
            traces.Sum(t => t.Steps),
            traces.Sum(t => t.StepsAgreeing),
            traces.Sum(t => t.Unsupported),
            [.. traces.SelectMany(t => t.Disagreements)]
        )
        {
            PerTrace = traces,
        };

    /// <summary>The report as one JSON object.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Format);
}
