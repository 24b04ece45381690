using Iommufd.Scenarios.Runner;
using Iommufd.Scenarios.Soak;

namespace Iommufd.Scenarios.Shrink;

/// <summary>
/// What makes two failures the same, though they happened at other steps with other numbers: the check that failed, and for an
/// expectation what kind of step gave what kind of answer.
/// </summary>
/// <param name="Check">The check.</param>
/// <param name="Detail">More of it; null where the check says enough.</param>
public sealed record FailureSignature(string Check, string? Detail)
{
    private const string Expectation = "expectation";

    /// <summary>How a run failed first; null for one that did not.</summary>
    public static FailureSignature? Of(SeedOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        if (outcome.Result.Failure is not { } failure)
        {
            return null;
        }

        if (string.Equals(failure.Check, Expectation, StringComparison.Ordinal))
        {
            return new FailureSignature(failure.Check, DetailOf(outcome.Report!.Failures[0]));
        }

        bool isException = string.Equals(failure.Check, "no-exception", StringComparison.Ordinal);
        return new FailureSignature(failure.Check, isException ? failure.What.Split(':')[0] : null);
    }

    /// <summary>Whether a run fails in this way, first or later.</summary>
    public bool Matches(SeedOutcome outcome)
    {
        ArgumentNullException.ThrowIfNull(outcome);
        return Equals(Of(outcome))
            || (
                string.Equals(Check, Expectation, StringComparison.Ordinal)
                && outcome.Report?.Failures.Any(f => string.Equals(DetailOf(f), Detail, StringComparison.Ordinal))
                    == true
            );
    }

    /// <inheritdoc/>
    public override string ToString() => Detail is null ? Check : $"{Check} ({Detail})";

    // Numbers and places differ from candidate to candidate; which output of which step was wrong does not.
    private static string DetailOf(FailedExpectation failure)
    {
        string actual = failure.Actual.Split(':')[0];
        return $"{failure.Step}: {actual}";
    }
}
