using Iommufd.Scenarios.Conformance;
using Iommufd.Scenarios.Conformance.Kernel;
using Xunit;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>The simulator against the recorded answers of Linux 7.2: every trace agrees in every step.</summary>
public sealed class RecordedKernelTests
{
    private const int Traces = 1233;
    private const int Steps = 90936;

    [Fact]
    public async Task Every_command_as_a_message_flow_agrees_with_the_kernel() =>
        await PlayAsync(SimulatedKernel.WithActors);

    [Fact]
    public async Task The_sequential_model_agrees_with_the_kernel() => await PlayAsync(SimulatedKernel.Sequential);

    private static async Task PlayAsync(Func<ISimulatedKernel> kernel)
    {
        var runner = new ConformanceRunner(kernel, new ConformanceOptions(2, TracePlayerOptions.Default));
        var report = await runner.RunAsync([Path.Combine(ConformanceFolder(), "traces")], CancellationToken.None);

        Assert.True(report.Disagreements.Count == 0, string.Join('\n', report.Disagreements));
        Assert.Equal(0, report.Unsupported);
        Assert.Equal((Traces, Traces), (report.Traces, report.Agreeing));
        Assert.Equal((Steps, Steps), (report.Steps, report.StepsAgreeing));
    }

    private static string ConformanceFolder()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var folder = Path.Combine(at.FullName, "tests", "conformance");
            if (Directory.Exists(folder))
            {
                return folder;
            }
        }

        throw new DirectoryNotFoundException("tests/conformance");
    }
}
