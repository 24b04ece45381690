using Iommufd.Scenarios.Language;

namespace Iommufd.Scenarios.Tests.Language;

/// <summary>Short ways to read scenarios in tests.</summary>
internal static class Texts
{
    public const string Smallest = """
        iommufd: 1
        title: Nothing
        clients:
          - name: c
            steps: []
        """;

    /// <summary>A scenario with one client that has these steps.</summary>
    public static string WithSteps(string steps) =>
        "iommufd: 1\ntitle: t\nmachine:\n  devices:\n    - name: nic-$n\n      index: n\n      count: 8\n"
        + "clients:\n  - name: c\n    steps:\n"
        + string.Concat(steps.Split('\n').Select(l => "      " + l + "\n"));

    /// <summary>Every mistake of a text, as printed, without the file.</summary>
    public static string[] MistakesOf(string text, params (string Name, string Value)[] settings)
    {
        try
        {
            ScenarioText.Read("s.yaml", text).Bind([.. settings.Select(s => KeyValuePair.Create(s.Name, s.Value))], 1);
            return [];
        }
        catch (ScenarioInvalidException invalid)
        {
            return [.. invalid.Mistakes.Select(m => m.ToString()["s.yaml:".Length..])];
        }
    }

    public static Scenario Bound(string text, params (string Name, string Value)[] settings) =>
        ScenarioText.Read("s.yaml", text).Bind([.. settings.Select(s => KeyValuePair.Create(s.Name, s.Value))], 1);
}
