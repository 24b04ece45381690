using System.Text.Json.Nodes;
using Iommufd.Scenarios.Runner;
using Spectre.Console;

namespace Iommufd.Cli.Output;

/// <summary>Where a run spent its time and allocations, as a table and as JSON.</summary>
internal static class ProfileOutput
{
    private const int Shown = 30;

    /// <summary>Adds the profile to a run's JSON object.</summary>
    public static JsonObject AddTo(JsonObject run, RunProfile? profile)
    {
        if (profile is not null)
        {
            run["profile"] = new JsonArray(
                [
                    .. profile.Steps.Select(s => new JsonObject
                    {
                        ["actor"] = s.Actor,
                        ["step"] = s.Step,
                        ["count"] = s.Count,
                        ["microseconds"] = Math.Round(s.Time.TotalMicroseconds, 1),
                        ["allocatedBytes"] = s.Bytes,
                    }),
                ]
            );
        }

        return run;
    }

    /// <summary>Prints the profile: the steps that took the most time.</summary>
    public static void Write(RunProfile? profile, Streams streams)
    {
        if (profile is null)
        {
            return;
        }

        IReadOnlyList<ProfiledStep> steps = profile.Steps;
        double total = Math.Max(1e-9, steps.Sum(s => s.Time.TotalSeconds));
        var table = new Table()
            .Border(TableBorder.Simple)
            .AddColumn("actor")
            .AddColumn("flow step")
            .AddColumn(new TableColumn("times").RightAligned())
            .AddColumn(new TableColumn("time").RightAligned())
            .AddColumn(new TableColumn("of all").RightAligned())
            .AddColumn(new TableColumn("ns each").RightAligned())
            .AddColumn(new TableColumn("bytes each").RightAligned());
        foreach (ProfiledStep step in steps.Take(Shown))
        {
            table.AddRow(
                new Text(step.Actor),
                new Text(step.Step),
                new Text(Figures.Count(step.Count)),
                new Text(FormattableString.Invariant($"{step.Time.TotalMilliseconds:0.0} ms")),
                new Text(FormattableString.Invariant($"{100 * step.Time.TotalSeconds / total:0.0} %")),
                new Text(FormattableString.Invariant($"{step.Time.TotalNanoseconds / step.Count:0}")),
                new Text(FormattableString.Invariant($"{(double)step.Bytes / step.Count:0}"))
            );
        }

        IAnsiConsole console = streams.ResultConsole();
        console.WriteLine();
        console.Write(table);
    }
}
