using System.Text.Json.Nodes;
using Iommufd.Messages.Events;
using Iommufd.Persistence;

namespace Iommufd.Cli.Tests.Resume;

/// <summary>What is done with a journal that was cut, overwritten, or written by a later version: it is refused, with its name and the cause.</summary>
public sealed class DamagedJournalTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("iommufd-damage-").FullName;

    public DamagedJournalTests()
    {
        CliRun run = CliRun.Of("run", SmallScenario.File, "--seed", "5", "--journal", At("whole.db"));
        Assert.True(run.ExitCode == ExitCode.Success, run.Out + run.Error);
    }

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Theory]
    [InlineData(0.9)]
    [InlineData(0.5)]
    [InlineData(0.1)]
    public void A_file_that_was_cut_is_refused(double left)
    {
        byte[] whole = File.ReadAllBytes(At("whole.db"));
        File.WriteAllBytes(At("cut.db"), whole[..(int)(whole.Length * left)]);
        foreach (string command in (string[])["replay", "resume", "inspect", "reexecute"])
        {
            CliRun run = CliRun.Of(command, At("cut.db"));
            Assert.True(run.ExitCode == ExitCode.BadInput, $"{command}: {run.ExitCode} {run.Out}{run.Error}");
            Assert.StartsWith($"{At("cut.db")}:1:1: error: ", run.Error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Overwritten_bytes_are_refused_or_change_nothing()
    {
        byte[] whole = File.ReadAllBytes(At("whole.db"));
        string digest = Digest(At("whole.db"))!;
        var random = new Random(1);
        int refused = 0;
        for (int i = 0; i < 150; i++)
        {
            byte[] damaged = [.. whole];
            int at = random.Next(damaged.Length);
            int length = random.Next(1, 32);
            random.NextBytes(damaged.AsSpan(at, Math.Min(length, damaged.Length - at)));
            File.WriteAllBytes(At("damaged.db"), damaged);
            CliRun run = CliRun.Of("replay", At("damaged.db"), "--verify", "--output", "json");
            string what = $"{length} bytes at {at}: {run.ExitCode} {run.Error}{run.Out}";
            Assert.True(run.ExitCode is ExitCode.Success or ExitCode.CheckFailed or ExitCode.BadInput, what);
            Assert.True(run.ExitCode != ExitCode.Success || (string)run.Json()["state"]!["digest"]! == digest, what);
            Assert.True(
                run.ExitCode != ExitCode.BadInput || run.Error.StartsWith(At("damaged.db"), StringComparison.Ordinal),
                what
            );
            refused += run.ExitCode == ExitCode.Success ? 0 : 1;
        }

        Assert.True(refused > 30, $"{refused} of 150 were noticed");
    }

    [Fact]
    public void Of_a_seeded_run_verify_names_the_event_that_was_changed_and_the_objects_that_differ()
    {
        JsonObject? changed = null;
        foreach ((long ordering, AreaMapped mapped) in Maps(At("whole.db")))
        {
            // Not every area is still there when a digest is recorded.
            File.Copy(At("whole.db"), At("changed.db"), overwrite: true);
            string payload = Convert.ToHexString(EventPayload.ToBytes(mapped with { UserVa = mapped.UserVa + 0x1000 }));
            JournalRows.Change(
                At("changed.db"),
                $"UPDATE event_journal SET payload = x'{payload}' WHERE ordering = {ordering}"
            );
            CliRun run = CliRun.Of("replay", At("changed.db"), "--verify", "--output", "json");
            if (run.ExitCode == ExitCode.CheckFailed)
            {
                changed = run.Json()["changed"]!.AsObject();
                break;
            }
        }

        Assert.NotNull(changed);
        Assert.Contains(nameof(AreaMapped), (string)changed["executed"]!, StringComparison.Ordinal);
        JsonNode differs = changed["objects"]!.AsArray().First()!;
        Assert.NotEqual(differs["journal"]!.ToJsonString(), differs["run"]!.ToJsonString());
    }

    private static List<(long Ordering, AreaMapped Mapped)> Maps(string path)
    {
        using JournalFile journal = JournalFile.Open(path);
        return
        [
            .. journal
                .Streams()
                .SelectMany(s => journal.Read(s))
                .Where(e => e.Event is AreaMapped)
                .Select(e => (e.Ordering, (AreaMapped)e.Event)),
        ];
    }

    [Fact]
    public void A_journal_of_a_newer_version_is_refused_by_every_command()
    {
        using (JournalFile journal = JournalFile.Open(At("whole.db")))
        {
            RunStarted newer = journal.ReadRun()!.Started with { Version = EventTypes.Version + 1 };
            string payload = Convert.ToHexString(EventPayload.ToBytes(newer));
            File.Copy(At("whole.db"), At("newer.db"));
            JournalRows.Change(At("newer.db"), $"UPDATE event_journal SET payload = x'{payload}' WHERE ordering = 1");
        }

        string[][] commands =
        [
            ["replay", At("newer.db")],
            ["inspect", At("newer.db")],
            ["resume", At("newer.db")],
            ["reexecute", At("newer.db")],
            ["diff", At("whole.db"), At("newer.db")],
        ];
        foreach (string[] command in commands)
        {
            CliRun run = CliRun.Of(command);
            Assert.Equal((ExitCode.BadInput, ""), (run.ExitCode, run.Out));
            Assert.StartsWith(
                $"{At("newer.db")}:1:1: error: written by a newer version: its events are of version {EventTypes.Version + 1}",
                run.Error,
                StringComparison.Ordinal
            );
        }
    }

    private static string? Digest(string file) =>
        (string?)CliRun.Of("replay", file, "--output", "json").Json()["state"]!["digest"];

    private string At(string name) => Path.Combine(_directory, name);
}
