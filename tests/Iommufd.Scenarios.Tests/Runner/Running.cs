using Iommufd.Persistence;
using Iommufd.Scenarios.Runner;
using Iommufd.Scenarios.Tests.Language;

namespace Iommufd.Scenarios.Tests.Runner;

/// <summary>Short ways to run scenarios in tests.</summary>
internal static class Running
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>Runs the steps of one client under a seed.</summary>
    public static RunReport Steps(string steps, ulong seed = 1) => Text(Texts.WithSteps(steps), seed);

    /// <summary>Runs a scenario under a seed, or on all cores.</summary>
    public static RunReport Text(string text, ulong? seed = 1, params (string Name, string Value)[] settings) =>
        Scenario(Texts.Bound(text, settings), seed);

    public static RunReport Scenario(
        Scenario scenario,
        ulong? seed,
        TimeSpan? deadline = null,
        CancellationToken stop = default
    )
    {
        var options = new RunOptions(seed, deadline, new SimulatedRunHost(null, Durability.Memory));
        Task<RunReport> run = Task.Run(() => ScenarioRunner.RunAsync(scenario, options, null, stop));
        Assert.True(run.Wait(Limit), "the run did not end");
        return run.Result;
    }
}
