using System.Text.Json.Nodes;
using Iommufd.Core.Faults;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Scenarios.Reports;

/// <summary>A soak's result as the JSON object that the command line promises.</summary>
public static class SoakJson
{
    /// <summary>Keys may be added, never renamed.</summary>
    public static JsonObject Of(SoakSubject subject, SoakOutcome outcome)
    {
        SoakTotals totals = outcome.Totals;
        return new JsonObject
        {
            ["runs"] = totals.Runs,
            ["failures"] = new JsonArray([.. totals.Failures.Select(Failure)]),
            ["faultPointsCovered"] = totals.PointsCovered.Count,
            ["faultPointsKnown"] = FaultPoints.All.Count,
            ["runsPerSecond"] = Math.Round(outcome.RunsPerSecond, 2),
            ["scenarios"] = Names(subject.Scenarios),
            ["faults"] = subject.Faults,
            ["seeds"] = subject.Seeds,
            ["set"] = Names(subject.Settings),
            ["shard"] = $"{subject.Shard}",
            ["complete"] = outcome.IsComplete,
            ["durationSeconds"] = Math.Round(outcome.Elapsed.TotalSeconds, 3),
            ["operations"] = totals.Operations,
            ["invariantsChecked"] = totals.InvariantsChecked,
            ["faultsInjected"] = totals.Injected,
            ["faultPointsMissing"] = Names(totals.PointsMissing),
            ["sometimes"] = Sometimes(totals),
            ["sometimesMissing"] = Names(totals.SightsMissing),
            ["coverage"] = Coverage(totals),
        };
    }

    /// <summary>The result of nth mode: the keys of a soak, and what was done with each operation.</summary>
    public static JsonObject Of(SoakSubject subject, NthOutcome outcome)
    {
        var soak = new SoakOutcome(outcome.Totals, outcome.Totals.Runs, outcome.Elapsed, outcome.IsComplete);
        JsonObject result = Of(subject, soak);
        var rows = new JsonObject();
        foreach (NthRow row in outcome.Rows)
        {
            rows[row.Operation] = new JsonObject { ["operations"] = row.Operations, ["points"] = row.Points };
        }

        result["faults"] = "nth";
        result["violations"] = outcome.Totals.Failures.Count;
        result["pointsExercised"] = outcome.Rows.Sum(r => r.Points);
        result["commands"] = rows;
        return result;
    }

    private static JsonArray Names(IEnumerable<string> names) => new([.. names.Select(n => JsonValue.Create(n))]);

    private static JsonObject Failure(SeedFailure failure) =>
        new()
        {
            ["seed"] = failure.Seed,
            ["scenario"] = failure.Scenario,
            ["faults"] = failure.Faults,
            ["check"] = failure.Check,
            ["what"] = failure.What,
            ["replay"] = failure.Replay,
        };

    private static JsonObject Sometimes(SoakTotals totals)
    {
        var seen = new JsonObject();
        foreach (Sight sight in Sights.All)
        {
            seen[sight.Name] = totals.Sometimes.GetValueOrDefault(sight.Name);
        }

        return seen;
    }

    // Point, then operation, then how often it was reached and how often it struck.
    private static JsonObject Coverage(SoakTotals totals)
    {
        var matrix = new JsonObject();
        foreach (IGrouping<string, FaultCoverage> point in totals.Coverage.GroupBy(c => c.Point))
        {
            var row = new JsonObject();
            foreach (FaultCoverage cell in point)
            {
                row[cell.Operation] = new JsonArray(cell.Reached, cell.Injected);
            }

            matrix[point.Key] = row;
        }

        return matrix;
    }
}
