namespace Iommufd.Scenarios.Invariants;

/// <summary>Closing a context destroys every object in it.</summary>
public sealed class NothingLeftAfterClose : RunInvariant
{
    /// <inheritdoc/>
    public override string Name => "nothing-left-after-close";

    /// <inheritdoc/>
    public override string Sentence => "the close of a context destroys all of its objects";

    /// <inheritdoc/>
    public override string? Broken(RunOutcome outcome) =>
        outcome.Leaked == 0 ? null : $"{outcome.Leaked} objects could not be destroyed";
}
