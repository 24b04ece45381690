using System.Globalization;
using System.Net;
using System.Text;
using Iommufd.Messages;
using Iommufd.Scenarios.Runner;

namespace Iommufd.Scenarios.Reports;

/// <summary>
/// A run's report as one HTML file: no script, no outside resource, readable in light and dark. Plots are inline SVG
/// (<see cref="SvgPlots"/>).
/// </summary>
public static class HtmlReport
{
    /// <summary>Writes the report.</summary>
    public static string Of(RunReport report)
    {
        var page = new StringBuilder();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
        page.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        page.Append(CultureInfo.InvariantCulture, $"<title>iommufd run {Text(report.Scenario)}</title>");
        page.Append("<style>").Append(Style).Append("</style></head><body>\n");
        page.Append(CultureInfo.InvariantCulture, $"<h1>{Text(report.Title)}</h1>\n");
        page.Append(Verdict(report));
        page.Append(Cards(report));
        page.Append(Section("Operations over time", SvgPlots.Timeline(report.Timeline)));
        page.Append(
            Section("Errnos", SvgPlots.Bars([.. report.ByErrno.Select(e => (e.Errno.ToString(), (double)e.Count))]))
        );
        page.Append(Section("Operations", Operations(report)));
        page.Append(
            Section(
                "DMA by device",
                SvgPlots.Bars(
                    [.. report.DmaByDevice.Take(64).Select(d => (d.Name, (double)d.Totals.Translations))],
                    [.. report.DmaByDevice.Take(64).Select(d => (double)d.Totals.Faults)]
                ) + More(report.DmaByDevice.Count)
            )
        );
        page.Append(Section("Invariants", Invariants(report)));
        if (report.FailedExpectations > 0)
        {
            page.Append(Section("What did not hold", Failures(report)));
        }

        page.Append(Section("Journal and repetition", Journal(report)));
        page.Append("</body></html>\n");
        return page.ToString();
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Section(string title, string content) =>
        $"<section><h2>{Text(title)}</h2>\n{content}</section>\n";

    private static string Verdict(RunReport report)
    {
        (string kind, string word) =
            report.StopReason is { } reason ? ("cut", $"cut short: {reason}")
            : report.Ok ? ("ok", "every check held")
            : ("bad", "a check failed");
        string schedule = report.Seed is { } seed ? $"seed {seed}" : "on all cores";
        return $"<p class=\"verdict {kind}\">{Text(word)}</p><p>{Text(report.Scenario)}, {schedule}, "
            + $"{Seconds(report.Duration.TotalSeconds)}, {Text(report.Runtime)} actors</p>\n";
    }

    private static string Cards(RunReport report)
    {
        var cards = new StringBuilder("<div class=\"cards\">");
        Card("devices", Count(report.Devices), $"{Count(report.Contexts)} contexts");
        Card("operations", Count(report.Operations), $"{Count(report.PerSecond(report.Operations))} a second");
        Card("with an errno", Count(report.Failed), $"{report.ByErrno.Count(e => e.Errno != Errno.OK)} different");
        Card(
            "DMA translations",
            Count(report.Dma.Translations),
            $"{Count(report.PerSecond(report.Dma.Translations))} a second"
        );
        Card("DMA faults", Count(report.Dma.Faults), $"{report.Dma.Violations} violations");
        Card("invariants checked", Count(report.InvariantsChecked), $"{report.InvariantsViolated} violated");
        Card(
            "memory",
            $"{report.PeakBytes / (1024.0 * 1024.0):0.#} MiB",
            $"{Count(report.BytesPerDevice)} bytes a device"
        );
        return cards.Append("</div>\n").ToString();

        void Card(string name, string value, FormattableString beside) =>
            cards
                .Append("<div><span>")
                .Append(Text(name))
                .Append("</span><b>")
                .Append(Text(value))
                .Append("</b><span>")
                .Append(Text(FormattableString.Invariant(beside)))
                .Append("</span></div>");
    }

    private static string Operations(RunReport report)
    {
        var table = new StringBuilder("<table><tr><th>operation<th>count<th>with an errno<th>median<th>99 %</tr>\n");
        foreach (StepMetrics step in report.Steps)
        {
            table.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{Text(step.Name)}<td>{Count(step.Count)}<td>{Count(step.Failed)}<td>{Seconds(step.Latency(0.5) / 1e9)}<td>{Seconds(step.Latency(0.99) / 1e9)}</tr>\n"
            );
        }

        return table.Append("</table>\n").ToString();
    }

