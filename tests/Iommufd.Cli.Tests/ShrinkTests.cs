namespace Iommufd.Cli.Tests;

/// <summary><c>iommufd shrink</c> as a user sees it.</summary>
public sealed class ShrinkTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("iommufd-shrink-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void A_failing_run_is_saved_small_and_the_printed_command_repeats_its_failure()
    {
        string scenario = Path.Combine(_folder, "fails.yaml");
        string small = Path.Combine(_folder, "small.yaml");
        File.WriteAllText(
            scenario,
            """
            iommufd: 1
            title: Maps the same page again in the end
            clients:
              - name: client
                steps:
                  - memory: {as: ram, size: 64K}
                  - ioas-alloc: a
                  - repeat:
                      times: 12
                      index: i
                      steps:
                        - map: {ioas: a, memory: ram, length: 4K, iova: 4K * i}
                  - map: {ioas: a, memory: ram, length: 4K, iova: 8K}
            """
        );

        CliRun shrunk = CliRun.Of("shrink", scenario, "--seed", "4", "--out", small);

        Assert.Equal(ExitCode.Success, shrunk.ExitCode);
        Assert.Contains("15 steps -> 4", shrunk.Out, StringComparison.Ordinal);
        string replay = shrunk.Out.Split('\n').Single(l => l.StartsWith("replay", StringComparison.Ordinal));
        string[] command = replay.Split(' ', StringSplitOptions.RemoveEmptyEntries)[2..];
        CliRun again = CliRun.Of(command);
        Assert.Equal(ExitCode.CheckFailed, again.ExitCode);
        Assert.Contains("it still fails", again.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_does_not_fail_is_bad_input()
    {
        string scenario = Path.Combine(_folder, "holds.yaml");
        File.WriteAllText(
            scenario,
            """
            iommufd: 1
            title: Holds
            clients: [{name: client, steps: [{ioas-alloc: a}]}]
            """
        );

        CliRun run = CliRun.Of("shrink", scenario, "--seed", "1");

        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.Contains("the run does not fail", run.Error, StringComparison.Ordinal);
        Assert.Contains($"iommufd run {scenario} --seed 1", run.Error, StringComparison.Ordinal);
    }
}
