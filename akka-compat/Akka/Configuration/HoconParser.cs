using System.Globalization;
using System.Text;

namespace Akka.Configuration.Hocon;

/// <summary>
/// Reads HOCON: objects, arrays, texts in all quotings, concatenation, += and substitutions of what stands above or
/// below in the same text (environment variables last). Not read: include, and lists of durations.
/// </summary>
internal sealed partial class HoconParser
{
    private readonly string _text;
    private readonly Func<string, HoconRoot> _include;
    private readonly List<Pending> _pending = [];
    private readonly HoconObject _root = new();
    private int _at;

    private HoconParser(string text, Func<string, HoconRoot> include)
    {
        _text = text;
        _include = include;
    }

    internal static HoconRoot Parse(string text, Func<string, HoconRoot> include = null)
    {
        var parser = new HoconParser(text ?? "", include);
        parser.SkipSpace(lines: true);
        if (parser._at < parser._text.Length && parser._text[parser._at] == '{')
        {
            parser._at++;
            parser.ParseFields(parser._root, closed: true);
        }
        else
        {
            parser.ParseFields(parser._root, closed: false);
        }
        parser.SkipSpace(lines: true);
        if (parser._at < parser._text.Length)
            throw parser.Error("unexpected text after the end of the configuration");
        parser.Resolve();
        return new HoconRoot(HoconValue.OfObject(parser._root));
    }

    private void ParseFields(HoconObject into, bool closed)
    {
        while (true)
        {
            SkipSeparators();
            if (_at >= _text.Length)
            {
                if (closed)
                    throw Error("a } is missing");
                return;
            }
            if (_text[_at] == '}')
            {
                if (!closed)
                    throw Error("a } closes nothing");
                _at++;
                return;
            }
            ParseField(into);
        }
    }

    private void ParseField(HoconObject into)
    {
        var keys = ParseKey();
        if (keys is ["include"] && _at < _text.Length && _text[_at] == '"')
        {
            Include(into, ParseQuoted());
            return;
        }
        var target = into;
        for (var i = 0; i < keys.Count - 1; i++)
            target = ObjectAt(target, keys[i]);
        var key = keys[^1];
        SkipSpace(lines: false);
        if (_at >= _text.Length)
            throw Error($"the key {key} has no value");
        var append = false;
        switch (_text[_at])
        {
            case '{':
                break;
            case '=' or ':':
                _at++;
                break;
            case '+' when _at + 1 < _text.Length && _text[_at + 1] == '=':
                _at += 2;
                append = true;
                break;
            default:
                throw Error($"after the key {key}, one of = : {{ is expected");
        }
        SkipSpace(lines: true);
        var before = target.GetKey(key);
        var value = ParseValue(before);
        if (append)
            value = new HoconValue { AsArray = [.. before?.AsArray ?? [], value] };
        Assign(target, key, before, value);
    }

    private void Assign(HoconObject target, string key, HoconValue before, HoconValue value)
    {
        if (before?.AsObject is not null && value.AsObject is not null)
            value = value.MergedOver(before);
        foreach (var pending in _pending)
        {
            if (pending.Slot is null)
                pending.Slot = (target, key);
        }
        target.Items[key] = value;
    }

    private void Include(HoconObject into, string name)
    {
        if (_include is null)
            throw Error($"include of {name}: no include callback was given");
        foreach (var (key, value) in _include(name).Value.AsObject.Items)
            into.Items[key] = into.GetKey(key) is { } before ? value.MergedOver(before) : value;
    }

    private static HoconObject ObjectAt(HoconObject parent, string key)
    {
        if (parent.GetKey(key) is { AsObject: { } o })
            return o;
        var made = new HoconObject();
        parent.Items[key] = HoconValue.OfObject(made);
        return made;
    }

    private List<string> ParseKey()
    {
        var keys = new List<string>();
        var part = new StringBuilder();
        var quoted = false;
        while (_at < _text.Length)
        {
            var c = _text[_at];
            if (c == '"')
            {
                if (part.ToString() == "include ")
                    return ["include"];
                part.Append(ParseQuoted());
                quoted = true;
            }
            else if (c == '.')
            {
                keys.Add(quoted ? part.ToString() : part.ToString().Trim());
                part.Clear();
                quoted = false;
                _at++;
            }
            else if (c is '=' or ':' or '{' or '\n' or '}' or ',' || (c == '+' && Peek(1) == '='))
            {
                break;
            }
            else
            {
                if (!quoted || !char.IsWhiteSpace(c))
                    part.Append(c);
                _at++;
            }
        }
        var last = quoted ? part.ToString() : part.ToString().Trim();
        if (last.Length == 0 && !quoted)
            throw Error("a key is missing");
        keys.Add(last);
        return keys;
    }

    private char Peek(int ahead) => _at + ahead < _text.Length ? _text[_at + ahead] : '\0';

    /// <summary>A value: pieces on one line, joined.</summary>
    private HoconValue ParseValue(HoconValue before)
    {
        var pieces = new List<object>();
        while (_at < _text.Length)
        {
            var c = _text[_at];
            if (c is '\n' or ',' or '}' or ']' || IsComment())
                break;
            if (c == '{')
            {
                _at++;
                var o = new HoconObject();
                ParseFields(o, closed: true);
                pieces.Add(HoconValue.OfObject(o));
            }
            else if (c == '[')
            {
                pieces.Add(ParseArray());
            }
            else if (c == '"')
            {
                pieces.Add(
                    Peek(1) == '"' && Peek(2) == '"' ? new Quoted(ParseTripleQuoted()) : new Quoted(ParseQuoted())
                );
            }
            else if (c == '$' && Peek(1) == '{')
            {
                pieces.Add(ParseSubstitution());
            }
            else
            {
                pieces.Add(ParseUnquoted());
            }
        }
        TrimEnds(pieces);
        if (pieces.OfType<Reference>().Any())
            return Defer(pieces, before);
        return Join(pieces);
    }

