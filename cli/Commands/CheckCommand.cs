using System.CommandLine;
using Iommufd.Cli.Output;
using Iommufd.Scenarios;
using Iommufd.Scenarios.Language;
using Iommufd.Scenarios.Language.Sections;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd check</c>: validates a scenario without running it, and says what it is.</summary>
internal static class CheckCommand
{
    public static Command Create(Streams streams)
    {
        Argument<string> scenario = ScenarioOptions.Scenario();
        Option<string[]> set = ScenarioOptions.Set();
        var command = new Command("check", "Validates a scenario without running it.") { scenario, set };
        command.SetAction(parsed =>
            Check(parsed.GetRequiredValue(scenario), ScenarioOptions.Settings(parsed.GetValue(set)), streams)
        );
        return command;
    }

    private static int Check(string name, IReadOnlyList<KeyValuePair<string, string>> settings, Streams streams)
    {
        ScenarioText text = ShippedScenarios.Open(name);
        Scenario scenario = text.Bind(settings, seed: 1);
        TextWriter output = streams.Out;
        output.WriteLine($"{text.Name}: {text.Title}");
        if (text.Description.Length > 0)
        {
            output.WriteLine();
            output.WriteLine(text.Description);
        }

        output.WriteLine();
        output.WriteLine(
            $"{Counted(scenario.ClientCount, "client")}, {Counted(scenario.Machine.DeviceCount, "device")}, "
                + $"{Counted(scenario.Machine.Units.Count, "IOMMU unit")}"
        );
        foreach (Parameter parameter in text.Parameters)
        {
            string value =
                scenario.Parameters.TryText(parameter.Name, out string word) ? word
                : scenario.Parameters.TryNumber(parameter.Name, out Int128 number) ? $"{number}"
                : string.Empty;
            output.WriteLine($"  --set {parameter.Name}={value, -14} {parameter.Summary}");
        }

        return ExitCode.Success;
    }

    private static string Counted(long count, string noun) => count == 1 ? $"1 {noun}" : $"{count} {noun}s";
}
