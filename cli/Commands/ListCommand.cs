using System.CommandLine;
using Iommufd.Cli.Output;
using Iommufd.Scenarios;
using Iommufd.Scenarios.Language;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd list</c>: the shipped scenarios, one line each.</summary>
internal static class ListCommand
{
    public static Command Create(Streams streams)
    {
        var command = new Command("list", "Lists the shipped scenarios, one line each.");
        command.SetAction(_ => List(streams));
        return command;
    }

    private static int List(Streams streams)
    {
        int width = ShippedScenarios.Names.Max(n => n.Length);
        foreach (string name in ShippedScenarios.Names)
        {
            ScenarioText text = ShippedScenarios.Read(name);
            streams.Out.WriteLine($"{name.PadRight(width)}  {text.Title}");
        }

        return ExitCode.Success;
    }
}
