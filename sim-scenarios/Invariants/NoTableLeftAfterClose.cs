namespace Iommufd.Scenarios.Invariants;

/// <summary>A HWPT's page table goes with it.</summary>
public sealed class NoTableLeftAfterClose : RunInvariant
{
    /// <inheritdoc/>
    public override string Name => "no-table-left";

    /// <inheritdoc/>
    public override string Sentence => "every page table is freed when its HWPT is gone";

    /// <inheritdoc/>
    public override string? Broken(RunOutcome outcome) =>
        outcome.Tables == 0 ? null : $"{outcome.Tables} page tables are still there";
}
