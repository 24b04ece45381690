using System.Text.Json.Nodes;
using Iommufd.Cli.Commands;
using Iommufd.Cli.Output;
using Xunit;

namespace Iommufd.Cli.Tests;

/// <summary>A soak over several processes, and what they become together.</summary>
public sealed class ShardTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("iommufd-shard-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Merged_parts_are_the_unsharded_soak()
    {
        string[] soak = ["soak", "quickstart", "--set", "vms=1", "--seeds", "1..5", "--faults", "default"];
        JsonObject whole = Timeless(CliRun.Of([.. soak, "--output", "json"]).Out);
        for (int part = 0; part < 2; part++)
        {
            string summary = Path.Combine(_directory, $"{part}.json");
            Assert.Equal(ExitCode.Success, CliRun.Of([.. soak, "--shard", $"{part}/2", "--summary", summary]).ExitCode);
        }

        CliRun merged = CliRun.Of("merge", _directory, "--output", "json");
        Assert.Equal(ExitCode.Success, merged.ExitCode);
        Assert.Equal(whole.ToJsonString(), Timeless(merged.Out).ToJsonString());
    }

    [Theory]
    [InlineData(null, "--dma-blocks=64")]
    [InlineData("16", "--dma-blocks=16")]
    [InlineData("0", null)]
    public void A_soak_has_short_bursts_of_DMA_unless_told_otherwise_and_says_so(string? blocks, string? said)
    {
        string[] soak = ["soak", "quickstart", "--set", "rounds=1", "--set", "ram=2M", "--seeds", "1..1"];
        string[] asked = blocks is null ? soak : [.. soak, "--dma-blocks", blocks];
        CliRun run = CliRun.Of([.. asked, "--output", "json"]);
        Assert.Equal(ExitCode.Success, run.ExitCode);
        var set = JsonNode.Parse(run.Out)!["set"]!.AsArray().Select(s => (string)s!);
        Assert.Equal(said, set.SingleOrDefault(s => s.StartsWith("--dma", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_folder_without_results_is_bad_input()
    {
        CliRun run = CliRun.Of("merge", _directory);
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.Contains("no results (*.json) in it", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("3/8", "", "3/8")]
    [InlineData("/8", "JOB_COMPLETION_INDEX=5", "5/8")]
    [InlineData("/8", "SLURM_ARRAY_TASK_ID=12;SLURM_ARRAY_TASK_MIN=10", "2/8")]
    [InlineData(null, "SLURM_ARRAY_TASK_ID=4;SLURM_ARRAY_TASK_MIN=1;SLURM_ARRAY_TASK_COUNT=4", "3/4")]
    [InlineData(null, "JOB_COMPLETION_INDEX=5", "0/1")]
    [InlineData(null, "", "0/1")]
    public void The_part_comes_from_the_option_or_from_the_engine(string? option, string environment, string expected)
    {
        var variables = environment
            .Split(';', StringSplitOptions.RemoveEmptyEntries)
            .Select(v => v.Split('='))
            .ToDictionary(v => v[0], v => v[1]);
        Assert.Equal(expected, ShardOption.Of(option, variables.GetValueOrDefault).ToString());
    }

    [Theory]
    [InlineData("8/8")]
    [InlineData("/8")]
    [InlineData("half")]
    public void A_part_that_does_not_exist_is_bad_input(string option) =>
        Assert.Throws<BadInputException>(() => ShardOption.Of(option, _ => null));

    private static JsonObject Timeless(string json)
    {
        JsonObject result = JsonNode.Parse(json)!.AsObject();
        result.Remove("runsPerSecond");
        result.Remove("durationSeconds");
        return result;
    }
}
