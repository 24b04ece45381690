using System.Globalization;
using System.Runtime.CompilerServices;

namespace Iommufd.Zoo.Tests;

/// <summary>One line of the table in docs/zoo.md.</summary>
/// <param name="Name">The mistake.</param>
/// <param name="What">What is wrong.</param>
/// <param name="Habitat">Where it was looked for.</param>
/// <param name="Checks">The checks that found it.</param>
/// <param name="Seeds">Seeds until it was found: the median over several starts.</param>
/// <param name="Steps">Steps of the minimal case.</param>
/// <param name="Before">Steps of the run that it was made of.</param>
/// <param name="Turns">Turns out of order that the minimal case needs to fail; null where its seed decides them.</param>
internal sealed record ZooRow(
    string Name,
    string What,
    string Habitat,
    IReadOnlyList<string> Checks,
    int Seeds,
    int Steps,
    int Before,
    int? Turns
);

/// <summary>The table of the zoo as the documentation has it.</summary>
internal static class ZooTable
{
    private const string Marker = "<!-- Made by Iommufd.Zoo.Tests with IOMMUFD_ZOO=full; the tests compare it. -->";

    /// <summary>The rows in docs/zoo.md.</summary>
    public static IReadOnlyList<ZooRow> Read()
    {
        string[] lines = File.ReadAllLines(Documented());
        return
        [
            .. lines
                .SkipWhile(l => !string.Equals(l, Marker, StringComparison.Ordinal))
                .Where(l => l.StartsWith("| `", StringComparison.Ordinal))
                .Select(Parse),
        ];
    }

    /// <summary>Writes the rows into docs/zoo.md.</summary>
    public static void Write(IReadOnlyList<ZooRow> rows)
    {
        string text = File.ReadAllText(Documented());
        string head = text[..(text.IndexOf(Marker, StringComparison.Ordinal) + Marker.Length)];
        string[] table =
        [
            "| mistake | what is wrong | in the kernel | habitat | found by | seeds (median) | minimal case, steps | of a run of | turns out of order |",
            "| --- | --- | --- | --- | --- | --- | --- | --- | --- |",
            .. rows.Select(Line),
            string.Empty,
            Summary(rows),
        ];
        File.WriteAllText(Documented(), head + "\n\n" + string.Join('\n', table) + "\n");
    }

    /// <summary>The middle one of some numbers.</summary>
    public static int Median(IEnumerable<int> numbers)
    {
        int[] sorted = [.. numbers.Order()];
        return sorted[sorted.Length / 2];
    }

    private static string Summary(IReadOnlyList<ZooRow> rows) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"{rows.Count} mistakes; the hardest takes {rows.Max(r => r.Seeds)} seeds; minimal cases have {Median(rows.Select(r => r.Steps))} steps in the median, {rows.Max(r => r.Steps)} at most."
        );

    private static string Line(ZooRow row) =>
        string.Create(
            CultureInfo.InvariantCulture,
            $"| `{row.Name}` | {row.What} | {Zoo.Find(row.Name).Kernel} | {row.Habitat} | {string.Join(", ", row.Checks)} | {row.Seeds} | {row.Steps} | {row.Before} | {row.Turns?.ToString(CultureInfo.InvariantCulture) ?? "by seed"} |"
        );

    private static ZooRow Parse(string line)
    {
        string[] cells = [.. line.Split('|').Select(c => c.Trim())];
        return new ZooRow(
            cells[1].Trim('`'),
            cells[2],
            cells[4],
            cells[5].Split(", "),
            int.Parse(cells[6], CultureInfo.InvariantCulture),
            int.Parse(cells[7], CultureInfo.InvariantCulture),
            int.Parse(cells[8], CultureInfo.InvariantCulture),
            int.TryParse(cells[9], CultureInfo.InvariantCulture, out int turns) ? turns : null
        );
    }

    private static string Documented([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "docs", "zoo.md");
}
