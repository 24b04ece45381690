namespace Iommufd.Scenarios.Language;

/// <summary>One mistake in a scenario.</summary>
/// <param name="File">The file as the user named it.</param>
/// <param name="At">Where.</param>
/// <param name="Message">What is wrong, what would be right.</param>
public sealed record Mistake(string File, SourcePosition At, string Message)
{
    /// <summary>The form compilers print and editors jump to: FILE:LINE:COLUMN: error: message.</summary>
    public override string ToString() => $"{File}:{At}: error: {Message}";
}

/// <summary>Collects every mistake of one file, so that all are shown at once. Not thread-safe.</summary>
/// <param name="file">The file as the user named it.</param>
public sealed class MistakeCollector(string file)
{
    private readonly List<Mistake> _found = [];

    /// <summary>The file as the user named it.</summary>
    public string File { get; } = file;

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => _found.Count == 0;

    /// <summary>Notes a mistake.</summary>
    public void Add(SourcePosition at, string message) => _found.Add(new Mistake(File, at, message));

    /// <summary>The mistakes in the order of the text, each once.</summary>
    public IReadOnlyList<Mistake> InOrder() => [.. _found.Distinct().OrderBy(m => m.At)];
}

/// <summary>A scenario that cannot run: every mistake found in it.</summary>
/// <param name="mistakes">At least one.</param>
public sealed class ScenarioInvalidException(IReadOnlyList<Mistake> mistakes)
    : Exception(string.Join(Environment.NewLine, mistakes))
{
    /// <summary>The mistakes in the order of the text.</summary>
    public IReadOnlyList<Mistake> Mistakes { get; } = mistakes;
}
