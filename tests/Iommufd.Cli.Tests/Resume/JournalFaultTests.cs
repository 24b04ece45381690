using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.Data.Sqlite;

namespace Iommufd.Cli.Tests.Resume;

/// <summary>
/// The journal fails while a run writes it: the run stops with exit code 3 and says why, what was acknowledged is in the file, and the
/// run goes on when the cause is gone.
/// </summary>
public sealed class JournalFaultTests : IDisposable
{
    private static readonly string[] Scenario = ["quickstart", "--set", "rounds=60", "--set", "ram=2M", "--seed", "3"];

    private readonly string _directory = Directory.CreateTempSubdirectory("iommufd-fault-").FullName;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_full_disk_stops_the_run_and_loses_nothing_acknowledged()
    {
        // A small disk needs a mount of its own; where that is not allowed, a limit on the file's size takes its place.
        string? space = new[] { "unshare -m", "unshare -Urm" }.FirstOrDefault(CanMount);
        string disk = Directory.CreateDirectory(At("disk")).FullName;
        string script = space is null
            ? $"trap '' XFSZ; ulimit -f 200; export DOTNET_EnableWriteXorExecute=0; exec"
            : $"exec {space} bash -c 'mount -t tmpfs -o size=600k none {disk} && \"$0\" \"$@\"; code=$?; "
                + $"cp {disk}/j.db* {_directory}/; exit $code'";
        string journal = space is null ? At("j.db") : Path.Combine(disk, "j.db");
        CliRun run = Run(script, journal);
        Assert.True(run.ExitCode == ExitCode.CutShort, run.Error);
        Assert.Contains($"{journal}: the journal cannot be written any more", run.Error, StringComparison.Ordinal);
        Assert.Contains(space is null ? "The disk" : "The disk is full", run.Error, StringComparison.Ordinal);
        GoesOn(run);
    }

    [Fact]
    public void An_io_error_stops_the_run_and_loses_nothing_acknowledged()
    {
        CliRun run = Run("trap '' XFSZ; ulimit -f 200; export DOTNET_EnableWriteXorExecute=0; exec", At("j.db"));
        Assert.True(run.ExitCode == ExitCode.CutShort, run.Error);
        Assert.Contains(
            $"{At("j.db")}: the journal cannot be written any more: The database [{At("j.db")}] could not be written: "
                + "SQLite Error 10: 'disk I/O error'. The disk reported an error",
            run.Error,
            StringComparison.Ordinal
        );
        GoesOn(run);
    }

    [Fact]
    public void A_lock_that_another_process_takes_stops_the_run_and_loses_nothing_acknowledged()
    {
        using CliProcess process = CliProcess.Start("run", "quickstart", "--seed", "3", "--journal", At("j.db"));
        Assert.True(process.ReadLines(40));
        using (var other = new SqliteConnection($"Data Source={At("j.db")};Pooling=False"))
        {
            other.Open();
            using SqliteCommand begin = other.CreateCommand();
            begin.CommandText = "BEGIN IMMEDIATE";
            begin.ExecuteNonQuery();
            CliRun run = process.End();
            Assert.True(run.ExitCode == ExitCode.CutShort, run.Error);
            Assert.Contains(
                $"{At("j.db")}: the journal cannot be written any more",
                run.Error,
                StringComparison.Ordinal
            );
            Assert.Contains("Another connection holds a lock", run.Error, StringComparison.Ordinal);
            Assert.True(JournalRows.CheckReplies(At("j.db"), process.Errors) >= 40);
        }

        Assert.Equal(ExitCode.Success, CliRun.Of("resume", At("j.db")).ExitCode);
    }

