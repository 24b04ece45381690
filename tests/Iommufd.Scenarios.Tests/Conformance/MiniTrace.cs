using Iommufd.Scenarios.Conformance;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>Traces of a few steps, with the header that all recorded traces have.</summary>
internal static class MiniTrace
{
    private static readonly string HeaderLine = File.ReadLines(TraceFolder.Designed("access_rw")).First();

    /// <summary>Steps without their number: <c>"op":"DESTROY","in":{"id":1},"ret":"OK","out":{}</c>.</summary>
    public static IEnumerable<string> Lines(params string[] steps) =>
        [
            HeaderLine,
            .. steps.Select((s, i) => $$"""{"i":{{i}},{{s}}}"""),
            $$"""{"end":true,"steps":{{steps.Length}}}""",
        ];

    public static Trace Of(params string[] steps) => TraceReader.Parse("mini.jsonl", Lines(steps));

    public static Task<TraceReport> PlayAsync(ParrotKernel kernel, params string[] steps) =>
        PlayAsync(kernel, TracePlayerOptions.Default, steps);

    public static Task<TraceReport> PlayAsync(ParrotKernel kernel, TracePlayerOptions options, params string[] steps) =>
        new TracePlayer(options) { BeforeStep = step => kernel.Step = step }.PlayAsync(Of(steps), kernel);
}
