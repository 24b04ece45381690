using Iommufd.Core.Faults;
using Iommufd.Scenarios.Soak;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Iommufd.Cli.Output;

/// <summary>Shows a soak while it goes on: a live table on a terminal; in a pipe only the failures, as they are found.</summary>
internal static class SoakProgressView
{
    private static readonly TimeSpan Refresh = TimeSpan.FromMilliseconds(500);

    public static async Task<SoakOutcome> ShowAsync(SoakRequest request, Streams streams, CancellationToken stop)
    {
        var soak = new SoakRunner(request);
        if (!streams.ErrorIsTerminal)
        {
            return await soak.RunAsync(
                    f => streams.Error.WriteLine($"failed: {f.Check}: {f.What}; repeat: {f.Replay}"),
                    stop
                )
                .ConfigureAwait(false);
        }

        SoakOutcome? outcome = null;
        await streams
            .ProgressConsole()
            .Live(new Text("soak"))
            .AutoClear(true)
            .StartAsync(async live =>
            {
                Task<SoakOutcome> running = soak.RunAsync(failed: null, stop);
                while (!running.IsCompleted)
                {
                    live.UpdateTarget(Picture(request, soak));
                    await Task.WhenAny(running, Task.Delay(Refresh)).ConfigureAwait(false);
                }

                outcome = await running.ConfigureAwait(false);
            })
            .ConfigureAwait(false);
        return outcome!;
    }

    public static async Task<NthOutcome> ShowAsync(NthRunner nth, Streams streams, CancellationToken stop)
    {
        if (!streams.ErrorIsTerminal)
        {
            return await nth.RunAsync(
                    f => streams.Error.WriteLine($"failed: {f.Check}: {f.What}; repeat: {f.Replay}"),
                    stop
                )
                .ConfigureAwait(false);
        }

        NthOutcome? outcome = null;
        await streams
            .ProgressConsole()
            .Live(new Text("nth"))
            .AutoClear(true)
            .StartAsync(async live =>
            {
                Task<NthOutcome> running = nth.RunAsync(failed: null, stop);
                while (!running.IsCompleted)
                {
                    (long done, long all) = nth.Progress;
                    live.UpdateTarget(
                        new Text(
                            FormattableString.Invariant(
                                $"operation {done} of {all}, {nth.Totals.Runs} runs, {nth.Totals.Failures.Count} failures, {nth.Elapsed:hh\\:mm\\:ss}"
                            )
                        )
                    );
                    await Task.WhenAny(running, Task.Delay(Refresh)).ConfigureAwait(false);
                }

                outcome = await running.ConfigureAwait(false);
            })
            .ConfigureAwait(false);
        return outcome!;
    }

    private static IRenderable Picture(SoakRequest request, SoakRunner soak)
    {
        SoakTotals totals = soak.Totals;
        double seconds = Math.Max(1e-9, soak.Elapsed.TotalSeconds);
        var grid = new Grid().AddColumn(new GridColumn().Width(14)).AddColumn(new GridColumn());
        grid.AddRow(
            new Markup("[bold]soak[/]"),
            new Text(
                $"{string.Join(", ", request.Scenarios.Select(s => s.Name))}, faults {request.Faults?.Name ?? "none"}"
            )
        );
        Add("runs", $"{Figures.Count(totals.Runs)}{Of(request)}, {soak.RunsHere / seconds:0.#}/s");
        Add("failures", $"{totals.Failures.Count}");
        Add(
            "faults",
            $"{totals.PointsCovered.Count} of {FaultPoints.All.Count} points, {Figures.Count(totals.Injected)} injected"
        );
        Add("operations", $"{Figures.Count(totals.Operations)}, {Figures.Count(totals.InvariantsChecked)} checks");
        Add("memory", $"{Figures.Bytes(Environment.WorkingSet)}");
        Add("time", $"{soak.Elapsed:hh\\:mm\\:ss}");
        foreach (SeedFailure failure in totals.Failures.TakeLast(5))
        {
            grid.AddRow(new Markup("[red]failed[/]"), new Text($"{failure.Check}: {failure.Replay}"));
        }

        return grid;

        void Add(string name, FormattableString value) =>
            grid.AddRow(new Text(name), new Text(FormattableString.Invariant(value)));
    }

    private static string Of(SoakRequest request) =>
        request.Duration is null ? $" of {Figures.Count(request.Count)}" : string.Empty;
}