    [Fact]
    public void A_journal_that_is_locked_from_the_start_is_refused()
    {
        using var other = new SqliteConnection($"Data Source={At("j.db")};Pooling=False");
        other.Open();
        using SqliteCommand begin = other.CreateCommand();
        begin.CommandText = "BEGIN EXCLUSIVE";
        begin.ExecuteNonQuery();
        CliRun run = CliRun.Of(["run", .. Scenario, "--journal", At("j.db")]);
        Assert.Equal(ExitCode.BadInput, run.ExitCode);
        Assert.StartsWith(
            $"{At("j.db")}:1:1: error: another process holds a lock on it",
            run.Error,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Two_runs_cannot_have_one_journal()
    {
        using CliProcess process = CliProcess.Start("run", "quickstart", "--seed", "3", "--journal", At("j.db"));
        Assert.True(process.ReadLines(1));
        CliRun second = CliRun.Of("resume", At("j.db"));
        process.Kill();
        Assert.Equal(ExitCode.BadInput, second.ExitCode);
        Assert.Contains("another process runs on this journal", second.Error, StringComparison.Ordinal);
    }

    [Fact]
    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    public void A_read_only_file_or_folder_is_refused_for_writing_and_can_be_read()
    {
        Assert.Equal(ExitCode.Success, CliRun.Of(["run", .. Scenario, "--journal", At("j.db")]).ExitCode);
        File.SetUnixFileMode(At("j.db"), UnixFileMode.UserRead);
        File.SetUnixFileMode(_directory, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        try
        {
            CliRun run = InSandbox("run", [.. Scenario, "--journal", At("new.db")]);
            Assert.True(run.ExitCode == ExitCode.BadInput, run.Error);
            Assert.Contains(
                $"{At("new.db")}:1:1: error: the journal cannot be written",
                run.Error,
                StringComparison.Ordinal
            );
            CliRun resume = InSandbox("resume", At("j.db"));
            Assert.True(resume.ExitCode == ExitCode.BadInput, resume.Error);
            Assert.Contains(
                $"{At("j.db")}:1:1: error: the journal cannot be written",
                resume.Error,
                StringComparison.Ordinal
            );
            CliRun replay = InSandbox("replay", At("j.db"), "--verify");
            Assert.True(replay.ExitCode == ExitCode.Success, replay.Error);
        }
        finally
        {
            File.SetUnixFileMode(_directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }
    }

    private void GoesOn(CliRun failed)
    {
        Assert.True(JournalRows.CheckReplies(At("j.db"), failed.Error.Split('\n')) > 10);
        JsonObject whole = CliRun.Of(["run", .. Scenario, "--journal", At("whole.db"), "--output", "json"]).Json();
        CliRun resumed = CliRun.Of("resume", At("j.db"), "--output", "json");
        Assert.True(resumed.ExitCode == ExitCode.Success, resumed.Error);
        Assert.Equal((string)whole["state"]!["digest"]!, (string)resumed.Json()["state"]!["digest"]!);
        Assert.Equal(JournalRows.Of(At("whole.db")), JournalRows.Of(At("j.db")));
    }

    private static CliRun Run(string before, string journal)
    {
        using CliProcess process = CliProcess.StartIn(
            before,
            ["run", .. Scenario, "--journal", journal, "--ack-log", "/dev/stderr"]
        );
        return process.End();
    }

    // Who may everything is not stopped by permissions: such a process gives that up first.
    private static CliRun InSandbox(string command, params string[] args)
    {
        string before = Environment.IsPrivilegedProcess
            ? "exec setpriv --bounding-set=-dac_override,-dac_read_search --inh-caps=-all"
            : "exec";
        using CliProcess process = CliProcess.StartIn(before, [command, .. args]);
        return process.End();
    }

    private static bool CanMount(string space)
    {
        using Process probe = Process.Start(
            new ProcessStartInfo("bash", ["-c", $"{space} bash -c 'mount -t tmpfs none /mnt' 2>/dev/null"])
        )!;
        probe.WaitForExit();
        return probe.ExitCode == 0;
    }

    private string At(string name) => Path.Combine(_directory, name);
}
