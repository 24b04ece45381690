using System.CommandLine;
using System.Text.Json.Nodes;
using Iommufd.Bench;
using Iommufd.Bench.Actors;
using Iommufd.Bench.Flow;
using Iommufd.Bench.Iopte;
using Iommufd.Bench.Iova;
using Iommufd.Bench.Journal;
using Iommufd.Bench.Scale;
using Iommufd.Cli.Output;
using Iommufd.Scenarios.Language;
using Spectre.Console;

namespace Iommufd.Cli.Commands;

/// <summary><c>iommufd bench</c>: the built-in benchmarks, each beside its peer.</summary>
internal static class BenchCommand
{
    private static readonly (string Area, Func<IEnumerable<BenchRow>> Run)[] Areas =
    [
        ("actors", ActorBenchmarks.All),
        ("iopte", IopteBenchmarks.Run),
        ("iova", IovaBenchmarks.Run),
        ("journal", JournalBenchmarks.Run),
        ("flow", FlowBenchmarks.Run),
        ("scale", ScaleBenchmarks.Run),
    ];

    public static Command Create(Streams streams)
    {
        string[] names = [.. Areas.Select(a => a.Area)];
        var areas = new Argument<string[]>("AREA")
        {
            Description = $"What to measure: {string.Join(", ", names)}; all when left out.",
            Arity = ArgumentArity.ZeroOrMore,
        };
        var plots = new Option<string?>("--plots")
        {
            Description = "A folder that gets the pictures of the area scale, as SVG.",
        };
        Option<string> output = ScenarioOptions.Output();
        var command = new Command("bench", "Runs the built-in benchmarks: our figures beside those of their peers.")
        {
            areas,
            plots,
            output,
        };
        command.SetAction(parsed =>
            Run(
                parsed.GetValue(areas) ?? [],
                parsed.GetValue(plots),
                ScenarioOptions.IsJson(parsed.GetValue(output)),
                streams
            )
        );
        return command;
    }

    private static int Run(string[] wanted, string? plots, bool isJson, Streams streams)
    {
        string[] names = [.. Areas.Select(a => a.Area)];
        if (wanted.FirstOrDefault(w => !names.Contains(w)) is { } unknown)
        {
            throw new BadInputException(unknown, $"no benchmark '{unknown}'{NearestWord.Hint(unknown, names)}");
        }

        if (plots is not null && !Directory.Exists(plots))
        {
            throw new BadInputException(plots, "no such folder");
        }

        var rows = new List<BenchRow>();
        foreach ((string area, Func<IEnumerable<BenchRow>> run) in Areas)
        {
            if (wanted.Length == 0 || wanted.Contains(area))
            {
                streams.Error.WriteLine($"measuring {area} …");
                rows.AddRange(run());
            }
        }

        foreach (string file in plots is null ? [] : ScalePlots.Write(rows, plots))
        {
            streams.Error.WriteLine($"written: {file}");
        }

        if (isJson)
        {
            streams.WriteJson(new JsonObject { ["results"] = new JsonArray([.. rows.Select(Json)]) });
        }
        else
        {
            streams.ResultConsole().Write(Table(rows));
        }

        return ExitCode.Success;
    }

    private static JsonObject Json(BenchRow row) =>
        new()
        {
            ["area"] = row.Area,
            ["name"] = row.Name,
            ["unit"] = row.Unit,
            ["value"] = row.Value,
            ["peer"] = row.Peer,
            ["peerValue"] = row.PeerValue,
            ["ratio"] = row.Ratio,
        };

    private static Table Table(List<BenchRow> rows)
    {
        Table table = new Table().Border(TableBorder.Simple).AddColumn("area").AddColumn("benchmark");
        table.AddColumn(new TableColumn("ours").RightAligned()).AddColumn("unit").AddColumn("peer");
        table.AddColumn(new TableColumn("its").RightAligned()).AddColumn(new TableColumn("ratio").RightAligned());
        foreach (BenchRow row in rows)
        {
            table.AddRow(
                Markup.Escape(row.Area),
                Markup.Escape(row.Name),
                Figures.Measured(row.Value),
                Markup.Escape(row.Unit),
                Markup.Escape(row.Peer),
                Figures.Measured(row.PeerValue),
                Figures.Measured(row.Ratio)
            );
        }

        return table;
    }
}
