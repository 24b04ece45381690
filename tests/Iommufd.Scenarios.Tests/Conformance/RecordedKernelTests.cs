using Iommufd.Scenarios.Conformance;
using Iommufd.Scenarios.Conformance.Kernel;
using Xunit;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>
/// The simulator against the recorded answers of Linux 7.2. Every trace agrees in every step but those that
/// tests/conformance/disagreeing.txt names; that list may only become shorter.
/// </summary>
public sealed class RecordedKernelTests
{
    /// <summary>How many of the 1,233 recorded traces agree. It can only rise.</summary>
    private const int Agreeing = 1193;

    [Fact]
    public async Task Every_command_as_a_message_flow_agrees_with_the_kernel() =>
        await PlayAsync(SimulatedKernel.WithActors);

    [Fact]
    public async Task The_sequential_model_agrees_with_the_kernel() => await PlayAsync(SimulatedKernel.Sequential);

    private static async Task PlayAsync(Func<ISimulatedKernel> kernel)
    {
        var folder = ConformanceFolder();
        var known = File.ReadLines(Path.Combine(folder, "disagreeing.txt"))
            .Where(line => line.Length > 0 && line[0] != '#')
            .ToHashSet(StringComparer.Ordinal);
        var runner = new ConformanceRunner(kernel, new ConformanceOptions(2, TracePlayerOptions.Default));
        var report = await runner.RunAsync([Path.Combine(folder, "traces")], CancellationToken.None);

        var news = report.Disagreements.Where(d => !known.Contains(d.Trace)).ToList();
        Assert.True(news.Count == 0, string.Join('\n', news));
        Assert.Equal(0, report.Unsupported);
        Assert.Equal(1233, report.Traces);
        Assert.True(report.Agreeing >= Agreeing, $"{report.Agreeing} traces agree, {Agreeing} did");
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
