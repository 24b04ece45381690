using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;

namespace Iommufd.Cli.Tests;

/// <summary>conform and bench as commands; what they measure is tested elsewhere.</summary>
public sealed class ConformAndBenchTests
{
    [Fact]
    public void Conform_counts_what_agrees()
    {
        CliRun run = CliRun.Of(
            "conform",
            Trace("designed/auto_basic.jsonl"),
            "--kernel",
            "sequential",
            "--output",
            "json"
        );
        JsonObject json = run.Json();
        foreach (
            string key in (string[])["traces", "agreeing", "steps", "stepsAgreeing", "unsupported", "disagreements"]
        )
        {
            Assert.True(json.ContainsKey(key), key);
        }

        Assert.Equal(1, (int)json["traces"]!);
        Assert.Equal((int)json["agreeing"]! == 1 ? ExitCode.Success : ExitCode.CheckFailed, run.ExitCode);
    }

    [Fact]
    public void Conform_of_what_is_not_there_is_bad_input()
    {
        CliRun run = CliRun.Of("conform", "/no/such/folder");
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.StartsWith(
            "/no/such/folder:1:1: error: neither a trace nor a folder",
            run.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void An_unknown_benchmark_is_bad_input_with_the_nearest_one()
    {
        CliRun run = CliRun.Of("bench", "jounral");
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.Contains("did you mean 'journal'?", run.Error, StringComparison.Ordinal);
    }

    private static string Trace(string name, [CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../conformance/traces", name));
}
