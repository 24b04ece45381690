using FsCheck;
using FsCheck.Fluent;
using Iommufd.Core.Faults;
using Iommufd.Scenarios.Faults;
using Iommufd.Scenarios.Reports;
using Iommufd.Scenarios.Soak;
using Xunit;

namespace Iommufd.Scenarios.Tests.Soak;

/// <summary>A soak split in parts is the soak in one piece: which runs, and what the results add up to.</summary>
public sealed class SoakShardTests
{
    [Fact]
    public void Parts_share_no_run_and_leave_none_out() =>
        Prop.ForAll(
                Gen.Choose(1, 40).Two().Select(p => (Parts: p.Item1, Runs: p.Item2 * 3)).ToArbitrary(),
                split =>
                {
                    var runs = new List<ulong>();
                    for (int index = 0; index < split.Parts; index++)
                    {
                        var shard = new SoakShard(index, split.Parts);
                        for (ulong own = 0; own < shard.RunsOf((ulong)split.Runs); own++)
                        {
                            runs.Add(shard.RunAt(own));
                        }
                    }

                    return runs.Order().SequenceEqual(Enumerable.Range(0, split.Runs).Select(r => (ulong)r));
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Any_split_of_a_soak_and_any_order_of_its_parts_merge_to_the_same_result() =>
        Prop.ForAll(
                Splits().ToArbitrary(),
                split =>
                {
                    string whole = Json(Subject(SoakShard.Whole), Sum(split.Runs));
                    var parts = new List<SoakPart>();
                    for (int index = 0; index < split.Parts; index++)
                    {
                        var shard = new SoakShard(index, split.Parts);
                        IEnumerable<SeedResult> own = split.Runs.Where((_, n) => n % split.Parts == index);
                        parts.Add(SoakMerge.Read($"part {index}", Json(Subject(shard), Sum(own))));
                    }

                    SoakPart merged = SoakMerge.Merge(
                        [.. parts.OrderBy(p => (p.Subject.Shard.Index * split.Turn) % 41)]
                    );
                    return Json(merged.Subject, merged.Outcome.Totals) == whole && merged.Outcome.IsComplete;
                }
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void Merging_in_groups_is_merging_at_once() =>
        Prop.ForAll(
                Runs().Two().ToArbitrary(),
                both =>
                    Json(Subject(SoakShard.Whole), Sum(both.Item1).Plus(Sum(both.Item2)))
                    == Json(Subject(SoakShard.Whole), Sum(both.Item2.Concat(both.Item1)))
            )
            .QuickCheckThrowOnFailure();

    [Fact]
    public void A_missing_part_is_named_and_the_whole_is_not_complete()
    {
        SoakPart[] parts = [Part(0, 3), Part(2, 3)];
        Assert.Equal("1/3", Assert.Single(SoakMerge.Missing(parts)).ToString());
        Assert.False(SoakMerge.Merge(parts).Outcome.IsComplete);
    }

    [Fact]
    public void A_part_that_is_there_twice_is_refused() =>
        Assert.Contains(
            "is part 1/3, and so is",
            Assert.Throws<SoakMergeException>(() => SoakMerge.Merge([Part(1, 3), Part(1, 3)])).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Parts_of_different_soaks_are_refused() =>
        Assert.Contains(
            "is of another soak",
            Assert.Throws<SoakMergeException>(() => SoakMerge.Merge([Part(0, 3), Part(1, 4)])).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("{}")]
    [InlineData("[]")]
    [InlineData("{\"runs\":1")]
    [InlineData("{\"runs\":\"many\",\"coverage\":{}}")]
    public void What_is_no_result_of_a_soak_is_refused(string text) =>
        Assert.Contains(
            "is not a soak's result",
            Assert.Throws<SoakMergeException>(() => SoakMerge.Read("a.json", text)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("3/3")]
    [InlineData("-1/3")]
    [InlineData("1/0")]
    [InlineData("1")]
    [InlineData("a/b")]
    public void What_is_no_part_is_refused(string text) => Assert.False(SoakShard.TryParse(text, out _));

    private static SoakSubject Subject(SoakShard shard) =>
        new()
        {
            Scenarios = ["quickstart"],
            Seeds = "1..100",
            Faults = "default",
            Settings = ["vms=2"],
            Shard = shard,
        };

    private static SoakPart Part(int index, int count) =>
        new($"{index}.json", Subject(new SoakShard(index, count)), new SoakOutcome(SoakTotals.None, 0, default, true));

    private static SoakTotals Sum(IEnumerable<SeedResult> runs) =>
        runs.Aggregate(SoakTotals.None, (sum, run) => sum.Plus(SoakTotals.Of(run)));

    private static string Json(SoakSubject subject, SoakTotals totals) =>
        SoakJson.Of(subject, new SoakOutcome(totals, totals.Runs, TimeSpan.FromSeconds(1), true)).ToJsonString();

    private static Gen<(SeedResult[] Runs, int Parts, int Turn)> Splits() =>
        from runs in Runs()
        from parts in Gen.Choose(1, 12)
        from turn in Gen.Choose(1, 40)
        select (runs, parts, turn);

    // Seeds as a soak numbers them: no two runs have the same.
    private static Gen<SeedResult[]> Runs() =>
        from count in Gen.Choose(0, 30)
        from runs in Run().ArrayOf(count)
        select runs.Select(
                (r, n) => r with { Seed = (ulong)n, Failure = r.Failure is { } f ? f with { Seed = (ulong)n } : null }
            )
            .ToArray();

    private static Gen<SeedResult> Run() =>
        from operations in Gen.Choose(0, 1000)
        from fails in Gen.Choose(0, 4)
        from points in Cell().ListOf(3)
        from sight in Gen.Elements(Sights.All.Select(s => s.Name).ToArray())
        select new SeedResult
        {
            Seed = 0,
            Failure = fails == 0 ? new SeedFailure(0, "quickstart", "default", "pins", "2 left", "iommufd run") : null,
            Operations = operations,
            InvariantsChecked = operations * 2,
            Digest = string.Empty,
            Coverage = [.. points.DistinctBy(p => (p.Point, p.Operation))],
            Sometimes = new SortedDictionary<string, long> { [sight] = 1 },
        };

    private static Gen<FaultCoverage> Cell() =>
        from point in Gen.Elements(FaultPoints.All.Select(p => p.Name).ToArray())
        from operation in Gen.Elements("map", "unmap", "attach")
        from reached in Gen.Choose(1, 9)
        select new FaultCoverage(point, operation, reached, reached / 2);
}
