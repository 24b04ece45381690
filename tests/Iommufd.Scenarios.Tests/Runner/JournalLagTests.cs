using Iommufd.Messages;
using Iommufd.Messages.Events;
using Iommufd.Persistence;
using Iommufd.Scenarios.Runner;
using Iommufd.Scenarios.Tests.Language;

namespace Iommufd.Scenarios.Tests.Runner;

/// <summary>How far the journal is behind its contexts.</summary>
public sealed class JournalLagTests
{
    [Fact]
    public async Task An_event_waits_from_its_making_until_it_is_durable()
    {
        string folder = Directory.CreateTempSubdirectory("iommufd-lag-").FullName;
        var witness = new Witness();
        using var host = new SimulatedRunHost(Path.Combine(folder, "a.db"), Durability.Group) { Witnesses = [witness] };
        witness.Host = host;

        Scenario scenario = Texts.Bound(Texts.WithSteps("- ioas-alloc: a\n- ioas-alloc: b"));
        RunReport report = await ScenarioRunner.RunAsync(scenario, new RunOptions(1, null, host), null, default);

        Assert.True(report.Ok);
        Assert.True(witness.Lowest >= 1, "an event that was just made waits");
        Assert.Equal(0, host.JournalLag);
        Directory.Delete(folder, recursive: true);
    }

    private sealed class Witness : IJournalWitness
    {
        public IRunHost? Host { get; set; }

        public long Lowest { get; private set; } = long.MaxValue;

        public void Recorded(int context, long sequence, ContextEvent change) =>
            Lowest = Math.Min(Lowest, Host!.JournalLag);

        public void Replied(int context, long sequence, long tag, Errno errno) { }
    }
}
