namespace Iommufd.Scenarios.Invariants;

/// <summary>Devices reach what is mapped and pinned, as it is mapped, and nothing else.</summary>
public sealed class NoDmaCheckViolated : RunInvariant
{
    /// <inheritdoc/>
    public override string Name => "no-dma-check-violated";

    /// <inheritdoc/>
    public override string Sentence =>
        "no DMA goes through an unmapped IOVA, a stale IOTLB entry, a mapping that forbids it, or to a page that is not pinned";

    /// <inheritdoc/>
    public override string? Broken(RunOutcome outcome) =>
        outcome.Dma.Violations == 0 ? null : $"{outcome.Dma.Violations} accesses were wrong";
}
