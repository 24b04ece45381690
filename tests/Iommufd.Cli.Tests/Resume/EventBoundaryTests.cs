using System.Text.Json.Nodes;
using Iommufd.Persistence;

namespace Iommufd.Cli.Tests.Resume;

/// <summary>A run that was killed after any of its events goes on: a seeded one to the very same journal, any other to a good end.</summary>
public sealed class EventBoundaryTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("iommufd-boundary-").FullName;

    // Every third event here, every event in the nightly.
    private static int Step => Environment.GetEnvironmentVariable("IOMMUFD_KILLS") is null ? 3 : 1;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_seeded_run_killed_at_any_event_ends_with_the_same_journal()
    {
        JsonObject whole = Run();
        List<string> rows = JournalRows.Of(At("whole.db"));
        Assert.InRange(rows.Count, 60, 200);
        for (int events = 1; events < rows.Count; events++)
        {
            JournalRows.CopyFirst(At("whole.db"), At("killed.db"), events);
            CliRun resumed = CliRun.Of("resume", At("killed.db"), "--output", "json");
            Assert.True(resumed.ExitCode == ExitCode.Success, $"killed after {events} events: {resumed.Error}");
            Assert.Equal((string)whole["state"]!["digest"]!, (string)resumed.Json()["state"]!["digest"]!);
            Assert.Equal((string)whole["journal"]!["sha256"]!, (string)resumed.Json()["journal"]!["sha256"]!);
            Assert.Equal(rows, JournalRows.Of(At("killed.db")));
            Clean();
        }
    }

    [Fact]
    public void A_run_without_a_seed_killed_at_any_event_keeps_what_it_had_and_ends_well()
    {
        Run();
        JournalRows.ForgetSeed(At("whole.db"));
        List<string> rows = JournalRows.Of(At("whole.db"));
        for (int events = 1; events < rows.Count; events += Step)
        {
            JournalRows.CopyFirst(At("whole.db"), At("killed.db"), events);
            CliRun resumed = CliRun.Of("resume", At("killed.db"), "--output", "json");
            Assert.True(
                resumed.ExitCode == ExitCode.Success,
                $"killed after {events} events: {resumed.Error}{resumed.Out}"
            );
            Assert.Equal(rows.Take(events), JournalRows.Of(At("killed.db")).Take(events));
            CliRun replay = CliRun.Of("replay", At("killed.db"), "--verify", "--output", "json");
            Assert.True(
                replay.ExitCode == ExitCode.Success,
                $"killed after {events} events: {replay.Out}{replay.Error}"
            );
            Assert.Equal((string)resumed.Json()["state"]!["digest"]!, (string)replay.Json()["state"]!["digest"]!);
            using (JournalFile journal = JournalFile.Open(At("killed.db")))
            {
                Assert.Equal(4, journal.ReadRun()!.FinishedClients.Count);
                Assert.All(JournalReplay.Run(journal).Contexts.Values, c => Assert.NotNull(c.ClosedWith));
            }

            Clean();
        }
    }

    private JsonObject Run()
    {
        CliRun run = CliRun.Of(
            "run",
            SmallScenario.File,
            "--seed",
            "5",
            "--journal",
            At("whole.db"),
            "--output",
            "json"
        );
        Assert.True(run.ExitCode == ExitCode.Success, run.Out + run.Error);
        return run.Json();
    }

    private void Clean()
    {
        foreach (string part in new[] { "killed.db", "killed.db-wal", "killed.db-shm" })
        {
            File.Delete(At(part));
        }
    }

    private string At(string name) => Path.Combine(_directory, name);
}

/// <summary>The scenario of the tests of this folder.</summary>
internal static class SmallScenario
{
    /// <summary>Where it is.</summary>
    public static string File { get; } = Path.Combine(AppContext.BaseDirectory, "Resume", "small.yaml");
}
