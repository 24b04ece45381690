using Iommufd.Persistence;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Runner;

namespace Iommufd.Scenarios.Tests.Runner;

/// <summary>The same scenario and seed give the same journal, byte for byte.</summary>
public sealed class DoubleRunTests
{
    private const ulong Seeds = 20;

    [Theory]
    [InlineData("quickstart", "rounds=20")]
    [InlineData("shared-memory", null)]
    [InlineData("mdev-access", "rounds=20")]
    public async Task Twenty_seeds_repeat_byte_for_byte(string scenario, string? setting)
    {
        var journals = new HashSet<string>();
        for (ulong seed = 1; seed <= Seeds; seed++)
        {
            string first = await RunAsync(scenario, setting, seed);
            string second = await RunAsync(scenario, setting, seed);
            Assert.True(first == second, $"{scenario} with seed {seed} gave {first} and then {second}");
            journals.Add(first);
        }

        // Seeds that all gave one journal would not be schedules at all.
        Assert.True(scenario == "shared-memory" || journals.Count > 1, "every seed gave the same journal");
    }

    // One seed each: what they add is in the steps, not in the schedule.
    [Theory]
    [InlineData("demand-paging", "ram=512K")]
    [InlineData("device-hot-unplug", "cycles=2")]
    [InlineData("live-migration", "ram=2M")]
    [InlineData("nested-guest", "rounds=10")]
    [InlineData("nested-guest", "hardware=amd")]
    [InlineData("pasid-sva", "rounds=2")]
    [InlineData("vfio-cdev", "drivers=2")]
    [InlineData("vfio-legacy", "rounds=6")]
    [InlineData("viommu-events", "rounds=2")]
    public async Task A_seed_repeats_byte_for_byte(string scenario, string setting) =>
        Assert.Equal(await RunAsync(scenario, setting, 7), await RunAsync(scenario, setting, 7));

    [Theory]
    [InlineData("demand-paging", "ram=512K")]
    [InlineData("device-hot-unplug", "cycles=2")]
    [InlineData("live-migration", "ram=2M")]
    [InlineData("nested-guest", "hardware=vtd-5-level")]
    [InlineData("pasid-sva", "rounds=2")]
    [InlineData("vfio-cdev", "drivers=2")]
    [InlineData("vfio-legacy", "rounds=6")]
    [InlineData("viommu-events", "rounds=2")]
    [InlineData("quickstart", "rounds=20")]
    [InlineData("vm-fleet", null)]
    [InlineData("shared-memory", null)]
    [InlineData("mdev-access", null)]
    [InlineData("attach-storm", "devices=100")]
    public async Task A_replay_of_the_journal_ends_with_the_digest_of_the_run(string scenario, string? setting)
    {
        string file = Path.Combine(Path.GetTempPath(), $"iommufd-{Guid.NewGuid():n}.db");
        try
        {
            RunReport report = await RunAsync(scenario, setting, seed: null, file);
            Assert.True(report.Ok);
            using var journal = JournalFile.Open(file);
            ReplayReport replay = JournalReplay.Run(journal);
            Assert.Empty(replay.Mismatches);
            Assert.True(replay.Verified > 0);
            Assert.Equal(
                report.Digest,
                replay.Digest.ToString("x16", System.Globalization.CultureInfo.InvariantCulture)
            );
        }
        finally
        {
            Remove(file);
        }
    }

    private static async Task<string> RunAsync(string scenario, string? setting, ulong seed)
    {
        string file = Path.Combine(Path.GetTempPath(), $"iommufd-{Guid.NewGuid():n}.db");
        try
        {
            RunReport report = await RunAsync(scenario, setting, seed, file);
            Assert.True(report.Ok);
            return report.Journal!.Sha256;
        }
        finally
        {
            Remove(file);
        }
    }

    private static async Task<RunReport> RunAsync(string scenario, string? setting, ulong? seed, string file)
    {
        var settings = new List<KeyValuePair<string, string>>();
        if (setting?.Split('=') is [var name, var value])
        {
            settings.Add(new KeyValuePair<string, string>(name, value));
        }

        Scenario bound = ShippedScenarios.Open(scenario).Bind(settings, seed ?? 1);
        var options = new RunOptions(seed, TimeSpan.FromSeconds(60), new SimulatedRunHost(file, Durability.Group));
        return await ScenarioRunner.RunAsync(bound, options, null, CancellationToken.None);
    }

    private static void Remove(string file)
    {
        foreach (string part in new[] { file, file + "-wal", file + "-shm" })
        {
            File.Delete(part);
        }
    }
}
