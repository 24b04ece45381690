using System.Globalization;
using Iommufd.Messages.Events;
using Iommufd.Persistence;
using Iommufd.Scenarios.Conformance;
using Iommufd.Scenarios.Conformance.Kernel;

namespace Iommufd.Scenarios.Tests.Conformance;

/// <summary>A trace becomes a journal, the journal becomes a trace, and that one plays.</summary>
public sealed class JournalTraceTests
{
    // IOMMUFD_ALL_TRACES is set by the nightly run.
    private static int Every => Environment.GetEnvironmentVariable("IOMMUFD_ALL_TRACES") is null ? 12 : 1;

    [Fact]
    public async Task Traces_come_back_from_journals_and_agree()
    {
        string[] files = [.. ConformanceRunner.FindTraces([TraceFolder.Path]).Where((_, i) => i % Every == 0)];
        var wrong = new List<string>();
        int said = 0;
        int unsaid = 0;
        foreach (string file in files)
        {
            Trace trace = TraceReader.Read(file);
            PlayedTrace first = await TraceJournal.PlayAsync(trace);
            if (first.Report.Disagreements.Count > 0)
            {
                // Recorded with pages of an earlier trace still locked: see ConformanceRunner.
                Assert.False(trace.Header.CapIpcLock, $"{file} does not agree");
                continue;
            }

            foreach (IReadOnlyList<ContextEvent> events in first.Contexts.Values)
            {
                string? problem = await RoundTripAsync(file, events);
                if (problem is null)
                {
                    said++;
                }
                else if (problem.Contains("cannot be said in the trace format", StringComparison.Ordinal))
                {
                    unsaid++;
                }
                else
                {
                    wrong.Add(problem);
                }
            }
        }

        Assert.True(
            wrong.Count == 0,
            $"{wrong.Count} wrong, {said} right, {unsaid} unsaid:\n" + string.Join('\n', wrong)
        );
        Assert.InRange(unsaid, 0, said / 3);
    }

    // Null when the second journal has the changes of the first and its trace agrees.
    private static async Task<string?> RoundTripAsync(string file, IReadOnlyList<ContextEvent> events)
    {
        string name = $"{Path.GetFileName(file)}";
        using var output = new StringWriter(CultureInfo.InvariantCulture);
        try
        {
            await JournalTrace.WriteAsync(name, events, output);
        }
        catch (TraceExportException unsaid)
        {
            return $"{name}: event {unsaid.Number}: {unsaid.Message}";
        }

        Trace again = TraceReader.Parse(name, output.ToString().TrimEnd('\n').Split('\n'));
        PlayedTrace second = await TraceJournal.PlayAsync(again);
        if (second.Report.Disagreements is [{ } first, ..])
        {
            return $"{name}: step {first.Step} {first.Op}: {first.Field} is {first.Actual}, not {first.Expected}";
        }

        string[] before = [.. Changes(events)];
        string[] after = [.. Changes(second.Contexts.Values.First())];
        int at = before.Zip(after).TakeWhile(p => p.First == p.Second).Count();
        return before.SequenceEqual(after)
            ? null
            : $"{name}: change {at} is {after.ElementAtOrDefault(at)}, was {before.ElementAtOrDefault(at)}";
    }

    // A revocation of a dma-buf that nothing was mapped of is no call; an unmap of several areas is several; page sets, files and frames have other numbers in another run.
    private static IEnumerable<string> Changes(IReadOnlyList<ContextEvent> events)
    {
        string last = string.Empty;
        foreach (ContextEvent change in events)
        {
            string name = $"{change.GetType().Name} {string.Join(' ', EventObjects.Of(change))}";
            if (change is not (ProcessSeen or DigestRecorded or ContextOpened or DmabufRevoked) && name != last)
            {
                yield return name;
                last = name;
            }
        }
    }
}
