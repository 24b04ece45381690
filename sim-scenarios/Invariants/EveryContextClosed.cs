namespace Iommufd.Scenarios.Invariants;

/// <summary>A client that has ended has closed its context.</summary>
public sealed class EveryContextClosed : RunInvariant
{
    /// <inheritdoc/>
    public override string Name => "every-context-closed";

    /// <inheritdoc/>
    public override string Sentence => "every context that was opened is closed when its client has ended";

    /// <inheritdoc/>
    public override string? Broken(RunOutcome outcome) =>
        outcome.OpenContexts == 0 ? null : $"{outcome.OpenContexts} contexts are still open";
}