    private static string Invariants(RunReport report)
    {
        string text = $"<p>{Count(report.InvariantsChecked)} checked, {Count(report.InvariantsViolated)} violated.</p>";
        return report.FirstViolation is { } first
            ? text + $"<p class=\"bad\">{Text(first.Invariant)} at {Text(first.Where)}: {Text(first.What)}</p>\n"
            : text;
    }

    private static string Failures(RunReport report)
    {
        var table = new StringBuilder("<table><tr><th>where<th>who<th>step<th>expected<th>got</tr>\n");
        foreach (FailedExpectation failure in report.Failures)
        {
            string place = failure.At is { } at ? $"{report.File}:{at}" : report.File;
            table.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{Text(place)}<td>{Text(failure.Client)}<td>{Text(failure.Step)}<td>{Text(failure.Expected)}<td>{Text(failure.Actual)}</tr>\n"
            );
        }

        return table.Append("</table>\n").Append(More(report.FailedExpectations, report.Failures.Count)).ToString();
    }

    private static string Journal(RunReport report)
    {
        string text = report.Journal is { } journal
            ? $"<p>{Count(journal.Events)} events, {Count(journal.Bytes)} bytes, sha256 <code>{journal.Sha256}</code></p>"
                + $"<pre>iommufd replay {Text(journal.Path)} --verify</pre>"
            : "<p>No journal was written.</p>";
        return text
            + $"<p>State digest <code>{Text(report.Digest)}</code></p>"
            + $"<pre>iommufd run {Text(report.Scenario)} --seed {report.Seed ?? 1}</pre>\n";
    }

    private static string More(long all, long shown = 64) =>
        all > shown ? $"<p>and {Count(all - shown)} more</p>" : string.Empty;

    private static string Count(double number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Seconds(double seconds) =>
        seconds switch
        {
            >= 1 => FormattableString.Invariant($"{seconds:0.##} s"),
            >= 1e-3 => FormattableString.Invariant($"{seconds * 1e3:0.##} ms"),
            _ => FormattableString.Invariant($"{seconds * 1e6:0.##} µs"),
        };

    internal const string Style = """
        :root{color-scheme:light dark;--ink:#1b1f24;--soft:#667085;--paper:#fff;--line:#d8dee6;--card:#f5f7fa;
        --ok:#1a7f4b;--bad:#c0392b;--cut:#b7791f;--a:#2f6fde;--b:#d97706}
        @media(prefers-color-scheme:dark){:root{--ink:#e6e9ee;--soft:#98a2b3;--paper:#14171c;--line:#333a45;--card:#1d222a;
        --ok:#4cc38a;--bad:#ff7b6b;--cut:#e3b341;--a:#6ea3ff;--b:#f5a742}}
        body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--paper);max-width:64rem;margin:2rem auto;padding:0 1rem}
        h1{font-size:1.5rem;line-height:1.25}h2{font-size:1.1rem;margin:2rem 0 .5rem}
        .verdict{font-weight:600}.ok{color:var(--ok)}.bad{color:var(--bad)}.cut{color:var(--cut)}
        .cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(9.5rem,1fr));gap:.6rem}
        .cards div{background:var(--card);border-radius:.4rem;padding:.6rem .8rem}
        .cards span{display:block;color:var(--soft);font-size:.85rem}.cards b{font-size:1.25rem}
        table{border-collapse:collapse;width:100%}th,td{text-align:right;padding:.25rem .6rem;border-bottom:1px solid var(--line)}
        th:first-child,td:first-child{text-align:left}th{color:var(--soft);font-weight:500}
        pre{background:var(--card);padding:.6rem .8rem;border-radius:.4rem;overflow:auto}code{word-break:break-all}
        svg{width:100%;height:auto;display:block}svg text{fill:var(--soft);font:11px system-ui,sans-serif}
        .axis{stroke:var(--line)}.good{fill:var(--a)}.errno{fill:var(--b)}
        """;
}
