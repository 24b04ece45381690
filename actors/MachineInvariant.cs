using Iommufd.Core.Context;

namespace Iommufd.Actors;

/// <summary>What is known of a machine while nothing is under way.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="OpenContexts">Contexts that are open.</param>
/// <param name="Pinned">Pages that all page sets have pinned.</param>
/// <param name="UserCharged">Pages that they charged to the user.</param>
/// <param name="ProcessCharged">Pages that they charged to processes.</param>
public sealed record MachineSums(
    HostMachine Machine,
    int OpenContexts,
    long Pinned,
    long UserCharged,
    long ProcessCharged
);

/// <summary>Something that must hold between contexts, memories and the machine while nothing is under way. Stateless.</summary>
public abstract class MachineInvariant
{
    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<MachineInvariant> All =
    [
        new PinsBelongToPageSets(),
        new AccountingEqualsPins(),
        new NothingLeftWhenClosed(),
    ];

    /// <summary>Short name, for reports.</summary>
    public abstract string Name { get; }

    /// <summary>What must hold, in one sentence.</summary>
    public abstract string Sentence { get; }

    /// <summary>What was found instead; null when it holds.</summary>
    public abstract string? Broken(MachineSums sums);
}

/// <summary>No page is pinned twice for one page set, and none without one.</summary>
public sealed class PinsBelongToPageSets : MachineInvariant
{
    /// <inheritdoc/>
    public override string Name => "pins";

    /// <inheritdoc/>
    public override string Sentence =>
        "every page that someone needs is pinned once for each page set that it is in, and no other page is pinned";

    /// <inheritdoc/>
    public override string? Broken(MachineSums sums)
    {
        var pins = (long)sums.Machine.Physical.TotalPins;
        return pins == sums.Pinned
            ? null
            : FormattableString.Invariant($"the frames have {pins} pins, the page sets {sums.Pinned}");
    }
}

/// <summary>Whoever has pages pinned is charged for them.</summary>
public sealed class AccountingEqualsPins : MachineInvariant
{
    /// <inheritdoc/>
    public override string Name => "accounting";

    /// <inheritdoc/>
    public override string Sentence => "the user and the processes are charged for what their page sets have pinned";

    /// <inheritdoc/>
    public override string? Broken(MachineSums sums)
    {
        var user = sums.Machine.User.LockedPages;
        var locked = sums.Machine.Processes.Sum(p => p.Memory.LockedVmPages);
        return user == sums.UserCharged && locked == sums.ProcessCharged
            ? null
            : FormattableString.Invariant(
                $"{user} and {locked} pages are charged, {sums.UserCharged} and {sums.ProcessCharged} are accounted"
            );
    }
}

/// <summary>A machine on which nothing is open holds nothing.</summary>
public sealed class NothingLeftWhenClosed : MachineInvariant
{
    /// <inheritdoc/>
    public override string Name => "nothing-left";

    /// <inheritdoc/>
    public override string Sentence => "when no context is open, no page is pinned or charged";

    /// <inheritdoc/>
    public override string? Broken(MachineSums sums)
    {
        var pins = sums.Machine.Physical.TotalPins;
        var charged = sums.Machine.User.LockedPages;
        return sums.OpenContexts > 0 || (pins == 0 && charged == 0)
            ? null
            : FormattableString.Invariant($"{pins} pins and {charged} charged pages are left");
    }
}
