using System.Text.Json.Nodes;
using Iommufd.Messages;
using Iommufd.Scenarios.Runner;

namespace Iommufd.Scenarios.Reports;

/// <summary>A run's report as the JSON object that the command line promises.</summary>
public static class RunJson
{
    /// <summary>Keys may be added, never renamed.</summary>
    public static JsonObject Of(RunReport report) =>
        new()
        {
            ["scenario"] = report.Scenario,
            ["seed"] = report.Seed,
            ["runtime"] = report.Runtime,
            ["ok"] = report.Ok,
            ["durationSeconds"] = Rounded(report.Duration.TotalSeconds, 6),
            ["contexts"] = report.Contexts,
            ["devices"] = report.Devices,
            ["operations"] = new JsonObject
            {
                ["total"] = report.Operations,
                ["failed"] = report.Failed,
                ["perSecond"] = Rounded(report.PerSecond(report.Operations), 1),
                ["byErrno"] = ByErrno(report),
            },
            ["dma"] = new JsonObject
            {
                ["translations"] = report.Dma.Translations,
                ["perSecond"] = Rounded(report.PerSecond(report.Dma.Translations), 1),
                ["faults"] = report.Dma.Faults,
                ["violations"] = report.Dma.Violations,
            },
            ["invariants"] = new JsonObject
            {
                ["checked"] = report.InvariantsChecked,
                ["violated"] = report.InvariantsViolated,
                ["first"] = report.FirstViolation is { } first
                    ? new JsonObject
                    {
                        ["invariant"] = first.Invariant,
                        ["where"] = first.Where,
                        ["what"] = first.What,
                    }
                    : null,
            },
            ["faults"] = Faults(report),
            ["journal"] = report.Journal is { } journal
                ? new JsonObject
                {
                    ["path"] = journal.Path,
                    ["events"] = journal.Events,
                    ["bytes"] = journal.Bytes,
                    ["sha256"] = journal.Sha256,
                }
                : null,
            ["state"] = new JsonObject { ["digest"] = report.Digest },
            ["memory"] = new JsonObject
            {
                ["peakBytes"] = report.PeakBytes,
                ["tableBytes"] = report.TableBytes,
                ["bytesPerDevice"] = Rounded(report.BytesPerDevice, 1),
            },
            ["phases"] = Phases(report),
            ["histories"] = new JsonObject
            {
                ["answers"] = report.HistoryAnswers,
                ["undecided"] = report.HistoriesGivenUp,
            },
            ["expectedFailure"] = report.ExpectedFailure is { } expected
                ? new JsonObject
                {
                    ["check"] = expected.Check,
                    ["what"] = expected.What,
                    ["seed"] = expected.Seed,
                }
                : null,
            ["stopReason"] = report.StopReason,
            ["skippedSteps"] = report.Skipped,
            ["expectations"] = new JsonObject
            {
                ["failed"] = report.FailedExpectations,
                ["first"] = new JsonArray([.. report.Failures.Take(20).Select(f => Failure(report, f))]),
            },
        };

    private static JsonObject Faults(RunReport report)
    {
        var byPoint = new JsonObject();
        foreach (var point in report.FaultCoverage.Where(c => c.Injected > 0).GroupBy(c => c.Point))
        {
            byPoint[point.Key] = point.Sum(c => c.Injected);
        }

        return new JsonObject
        {
            ["plan"] = report.Faults,
            ["injected"] = report.FaultCoverage.Sum(c => c.Injected),
            ["byPoint"] = byPoint,
            ["toleratedSteps"] = report.Tolerated,
        };
    }

    // Each phase by itself: what happened since the one before.
    private static JsonArray Phases(RunReport report)
    {
        var phases = new JsonArray();
        var last = new PhaseMetrics(string.Empty, 0, 0, TimeSpan.Zero, 0, 0);
        foreach (PhaseMetrics phase in report.Phases)
        {
            double seconds = (phase.Nanoseconds - last.Nanoseconds) / 1e9;
            phases.Add(
                new JsonObject
                {
                    ["until"] = phase.Name,
                    ["seconds"] = Rounded(seconds, 6),
                    ["processorSeconds"] = Rounded((phase.Processor - last.Processor) / 1e9, 6),
                    ["pausedSeconds"] = Rounded((phase.Paused - last.Paused).TotalSeconds, 6),
                    ["collections"] = phase.Collections - last.Collections,
                    ["fullCollections"] = phase.FullCollections - last.FullCollections,
                    ["devicesPerSecond"] = seconds > 0 ? Rounded(report.Devices / seconds, 1) : null,
                }
            );
            last = phase;
        }

        return phases;
    }

    private static JsonObject ByErrno(RunReport report)
    {
        var counts = new JsonObject();
        foreach ((Errno errno, long count) in report.ByErrno)
        {
            if (errno != Errno.OK)
            {
                counts[errno.ToString()] = count;
            }
        }

        return counts;
    }

    private static JsonObject Failure(RunReport report, FailedExpectation failure) =>
        new()
        {
            ["at"] = failure.At is { } at ? $"{report.File}:{at}" : null,
            ["client"] = failure.Client,
            ["step"] = failure.Step,
            ["expected"] = failure.Expected,
            ["actual"] = failure.Actual,
        };

    private static double Rounded(double value, int digits) => Math.Round(value, digits);
}
