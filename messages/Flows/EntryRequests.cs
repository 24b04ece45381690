namespace Iommufd.Messages.Flows;

/// <summary>A response after which devices may still hold entries of another size or with old marks.</summary>
public interface IStaleTranslations
{
    /// <summary>The IOVAs that devices' IOTLBs must forget before the step is answered; null for none.</summary>
    IovaRange? Stale { get; }
}

/// <summary>Context → HWPT: from now on keep entries like this, and bring what is mapped in line.</summary>
public sealed record UseEntryPolicy(EntryPolicy Policy) : FlowRequest;

/// <summary>Context → HWPT: split entries larger than a size, or merge entries into that size. EINVAL for a bad size or range.</summary>
public sealed record ResizeRange(IovaRange Range, ulong PageSize, bool Merge) : FlowRequest;

/// <summary>HWPT → context: the sizes changed.</summary>
/// <param name="Errno">OK, or EINVAL.</param>
/// <param name="Merged">Entries made by merging.</param>
/// <param name="Stale">Where.</param>
public sealed record EntriesChanged(Errno Errno, ulong Merged, IovaRange? Stale)
    : FlowResponse(Errno),
        IStaleTranslations;
