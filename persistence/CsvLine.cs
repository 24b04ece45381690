using System.Text;

namespace Iommufd.Persistence;

/// <summary>A line of CSV: commas between columns, quotes around those that hold a comma or a quote.</summary>
internal static class CsvLine
{
    /// <summary>Makes a line.</summary>
    public static string Of(params string[] columns) => string.Join(',', columns.Select(Quoted));

    /// <summary>Takes a line apart. A quote that is never closed ends with the line.</summary>
    public static List<string> Columns(string line)
    {
        var columns = new List<string>();
        var column = new StringBuilder();
        var quoted = false;
        for (var i = 0; i < line.Length; i++)
        {
            switch (line[i])
            {
                case '"' when quoted && i + 1 < line.Length && line[i + 1] == '"':
                    column.Append('"');
                    i++;
                    break;
                case '"':
                    quoted = !quoted;
                    break;
                case ',' when !quoted:
                    columns.Add(column.ToString());
                    column.Clear();
                    break;
                default:
                    column.Append(line[i]);
                    break;
            }
        }

        columns.Add(column.ToString());
        return columns;
    }

    private static string Quoted(string column) =>
        column.AsSpan().IndexOfAny(',', '"') < 0
            ? column
            : "\"" + column.Replace("\"", "\"\"", StringComparison.Ordinal) + "\"";
}
