using System.Globalization;
using Iommufd.Messages.Events;
using Iommufd.Persistence;
using Iommufd.Scenarios.Conformance;

namespace Iommufd.Cli.Tests;

/// <summary>
/// Makes what is missing in tests/journals: for every event type the smallest journal that has one, out of what the recorded
/// traces and the shipped scenarios leave. Run it with <c>IOMMUFD_WRITE_CORPUS=1 dotnet test tests/Iommufd.Cli.Tests --filter
/// Corpus</c>. A file that is there is never written again: it is what an earlier version wrote.
/// </summary>
internal static class CorpusMaker
{
    private static readonly string[][] Runs =
    [
        ["quickstart", "--set", "rounds=1", "--set", "ram=2M"],
        ["vm-fleet", "--set", "vms=1", "--set", "devices=2", "--set", "bursts=1", "--set", "low=2M", "--set", "high=2M"],
        ["mdev-access"],
        ["shared-memory"],
    ];

    /// <summary>The folder tests/journals.</summary>
    public static string Folder { get; } = Find("journals");

    /// <summary>Types of which no file is there.</summary>
    public static IEnumerable<Type> Missing()
    {
        var there = Directory
            .EnumerateFiles(Folder, "*.csv", SearchOption.AllDirectories)
            .Select(f => Path.GetFileNameWithoutExtension(f)!)
            .ToHashSet(StringComparer.Ordinal);
        return EventTypes.InFileOrder.Where(t => !there.Contains(t.Name));
    }

    /// <summary>Writes what is missing and can be made.</summary>
    public static async Task WriteMissingAsync(string scratch)
    {
        var missing = Missing().ToHashSet();
        var best = new Dictionary<Type, string>();
        await foreach (string text in CandidatesAsync(scratch))
        {
            foreach (string name in text.Split('\n').Skip(1).Where(l => l.Length > 0).Select(l => l.Split(',')[4]).Distinct())
            {
                Type? type = missing.FirstOrDefault(t => string.Equals(t.Name, name, StringComparison.Ordinal));
                if (type is not null && (!best.TryGetValue(type, out string? known) || text.Length < known.Length))
                {
                    best[type] = text;
                }
            }
        }

        string folder = Path.Combine(Folder, EventTypes.Version.ToString(CultureInfo.InvariantCulture));
        Directory.CreateDirectory(folder);
        foreach ((Type type, string text) in best)
        {
            await File.WriteAllTextAsync(Path.Combine(folder, type.Name + ".csv"), text);
        }
    }

    private static async IAsyncEnumerable<string> CandidatesAsync(string scratch)
    {
        int number = 0;
        foreach (string file in ConformanceRunner.FindTraces([Path.Combine(Find("conformance"), "traces")]))
        {
            PlayedTrace played = await TraceJournal.PlayAsync(TraceReader.Read(file));
            foreach (IReadOnlyList<ContextEvent> events in played.Contexts.Values)
            {
                string path = Path.Combine(scratch, FormattableString.Invariant($"{++number}.db"));
                using (var writer = JournalWriter.Create(path))
                {
                    foreach (ContextEvent change in events)
                    {
                        writer.Append($"iommufd-{((ContextOpened)events[0]).Number}", change);
                    }

                    writer.Complete();
                }

                yield return TextOf(path);
            }
        }

        foreach (string[] run in Runs)
        {
            string path = Path.Combine(scratch, run[0] + ".db");
            CliRun.Of(["run", .. run, "--seed", "1", "--journal", path]);
            yield return TextOf(path);
        }
    }

    private static string TextOf(string path)
    {
        using var rows = JournalRows.Open(path);
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        JournalText.Write(rows, JournalTextFormat.Csv, output);
        return output.ToString();
    }

    private static string Find(string name)
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string found = Path.Combine(folder.FullName, "tests", name);
            if (Directory.Exists(found))
            {
                return found;
            }
        }

        throw new DirectoryNotFoundException($"tests/{name} is not above the test's folder.");
    }
}
