using Iommufd.Messages;
using Iommufd.Scenarios.Language.Sections;
using Iommufd.Scenarios.Language.Vocabulary;

namespace Iommufd.Scenarios.Runner;

/// <summary>Compares what a run counted with the <c>expect</c> of its scenario.</summary>
internal static class FinalExpectations
{
    /// <summary>Those that do not hold.</summary>
    /// <param name="scenario">The scenario.</param>
    /// <param name="metrics">What was counted.</param>
    /// <param name="end">How the run ended.</param>
    /// <param name="comparesCounts">
    /// Whether totals are compared: not in a run with faults, and not in one that goes on with a run that was killed, of which only a
    /// part was counted.
    /// </param>
    public static IReadOnlyList<FailedExpectation> Unmet(
        Scenario scenario,
        RunMetrics metrics,
        RunEnd end,
        bool comparesCounts
    )
    {
        var unmet = new List<FailedExpectation>();
        FieldValues all = scenario.Expect;
        FieldValues operations = all.Get(ExpectKeys.Operations) ?? new FieldValues();
        FieldValues dma = all.Get(ExpectKeys.Dma) ?? new FieldValues();
        FieldValues invariants = all.Get(ExpectKeys.Invariants) ?? new FieldValues();
        Compare("dma.violations", dma.Get(ExpectKeys.Violations), metrics.Dma.Violations);
        Compare("invariants.violated", invariants.Get(ExpectKeys.Violated), metrics.InvariantsViolated);
        Compare("pins", all.Get(ExpectKeys.Pins), end.Pins);
        Compare("leaked", all.Get(ExpectKeys.Leaked), end.Leaked);
        if (comparesCounts)
        {
            CompareCounts();
        }

        return unmet;

        // Written for a whole run in which nothing fails.
        void CompareCounts()
        {
            Compare("operations.total", operations.Get(ExpectKeys.Total), metrics.Operations);
            Compare("operations.failed", operations.Get(ExpectKeys.Failed), metrics.Failed);
            foreach (ErrnoCount count in operations.Get(ExpectKeys.ByErrno) ?? [])
            {
                long actual = metrics.ByErrno().Where(e => e.Errno == count.Errno).Sum(e => e.Count);
                Compare($"operations.byErrno.{count.Errno}", count.Count, actual);
            }

            Compare("dma.translations", dma.Get(ExpectKeys.Translations), metrics.Dma.Translations);
            Compare("dma.faults", dma.Get(ExpectKeys.Faults), metrics.Dma.Faults);
            Compare("invariants.checked", invariants.Get(ExpectKeys.Checked), metrics.InvariantsChecked);
        }

        void Compare(string name, Comparison? expected, Int128 actual)
        {
            if (expected is not null && !expected.Holds(actual, scenario.Parameters))
            {
                unmet.Add(
                    new FailedExpectation(expected.At, scenario.Name, "expect", $"{name}: {expected.Text}", $"{actual}")
                );
            }
        }
    }
}
