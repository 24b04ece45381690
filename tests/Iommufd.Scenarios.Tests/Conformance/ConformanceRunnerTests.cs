using System.Text.Json;
using Iommufd.Scenarios.Conformance;
using Xunit;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>Files and folders in, one report out.</summary>
public sealed class ConformanceRunnerTests : IDisposable
{
    private const string Alloc = """ "op":"IOAS_ALLOC","in":{"flags":0},"ret":"OK","out":{"out_ioas_id":1} """;
    private const string Destroy = """ "op":"DESTROY","in":{"id":1},"ret":"OK","out":{} """;
    private readonly string folder = Directory.CreateTempSubdirectory("iommufd-traces").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_folder_stands_for_its_traces_in_ordinal_order()
    {
        Put("b.jsonl", Alloc);
        Put("a.jsonl", Alloc);
        Put("B.jsonl", Alloc);
        File.WriteAllText(Path.Combine(folder, "notes.txt"), "not a trace");

        Assert.Equal(
            ["B.jsonl", "a.jsonl", "b.jsonl"],
            ConformanceRunner.FindTraces([folder]).Select(f => Path.GetFileName(f))
        );
    }

    [Fact]
    public void A_path_that_is_not_there_is_an_error() =>
        Assert.Throws<FileNotFoundException>(() => ConformanceRunner.FindTraces([Path.Combine(folder, "nowhere")]));

    [Fact]
    public async Task The_report_adds_up_all_traces()
    {
        Put("one.jsonl", Alloc, Destroy);
        Put("two.jsonl", Alloc, Destroy, Destroy);

        ConformanceReport report = await RunAsync(() => new RefusingKernel());

        Assert.Equal(
            (2, 0, 5, 0, 2),
            (report.Traces, report.Agreeing, report.Steps, report.StepsAgreeing, report.Unsupported)
        );
        Assert.False(report.Ok);
        Assert.Equal(2, report.Disagreements.Count);
    }

    [Fact]
    public async Task The_json_has_the_keys_of_the_contract()
    {
        Put("one.jsonl", Alloc);

        ConformanceReport report = await RunAsync(() => new RefusingKernel());

        using JsonDocument json = JsonDocument.Parse(report.ToJson());
        Assert.Equal(
            ["traces", "agreeing", "steps", "stepsAgreeing", "unsupported", "disagreements"],
            json.RootElement.EnumerateObject().Select(p => p.Name)
        );
        Assert.Equal(
            ["trace", "step", "op", "field", "expected", "actual"],
            json.RootElement.GetProperty("disagreements")[0].EnumerateObject().Select(p => p.Name)
        );
    }

    [Fact]
    public async Task Every_trace_has_a_kernel_of_its_own_that_is_disposed_of()
    {
        var kernels = new List<RefusingKernel>();
        for (int i = 0; i < 8; i++)
        {
            Put($"{i}.jsonl", Alloc);
        }

        await RunAsync(Make, parallelism: 4);

        Assert.Equal(8, kernels.Count);
        Assert.All(kernels, k => Assert.True(k.Disposed));

        RefusingKernel Make()
        {
            var kernel = new RefusingKernel();
            lock (kernels)
            {
                kernels.Add(kernel);
            }

            return kernel;
        }
    }

    [Theory]
    [InlineData("{\"trace\":", 1, 10)]
    [InlineData("{}", 1, 1)]
    public void A_header_that_is_wrong_is_an_error_with_its_place(string header, int line, int column)
    {
        TraceFormatException e = Assert.Throws<TraceFormatException>(() => TraceReader.Parse("x.jsonl", [header]));

        Assert.Equal((line, column), (e.Line, e.Column));
        Assert.StartsWith($"x.jsonl:{line}:{column}: error: ", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_trace_without_its_end_line_is_an_error()
    {
        IEnumerable<string> cut = MiniTrace.Lines(Alloc).SkipLast(1);

        Assert.Contains(
            "cut short",
            Assert.Throws<TraceFormatException>(() => TraceReader.Parse("x", cut)).Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_step_that_is_missing_is_an_error()
    {
        List<string> lines = [.. MiniTrace.Lines(Alloc, Destroy)];
        lines.RemoveAt(1);

        Assert.Equal(2, Assert.Throws<TraceFormatException>(() => TraceReader.Parse("x", lines)).Line);
    }

    private void Put(string name, params string[] steps) =>
        File.WriteAllLines(Path.Combine(folder, name), MiniTrace.Lines(steps));

    private Task<ConformanceReport> RunAsync(Func<ISimulatedKernel> kernels, int parallelism = 1) =>
        new ConformanceRunner(kernels, new ConformanceOptions(parallelism, TracePlayerOptions.Default)).RunAsync(
            [folder],
            CancellationToken.None
        );

    /// <summary>A kernel that supports no command.</summary>
    private sealed class RefusingKernel : ISimulatedKernel
    {
        private readonly ParrotKernel parrot = new()
        {
            Arrives = (_, _, _) => throw new NotSupportedException("nothing is"),
        };

        public bool Disposed => parrot.Disposed;

        public Task<ISimulatedProcess> StartProcessAsync(SimulatedProcessOptions options) =>
            parrot.StartProcessAsync(options);

        public ValueTask DisposeAsync() => parrot.DisposeAsync();
    }
}
