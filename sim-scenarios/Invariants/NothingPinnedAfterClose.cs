namespace Iommufd.Scenarios.Invariants;

/// <summary>Every pin is given back by the close of its context at the latest.</summary>
public sealed class NothingPinnedAfterClose : RunInvariant
{
    /// <inheritdoc/>
    public override string Name => "nothing-pinned-after-close";

    /// <inheritdoc/>
    public override string Sentence => "no page is pinned when every context is closed";

    /// <inheritdoc/>
    public override string? Broken(RunOutcome outcome) =>
        outcome.Pins == 0 ? null : $"{outcome.Pins} pages are still pinned";
}
