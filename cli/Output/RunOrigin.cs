using System.Globalization;
using System.Text.Json.Nodes;
using Iommufd.Persistence;
using Iommufd.Scenarios;

namespace Iommufd.Cli.Output;

/// <summary>Shows which run wrote a journal.</summary>
internal static class RunOrigin
{
    /// <summary>In two lines: the command that runs the same again, and how the run ended.</summary>
    public static void Write(JournaledRun? run, TextWriter output)
    {
        if (run is null)
        {
            output.WriteLine("run     not recorded (a journal of event version 1)");
            return;
        }

        output.WriteLine($"run     {run.CommandFor(ScenarioOf(run))}");
        output.WriteLine(
            $"        {State(run)}; version {run.Started.Product}, events of version {run.Started.Version}"
        );
    }

    /// <summary>As JSON; null for a journal that does not say.</summary>
    public static JsonObject? Json(JournaledRun? run)
    {
        if (run is null)
        {
            return null;
        }

        var settings = new JsonObject();
        foreach (KeyValuePair<string, string> setting in run.Settings)
        {
            settings[setting.Key] = setting.Value;
        }

        return new JsonObject
        {
            ["scenario"] = run.Started.Scenario,
            ["seed"] = run.Started.IsSeeded ? run.Started.Seed : null,
            ["set"] = settings,
            ["durability"] = run.Started.Durability,
            ["product"] = run.Started.Product,
            ["eventVersion"] = run.Started.Version,
            ["continuations"] = run.Continuations,
            ["finishedClients"] = run.FinishedClientCount,
            ["ended"] = run.Finished is not null,
            ["stopReason"] = run.StopReason,
            ["digest"] = run.Finished?.Digest.ToString("x16", CultureInfo.InvariantCulture),
        };
    }

    /// <summary>The scenario as <c>run</c> takes it: a shipped one by its name, when it is still the one that ran.</summary>
    public static string ScenarioOf(JournaledRun run)
    {
        string name = Path.GetFileNameWithoutExtension(run.Started.Scenario);
        bool isShipped =
            string.Equals(run.Started.Scenario, name + ".yaml", StringComparison.Ordinal)
            && ShippedScenarios.Names.Contains(name)
            && string.Equals(ShippedScenarios.SourceOf(name), run.Started.Text, StringComparison.Ordinal);
        return isShipped ? name : run.Started.Scenario;
    }

    private static string State(JournaledRun run) =>
        (run.Finished, run.StopReason) switch
        {
            (null, _) => "it was killed, or still runs",
            (_, null) => "it ended",
            (_, { } reason) => $"it was cut short: {reason}",
        };
}
