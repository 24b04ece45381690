namespace Iommufd.Scenarios.Invariants;

/// <summary>Closing a context destroys every object in it, and leaves no actor and no unwritten event.</summary>
public sealed class NothingLeftAfterClose : RunInvariant
{
    /// <inheritdoc/>
    public override string Name => "nothing-left-after-close";

    /// <inheritdoc/>
    public override string Sentence =>
        "the close of a context destroys all of its objects, ends their actors and writes its journal to the end";

    /// <inheritdoc/>
    public override string? Broken(RunOutcome outcome) =>
        outcome.Leaked == 0 ? null : $"{outcome.Leaked} objects, actors or events are left";
}
