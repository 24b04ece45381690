using System.Text;

namespace Iommufd.Scenarios.Language.Tree;

/// <summary>Writes nodes as YAML, as a person would: steps below each other, the keys of a step in one line.</summary>
public static class TreeWriter
{
    private const int Width = 110;
    private const string FlowIndicators = ",[]{}";
    private const string Indicators = "-?:,[]{}#&*!|>'\"%@`";

    /// <summary>The text of a document.</summary>
    public static string Write(TreeMapping root)
    {
        var text = new StringBuilder();
        WriteEntries(text, root, 0, indentFirst: true);
        return text.ToString();
    }

    /// <summary>A mapping of one key to text that is written as it is.</summary>
    public static TreeEntry Entry(string key, TreeNode value) => new(Scalar(key), value);

    /// <summary>A value without quotes.</summary>
    public static TreeScalar Scalar(string text) => new(SourcePosition.Start, text, IsQuoted: false);

    /// <summary>A mapping.</summary>
    public static TreeMapping Mapping(params IReadOnlyList<TreeEntry> entries) => new(SourcePosition.Start, entries);

    /// <summary>A list.</summary>
    public static TreeList List(params IReadOnlyList<TreeNode> items) => new(SourcePosition.Start, items);

    private static void WriteEntries(StringBuilder text, TreeMapping mapping, int depth, bool indentFirst)
    {
        bool indents = indentFirst;
        foreach (TreeEntry entry in mapping.Entries)
        {
            if (indents)
            {
                text.Append(' ', depth);
            }

            indents = true;
            text.Append(Quoted(entry.Key)).Append(':');
            WriteValue(text, entry.Value, depth);
        }
    }

    private static void WriteValue(StringBuilder text, TreeNode value, int depth)
    {
        string? line = value is TreeScalar scalar ? Quoted(scalar) : Flow(value);
        if (line is not null && (value is TreeScalar || line.Length + depth <= Width))
        {
            text.Append(line.Length > 0 ? " " : string.Empty).Append(line).Append('\n');
            return;
        }

        text.Append('\n');
        if (value is TreeMapping mapping)
        {
            WriteEntries(text, mapping, depth + 2, indentFirst: true);
            return;
        }

        foreach (TreeNode item in ((TreeList)value).Items)
        {
            WriteItem(text, item, depth + 2);
        }
    }

    private static void WriteItem(StringBuilder text, TreeNode item, int depth)
    {
        text.Append(' ', depth).Append("- ");
        switch (item)
        {
            case TreeMapping { Entries.Count: > 0 } mapping:
                WriteEntries(text, mapping, depth + 2, indentFirst: false);
                break;
            case TreeList { Items.Count: > 0 } list when Flow(list) is null:
                bool isFirst = true;
                foreach (TreeNode inner in list.Items)
                {
                    var nested = new StringBuilder();
                    WriteItem(nested, inner, depth + 2);
                    text.Append(isFirst ? nested.ToString().TrimStart(' ') : nested.ToString());
                    isFirst = false;
                }

                break;
            case TreeScalar scalar:
                text.Append(Quoted(scalar)).Append('\n');
                break;
            default:
                text.Append(Flow(item)).Append('\n');
                break;
        }
    }

    // In one line; null for what holds lists of steps, and for a number that would have to be quoted there: it would be a word then.
    private static string? Flow(TreeNode node)
    {
        switch (node)
        {
            case TreeScalar scalar:
                return !scalar.IsQuoted && scalar.Text.AsSpan().IndexOfAny(FlowIndicators) >= 0 ? null : Quoted(scalar);
            case TreeList list:
                string?[] items = [.. list.Items.Select(i => i is TreeScalar ? Flow(i) : null)];
                return items.Contains(null) ? null : $"[{string.Join(", ", items)}]";
            default:
                IReadOnlyList<TreeEntry> entries = ((TreeMapping)node).Entries;
                string?[] parts = [.. entries.Select(e => Flow(e.Value) is { } v ? $"{Quoted(e.Key)}: {v}" : null)];
                return parts.Contains(null) ? null : $"{{{string.Join(", ", parts)}}}";
        }
    }

    private static string Quoted(TreeScalar scalar)
    {
        string text = scalar.Text;
        if (scalar.IsEmpty)
        {
            return string.Empty;
        }

        bool isPlain =
            !scalar.IsQuoted
            && text.Trim() == text
            && text.Length > 0
            && !Indicators.Contains(text[0], StringComparison.Ordinal)
            && !text.EndsWith(':')
            && text.AsSpan().IndexOfAny("\n\r\t") < 0
            && !text.Contains(": ", StringComparison.Ordinal)
            && !text.Contains(" #", StringComparison.Ordinal);
        return isPlain ? text : $"\"{Escaped(text)}\"";
    }

    private static string Escaped(string text)
    {
        var escaped = new StringBuilder();
        foreach (char c in text)
        {
            escaped.Append(
                c switch
                {
                    '"' => "\\\"",
                    '\\' => "\\\\",
                    '\n' => "\\n",
                    '\r' => "\\r",
                    '\t' => "\\t",
                    _ => c.ToString(),
                }
            );
        }

        return escaped.ToString();
    }
}
