using Iommufd.Actors.Protocol;
using Iommufd.Scenarios.Invariants;
using Iommufd.Scenarios.Steps;

namespace Iommufd.Scenarios.Tests.Runner;

/// <summary>The invariants of a whole run: each finds what it is for, and nothing else.</summary>
public sealed class RunInvariantTests
{
    private static readonly RunOutcome Good = new(new DmaTotals(100, 3, 0), 0, 0, 0);

    [Fact]
    public void A_clean_run_breaks_none()
    {
        InvariantReport report = RunInvariant.CheckAll(Good);
        Assert.Empty(report.Violations);
        Assert.Equal(RunInvariant.All.Count, report.Checked);
    }

    [Theory]
    [InlineData("nothing-pinned-after-close", 2, 0, 0, 0ul, 0)]
    [InlineData("nothing-left-after-close", 0, 2, 0, 0ul, 0)]
    [InlineData("every-context-closed", 0, 0, 2, 0ul, 0)]
    [InlineData("no-dma-check-violated", 0, 0, 0, 2ul, 0)]
    [InlineData("no-table-left", 0, 0, 0, 0ul, 2)]
    public void Each_finds_what_it_is_for(string name, long pins, long leaked, long open, ulong violations, long tables)
    {
        var outcome = new RunOutcome(new DmaTotals(100, 0, violations), pins, leaked, open, tables);
        InvariantViolation found = Assert.Single(RunInvariant.CheckAll(outcome).Violations);
        Assert.Equal(name, found.Invariant);
        Assert.StartsWith("2 ", found.What, StringComparison.Ordinal);
    }

    [Fact]
    public void Each_has_a_name_and_a_sentence_of_its_own()
    {
        Assert.Equal(RunInvariant.All.Count, RunInvariant.All.Select(i => i.Name).Distinct().Count());
        Assert.All(RunInvariant.All, i => Assert.True(i.Sentence.Length > 20));
    }
}
