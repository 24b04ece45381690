using Iommufd.Scenarios;
using Iommufd.Scenarios.Runner;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Iommufd.Cli.Output;

/// <summary>Shows a run while it goes on: a live table on a terminal, nothing in a pipe.</summary>
internal static class RunProgress
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(200);

    public static async Task<RunReport> ShowAsync(
        Scenario scenario,
        Streams streams,
        Func<Action<RunMetrics>?, Task<RunReport>> run
    )
    {
        if (!streams.ErrorIsTerminal)
        {
            return await run(null).ConfigureAwait(false);
        }

        IAnsiConsole console = streams.ProgressConsole();
        RunReport? report = null;
        await console
            .Live(new Text(scenario.Title))
            .AutoClear(true)
            .StartAsync(async live =>
            {
                RunMetrics? metrics = null;
                // The run may need this thread for itself (a seed), so the display has one of its own.
                Task<RunReport> running = Task.Run(() => run(m => Volatile.Write(ref metrics, m)));
                while (!running.IsCompleted)
                {
                    if (Volatile.Read(ref metrics) is { } counted)
                    {
                        live.UpdateTarget(Picture(scenario, counted));
                    }

                    await Task.WhenAny(running, Task.Delay(Refresh)).ConfigureAwait(false);
                }

                report = await running.ConfigureAwait(false);
            })
            .ConfigureAwait(false);
        return report!;
    }

    private static IRenderable Picture(Scenario scenario, RunMetrics metrics)
    {
        double seconds = Math.Max(1e-9, metrics.Clock() / 1e9);
        var grid = new Grid().AddColumn(new GridColumn().Width(12)).AddColumn(new GridColumn());
        grid.AddRow(new Markup($"[bold]{Markup.Escape(scenario.Name)}[/]"), new Text(scenario.Title));
        Add("clients", $"{Figures.Count(metrics.EndedClients)} of {Figures.Count(scenario.ClientCount)} ended");
        Add(
            "operations",
            $"{Figures.Count(metrics.Operations)}, {Figures.Count(metrics.Operations / seconds)}/s, {Figures.Count(metrics.Failed)} with an errno"
        );
        Add(
            "DMA",
            $"{Figures.Count((double)metrics.Dma.Translations)} translations, {Figures.Count(metrics.Dma.Translations / seconds)}/s, {Figures.Count((double)metrics.Dma.Faults)} faults"
        );
        Add("invariants", $"{Figures.Count(metrics.InvariantsChecked)} checked, {metrics.InvariantsViolated} violated");
        Add("time", $"{seconds:0.0} s");
        return grid;

        void Add(string name, FormattableString value) =>
            grid.AddRow(new Text(name), new Text(FormattableString.Invariant(value)));
    }
}
