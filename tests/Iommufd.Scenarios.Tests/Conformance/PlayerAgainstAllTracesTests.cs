using Iommufd.Scenarios.Conformance;
using Xunit;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>The player over every recorded trace, with a kernel that repeats what was recorded.</summary>
public sealed class PlayerAgainstAllTracesTests
{
    private static readonly TracePlayerOptions KeepGoing = new(true, TimeSpan.FromSeconds(30));

    /// <summary>
    /// Every step of every trace must agree: inputs are understood, outputs are read where they are, generic errors
    /// come from the codec alone and only where the kernel gave them. Content that a trace holds as a hash only
    /// cannot be repeated.
    /// </summary>
    [Fact]
    public async Task A_kernel_that_repeats_the_recorded_answers_agrees_in_every_step()
    {
        var disagreements = new List<string>();
        int steps = 0;
        foreach (string file in ConformanceRunner.FindTraces([TraceFolder.Path]))
        {
            TraceReport report = await PlayAsync(file);
            steps += report.Steps;
            disagreements.AddRange(
                report
                    .Disagreements.Where(d => !d.Field.EndsWith("_fnv1a64", StringComparison.Ordinal))
                    .Select(d => d.ToString())
            );
        }

        Assert.True(disagreements.Count == 0, string.Join('\n', disagreements.Take(20)));
        Assert.InRange(steps, 80_000, int.MaxValue);
    }

    private static async Task<TraceReport> PlayAsync(string file)
    {
        Trace trace = TraceReader.Read(file);
        await using var kernel = new ParrotKernel();
        var player = new TracePlayer(KeepGoing) { BeforeStep = step => Rehearse(kernel, step) };
        return await player.PlayAsync(trace, kernel);
    }

    // Memory that a step only looks at was changed by accesses that the parrot did not really make.
    private static void Rehearse(ParrotKernel kernel, TraceStep step)
    {
        kernel.Step = step;
        if (step.Op == "MEM_HASH" && step.Out.TryGetProperty("data", out var data))
        {
            var pointer = step.In.GetProperty("ptr");
            bool file = pointer.TryGetProperty("file", out var number);
            ulong start = file
                ? 0x10003000000 + (0x1000000 * number.GetUInt64())
                : Buffer(pointer.GetProperty("buf").GetInt32());
            ulong address = start + ParrotKernel.Number(pointer.GetProperty("off"));
            kernel.Processes[0].Memory.TryWrite(address, Convert.FromHexString(data.GetString()!));
        }
    }

    private static ulong Buffer(int number) =>
        number switch
        {
            0 => 0x10000000000,
            1 => 0x10000803000,
            4 => 0x10001000000,
            _ => throw new ArgumentOutOfRangeException(nameof(number)),
        };
}
