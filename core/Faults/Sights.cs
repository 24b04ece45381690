namespace Iommufd.Core.Faults;

/// <summary>
/// Something that is right but rare. A soak must see each of them now and then: one that it never sees means that whole ways through
/// the simulator are not tested.
/// </summary>
public sealed class Sight
{
    internal Sight(string name, string sentence) => (Name, Sentence) = (name, sentence);

    /// <summary>Short name, for reports.</summary>
    public string Name { get; }

    /// <summary>What is seen, in one sentence.</summary>
    public string Sentence { get; }

    /// <inheritdoc/>
    public override string ToString() => Name;
}

/// <summary>Every sight that a soak looks out for.</summary>
public static class Sights
{
    /// <summary>An unmap asked accesses to let go of their pins.</summary>
    public static readonly Sight UnmapWaited = new("unmap-waited", "an unmap waited for an access to let go");

    /// <summary>A map gave back what it had pinned.</summary>
    public static readonly Sight MapRolledBack = new("map-rolled-back", "a map failed after it had pinned pages");

    /// <summary>A HWPT was filled with some areas and emptied again.</summary>
    public static readonly Sight AttachRolledBack = new(
        "attach-rolled-back",
        "an attach was rolled back half-way: some areas were in the new HWPT already"
    );

    /// <summary>A device went back to its old HWPT.</summary>
    public static readonly Sight SwitchRolledBack = new(
        "switch-refused",
        "a device's switch to a HWPT was refused after its reserved ranges were taken"
    );

    /// <summary>A pin of several areas failed after the first.</summary>
    public static readonly Sight PinRolledBack = new("pin-rolled-back", "an access's pin failed after it opened areas");

    /// <summary>A flow waited for a lock.</summary>
    public static readonly Sight FlowQueued = new("flow-queued", "an operation waited for another of the same context");

    /// <summary>A step was done again.</summary>
    public static readonly Sight StepRetried = new("step-retried", "a step was done again because its actor had died");

    /// <summary>An invalidation was sent again.</summary>
    public static readonly Sight InvalidationRepeated = new(
        "invalidation-repeated",
        "an IOTLB invalidation timed out and was sent again"
    );

    /// <summary>A journal was opened again.</summary>
    public static readonly Sight JournalReopened = new(
        "journal-reopened",
        "a journal's writer died and another one went on"
    );

    /// <summary>A context was closed under load.</summary>
    public static readonly Sight ClosedUnderLoad = new(
        "closed-under-load",
        "a context was closed while operations were under way in it"
    );

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Sight> All { get; } =
    [
        UnmapWaited,
        MapRolledBack,
        AttachRolledBack,
        SwitchRolledBack,
        PinRolledBack,
        FlowQueued,
        StepRetried,
        InvalidationRepeated,
        JournalReopened,
        ClosedUnderLoad,
    ];
}
