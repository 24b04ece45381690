using Iommufd.Core.Faults;
using Iommufd.Scenarios.Soak;
using Spectre.Console;

namespace Iommufd.Cli.Output;

/// <summary>A soak's result as text: what ran, what was found and how to repeat it, what was never reached.</summary>
internal static class SoakText
{
    private const int FailuresShown = 20;

    public static void Write(NthOutcome outcome, Streams streams)
    {
        IAnsiConsole console = streams.ResultConsole();
        console.WriteLine();
        var table = new Table()
            .Border(TableBorder.None)
            .AddColumn("operation")
            .AddColumn(new TableColumn("operations").RightAligned())
            .AddColumn(new TableColumn("points failed").RightAligned());
        foreach (NthRow row in outcome.Rows)
        {
            table.AddRow(new Text(row.Operation), new Text($"{row.Operations}"), new Text($"{row.Points}"));
        }

        console.Write(table);
    }

    public static void Write(SoakSubject subject, SoakOutcome outcome, Streams streams)
    {
        IAnsiConsole console = streams.ResultConsole();
        SoakTotals totals = outcome.Totals;
        string verdict =
            totals.Failures.Count > 0 ? "[red]failed[/]"
            : outcome.IsComplete ? "[green]ok[/]"
            : "[yellow]cut short[/]";
        string names = string.Join(", ", subject.Scenarios);
        console.MarkupLine(
            FormattableString.Invariant(
                $"[bold]soak of {Markup.Escape(names)}[/]: {verdict} in {outcome.Elapsed.TotalSeconds:0.0} s"
            )
        );
        console.WriteLine();
        var grid = new Grid().AddColumn(new GridColumn().Width(12)).AddColumn(new GridColumn());
        Add("runs", $"{Figures.Count(totals.Runs)}, {outcome.RunsPerSecond:0.#}/s; {totals.Failures.Count} failed");
        Add("operations", $"{Figures.Count(totals.Operations)}");
        Add("checks", $"{Figures.Count(totals.InvariantsChecked)} invariants");
        if (subject.Faults is { } plan)
        {
            Add(
                "faults",
                $"{plan}: {Figures.Count(totals.Injected)} injected at {totals.PointsCovered.Count} of {FaultPoints.All.Count} points"
            );
            AddMissing("never struck", totals.PointsMissing);
        }

        AddMissing("never seen", totals.SightsMissing);
        console.Write(grid);
        foreach (SeedFailure failure in totals.Failures.Take(FailuresShown))
        {
            console.WriteLine();
            console.MarkupLine($"[red]{Markup.Escape(failure.Check)}[/] {Markup.Escape(failure.What)}");
            console.WriteLine($"  {failure.Replay}");
        }

        if (totals.Failures.Count > FailuresShown)
        {
            console.WriteLine($"and {totals.Failures.Count - FailuresShown} more");
        }

        void Add(string name, FormattableString value) =>
            grid.AddRow(new Text(name), new Text(FormattableString.Invariant(value)));

        void AddMissing(string name, IReadOnlyList<string> missing)
        {
            if (missing.Count > 0)
            {
                grid.AddRow(new Text(name), new Text(string.Join(", ", missing)));
            }
        }
    }
}
