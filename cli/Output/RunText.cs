using Iommufd.Cli.Commands;
using Iommufd.Messages;
using Iommufd.Persistence;
using Iommufd.Scenarios.Runner;
using Spectre.Console;

namespace Iommufd.Cli.Output;

/// <summary>A run's report as text: what ran, how fast, what was checked, where the journal is.</summary>
internal static class RunText
{
    private const int FailuresShown = 10;
    private const int LabelWidth = 12;

    public static void Write(RunReport report, RunRequest request, Streams streams)
    {
        IAnsiConsole console = streams.ResultConsole();
        string verdict =
            report.StopReason is not null ? "[yellow]cut short[/]"
            : report.Ok ? "[green]ok[/]"
            : "[red]failed[/]";
        console.MarkupLine($"[bold]{Markup.Escape(report.Scenario)}[/]: {Markup.Escape(report.Title)}");
        console.MarkupLine(
            $"{verdict} in {report.Duration.TotalSeconds:0.00} s, {Schedule(report)}{Markup.Escape(Reason(report))}"
        );
        console.WriteLine();
        console.Write(Overview(report));
        console.WriteLine();
        console.Write(Operations(report));
        WriteFailures(report, console);
        WriteExpectedFailure(report, console);
        WriteJournal(report, request, console);
    }

    private static string Schedule(RunReport report) =>
        report.Seed is { } seed ? $"seed {seed}, one thread, virtual time" : $"on {Environment.ProcessorCount} cores";

    private static string Reason(RunReport report) => report.StopReason is { } reason ? $": {reason}" : string.Empty;

    private static Grid Overview(RunReport report)
    {
        var grid = new Grid().AddColumn(new GridColumn().Width(LabelWidth)).AddColumn(new GridColumn());
        Add("machine", $"{Figures.Count(report.Devices)} devices, {Figures.Count(report.Contexts)} contexts");
        Add(
            "operations",
            $"{Figures.Count(report.Operations)}, {Figures.Count(report.PerSecond(report.Operations))}/s; {Errnos(report)}"
        );
        Add(
            "DMA",
            $"{Figures.Count(report.Dma.Translations)} translations, {Figures.Count(report.PerSecond(report.Dma.Translations))}/s; "
                + $"{Figures.Count(report.Dma.Faults)} faults, {report.Dma.Violations} violations of a DMA check"
        );
        if (report.Faults is { } plan && report.FaultCoverage.Sum(c => c.Injected) is var injected and > 0)
        {
            int points = report.FaultCoverage.Where(c => c.Injected > 0).Select(c => c.Point).Distinct().Count();
            Add(
                "faults",
                $"{Figures.Count(injected)} injected at {points} points ({plan}); {Figures.Count(report.Tolerated)} steps ended otherwise"
            );
        }

        Add("invariants", $"{Figures.Count(report.InvariantsChecked)} checked, {report.InvariantsViolated} violated");
        if (report.FirstViolation is { } first)
        {
            Add("  first", $"{first.Invariant} at {first.Where}: {first.What}");
        }

        if (report.HistoryAnswers > 0 || report.HistoriesGivenUp > 0)
        {
            string undecided =
                report.HistoriesGivenUp == 0 ? string.Empty : $", {report.HistoriesGivenUp} IOASes undecided";
            Add(
                "histories",
                $"{Figures.Count(report.HistoryAnswers)} answers have an order that explains them{undecided}"
            );
        }

        Add("memory", $"{Figures.Bytes(report.PeakBytes)} at the peak");
        Add("state", $"digest {report.Digest}");
        return grid;

        void Add(string name, string value) => grid.AddRow(new Text(name), new Text(value));
    }

    private static string Errnos(RunReport report)
    {
        string[] failed =
        [
            .. report.ByErrno.Where(e => e.Errno != Errno.OK).Select(e => $"{e.Errno} {Figures.Count(e.Count)}"),
        ];
        return failed.Length == 0 ? "all succeeded" : string.Join(", ", failed);
    }

    private static Table Operations(RunReport report)
    {
        var table = new Table().Border(TableBorder.Simple);
        table.AddColumn("operation");
        foreach (string column in (string[])["count", "with an errno", "median", "99 %"])
        {
            table.AddColumn(new TableColumn(column).RightAligned());
        }

        foreach (StepMetrics step in report.Steps)
        {
            table.AddRow(
                step.Name,
                Figures.Count(step.Count),
                Figures.Count(step.Failed),
                Figures.Time(step.Latency(0.5)),
                Figures.Time(step.Latency(0.99))
            );
        }

        return table;
    }

    private static void WriteFailures(RunReport report, IAnsiConsole console)
    {
        if (report.FailedExpectations == 0)
        {
            return;
        }

        console.WriteLine();
        foreach (FailedExpectation failure in report.Failures.Take(FailuresShown))
        {
            string place = failure.At is { } at ? $"{report.File}:{at}" : report.File;
            console.WriteLine(
                $"{place}: failed: {failure.Step} of {failure.Client}: expected {failure.Expected}, got {failure.Actual}"
            );
        }

        if (report.FailedExpectations > FailuresShown)
        {
            console.WriteLine($"… and {Figures.Count(report.FailedExpectations - FailuresShown)} more");
        }
    }

    // A scenario that `shrink` saved is there to fail: says whether it still does as it did then.
    private static void WriteExpectedFailure(RunReport report, IAnsiConsole console)
    {
        if (report.ExpectedFailure is not { } expected)
        {
            return;
        }

        console.WriteLine();
        console.WriteLine($"saved with this failure: {expected.Check}: {expected.What}");
        console.WriteLine(
            report.Ok ? "it does not fail any more"
            : report.Seed == expected.Seed ? "it still fails"
            : FormattableString.Invariant($"it fails; the seed it was saved with is {expected.Seed}")
        );
    }

    private static void WriteJournal(RunReport report, RunRequest request, IAnsiConsole console)
    {
        console.WriteLine();
        if (report.Journal is { } journal)
        {
            console.WriteLine(
                $"journal  {journal.Path}: {Figures.Count(journal.Events)} events, {Figures.Bytes(journal.Bytes)}"
            );
            console.WriteLine($"replay   iommufd replay {journal.Path} --verify");
        }

        string settings = string.Concat(request.Settings.Select(s => $" --set {s.Key}={s.Value}"));
        ulong seed = report.Seed ?? 7;
        string why = report.Seed is null ? "repeat   " : "again    ";
        string faults = request.Faults is { } plan ? $" --faults {plan}" : string.Empty;
        string ram = request.Durability == Durability.Ram ? " --durability ram" : string.Empty;
        string blocks = request.DmaBlocks is { } most
            ? FormattableString.Invariant($" --dma-blocks {most}")
            : string.Empty;
        console.WriteLine($"{why}iommufd run {request.Scenario} --seed {seed}{faults}{settings}{blocks}{ram}");
    }
}
