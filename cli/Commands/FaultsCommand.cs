using System.CommandLine;
using System.Text.Json.Nodes;
using Iommufd.Cli.Output;
using Iommufd.Core.Faults;
using Iommufd.Scenarios.Faults;
using Spectre.Console;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd faults</c>: lists what can be made to fail, and the plans that do.</summary>
internal static class FaultsCommand
{
    public static Command Create(Streams streams)
    {
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("faults", "Lists the fault points and the shipped fault plans.") { output };
        command.SetAction(parsed =>
        {
            FaultPlan[] plans = [.. ShippedFaultPlans.Names.Select(ShippedFaultPlans.Open)];
            if (ScenarioOptions.IsJson(parsed.GetValue(output)))
            {
                streams.WriteJson(Json(plans));
            }
            else
            {
                Write(streams.ResultConsole(), plans);
            }

            return ExitCode.Success;
        });
        return command;
    }

    private static JsonObject Json(FaultPlan[] plans) =>
        new()
        {
            ["points"] = new JsonArray(
                [
                    .. FaultPoints.All.Select(p => new JsonObject
                    {
                        ["name"] = p.Name,
                        ["effect"] = Word(p.Effect),
                        ["errnos"] = new JsonArray([.. p.Explains.Select(e => JsonValue.Create(e.ToString()))]),
                        ["description"] = p.Description,
                    }),
                ]
            ),
            ["plans"] = new JsonArray(
                [.. plans.Select(p => new JsonObject { ["name"] = p.Name, ["title"] = p.Title })]
            ),
        };

    private static void Write(IAnsiConsole console, FaultPlan[] plans)
    {
        var points = new Table().Border(TableBorder.None).AddColumns("fault point", "effect", "errno", "what fails");
        foreach (FaultPoint point in FaultPoints.All)
        {
            points.AddRow(
                new Text(point.Name),
                new Text(Word(point.Effect)),
                new Text(string.Join(' ', point.Explains)),
                new Text(point.Description)
            );
        }

        console.Write(points);
        console.WriteLine();
        var shipped = new Table().Border(TableBorder.None).AddColumns("plan", "what it does");
        foreach (FaultPlan plan in plans)
        {
            shipped.AddRow(new Text(plan.Name), new Text(plan.Title));
        }

        console.Write(shipped);
    }

    private static string Word(FaultEffect effect) => effect.ToString().ToLowerInvariant();
}
