using Iommufd.Actors.Protocol;
using Iommufd.Scenarios.Steps;

namespace Iommufd.Scenarios.Invariants;

/// <summary>What is known when every client has ended, and what the invariants of a whole run look at.</summary>
/// <param name="Dma">DMA of all devices.</param>
/// <param name="Pins">Pages that are still pinned.</param>
/// <param name="Leaked">Objects that closing could not destroy.</param>
/// <param name="OpenContexts">Contexts that a client opened and nobody closed.</param>
/// <param name="Tables">Page tables that were not freed.</param>
public sealed record RunOutcome(DmaTotals Dma, long Pins, long Leaked, long OpenContexts, long Tables = 0);

/// <summary>
/// Something that must hold at the end of every run, whatever its scenario expects. The invariants of single objects are
/// checked by the machine while the run goes on; these look at the run as a whole. Stateless.
/// </summary>
public abstract class RunInvariant
{
    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<RunInvariant> All =
    [
        new NothingPinnedAfterClose(),
        new NothingLeftAfterClose(),
        new NoTableLeftAfterClose(),
        new EveryContextClosed(),
        new NoDmaCheckViolated(),
    ];

    /// <summary>Short name, for reports.</summary>
    public abstract string Name { get; }

    /// <summary>What must hold, in one sentence.</summary>
    public abstract string Sentence { get; }

    /// <summary>What was found instead; null when the invariant holds.</summary>
    public abstract string? Broken(RunOutcome outcome);

    /// <summary>Checks all of them.</summary>
    public static InvariantReport CheckAll(RunOutcome outcome)
    {
        var violations = new List<InvariantViolation>();
        foreach (RunInvariant invariant in All)
        {
            if (invariant.Broken(outcome) is { } found)
            {
                violations.Add(
                    new InvariantViolation(invariant.Name, "the end of the run", $"{found}; {invariant.Sentence}")
                );
            }
        }

        return new InvariantReport(All.Count, violations);
    }
}
