using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Scenarios.Conformance;
using Xunit;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>How the player goes on, or does not, when a step goes wrong.</summary>
public sealed class PlayerProgressTests
{
    private const string Alloc = """ "op":"IOAS_ALLOC","in":{"flags":0},"ret":"OK","out":{"out_ioas_id":1} """;
    private const string Destroy = """ "op":"DESTROY","in":{"id":1},"ret":"OK","out":{} """;
    private static readonly TracePlayerOptions KeepGoing = TracePlayerOptions.Default with { KeepGoing = true };

    [Fact]
    public async Task A_trace_ends_at_its_first_disagreement()
    {
        TraceReport report = await MiniTrace.PlayAsync(WrongAt(1), Alloc, Destroy, Alloc);

        Assert.Equal((3, 1), (report.Steps, report.StepsAgreeing));
        Assert.Single(report.Disagreements);
    }

    [Fact]
    public async Task A_trace_can_be_played_to_its_end_all_the_same()
    {
        TraceReport report = await MiniTrace.PlayAsync(WrongAt(1), KeepGoing, Alloc, Destroy, Alloc);

        Assert.Equal((3, 2), (report.Steps, report.StepsAgreeing));
        Assert.False(report.Agrees);
    }

    [Fact]
    public async Task A_command_that_is_not_implemented_is_unsupported_and_no_agreement()
    {
        var kernel = new ParrotKernel { Tamper = (_, _) => throw new NotSupportedException("no such command yet") };

        TraceReport report = await MiniTrace.PlayAsync(kernel, Alloc);

        Assert.Equal((0, 1), (report.StepsAgreeing, report.Unsupported));
        Assert.Equal(
            new Disagreement("access_rw", 0, "IOAS_ALLOC", "unsupported", "OK", "no such command yet"),
            Assert.Single(report.Disagreements)
        );
    }

    [Fact]
    public async Task An_operation_that_is_not_in_the_format_is_unsupported()
    {
        TraceReport report = await MiniTrace.PlayAsync(
            new ParrotKernel(),
            """ "op":"FLY","in":{},"ret":"OK","out":{} """
        );

        Assert.Equal(1, report.Unsupported);
    }

    [Fact]
    public async Task An_input_that_is_not_in_the_format_is_no_agreement()
    {
        TraceReport report = await MiniTrace.PlayAsync(
            new ParrotKernel(),
            """ "op":"DESTROY","in":{"id":1,"gently":1},"ret":"OK","out":{} """
        );

        Assert.Contains("gently", Assert.Single(report.Disagreements).Actual, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_output_that_is_not_in_the_format_is_no_agreement()
    {
        TraceReport report = await MiniTrace.PlayAsync(
            new ParrotKernel(),
            """ "op":"DESTROY","in":{"id":1},"ret":"OK","out":{"mood":1} """
        );

        Assert.Equal("mood", Assert.Single(report.Disagreements).Field);
    }

    [Fact]
    public async Task A_kernel_that_throws_disagrees_and_the_next_step_is_played()
    {
        var kernel = new ParrotKernel
        {
            Tamper = (step, result) => step.Index == 0 ? throw new InvalidOperationException("broken") : result,
        };

        TraceReport report = await MiniTrace.PlayAsync(kernel, KeepGoing, Alloc, Destroy);

        Assert.Equal("InvalidOperationException: broken", Assert.Single(report.Disagreements).Actual);
        Assert.Equal(1, report.StepsAgreeing);
    }

    [Fact]
    public async Task A_kernel_that_does_not_answer_ends_the_trace()
    {
        TracePlayerOptions impatient = new(true, TimeSpan.FromMilliseconds(50));
        var kernel = new HangingKernel();

        TraceReport report = await new TracePlayer(impatient).PlayAsync(MiniTrace.Of(Alloc, Destroy), kernel);

        Assert.StartsWith("TimeoutException", Assert.Single(report.Disagreements).Actual, StringComparison.Ordinal);
    }

    private static ParrotKernel WrongAt(int index) =>
        new() { Tamper = (step, result) => step.Index == index ? IoctlResult.Fail(Errno.EIO) : result };

    private sealed class HangingKernel : ISimulatedKernel
    {
        private readonly TaskCompletionSource<ISimulatedProcess> never = new();

        public Task<ISimulatedProcess> StartProcessAsync(SimulatedProcessOptions options) => never.Task;

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
