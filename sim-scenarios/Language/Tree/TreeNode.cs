namespace Iommufd.Scenarios.Language.Tree;

/// <summary>A node of the YAML text, with its place. Aliases are resolved: an aliased node keeps its anchor's place.</summary>
/// <param name="At">The node's first character.</param>
public abstract record TreeNode(SourcePosition At)
{
    /// <summary>What the node is, for messages.</summary>
    public abstract string Kind { get; }
}

/// <summary>A single value.</summary>
/// <param name="At">The value's first character (the quote, for a quoted one).</param>
/// <param name="Text">The text without quotes and with escapes resolved.</param>
/// <param name="IsQuoted">Whether it was quoted: never a number, never null.</param>
public sealed record TreeScalar(SourcePosition At, string Text, bool IsQuoted) : TreeNode(At)
{
    /// <inheritdoc/>
    public override string Kind => IsEmpty ? "nothing" : "a single value";

    /// <summary>Whether nothing was written (<c>key:</c> alone, <c>~</c> or <c>null</c>).</summary>
    public bool IsEmpty => !IsQuoted && Text is "" or "~" or "null";

    /// <summary>Where the text itself begins: after the quote.</summary>
    public SourcePosition TextAt => IsQuoted ? At.Plus(1) : At;
}

/// <summary>A list.</summary>
/// <param name="At">The first item's dash or the bracket.</param>
/// <param name="Items">In the order of the text.</param>
public sealed record TreeList(SourcePosition At, IReadOnlyList<TreeNode> Items) : TreeNode(At)
{
    /// <inheritdoc/>
    public override string Kind => "a list";
}

/// <summary>A mapping of keys to values.</summary>
/// <param name="At">The first key or the brace.</param>
/// <param name="Entries">In the order of the text; a key written twice is a mistake found while reading.</param>
public sealed record TreeMapping(SourcePosition At, IReadOnlyList<TreeEntry> Entries) : TreeNode(At)
{
    /// <inheritdoc/>
    public override string Kind => "a mapping";

    /// <summary>The value of a key, or null.</summary>
    public TreeNode? Find(string key) =>
        Entries.FirstOrDefault(e => string.Equals(e.Key.Text, key, StringComparison.Ordinal))?.Value;
}

/// <summary>One key and its value.</summary>
/// <param name="Key">The key.</param>
/// <param name="Value">The value.</param>
public sealed record TreeEntry(TreeScalar Key, TreeNode Value);
