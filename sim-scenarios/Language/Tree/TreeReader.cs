using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Iommufd.Scenarios.Language.Tree;

/// <summary>
/// Reads YAML text into nodes that know their place. Stricter than YAML: one document, plain keys, no key twice, no
/// tags, no merge keys.
/// </summary>
public sealed class TreeReader
{
    private const int MaxDepth = 100;
    private const int MaxSize = 1_000_000;

    private readonly MistakeCollector _mistakes;
    private readonly Dictionary<string, (TreeNode Node, int Size)> _anchors = new(StringComparer.Ordinal);
    private readonly Parser _parser;
    private int _depth;
    private int _size;

    private TreeReader(string text, MistakeCollector mistakes)
    {
        _mistakes = mistakes;
        _parser = new Parser(new StringReader(text));
    }

    /// <summary>Reads a text; null, with a mistake noted, when it is not YAML or holds nothing.</summary>
    public static TreeNode? Read(string text, MistakeCollector mistakes)
    {
        try
        {
            return new TreeReader(text, mistakes).ReadDocument();
        }
        catch (YamlException broken)
        {
            mistakes.Add(PositionOf(broken.Start), $"not YAML: {FirstLine(broken.Message)}");
            return null;
        }
    }

    private static SourcePosition PositionOf(Mark mark) =>
        new((int)Math.Max(1, mark.Line), (int)Math.Max(1, mark.Column));

    private static string FirstLine(string message)
    {
        // YamlDotNet prefixes its messages with the place that we print ourselves.
        int colon = message.StartsWith('(') ? message.IndexOf("): ", StringComparison.Ordinal) : -1;
        return message[(colon < 0 ? 0 : colon + 3)..].Split('\n')[0].Trim();
    }

    private TreeNode? ReadDocument()
    {
        _parser.Consume<StreamStart>();
        if (!_parser.TryConsume<DocumentStart>(out _))
        {
            _mistakes.Add(
                SourcePosition.Start,
                "the file is empty: a scenario has at least 'iommufd', 'title' and 'clients'"
            );
            return null;
        }

        TreeNode root = ReadNode();
        _parser.Consume<DocumentEnd>();
        if (_parser.Accept<DocumentStart>(out DocumentStart? second))
        {
            _mistakes.Add(PositionOf(second!.Start), "a second document: one scenario a file");
        }

        return root;
    }

    private TreeNode ReadNode()
    {
        ParsingEvent next = _parser.Current ?? throw new SemanticErrorException("the text ends too early");
        if (++_depth > MaxDepth)
        {
            throw new SemanticErrorException(next.Start, next.End, $"nested deeper than {MaxDepth}");
        }

        TreeNode node = ReadNode(next, PositionOf(next.Start));
        _depth--;
        Grow(1, next);
        return node;
    }

    // Aliases of aliases can make a short text mean an endless scenario: what they stand for counts as written.
    private void Grow(int nodes, ParsingEvent where)
    {
        _size += nodes;
        if (_size > MaxSize)
        {
            throw new SemanticErrorException(where.Start, where.End, $"more than {MaxSize} values");
        }
    }

    private TreeNode ReadNode(ParsingEvent next, SourcePosition at)
    {
        if (next is NodeEvent { Tag.IsEmpty: false, Tag.IsNonSpecific: false } tagged)
        {
            _mistakes.Add(at, $"the tag '{tagged.Tag.Value}' has no meaning in a scenario");
        }

        switch (next)
        {
            case AnchorAlias alias:
                _parser.MoveNext();
                return Resolve(alias, at);
            case Scalar scalar:
                _parser.MoveNext();
                bool quoted = scalar.Style is not (ScalarStyle.Plain or ScalarStyle.Any);
                return Anchored(scalar, new TreeScalar(at, scalar.Value, quoted), _size);
            case SequenceStart list:
                return ReadList(list, at);
            case MappingStart mapping:
                return ReadMapping(mapping, at);
            default:
                throw new SemanticErrorException(next.Start, next.End, "something that is not a value");
        }
    }

    private TreeList ReadList(SequenceStart start, SourcePosition at)
    {
        _parser.MoveNext();
        int sizeBefore = _size;
        var items = new List<TreeNode>();
        while (!_parser.TryConsume<SequenceEnd>(out _))
        {
            items.Add(ReadNode());
        }

        return Anchored(start, new TreeList(at, items), sizeBefore);
    }

    private TreeMapping ReadMapping(MappingStart start, SourcePosition at)
    {
        _parser.MoveNext();
        int sizeBefore = _size;
        var entries = new List<TreeEntry>();
        var seen = new Dictionary<string, SourcePosition>(StringComparer.Ordinal);
        while (!_parser.TryConsume<MappingEnd>(out _))
        {
            TreeNode key = ReadNode();
            TreeNode value = ReadNode();
            if (key is not TreeScalar word)
            {
                _mistakes.Add(key.At, $"a key is a word, not {key.Kind}");
                continue;
            }

            if (!seen.TryAdd(word.Text, word.At))
            {
                _mistakes.Add(word.At, $"'{word.Text}' is here twice; the first is at {seen[word.Text]}");
                continue;
            }

            entries.Add(new TreeEntry(word, value));
        }

        return Anchored(start, new TreeMapping(at, entries), sizeBefore);
    }

    private TreeNode Resolve(AnchorAlias alias, SourcePosition at)
    {
        if (_anchors.TryGetValue(alias.Value.Value, out (TreeNode Node, int Size) target))
        {
            Grow(target.Size, alias);
            return target.Node;
        }

        _mistakes.Add(
            at,
            $"no anchor '&{alias.Value.Value}' before this{NearestWord.Hint(alias.Value.Value, _anchors.Keys)}"
        );
        return new TreeScalar(at, string.Empty, IsQuoted: false);
    }

    private T Anchored<T>(NodeEvent start, T node, int sizeBefore)
        where T : TreeNode
    {
        if (!start.Anchor.IsEmpty)
        {
            _anchors[start.Anchor.Value] = (node, _size - sizeBefore + 1);
        }

        return node;
    }
}
