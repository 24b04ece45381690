using Iommufd.Core.Faults;
using Iommufd.Scenarios.Faults;

namespace Iommufd.Scenarios.Soak;

/// <summary>
/// What a soak found so far: a sum over its runs. <see cref="Plus"/> is associative and commutative, so that parts of a soak (threads,
/// machines, a soak and its continuation) can be put together in any order. Immutable.
/// </summary>
public sealed record SoakTotals
{
    /// <summary>No run.</summary>
    public static SoakTotals None { get; } = new();

    /// <summary>Runs.</summary>
    public long Runs { get; init; }

    /// <summary>Ioctls and driver calls.</summary>
    public long Operations { get; init; }

    /// <summary>Invariants checked.</summary>
    public long InvariantsChecked { get; init; }

    /// <summary>The runs that failed, by scenario, then seed; each once.</summary>
    public IReadOnlyList<SeedFailure> Failures { get; init; } = [];

    /// <summary>Fault points reached and struck, by operation; points in their order, operations by alphabet.</summary>
    public IReadOnlyList<FaultCoverage> Coverage { get; init; } = [];

    /// <summary>How often each sight was seen.</summary>
    public IReadOnlyDictionary<string, long> Sometimes { get; init; } = new SortedDictionary<string, long>();

    /// <summary>Names of the fault points that struck at least once, in their order.</summary>
    public IReadOnlyList<string> PointsCovered =>
        [.. FaultPoints.All.Select(p => p.Name).Where(n => Coverage.Any(c => c.Point == n && c.Injected > 0))];

    /// <summary>Names of the fault points that never struck.</summary>
    public IReadOnlyList<string> PointsMissing => [.. FaultPoints.All.Select(p => p.Name).Except(PointsCovered)];

    /// <summary>Names of the sights that were never seen.</summary>
    public IReadOnlyList<string> SightsMissing =>
        [.. Sights.All.Select(s => s.Name).Where(n => !Sometimes.ContainsKey(n))];

    /// <summary>Faults that struck.</summary>
    public long Injected => Coverage.Sum(c => c.Injected);

    /// <summary>The totals of one run.</summary>
    public static SoakTotals Of(SeedResult run) =>
        new()
        {
            Runs = 1,
            Operations = run.Operations,
            InvariantsChecked = run.InvariantsChecked,
            Failures = run.Failure is { } failure ? [failure] : [],
            Coverage = run.Coverage,
            Sometimes = run.Sometimes,
        };

    /// <summary>Both together.</summary>
    public SoakTotals Plus(SoakTotals other)
    {
        ArgumentNullException.ThrowIfNull(other);
        return new SoakTotals
        {
            Runs = Runs + other.Runs,
            Operations = Operations + other.Operations,
            InvariantsChecked = InvariantsChecked + other.InvariantsChecked,
            Failures =
            [
                .. Failures
                    .Concat(other.Failures)
                    .Distinct()
                    .OrderBy(f => f.Scenario, StringComparer.Ordinal)
                    .ThenBy(f => f.Seed)
                    .ThenBy(f => f.Check, StringComparer.Ordinal),
            ],
            Coverage = Merged(Coverage, other.Coverage),
            Sometimes = Merged(Sometimes, other.Sometimes),
        };
    }

    private static SortedDictionary<string, long> Merged(
        IReadOnlyDictionary<string, long> left,
        IReadOnlyDictionary<string, long> right
    )
    {
        var sum = new SortedDictionary<string, long>(StringComparer.Ordinal);
        foreach ((string name, long count) in left.Concat(right))
        {
            sum[name] = sum.GetValueOrDefault(name) + count;
        }

        return sum;
    }

    private static FaultCoverage[] Merged(IReadOnlyList<FaultCoverage> left, IReadOnlyList<FaultCoverage> right)
    {
        var sum = new SortedDictionary<(int Point, string Operation), FaultCoverage>(
            Comparer<(int Point, string Operation)>.Create(
                (a, b) =>
                    a.Point != b.Point ? a.Point.CompareTo(b.Point) : string.CompareOrdinal(a.Operation, b.Operation)
            )
        );
        foreach (FaultCoverage part in left.Concat(right))
        {
            var key = (FaultPoints.Find(part.Point)?.Index ?? int.MaxValue, part.Operation);
            sum[key] = sum.TryGetValue(key, out FaultCoverage? before)
                ? before with
                {
                    Reached = before.Reached + part.Reached,
                    Injected = before.Injected + part.Injected,
                }
                : part;
        }

        return [.. sum.Values];
    }
}
