using System.Globalization;
using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Pages;
using Iommufd.Core.PageTables;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Host;
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
        [
            "vm-fleet",
            "--set",
            "vms=1",
            "--set",
            "devices=2",
            "--set",
            "bursts=1",
            "--set",
            "low=2M",
            "--set",
            "high=2M",
        ],
        ["mdev-access"],
        ["shared-memory"],
        ["nested-guest", "--set", "rounds=1", "--set", "ram=8M"],
        ["pasid-sva", "--set", "processes=2", "--set", "rounds=1"],
        ["demand-paging", "--set", "ram=256K", "--set", "devices=1", "--set", "transfers=4"],
        ["viommu-events"],
        ["fleet", "--set", "devices=4", "--set", "contexts=2"],
        ["quickstart", "--set", "rounds=1000000000", "--set", "ram=2M", "--deadline", "200ms"],
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
            foreach (
                string name in text.Split('\n').Skip(1).Where(l => l.Length > 0).Select(l => l.Split(',')[4]).Distinct()
            )
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
        bool onlyRuns = Environment.GetEnvironmentVariable("IOMMUFD_WRITE_CORPUS") == "runs";
        string[] traces = onlyRuns ? [] : [Path.Combine(Find("conformance"), "traces")];
        foreach (string file in ConformanceRunner.FindTraces(traces))
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
            string path = Path.Combine(scratch, FormattableString.Invariant($"{++number}.db"));
            string[] seed = run.Contains("--deadline") ? [] : ["--seed", "1"];
            CliRun.Of(["run", .. run, .. seed, "--journal", path]);
            yield return TextOf(path);
            yield return Continued(path, path + ".continued.db");
            File.Delete(path);
        }

        yield return Entries(Path.Combine(scratch, "entries.db"));
    }

    // As if the run had been killed just before its end, when no context was open.
    private static string Continued(string path, string continued)
    {
        using (var rows = JournalRows.Open(path))
        using (var writer = JournalWriter.Create(continued))
        {
            int added = 0;
            foreach (JournalRow row in rows.All())
            {
                if (EventPayload.FromBytes(row.Payload) is RunFinished)
                {
                    byte[] payload = EventPayload.ToBytes(new RunContinued("1.0", []));
                    writer.Append(row with { Payload = payload });
                    added = 1;
                }

                writer.Append(row with { Ordering = row.Ordering + added, SequenceNr = row.SequenceNr + added });
            }

            writer.Complete();
        }

        return TextOf(continued);
    }

    // The size of entries and a shared table, which no scenario that is small enough has.
    private static string Entries(string path)
    {
        const ulong Memory = 0x10_0000_0000;
        const ulong Iova = 0x0100_0000;
        var machine = new HostMachine();
        Caller caller = machine.StartProcess(new ProcessSpec("client"));
        caller.Memory.Map(
            Memory,
            0x4000,
            MemoryKind.Anonymous,
            MemoryProtection.Read | MemoryProtection.Write,
            populate: true,
            out _
        );
        var context = new SequentialContext(machine, 1);
        IoctlCommand[] commands =
        [
            new IoasAlloc(),
            new SetEntryPolicy(1, (EntryPolicy)1),
            new TestMockDomain { PtId = 1 },
            new IoasMap
            {
                IoasId = 1,
                Flags = IoasMapFlags.FixedIova | IoasMapFlags.Readable | IoasMapFlags.Writeable,
                UserVa = Memory,
                Length = 0x4000,
                Iova = Iova,
            },
            new ResizeEntries(4, Iova, 0x4000, 0x800, Merge: false),
            new ResizeEntries(4, Iova, 0x4000, 0x1000, Merge: true),
            new AllocateKnownSharedHwpt(3, 0, (uint)IoPageTableFormat.AmdV1Mock),
        ];
        foreach (IoctlCommand command in commands)
        {
            context.Execute(caller, command);
        }

        var describe = (DescribeContextFlow)context.Run(new DescribeContextFlow(context.Core, caller, withText: false));
        using (var writer = JournalWriter.Create(path))
        {
            writer.Append("iommufd-1", new ContextOpened(EventTypes.Version, 1, caller.ProcessId));
            writer.Append("iommufd-1", new ProcessSeen(caller.ProcessId, ulong.MaxValue, true, true));
            foreach (ContextEvent change in context.Events)
            {
                writer.Append("iommufd-1", change);
            }

            writer.Append("iommufd-1", new DigestRecorded(describe.Digest));
            writer.Append("iommufd-1", new ContextClosed(0));
            writer.Complete();
        }

        return TextOf(path);
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
