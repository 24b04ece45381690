using System.Text.Json.Nodes;
using Iommufd.Messages.Events;
using Iommufd.Persistence;

namespace Iommufd.Cli.Tests.Resume;

/// <summary>resume and reexecute: what they say, and when they refuse.</summary>
public sealed class ResumeTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("iommufd-resume-").FullName;

    public ResumeTests()
    {
        File.Copy(SmallScenario.File, At("mine.yaml"));
        CliRun run = CliRun.Of("run", At("mine.yaml"), "--seed", "5", "--set", "rounds=4", "--journal", At("whole.db"));
        Assert.True(run.ExitCode == ExitCode.Success, run.Out + run.Error);
        JournalRows.CopyFirst(At("whole.db"), At("killed.db"), 40);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void The_scenarios_file_is_not_needed_any_more()
    {
        File.Delete(At("mine.yaml"));
        CliRun resumed = CliRun.Of("resume", At("killed.db"));
        Assert.True(resumed.ExitCode == ExitCode.Success, resumed.Error);
        Assert.Contains("seed 5: executing the run again", resumed.Error, StringComparison.Ordinal);
        Assert.Equal(JournalRows.Of(At("whole.db")), JournalRows.Of(At("killed.db")));
    }

    [Theory]
    [InlineData("strict", null)]
    [InlineData("group", "default")]
    public void Durability_and_faults_of_a_run_are_those_of_its_resumption(string durability, string? faults)
    {
        string[] options =
        [
            "--seed",
            "12",
            "--durability",
            durability,
            .. faults is null ? [] : (string[])["--faults", faults],
        ];
        CliRun run = CliRun.Of(["run", At("mine.yaml"), .. options, "--journal", At("other.db")]);
        Assert.True(run.ExitCode == ExitCode.Success, run.Out + run.Error);
        List<string> rows = JournalRows.Of(At("other.db"));
        foreach (int events in (int[])[7, rows.Count / 2, rows.Count - 1])
        {
            JournalRows.CopyFirst(At("other.db"), At("again.db"), events);
            CliRun resumed = CliRun.Of("resume", At("again.db"));
            Assert.True(resumed.ExitCode == ExitCode.Success, resumed.Out + resumed.Error);
            Assert.Equal(rows, JournalRows.Of(At("again.db")));
        }
    }

    [Fact]
    public void Replay_and_inspect_say_which_run_wrote_the_journal()
    {
        CliRun replay = CliRun.Of("replay", At("killed.db"));
        Assert.Contains(
            $"run     iommufd run {At("mine.yaml")} --seed 5 --set rounds=4 --durability group",
            replay.Out,
            StringComparison.Ordinal
        );
        JsonNode run = CliRun.Of("inspect", At("whole.db"), "--output", "json").Json()["run"]!;
        Assert.Equal(
            (5, "4", "group", true),
            ((int)run["seed"]!, (string)run["set"]!["rounds"]!, (string)run["durability"]!, (bool)run["ended"]!)
        );
        Assert.Equal(EventTypes.Version, (int)run["eventVersion"]!);
    }

    [Fact]
    public void A_run_that_has_ended_is_left_alone()
    {
        List<string> before = JournalRows.Of(At("whole.db"));
        CliRun resumed = CliRun.Of("resume", At("whole.db"));
        Assert.Equal(ExitCode.Success, resumed.ExitCode);
        Assert.Contains("the run has ended; there is nothing to go on with", resumed.Out, StringComparison.Ordinal);
        Assert.Equal(before, JournalRows.Of(At("whole.db")));
    }

    [Fact]
    public void A_run_that_was_stopping_ends_stopping()
    {
        byte[] stopping = EventPayload.ToBytes(new RunStopping("stopped by a signal"));
        JournalRows.Change(
            At("killed.db"),
            "INSERT INTO event_journal (persistence_id, sequence_nr, is_deleted, manifest, timestamp, payload, serializer_id) "
                + $"SELECT '{RunStream.PersistenceId}', max(sequence_nr) + 1, 0, '', 0, x'{Convert.ToHexString(stopping)}', -5 "
                + $"FROM event_journal WHERE persistence_id = '{RunStream.PersistenceId}'"
        );
        CliRun resumed = CliRun.Of("resume", At("killed.db"), "--output", "json");
        Assert.True(resumed.ExitCode == ExitCode.CutShort, resumed.Error);
        Assert.Equal("stopped by a signal", (string)resumed.Json()["stopReason"]!);
        CliRun replay = CliRun.Of("replay", At("killed.db"), "--verify");
        Assert.True(replay.ExitCode == ExitCode.Success, replay.Out + replay.Error);
    }

    [Theory]
    [InlineData("resume")]
    [InlineData("reexecute")]
    public void A_run_that_is_not_the_journals_is_refused_at_the_first_event(string command)
    {
        // Another buffer in one of the events: as if the simulator had changed.
        (long ordering, AreaMapped mapped, JournaledEvent at) = FirstMap(At("killed.db"));
        string payload = Convert.ToHexString(EventPayload.ToBytes(mapped with { Length = mapped.Length + 4096 }));
        JournalRows.Change(
            At("killed.db"),
            $"UPDATE event_journal SET payload = x'{payload}' WHERE ordering = {ordering}"
        );
        List<string> before = JournalRows.Of(At("killed.db"));
        CliRun run = CliRun.Of(command, At("killed.db"));
        Assert.True(run.ExitCode == ExitCode.CheckFailed, run.Error);
        Assert.Contains(nameof(AreaMapped), run.Out + run.Error, StringComparison.Ordinal);
        Assert.Contains(at.PersistenceId, run.Out + run.Error, StringComparison.Ordinal);
        Assert.Equal(before, JournalRows.Of(At("killed.db")));
    }

    [Theory]
    [InlineData("whole.db", "actors")]
    [InlineData("killed.db", "actors")]
    [InlineData("whole.db", "model")]
    [InlineData("killed.db", "model")]
    public void What_was_recorded_is_the_same_when_it_is_executed_again(string journal, string through)
    {
        List<string> before = JournalRows.Of(At(journal));
        CliRun run = CliRun.Of("reexecute", At(journal), "--through", through, "--output", "json");
        Assert.True(run.ExitCode == ExitCode.Success, run.Out + run.Error);
        Assert.True((bool)run.Json()["equal"]!);
        Assert.True((long)run.Json()["compared"]! > 20);
        Assert.Equal(before, JournalRows.Of(At(journal)));
    }

    [Fact]
    public void The_model_names_the_first_event_that_differs()
    {
        (long ordering, AreaMapped mapped, JournaledEvent at) = FirstMap(At("whole.db"));
        ulong[] moved = [.. mapped.Pinned];
        Assert.True(moved.Length >= 4);
        string payload = Convert.ToHexString(EventPayload.ToBytes(mapped with { Pinned = [.. moved, .. moved] }));
        JournalRows.Change(
            At("whole.db"),
            $"UPDATE event_journal SET payload = x'{payload}' WHERE ordering = {ordering}"
        );
        CliRun run = CliRun.Of("reexecute", At("whole.db"), "--through", "model", "--output", "json");
        Assert.True(run.ExitCode == ExitCode.CheckFailed, run.Out + run.Error);
        Assert.Equal(
            (at.PersistenceId, at.SequenceNr),
            ((string)run.Json()["first"]!["stream"]!, (long)run.Json()["first"]!["event"]!)
        );
    }

    [Fact]
    public void A_journal_of_version_1_is_replayed_and_not_resumed()
    {
        JournalRows.Change(
            At("whole.db"),
            $"DELETE FROM event_journal WHERE persistence_id = '{RunStream.PersistenceId}'"
        );
        CliRun replay = CliRun.Of("replay", At("whole.db"), "--verify");
        Assert.True(replay.ExitCode == ExitCode.Success, replay.Error);
        CliRun resume = CliRun.Of("resume", At("whole.db"));
        Assert.Equal(ExitCode.BadInput, resume.ExitCode);
        Assert.Contains("does not say which run wrote it", resume.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_was_killed_before_it_began_is_started_again()
    {
        JournalRows.CopyFirst(At("whole.db"), At("killed.db"), 0);
        CliRun resume = CliRun.Of("resume", At("killed.db"));
        Assert.Equal(ExitCode.BadInput, resume.ExitCode);
        Assert.Contains("its run had not begun", resume.Error, StringComparison.Ordinal);
        CliRun run = CliRun.Of(
            "run",
            At("mine.yaml"),
            "--seed",
            "5",
            "--set",
            "rounds=4",
            "--journal",
            At("killed.db")
        );
        Assert.True(run.ExitCode == ExitCode.Success, run.Error);
        Assert.Equal(JournalRows.Of(At("whole.db")), JournalRows.Of(At("killed.db")));
    }

    // What the kill tests rest on: a journal that lacks, or has changed, what a reply showed does not pass.
    [Fact]
    public void The_check_of_replies_finds_what_is_missing_and_what_was_changed()
    {
        string log = At("replies.log");
        CliRun run = CliRun.Of("run", At("mine.yaml"), "--seed", "5", "--journal", At("logged.db"), "--ack-log", log);
        Assert.True(run.ExitCode == ExitCode.Success, run.Error);
        string[] replies = File.ReadAllLines(log);
        Assert.True(JournalRows.CheckReplies(At("logged.db"), replies) > 20);

        (long ordering, AreaMapped mapped, JournaledEvent at) = FirstMap(At("logged.db"));
        string payload = Convert.ToHexString(EventPayload.ToBytes(mapped with { UserVa = mapped.UserVa ^ 0x1000 }));
        File.Copy(At("logged.db"), At("changed.db"));
        JournalRows.Change(
            At("changed.db"),
            $"UPDATE event_journal SET payload = x'{payload}' WHERE ordering = {ordering}"
        );
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => JournalRows.CheckReplies(At("changed.db"), replies));

        JournalRows.Change(
            At("logged.db"),
            $"DELETE FROM event_journal WHERE persistence_id = '{at.PersistenceId}' "
                + "AND sequence_nr = (SELECT max(sequence_nr) FROM event_journal "
                + $"WHERE persistence_id = '{at.PersistenceId}')"
        );
        Assert.ThrowsAny<Xunit.Sdk.XunitException>(() => JournalRows.CheckReplies(At("logged.db"), replies));
    }

    private static (long Ordering, AreaMapped Mapped, JournaledEvent At) FirstMap(string file)
    {
        using JournalFile journal = JournalFile.Open(file);
        JournaledEvent first = journal
            .Streams()
            .SelectMany(s => journal.Read(s))
            .First(e => e.Event is AreaMapped { Pinned.Length: > 0 });
        return (first.Ordering, (AreaMapped)first.Event, first);
    }

    private string At(string name) => Path.Combine(_directory, name);
}
