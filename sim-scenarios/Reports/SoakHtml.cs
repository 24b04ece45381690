using System.Globalization;
using System.Net;
using System.Text;
using Iommufd.Core.Faults;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Scenarios.Reports;

/// <summary>A soak's report as one HTML file without script or outside resource.</summary>
public static class SoakHtml
{
    /// <summary>Writes the report.</summary>
    public static string Of(SoakSubject subject, SoakOutcome outcome)
    {
        SoakTotals totals = outcome.Totals;
        string names = string.Join(", ", subject.Scenarios);
        var page = new StringBuilder();
        page.Append("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">");
        page.Append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">");
        page.Append(CultureInfo.InvariantCulture, $"<title>iommufd soak {Text(names)}</title>");
        page.Append("<style>").Append(HtmlReport.Style).Append(Matrix).Append("</style></head><body>\n");
        page.Append(CultureInfo.InvariantCulture, $"<h1>Soak of {Text(names)}</h1>\n");
        (string kind, string verdict) =
            totals.Failures.Count > 0 ? ("bad", $"{totals.Failures.Count} runs failed")
            : outcome.IsComplete ? ("ok", "every check of every run held")
            : ("cut", "not complete; every check so far held");
        page.Append(CultureInfo.InvariantCulture, $"<p class=\"verdict {kind}\">{verdict}</p>\n");
        page.Append(CultureInfo.InvariantCulture, $"<p>Faults: {Text(subject.Faults ?? "none")}</p>\n");
        page.Append(Cards(outcome));
        page.Append(Failures(totals));
        page.Append(Sometimes(totals));
        page.Append(Coverage(totals));
        return page.Append("</body></html>\n").ToString();
    }

    private static string Text(string text) => WebUtility.HtmlEncode(text);

    private static string Count(double number) => number.ToString("#,0", CultureInfo.InvariantCulture);

    private static string Cards(SoakOutcome outcome)
    {
        SoakTotals totals = outcome.Totals;
        var cards = new StringBuilder("<div class=\"cards\">");
        Card("runs", Count(totals.Runs), $"{outcome.RunsPerSecond:0.#} a second");
        Card("failures", Count(totals.Failures.Count), $"of {Count(totals.Runs)} runs");
        Card("operations", Count(totals.Operations), $"{Count(totals.InvariantsChecked)} checks");
        Card("faults injected", Count(totals.Injected), $"{Count(totals.Coverage.Sum(c => c.Reached))} chances");
        Card("fault points", $"{totals.PointsCovered.Count}", $"of {FaultPoints.All.Count} struck");
        return cards.Append("</div>\n").ToString();

        void Card(string name, string value, FormattableString beside) =>
            cards.Append(
                CultureInfo.InvariantCulture,
                $"<div><span>{name}</span><b>{value}</b><span>{FormattableString.Invariant(beside)}</span></div>"
            );
    }

    private static string Failures(SoakTotals totals)
    {
        if (totals.Failures.Count == 0)
        {
            return string.Empty;
        }

        var table = new StringBuilder(
            "<section><h2>Failures</h2><table><tr><th>check<th>seed<th>what<th>repeat</tr>\n"
        );
        foreach (SeedFailure failure in totals.Failures.Take(200))
        {
            table.Append(
                CultureInfo.InvariantCulture,
                $"<tr><td>{Text(failure.Check)}<td>{failure.Seed}<td>{Text(failure.What)}<td><code>{Text(failure.Replay)}</code></tr>\n"
            );
        }

        return table.Append("</table></section>\n").ToString();
    }

    private static string Sometimes(SoakTotals totals)
    {
        var table = new StringBuilder("<section><h2>Seen sometimes</h2><table><tr><th>what<th>times</tr>\n");
        foreach (Sight sight in Sights.All)
        {
            long seen = totals.Sometimes.GetValueOrDefault(sight.Name);
            string mark = seen == 0 ? " class=\"bad\"" : string.Empty;
            table.Append(CultureInfo.InvariantCulture, $"<tr{mark}><td>{Text(sight.Sentence)}<td>{Count(seen)}</tr>\n");
        }

        return table.Append("</table></section>\n").ToString();
    }

    private static string Coverage(SoakTotals totals)
    {
        string[] operations =
        [
            .. totals.Coverage.Select(c => c.Operation).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal),
        ];
        Dictionary<(string, string), FaultCoverage> cells = totals.Coverage.ToDictionary(c => (c.Point, c.Operation));
        var table = new StringBuilder("<section><h2>Fault points and the operations in progress</h2>");
        table.Append("<p>How often a point struck; a dot where it was reached and never struck.</p>");
        table.Append("<div class=\"wide\"><table class=\"matrix\"><tr><th>");
        foreach (string operation in operations)
        {
            table.Append(CultureInfo.InvariantCulture, $"<th><span>{Text(operation)}</span>");
        }

        table.Append("</tr>\n");
        foreach (FaultPoint point in FaultPoints.All)
        {
            bool struck = totals.Coverage.Any(c => c.Point == point.Name && c.Injected > 0);
            table.Append(CultureInfo.InvariantCulture, $"<tr{(struck ? string.Empty : " class=\"bad\"")}>");
            table.Append(CultureInfo.InvariantCulture, $"<td title=\"{Text(point.Description)}\">{point.Name}");
            foreach (string operation in operations)
            {
                cells.TryGetValue((point.Name, operation), out FaultCoverage? cell);
                table
                    .Append("<td>")
                    .Append(
                        cell is null ? string.Empty
                        : cell.Injected == 0 ? "·"
                        : Count(cell.Injected)
                    );
            }

            table.Append("</tr>\n");
        }

        return table.Append("</table></div></section>\n").ToString();
    }

    private const string Matrix = """
        .wide{overflow-x:auto}.matrix{font-size:.8rem;width:auto}.matrix td,.matrix th{padding:.1rem .35rem}
        .matrix th{vertical-align:bottom}.matrix th span{writing-mode:vertical-rl;transform:rotate(180deg)}
        """;
}
