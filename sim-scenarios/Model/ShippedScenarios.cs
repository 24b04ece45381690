using System.Reflection;
using Iommufd.Scenarios.Language;

namespace Iommufd.Scenarios;

/// <summary>The scenarios that come with the program, by name, and files that a user wrote.</summary>
public static class ShippedScenarios
{
    private const string Prefix = "scenarios/";
    private const string Ending = ".yaml";

    /// <summary>Their names; quickstart first, then by alphabet.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Here.GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(n => n[Prefix.Length..^Ending.Length])
            .OrderBy(n => n is "quickstart" ? 0 : 1)
            .ThenBy(n => n, StringComparer.Ordinal),
    ];

    private static Assembly Here => typeof(ShippedScenarios).Assembly;

    /// <summary>The text of a shipped scenario.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static string SourceOf(string name)
    {
        using Stream stream =
            Here.GetManifestResourceStream(Prefix + name + Ending)
            ?? throw new ArgumentException($"no shipped scenario '{name}'", nameof(name));
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>Reads a shipped scenario.</summary>
    public static ScenarioText Read(string name) => ScenarioText.Read(name + Ending, SourceOf(name));

    /// <summary>Reads what a user named: a file that exists, else a shipped scenario.</summary>
    /// <exception cref="ScenarioInvalidException">Neither exists, or the text has mistakes.</exception>
    public static ScenarioText Open(string nameOrFile)
    {
        if (File.Exists(nameOrFile))
        {
            return ScenarioText.Read(nameOrFile, ReadFile(nameOrFile));
        }

        if (Names.Contains(nameOrFile))
        {
            return Read(nameOrFile);
        }

        string hint = NearestWord.Hint(nameOrFile, Names);
        throw Invalid(nameOrFile, $"neither a file nor a shipped scenario{hint}");
    }

    private static string ReadFile(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            throw Invalid(file, $"cannot be read: {unreadable.Message}");
        }
    }

    private static ScenarioInvalidException Invalid(string file, string message) =>
        new([new Mistake(file, SourcePosition.Start, message)]);
}
