// The invariants of a context, one class and one sentence each. They are checked while no command runs in the context; those of
// the machine are in Iommufd.Actors, those of a whole run in Iommufd.Scenarios.
using Iommufd.Core.Context;
using Iommufd.Core.Flows;

namespace Iommufd.Core.Invariants;

/// <summary>Something that must hold in a context whenever no command runs in it. Stateless.</summary>
public abstract class ContextInvariant
{
    /// <summary>All of them.</summary>
    public static readonly IReadOnlyList<ContextInvariant> All =
    [
        new EveryStateIsSound(),
        new EveryHwptMirrorsItsIoas(),
        new StorageIsWhereDomainsAre(),
        new ReferencesAddUp(),
        new IdsAreConsistent(),
        new PageSetsHaveTheirAreas(),
        new NoLockIsHeld(),
        new VfioFilesKnowWhatIsAttached(),
        new NoFlowCrashed(),
    ];

    /// <summary>Short name, for reports.</summary>
    public abstract string Name { get; }

    /// <summary>What must hold, in one sentence.</summary>
    public abstract string Sentence { get; }

    /// <summary>Checks it: the waits are questions to participants, as in a flow.</summary>
    public abstract IEnumerable<FlowWait> Check(ContextCore context, InvariantFindings findings);
}

/// <summary>What a check of a context found. Not thread-safe.</summary>
public sealed class InvariantFindings
{
    private readonly List<BrokenInvariant> _broken = [];

    /// <summary>Invariants checked.</summary>
    public long Checked { get; private set; }

    /// <summary>The broken ones.</summary>
    public IReadOnlyList<BrokenInvariant> Broken => _broken;

    /// <summary>Counts checks that were made elsewhere.</summary>
    public void Count(long checks) => Checked += checks;

    /// <summary>Notes that an invariant does not hold.</summary>
    public void Add(ContextInvariant invariant, string where, FormattableString what) =>
        _broken.Add(new BrokenInvariant(invariant.Name, where, FormattableString.Invariant(what)));

    /// <summary>Counts one check, and notes it where it does not hold.</summary>
    public void Holds(bool holds, ContextInvariant invariant, string where, FormattableString what)
    {
        Checked++;
        if (!holds)
        {
            Add(invariant, where, what);
        }
    }
}
