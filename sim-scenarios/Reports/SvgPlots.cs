using System.Globalization;
using System.Net;
using System.Text;
using Iommufd.Messages;
using Iommufd.Scenarios.Runner;

namespace Iommufd.Scenarios.Reports;

/// <summary>Plots as inline SVG, coloured by the classes <c>good</c>, <c>errno</c> and <c>axis</c> of the page.</summary>
internal static class SvgPlots
{
    private const double Width = 960;
    private const double Left = 60;
    private const double Height = 220;
    private const double RowHeight = 20;

    /// <summary>Operations in each slice of time: those that succeeded below, those with an errno on top.</summary>
    public static string Timeline(Timeline timeline)
    {
        IReadOnlyList<IReadOnlyDictionary<Errno, long>> slices = timeline.Read(out long width);
        if (slices.Count == 0)
        {
            return "<p>No operation ran.</p>";
        }

        long highest = slices.Max(s => s.Values.Sum());
        double step = (Width - Left) / slices.Count;
        double scale = (Height - 30) / Math.Max(1, highest);
        var svg = Begin(Height, "operations over time");
        for (int i = 0; i < slices.Count; i++)
        {
            long good = slices[i].GetValueOrDefault(Errno.OK);
            long failed = slices[i].Values.Sum() - good;
            double x = Left + i * step;
            string title = string.Join(", ", slices[i].Select(s => $"{s.Key} {s.Value}"));
            Bar(svg, "good", x, Height - 20 - good * scale, step * 0.9, good * scale, title);
            Bar(svg, "errno", x, Height - 20 - (good + failed) * scale, step * 0.9, failed * scale, title);
        }

        Line(svg, Left, Height - 20, Width, Height - 20);
        Label(svg, Left - 6, 16, "end", $"{highest:#,0}");
        Label(svg, Left - 6, Height - 20, "end", $"0");
        Label(svg, Left, Height - 4, "start", $"0 s");
        Label(svg, Width, Height - 4, "end", $"{slices.Count * width / 1e9:0.###} s");
        svg.Append("</svg>");
        return svg.Append(
                CultureInfo.InvariantCulture,
                $"<p>Operations answered in each {width / 1e6:0.#} ms; those that ended with an errno stand on top.</p>\n"
            )
            .ToString();
    }

    /// <summary>Horizontal bars, one row each; the part of each that counts as faults is drawn over it.</summary>
    public static string Bars(IReadOnlyList<(string Name, double Value)> rows, IReadOnlyList<double>? over = null)
    {
        if (rows.Count == 0)
        {
            return "<p>None.</p>";
        }

        const double labels = 170;
        const double values = 110;
        double longest = Math.Max(1, rows.Max(r => r.Value));
        double scale = (Width - labels - values) / longest;
        double height = rows.Count * RowHeight + 4;
        var svg = Begin(height, "bars");
        for (int i = 0; i < rows.Count; i++)
        {
            double y = i * RowHeight + 2;
            (string name, double value) = rows[i];
            string kind =
                over is null && !string.Equals(name, nameof(Errno.OK), StringComparison.Ordinal) ? "errno" : "good";
            Bar(svg, kind, labels, y, Math.Max(1, value * scale), RowHeight - 5, $"{name} {value:#,0}");
            if (over is not null && over[i] > 0)
            {
                Bar(svg, "errno", labels, y, Math.Max(1, over[i] * scale), RowHeight - 5, $"{over[i]:#,0} faults");
            }

            Label(svg, labels - 6, y + 12, "end", $"{WebUtility.HtmlEncode(name)}");
            double end = labels + Math.Max(1, value * scale) + 6;
            if (over is not null && over[i] > 0)
            {
                Label(svg, end, y + 12, "start", $"{value:#,0} ({over[i]:#,0} faults)");
            }
            else
            {
                Label(svg, end, y + 12, "start", $"{value:#,0}");
            }
        }

        return svg.Append("</svg>\n").ToString();
    }

    private static StringBuilder Begin(double height, string title) =>
        new StringBuilder().Append(
            CultureInfo.InvariantCulture,
            $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{title}\">"
        );

    private static void Bar(
        StringBuilder svg,
        string kind,
        double x,
        double y,
        double width,
        double height,
        string title
    )
    {
        if (height > 0)
        {
            svg.Append(
                CultureInfo.InvariantCulture,
                $"<rect class=\"{kind}\" x=\"{x:0.##}\" y=\"{y:0.##}\" width=\"{width:0.##}\" height=\"{height:0.##}\"><title>{WebUtility.HtmlEncode(title)}</title></rect>"
            );
        }
    }

    private static void Line(StringBuilder svg, double x1, double y1, double x2, double y2) =>
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<line class=\"axis\" x1=\"{x1:0.##}\" y1=\"{y1:0.##}\" x2=\"{x2:0.##}\" y2=\"{y2:0.##}\"/>"
        );

    private static void Label(StringBuilder svg, double x, double y, string anchor, FormattableString text) =>
        svg.Append(
            CultureInfo.InvariantCulture,
            $"<text x=\"{x:0.##}\" y=\"{y:0.##}\" text-anchor=\"{anchor}\">{FormattableString.Invariant(text)}</text>"
        );
}
