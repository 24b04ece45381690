using System.Globalization;
using System.Reflection;
using Iommufd.Core.Faults;
using Iommufd.Scenarios.Language;

namespace Iommufd.Scenarios.Faults;

/// <summary>The fault plans that come with the program, by name, and files that a user wrote.</summary>
public static class ShippedFaultPlans
{
    private const string Prefix = "faults/";
    private const string Ending = ".yaml";

    /// <summary>Their names; default first, then by alphabet.</summary>
    public static IReadOnlyList<string> Names { get; } =
    [
        .. Here.GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .Select(n => n[Prefix.Length..^Ending.Length])
            .OrderBy(n => n is "default" ? 0 : 1)
            .ThenBy(n => n, StringComparer.Ordinal),
    ];

    private static Assembly Here => typeof(ShippedFaultPlans).Assembly;

    /// <summary>Reads what a user named: <c>nth:OPERATION:K</c>, a file that exists, else a shipped plan.</summary>
    /// <exception cref="ScenarioInvalidException">None of these, or the text has mistakes.</exception>
    public static FaultPlan Open(string nameOrFile)
    {
        ArgumentNullException.ThrowIfNull(nameOrFile);
        if (nameOrFile.StartsWith("nth:", StringComparison.Ordinal))
        {
            return Nth(nameOrFile);
        }

        if (File.Exists(nameOrFile))
        {
            return FaultPlanText.Read(nameOrFile, nameOrFile, ReadFile(nameOrFile));
        }

        return Names.Contains(nameOrFile)
            ? FaultPlanText.Read(nameOrFile, nameOrFile + Ending, SourceOf(nameOrFile))
            : throw Invalid(
                nameOrFile,
                $"neither a file nor a shipped fault plan{NearestWord.Hint(nameOrFile, Names)}"
            );
    }

    /// <summary>What a journal records of a plan, so that the run can be executed again without its file: name, value; repeated.</summary>
    /// <exception cref="ScenarioInvalidException">There is no such plan.</exception>
    public static string[] ForJournal(string nameOrFile) =>
        nameOrFile.StartsWith("nth:", StringComparison.Ordinal) ? ["faults", nameOrFile]
        : File.Exists(nameOrFile) ? ["faults", nameOrFile, "faults-text", ReadFile(nameOrFile)]
        : ["faults", nameOrFile, "faults-text", SourceOf(nameOrFile)];

    /// <summary>The plan that a journal recorded; null when it recorded none.</summary>
    /// <exception cref="ScenarioInvalidException">This version cannot read the plan any more.</exception>
    public static FaultPlan? FromJournal(IReadOnlyList<KeyValuePair<string, string>> options)
    {
        if (options.FirstOrDefault(o => o.Key is "faults").Value is not { } name)
        {
            return null;
        }

        return options.FirstOrDefault(o => o.Key is "faults-text").Value is { } text
            ? FaultPlanText.Read(name, name, text)
            : Open(name);
    }

    /// <summary>The text of a shipped plan.</summary>
    /// <exception cref="ArgumentException">There is none of that name.</exception>
    public static string SourceOf(string name)
    {
        using Stream stream =
            Here.GetManifestResourceStream(Prefix + name + Ending)
            ?? throw new ArgumentException($"no shipped fault plan '{name}'", nameof(name));
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static FaultPlan Nth(string text)
    {
        string[] parts = text.Split(':');
        return
            parts.Length == 3
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out long operation)
            && ulong.TryParse(parts[2], NumberStyles.None, CultureInfo.InvariantCulture, out ulong nth)
            && operation > 0
            && nth > 0
            ? FaultPlan.Nth(operation, nth, FaultPoints.All)
            : throw Invalid(text, "not nth:OPERATION:K, such as nth:17:3: the third point that operation 17 reaches");
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
