using System.Globalization;
using System.Text.Json.Nodes;
using Xunit.Abstractions;

namespace Iommufd.Cli.Tests.Resume;

/// <summary>
/// The real process, killed with SIGKILL at random points: nothing acknowledged is lost, and the run goes on to the journal that an
/// unkilled run writes. 10 kills; <c>IOMMUFD_KILLS</c> sets another number.
/// </summary>
public sealed class KillTests(ITestOutputHelper output) : IDisposable
{
    private static readonly string[] Scenario = ["quickstart", "--set", "rounds=60", "--set", "ram=2M", "--seed", "3"];

    private readonly string _directory = Directory.CreateTempSubdirectory("iommufd-kill-").FullName;

    private static int Kills =>
        int.TryParse(Environment.GetEnvironmentVariable("IOMMUFD_KILLS"), CultureInfo.InvariantCulture, out int kills)
            ? kills
            : 10;

    public void Dispose() => Directory.Delete(_directory, recursive: true);

    [Fact]
    public void A_killed_run_loses_nothing_acknowledged_and_ends_as_if_it_had_not_been_killed()
    {
        CliRun unkilled = CliRun.Of(["run", .. Scenario, "--journal", At("whole.db"), "--output", "json"]);
        Assert.True(unkilled.ExitCode == ExitCode.Success, unkilled.Error);
        JsonObject whole = unkilled.Json();
        List<string> rows = JournalRows.Of(At("whole.db"));
        int replies = (int)whole["operations"]!["total"]!;
        var random = new Random(Kills);
        int killed = 0;
        int again = 0;
        long checkedReplies = 0;
        for (int round = 1; killed < Kills; round++)
        {
            string file = At($"{round}.db");
            killed += KillOnce(random, replies, ref checkedReplies, "run", [.. Scenario, "--journal", file]);
            if (!File.Exists(file) || JournalRowsOrNone(file).Count == 0)
            {
                // Killed before it had begun: nothing was acknowledged, and it is simply started again.
                CliRun first = CliRun.Of(["run", .. Scenario, "--journal", file, "--output", "json"]);
                Assert.True(first.ExitCode == ExitCode.Success, first.Error);
            }
            else
            {
                while (killed < Kills && random.Next(3) == 0)
                {
                    int more = KillOnce(random, replies, ref checkedReplies, "resume", [file]);
                    (killed, again) = (killed + more, again + more);
                }

                CliRun resumed = CliRun.Of("resume", file, "--output", "json");
                Assert.True(resumed.ExitCode == ExitCode.Success, $"round {round}: {resumed.Error}");
                Assert.Equal((string)whole["state"]!["digest"]!, (string)resumed.Json()["state"]!["digest"]!);
            }

            Assert.True(
                rows.SequenceEqual(JournalRows.Of(file)),
                $"round {round}: the journal is not the unkilled run's"
            );
            File.Delete(file);
        }

        output.WriteLine(
            $"{killed} kills, {again} of them of resumed runs; every run ended with the unkilled run's journal; "
                + $"{checkedReplies} acknowledged operations were all there"
        );
    }

    [Theory]
    [InlineData("group")]
    [InlineData("strict")]
    public void A_killed_run_without_a_seed_loses_nothing_acknowledged_and_ends_well(string durability)
    {
        string[] scenario = ["quickstart", "--set", "rounds=60", "--set", "ram=2M", "--durability", durability];
        var random = new Random(Kills);
        int kills = Math.Max(1, Kills / 10);
        long checkedReplies = 0;
        for (int killed = 0; killed < kills; killed++)
        {
            string file = At($"{killed}.db");
            KillOnce(random, replies: 150, ref checkedReplies, "run", [.. scenario, "--journal", file]);
            if (!File.Exists(file) || JournalRowsOrNone(file).Count == 0)
            {
                continue;
            }

            List<string> before = JournalRows.Of(file);
            CliRun resumed = CliRun.Of("resume", file, "--output", "json");
            Assert.True(resumed.ExitCode == ExitCode.Success, resumed.Error + resumed.Out);
            Assert.Equal(before, JournalRows.Of(file).Take(before.Count));
            CliRun replay = CliRun.Of("replay", file, "--verify", "--output", "json");
            Assert.True(replay.ExitCode == ExitCode.Success, replay.Error + replay.Out);
            Assert.Equal((string)resumed.Json()["state"]!["digest"]!, (string)replay.Json()["state"]!["digest"]!);
        }

        output.WriteLine($"{kills} kills with {durability}; {checkedReplies} acknowledged operations were all there");
    }

    // Kills a process when a random number of replies has left, or a little later; some while they start.
    private int KillOnce(Random random, int replies, ref long checkedReplies, string command, string[] args)
    {
        using CliProcess process = CliProcess.Start([command, .. args]);
        if (random.Next(8) == 0)
        {
            process.Linger(TimeSpan.FromMilliseconds(random.Next(50, 600)));
        }
        else
        {
            process.ReadLines(random.Next(replies));
            for (int spin = random.Next(20_000); spin > 0; spin--)
            {
                Thread.SpinWait(1);
            }
        }

        process.Kill();
        string file = args[^1];
        if (File.Exists(file) && new FileInfo(file).Length > 0)
        {
            checkedReplies += JournalRows.CheckReplies(file, process.Errors);
        }
        else
        {
            Assert.DoesNotContain(process.Errors, e => e.StartsWith("iommufd-", StringComparison.Ordinal));
        }

        return 1;
    }

    private static List<string> JournalRowsOrNone(string file)
    {
        try
        {
            return JournalRows.Of(file);
        }
        catch (Microsoft.Data.Sqlite.SqliteException)
        {
            // No table yet.
            return [];
        }
    }

    private string At(string name) => Path.Combine(_directory, name);
}
