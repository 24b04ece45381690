namespace Iommufd.Scenarios.Language.Expressions;

/// <summary>A number that is computed when it is needed: <c>4K * vm + base</c>. Immutable.</summary>
/// <param name="At">Its first character in the scenario.</param>
public abstract record Expression(SourcePosition At)
{
    /// <summary>Whether the value is the same in every scope (no names, no random).</summary>
    public abstract bool IsConstant { get; }

    /// <summary>Whether computing it twice can give two values: it calls <c>random</c>.</summary>
    public virtual bool DrawsRandom => false;

    /// <summary>Computes the value.</summary>
    /// <exception cref="EvaluationException">Division by zero, or a value out of 128 bits.</exception>
    public abstract Int128 Evaluate(Scope scope);
}

/// <summary>A value that cannot be computed or does not fit where it is used.</summary>
/// <param name="at">The place in the scenario.</param>
/// <param name="message">What is wrong.</param>
public class EvaluationException(SourcePosition at, string message) : Exception(message)
{
    /// <summary>The place in the scenario.</summary>
    public SourcePosition At { get; } = at;
}

/// <summary>A name that gets its value only while the scenario runs (an index, a <c>let</c>).</summary>
/// <param name="at">The place in the scenario.</param>
/// <param name="name">The name.</param>
public sealed class NotYetKnownException(SourcePosition at, string name)
    : EvaluationException(at, $"'{name}' has no number here");

/// <summary>A number as written.</summary>
/// <param name="At">Where.</param>
/// <param name="Value">In bytes where a size was written, in nanoseconds where a duration was.</param>
/// <param name="Unit">What was written behind the digits.</param>
public sealed record Literal(SourcePosition At, Int128 Value, LiteralUnit Unit = LiteralUnit.None) : Expression(At)
{
    /// <inheritdoc/>
    public override bool IsConstant => true;

    /// <inheritdoc/>
    public override Int128 Evaluate(Scope scope) => Value;
}

/// <summary>The kinds of unit a number can have.</summary>
public enum LiteralUnit
{
    /// <summary>None.</summary>
    None,

    /// <summary>K, M, G, T.</summary>
    Bytes,

    /// <summary>ns, us, ms, s, min, h.</summary>
    Time,
}

/// <summary>A parameter, an index or a name made by <c>let</c>.</summary>
/// <param name="At">Where.</param>
/// <param name="Name">The name.</param>
public sealed record Variable(SourcePosition At, string Name) : Expression(At)
{
    /// <inheritdoc/>
    public override bool IsConstant => false;

    /// <inheritdoc/>
    public override Int128 Evaluate(Scope scope) =>
        scope.TryNumber(Name, out Int128 value) ? value : throw new NotYetKnownException(At, Name);
}

/// <summary>Minus or not.</summary>
/// <param name="At">Where.</param>
/// <param name="Operator"><c>-</c> or <c>!</c>.</param>
/// <param name="Operand">What it applies to.</param>
public sealed record Unary(SourcePosition At, char Operator, Expression Operand) : Expression(At)
{
    /// <inheritdoc/>
    public override bool IsConstant => Operand.IsConstant;

    /// <inheritdoc/>
    public override bool DrawsRandom => Operand.DrawsRandom;

    /// <inheritdoc/>
    public override Int128 Evaluate(Scope scope)
    {
        Int128 value = Operand.Evaluate(scope);
        return Operator == '-' ? -value
            : value == 0 ? 1
            : 0;
    }
}

/// <summary><c>condition ? a : b</c>; only the chosen side is computed.</summary>
/// <param name="At">Where.</param>
/// <param name="Condition">0 is false.</param>
/// <param name="Then">When true.</param>
/// <param name="Else">When false.</param>
public sealed record Conditional(SourcePosition At, Expression Condition, Expression Then, Expression Else)
    : Expression(At)
{
    /// <inheritdoc/>
    public override bool IsConstant => Condition.IsConstant && Then.IsConstant && Else.IsConstant;

    /// <inheritdoc/>
    public override bool DrawsRandom => Condition.DrawsRandom || Then.DrawsRandom || Else.DrawsRandom;

    /// <inheritdoc/>
    public override Int128 Evaluate(Scope scope) =>
        Condition.Evaluate(scope) != 0 ? Then.Evaluate(scope) : Else.Evaluate(scope);
}
