using System.Text.Json.Nodes;

namespace Iommufd.Cli.Tests;

/// <summary>run, replay, inspect, diff: what they print and how they end.</summary>
public sealed class RunAndReplayTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("iommufd-cli-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void Run_writes_one_json_object_and_a_journal_that_replays_to_the_same_state()
    {
        CliRun run = Small("--seed", "7", "--journal", At("a.db"), "--output", "json");
        Assert.True(run.ExitCode == ExitCode.Success, run.Error);
        JsonObject json = run.Json();
        Assert.True((bool)json["ok"]!);
        Assert.Equal(7, (int)json["seed"]!);
        Assert.True((long)json["journal"]!["events"]! > 20);
        Assert.Equal(64, ((string)json["journal"]!["sha256"]!).Length);

        CliRun replay = CliRun.Of("replay", At("a.db"), "--verify", "--output", "json");
        Assert.True(replay.ExitCode == ExitCode.Success, replay.Error + replay.Out);
        Assert.Equal((string)json["state"]!["digest"]!, (string)replay.Json()["state"]!["digest"]!);
        Assert.Equal((long)json["journal"]!["events"]!, (long)replay.Json()["events"]!);
        Assert.True((int)replay.Json()["verified"]! >= 2);
        Assert.Empty(replay.Json()["mismatches"]!.AsArray());
    }

    [Fact]
    public void The_same_seed_twice_gives_the_same_journal()
    {
        string first = Sha256Of(Small("--seed", "11", "--journal", At("a.db"), "--output", "json"));
        string second = Sha256Of(Small("--seed", "11", "--journal", At("b.db"), "--output", "json"));
        Assert.Equal(first, second);
        CliRun diff = CliRun.Of("diff", At("a.db"), At("b.db"));
        Assert.Equal((ExitCode.Success, "the same events"), (diff.ExitCode, diff.Out.Trim()));
    }

    [Fact]
    public void Diff_names_the_first_event_that_differs()
    {
        Small("--seed", "1", "--journal", At("a.db"));
        Small("--seed", "2", "--journal", At("b.db"));
        CliRun diff = CliRun.Of("diff", At("a.db"), At("b.db"), "--output", "json");
        Assert.Equal(ExitCode.CheckFailed, diff.ExitCode);
        Assert.StartsWith("iommufd-", (string)diff.Json()["first"]!["stream"]!, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_shows_the_objects_at_a_point_of_time()
    {
        Small("--seed", "7", "--journal", At("a.db"));
        CliRun early = CliRun.Of("inspect", At("a.db"), "--at", "12");
        CliRun late = CliRun.Of("inspect", At("a.db"));
        Assert.Equal((ExitCode.Success, ExitCode.Success), (early.ExitCode, late.ExitCode));
        Assert.Contains("IoasObject 1", early.Out, StringComparison.Ordinal);
        Assert.Contains("closed", late.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Inspect_shows_several_points_of_time_one_after_the_other()
    {
        Small("--seed", "7", "--journal", At("a.db"));
        JsonObject both = CliRun.Of("inspect", At("a.db"), "--at", "12,20", "--output", "json").Json();
        JsonNode[] points = [.. both["points"]!.AsArray()!];
        Assert.Equal([12, 20], points.Select(p => (long)p["at"]!));
        foreach (JsonNode point in points)
        {
            JsonObject alone = CliRun.Of("inspect", At("a.db"), "--at", $"{point["at"]}", "--output", "json").Json();
            Assert.Equal(alone["state"]!.ToJsonString(), point["state"]!.ToJsonString());
            Assert.Equal(alone["contexts"]!.ToJsonString(), point["contexts"]!.ToJsonString());
        }

        CliRun wrong = CliRun.Of("inspect", At("a.db"), "--at", "12,x");
        Assert.Equal(ExitCode.BadInput, wrong.ExitCode);
        Assert.Contains("'x' is not the number of an event", wrong.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Text_output_says_where_the_journal_is_and_how_to_replay_it()
    {
        CliRun run = Small("--journal", At("a.db"));
        Assert.True(run.ExitCode == ExitCode.Success, run.Out + run.Error);
        Assert.Contains($"replay   iommufd replay {At("a.db")} --verify", run.Out, StringComparison.Ordinal);
        Assert.Contains("translations", run.Out, StringComparison.Ordinal);
        Assert.Contains("violated", run.Out, StringComparison.Ordinal);
        Assert.Empty(run.Error);
    }

    [Fact]
    public void A_failed_expectation_is_exit_code_1_with_its_place()
    {
        string file = Write(
            "fails.yaml",
            "iommufd: 1\ntitle: t\nclients:\n  - name: c\n    steps:\n      - ioas-alloc: a\n        expect: ENOMEM\n"
        );
        CliRun run = CliRun.Of("run", file, "--durability", "memory");
        Assert.Equal(ExitCode.CheckFailed, run.ExitCode);
        Assert.Contains(
            $"{file}:6:9: failed: ioas-alloc of c: expected ENOMEM, got OK",
            run.Out,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void A_mistake_in_a_scenario_runs_nothing_and_leaves_no_journal()
    {
        string file = Write(
            "broken.yaml",
            "iommufd: 1\ntitle: t\nclients:\n  - name: c\n    steps:\n      - ioas-aloc: a\n"
        );
        CliRun run = CliRun.Of("run", file, "--journal", At("a.db"), "--output", "json");
        Assert.Equal((ExitCode.BadInput, ""), (run.ExitCode, run.Out));
        Assert.StartsWith(
            $"{file}:6:9: error: unknown step 'ioas-aloc'; did you mean 'ioas-alloc'?",
            run.Error,
            StringComparison.Ordinal
        );
        Assert.False(File.Exists(At("a.db")));
    }

    [Fact]
    public void A_deadline_cuts_a_run_short_with_its_journal_closed()
    {
        CliRun run = CliRun.Of(
            "run",
            "quickstart",
            "--set",
            "rounds=1000000000",
            "--set",
            "ram=2M",
            "--deadline",
            "1500ms",
            "--journal",
            At("a.db"),
            "--output",
            "json"
        );
        Assert.True(run.ExitCode == ExitCode.CutShort, run.Error);
        Assert.False((bool)run.Json()["ok"]!);
        Assert.Contains("deadline", (string)run.Json()["stopReason"]!, StringComparison.Ordinal);
        CliRun replay = CliRun.Of("replay", At("a.db"), "--verify", "--output", "json");
        Assert.True(replay.ExitCode == ExitCode.Success, replay.Error + replay.Out);
        Assert.Equal((string)run.Json()["state"]!["digest"]!, (string)replay.Json()["state"]!["digest"]!);
    }

    [Fact]
    public void A_signal_cuts_a_run_short()
    {
        using var stop = new CancellationTokenSource(TimeSpan.FromMilliseconds(300));
        CliRun run = CliRun.Of(stop.Token, "run", "quickstart", "--set", "rounds=1000000000", "--durability", "memory");
        Assert.Equal(ExitCode.CutShort, run.ExitCode);
        Assert.Contains("stopped by a signal", run.Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ram")]
    [InlineData("memory")]
    [InlineData("group")]
    public void A_profile_says_what_the_steps_of_flows_cost(string durability)
    {
        string[] journal = durability == "group" ? ["--journal", At($"{durability}.db")] : [];
        CliRun run = Small(["--seed", "1", "--durability", durability, "--profile", .. journal]);
        Assert.Equal(ExitCode.Success, run.ExitCode);
        Assert.Matches(@"Hwpt\s+InstallArea\s+\d+", run.Out);
    }

    [Fact]
    public void The_command_that_repeats_a_run_has_its_bursts_of_DMA()
    {
        CliRun run = Small("--seed", "1", "--durability", "ram", "--dma-blocks", "8");
        Assert.Contains("run quickstart --seed 1", run.Out, StringComparison.Ordinal);
        Assert.Contains(" --dma-blocks 8 --durability ram", run.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_report_is_written()
    {
        Small("--durability", "memory", "--report", At("r.html"));
        Assert.StartsWith("<!DOCTYPE html>", File.ReadAllText(At("r.html")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_journal_of_another_run_is_not_written_over()
    {
        Small("--seed", "1", "--journal", At("a.db"));
        CliRun run = Small("--seed", "1", "--journal", At("a.db"));
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.Contains("there is something in this file already", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("replay", "missing.db", "there is no such journal")]
    [InlineData("inspect", "missing.db", "there is no such journal")]
    [InlineData("replay", "text.db", "not a journal: not an SQLite file")]
    public void What_is_no_journal_is_bad_input(string command, string name, string expected)
    {
        Write("text.db", "hello");
        CliRun run = CliRun.Of(command, At(name));
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.StartsWith($"{At(name)}:1:1: error: {expected}", run.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("--deadline", "soon", "'soon' is not a duration")]
    [InlineData("--deadline", "5", "'5' is not a duration")]
    [InlineData("--seed", "x", "x")]
    [InlineData("--output", "xml", "xml")]
    public void A_wrong_value_of_an_option_is_bad_input(string option, string value, string expected)
    {
        CliRun run = CliRun.Of("run", "quickstart", option, value);
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    private static CliRun Small(params string[] more) =>
        CliRun.Of(["run", "quickstart", "--set", "rounds=10", "--set", "ram=2M", .. more]);

    private static string Sha256Of(CliRun run) => (string)run.Json()["journal"]!["sha256"]!;

    private string At(string name) => Path.Combine(_directory, name);

    private string Write(string name, string text)
    {
        File.WriteAllText(At(name), text);
        return At(name);
    }
}
