namespace Iommufd.Scenarios.Language;

/// <summary>A place in a scenario's text.</summary>
/// <param name="Line">From 1.</param>
/// <param name="Column">From 1, in characters.</param>
public readonly record struct SourcePosition(int Line, int Column) : IComparable<SourcePosition>
{
    /// <summary>The first character.</summary>
    public static SourcePosition Start => new(1, 1);

    /// <summary>A place further right on the same line.</summary>
    public SourcePosition Plus(int columns) => new(Line, Column + columns);

    /// <inheritdoc/>
    public int CompareTo(SourcePosition other) =>
        Line != other.Line ? Line.CompareTo(other.Line) : Column.CompareTo(other.Column);

    /// <inheritdoc/>
    public override string ToString() => $"{Line}:{Column}";
}