    private static void TrimEnds(List<object> pieces)
    {
        while (pieces is [string first, ..] && string.IsNullOrWhiteSpace(first))
            pieces.RemoveAt(0);
        while (pieces is [.., string last] && string.IsNullOrWhiteSpace(last))
            pieces.RemoveAt(pieces.Count - 1);
        if (pieces is [string only, ..])
            pieces[0] = only.TrimStart();
        if (pieces is [.., string end])
            pieces[^1] = end.TrimEnd();
    }

    private HoconValue Defer(List<object> pieces, HoconValue before)
    {
        var value = new HoconValue();
        _pending.Add(new Pending(value, pieces, before));
        return value;
    }

    private static HoconValue Join(List<object> pieces)
    {
        if (pieces.Count == 0)
            return HoconValue.OfText("");
        if (pieces.OfType<HoconValue>().Any(v => v.AsObject is not null))
        {
            HoconValue merged = null;
            foreach (var piece in pieces.OfType<HoconValue>())
                merged = piece.MergedOver(merged);
            return merged;
        }
        if (pieces.OfType<HoconValue>().Any(v => v.AsArray is not null))
            return new HoconValue { AsArray = pieces.OfType<HoconValue>().SelectMany(v => v.AsArray ?? []).ToList() };
        if (pieces is [string word])
            return new HoconValue { Text = word, IsNull = word == "null" };
        return HoconValue.OfText(string.Concat(pieces.Select(TextOf)));
    }

    private static string TextOf(object piece) =>
        piece switch
        {
            Quoted quoted => quoted.Text,
            HoconValue value => value.Text,
            _ => (string)piece,
        };

    private HoconValue ParseArray()
    {
        _at++;
        var items = new List<HoconValue>();
        while (true)
        {
            SkipSeparators();
            if (_at >= _text.Length)
                throw Error("a ] is missing");
            if (_text[_at] == ']')
            {
                _at++;
                return new HoconValue { AsArray = items };
            }
            items.Add(ParseValue(null));
        }
    }

    private Reference ParseSubstitution()
    {
        var end = _text.IndexOf('}', _at);
        if (end < 0)
            throw Error("a substitution is not closed");
        var inside = _text[(_at + 2)..end].Trim();
        _at = end + 1;
        var optional = inside.StartsWith('?');
        return new Reference((optional ? inside[1..] : inside).Trim(), optional);
    }

    private string ParseUnquoted()
    {
        var start = _at;
        while (_at < _text.Length)
        {
            var c = _text[_at];
            if (c is '\n' or ',' or '}' or ']' or '{' or '[' or '"' || IsComment() || (c == '$' && Peek(1) == '{'))
                break;
            _at++;
        }
        return _text[start.._at].Replace("\r", "");
    }

    private string ParseTripleQuoted()
    {
        var end = _text.IndexOf("\"\"\"", _at + 3, StringComparison.Ordinal);
        if (end < 0)
            throw Error("a text in triple quotes is not closed");
        var inside = _text[(_at + 3)..end];
        _at = end + 3;
        return inside;
    }

    private string ParseQuoted()
    {
        var text = new StringBuilder();
        for (_at++; _at < _text.Length && _text[_at] != '"'; _at++)
        {
            if (_text[_at] != '\\')
            {
                text.Append(_text[_at]);
                continue;
            }
            _at++;
            text.Append(
                _text[_at] switch
                {
                    'n' => '\n',
                    't' => '\t',
                    'r' => '\r',
                    'b' => '\b',
                    'f' => '\f',
                    'u' => ParseHex(),
                    var c => c,
                }
            );
        }
        if (_at >= _text.Length)
            throw Error("a quoted text is not closed");
        _at++;
        return text.ToString();
    }

    private char ParseHex()
    {
        var code = (char)int.Parse(_text.AsSpan(_at + 1, 4), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        _at += 4;
        return code;
    }

    private bool IsComment() => _text[_at] == '#' || (_text[_at] == '/' && Peek(1) == '/');

    private void SkipSeparators()
    {
        do SkipSpace(lines: true);
        while (_at < _text.Length && _text[_at] == ',' && _at++ >= 0);
    }

    private void SkipSpace(bool lines)
    {
        while (_at < _text.Length)
        {
            if (IsComment())
            {
                while (_at < _text.Length && _text[_at] != '\n')
                    _at++;
            }
            else if ((char.IsWhiteSpace(_text[_at]) || _text[_at] == '\uFEFF') && (lines || _text[_at] != '\n'))
            {
                _at++;
            }
            else
            {
                return;
            }
        }
    }

    private FormatException Error(string what)
    {
        var before = _text.AsSpan(0, Math.Min(_at, _text.Length));
        var line = before.Count('\n') + 1;
        var column = before.Length - before.LastIndexOf('\n');
        return new FormatException($"HOCON line {line}, column {column}: {what}.");
    }

    private sealed record Quoted(string Text);

    private sealed record Reference(string Path, bool IsOptional);

    /// <summary>A value with substitutions in it, and what its key had meant before.</summary>
    private sealed class Pending(HoconValue value, List<object> pieces, HoconValue before)
    {
        internal HoconValue Value => value;
        internal List<object> Pieces => pieces;
        internal HoconValue Before => before;
        internal bool IsDone { get; set; }
        internal (HoconObject Object, string Key)? Slot { get; set; }
    }
}
