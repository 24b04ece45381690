namespace Iommufd.Scenarios.Language.Expressions;

/// <summary>Parses the expressions of a scenario: numbers with units, names, functions, the operators of C.</summary>
public sealed class ExpressionParser
{
    private readonly Tokenizer _tokens;
    private readonly IReadOnlyCollection<string> _known;
    private readonly IReadOnlyCollection<string> _texts;
    private Token _current;

    private ExpressionParser(
        string text,
        SourcePosition at,
        IReadOnlyCollection<string> known,
        IReadOnlyCollection<string> texts
    )
    {
        _tokens = new Tokenizer(text, at);
        (_known, _texts) = (known, texts);
        _current = _tokens.Read();
    }

    /// <summary>Parses a whole text.</summary>
    /// <param name="text">The expression.</param>
    /// <param name="at">Where it begins.</param>
    /// <param name="names">What can be named.</param>
    /// <param name="mistakes">Where a mistake is noted.</param>
    /// <returns>The expression, or null after a mistake.</returns>
    public static Expression? Parse(string text, SourcePosition at, KnownNames names, MistakeCollector mistakes)
    {
        try
        {
            var parser = new ExpressionParser(text, at, names.Numbers, names.Texts);
            Expression whole = parser.Conditional(depth: 0);
            if (parser._current.Kind != TokenKind.End)
            {
                throw new EvaluationException(parser._current.At, $"'{parser._current.Text}' is not expected here");
            }

            return whole;
        }
        catch (EvaluationException wrong)
        {
            mistakes.Add(wrong.At, wrong.Message);
            return null;
        }
    }

    private Expression Conditional(int depth)
    {
        if (depth > 64)
        {
            throw new EvaluationException(_current.At, "nested too deeply");
        }

        Expression condition = Operators(1, depth);
        if (!TakeIf("?"))
        {
            return condition;
        }

        Expression then = Conditional(depth + 1);
        Expect(":");
        return new Conditional(condition.At, condition, then, Conditional(depth + 1));
    }

    private Expression Operators(int minimum, int depth)
    {
        Expression left = Prefixed(depth);
        while (
            _current.Kind == TokenKind.Symbol
            && Binary.Precedence.TryGetValue(_current.Text, out int binds)
            && binds >= minimum
        )
        {
            Token sign = Take();
            left = new Binary(sign.At, sign.Text, left, Operators(binds + 1, depth));
        }

        return left;
    }

    private Expression Prefixed(int depth)
    {
        Token sign = _current;
        if (sign.Kind == TokenKind.Symbol && sign.Text is "-" or "!")
        {
            Take();
            return depth < 64
                ? new Unary(sign.At, sign.Text[0], Prefixed(depth + 1))
                : throw new EvaluationException(sign.At, "nested too deeply");
        }

        return Primary(depth);
    }

    private Expression Primary(int depth)
    {
        Token token = Take();
        switch (token.Kind)
        {
            case TokenKind.Number:
                return new Literal(token.At, token.Value, token.Unit);
            case TokenKind.Name when IsSymbol("("):
                return Function(token, depth);
            case TokenKind.Name:
                return Named(token);
            case TokenKind.Symbol when token.Text is "(":
                Expression inner = Conditional(depth + 1);
                Expect(")");
                return inner;
            default:
                string found = token.Kind == TokenKind.End ? "the end" : $"'{token.Text}'";
                throw new EvaluationException(token.At, $"a number or a name is expected, not {found}");
        }
    }

    private Expression Named(Token token)
    {
        switch (token.Text)
        {
            case "true":
                return new Literal(token.At, 1);
            case "false":
                return new Literal(token.At, 0);
        }

        if (_texts.Contains(token.Text))
        {
            throw new EvaluationException(token.At, $"'{token.Text}' is a word, not a number");
        }

        return _known.Contains(token.Text)
            ? new Variable(token.At, token.Text)
            : throw new EvaluationException(
                token.At,
                $"unknown name '{token.Text}'{NearestWord.Hint(token.Text, _known)}"
            );
    }

    private Call Function(Token name, int depth)
    {
        if (!Call.Arity.TryGetValue(name.Text, out int arity))
        {
            string hint = NearestWord.Hint(name.Text, [.. Call.Arity.Keys]);
            throw new EvaluationException(name.At, $"unknown function '{name.Text}'{hint}");
        }

        Expect("(");
        var arguments = new List<Expression>();
        do
        {
            arguments.Add(Conditional(depth + 1));
        } while (TakeIf(",") || TakeIf(".."));

        Expect(")");
        return arguments.Count == arity
            ? new Call(name.At, name.Text, arguments)
            : throw new EvaluationException(name.At, $"{name.Text} takes {arity} values, not {arguments.Count}");
    }

    private bool IsSymbol(string text) => _current.Kind == TokenKind.Symbol && _current.Text == text;

    private bool TakeIf(string symbol)
    {
        bool there = IsSymbol(symbol);
        if (there)
        {
            Take();
        }

        return there;
    }

    private void Expect(string symbol)
    {
        if (!TakeIf(symbol))
        {
            throw new EvaluationException(_current.At, $"'{symbol}' is missing");
        }
    }

    private Token Take()
    {
        Token token = _current;
        _current = _tokens.Read();
        return token;
    }
}

/// <summary>The names that an expression may use where it stands. Immutable.</summary>
/// <param name="Numbers">Names of numbers, outermost first.</param>
/// <param name="Texts">Names of words: only in templates.</param>
public sealed record KnownNames(IReadOnlyCollection<string> Numbers, IReadOnlyCollection<string> Texts)
{
    /// <summary>No names.</summary>
    public static KnownNames None => new([], []);

    /// <summary>These names and one more.</summary>
    public KnownNames With(string number) => new([.. Numbers, number], Texts);
}
