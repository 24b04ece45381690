using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Iommufd.Bench.Scale;

/// <summary>The figures of <see cref="ScaleBenchmarks"/> as pictures: sizes across on a logarithmic axis, cost upwards from 0.</summary>
public static partial class ScalePlots
{
    private const double Width = 640;
    private const double Height = 300;
    private const double Left = 70;
    private const double Right = 20;
    private const double Top = 40;
    private const double Bottom = 50;

    /// <summary>Writes a picture for each of the three figures that were measured; says which files.</summary>
    /// <param name="rows">What was measured; rows of other areas do not count.</param>
    /// <param name="folder">Where to.</param>
    public static IReadOnlyList<string> Write(IReadOnlyList<BenchRow> rows, string folder)
    {
        var written = new List<string>();
        foreach (
            var (file, title, mark, unit, across) in new[]
            {
                (
                    "scale-processor.svg",
                    "Processor time of a device, bound and attached",
                    "processor time",
                    "ns",
                    "devices"
                ),
                ("scale-memory.svg", "Live memory of a device, bound and attached", "live memory", "bytes", "devices"),
                ("scale-map.svg", "MAP and UNMAP of 4K in one IOAS, a pair", "MAP and UNMAP", "ns", "areas"),
            }
        )
        {
            (double Size, double Cost)[] points =
            [
                .. rows.Where(r =>
                        string.Equals(r.Area, "scale", StringComparison.Ordinal)
                        && r.Name.Contains(mark, StringComparison.Ordinal)
                    )
                    .Select(r => (SizeOf(r.Name), r.Value)),
            ];
            if (points.Length > 1)
            {
                var path = Path.Combine(folder, file);
                File.WriteAllText(path, Plot(title, unit, across, points));
                written.Add(path);
            }
        }

        return written;
    }

    /// <summary>One picture.</summary>
    internal static string Plot(string title, string unit, string across, (double Size, double Cost)[] points)
    {
        var low = Math.Log10(points.Min(p => p.Size));
        var high = Math.Log10(points.Max(p => p.Size));
        var most = points.Max(p => p.Cost) * 1.15;
        var least = points[0].Cost;
        var svg = new StringBuilder();
        svg.Append(
            CultureInfo.InvariantCulture,
            $"""
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {Width} {Height}" font-family="sans-serif" font-size="13">
            <rect width="{Width}" height="{Height}" fill="#fff"/>
            <text x="{Left}" y="22" font-size="15">{title}</text>
            <line x1="{Left}" y1="{Y(0):0.#}" x2="{Width - Right}" y2="{Y(0):0.#}" stroke="#444"/>
            <line x1="{Left}" y1="{Top}" x2="{Left}" y2="{Y(0):0.#}" stroke="#444"/>
            <line x1="{Left}" y1="{Y(least * 1.3):0.#}" x2="{Width - Right}" y2="{Y(
                least * 1.3
            ):0.#}" stroke="#bbb" stroke-dasharray="4 4"/>
            <text x="{Width - Right}" y="{Y(least * 1.3)
                - 5:0.#}" text-anchor="end" fill="#888">1.3 times the smallest</text>
            <text x="{Left - 8}" y="{Y(0):0.#}" text-anchor="end">0</text>
            <text x="{Left - 8}" y="{Y(most) + 12:0.#}" text-anchor="end">{unit}</text>
            <text x="{Width - Right}" y="{Height - 10}" text-anchor="end">{across}</text>

            """
        );
        svg.Append("<polyline fill=\"none\" stroke=\"#26c\" stroke-width=\"2\" points=\"");
        svg.AppendJoin(
            ' ',
            points.Select(p => string.Create(CultureInfo.InvariantCulture, $"{X(p.Size):0.#},{Y(p.Cost):0.#}"))
        );
        svg.Append("\"/>\n");
        foreach (var (size, cost) in points)
        {
            svg.Append(
                CultureInfo.InvariantCulture,
                $"""
                <circle cx="{X(size):0.#}" cy="{Y(cost):0.#}" r="4" fill="#26c"/>
                <text x="{X(size):0.#}" y="{Y(cost) - 10:0.#}" text-anchor="middle">{cost:#,0}</text>
                <text x="{X(size):0.#}" y="{Y(0) + 18:0.#}" text-anchor="middle">{size:#,0}</text>

                """
            );
        }

        return svg.Append("</svg>\n").ToString();

        double X(double size) =>
            Left + 30 + ((Math.Log10(size) - low) / Math.Max(1e-9, high - low) * (Width - Left - Right - 80));

        double Y(double cost) => Height - Bottom - (cost / most * (Height - Top - Bottom));
    }

    private static double SizeOf(string name) =>
        double.Parse(Size().Match(name).Groups["size"].Value, CultureInfo.InvariantCulture);

    // The "4K" of a name is not a size.
    [GeneratedRegex(@"\b(?<size>\d{4,})\b", RegexOptions.None, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Size();
}
