using Iommufd.Messages.Flows;

namespace Iommufd.Core.Faults;

/// <summary>Where a fault point was reached.</summary>
/// <param name="Context">The context's number; 0 for hardware on its own.</param>
/// <param name="Flow">The flow in that context; 0 for none.</param>
/// <param name="Kind">The participant whose step it is; null for the context itself and for hardware.</param>
/// <param name="Id">The participant's id.</param>
/// <param name="Device">The physical device concerned; null for none.</param>
/// <param name="Operation">The operation in progress, where it is not the flow's; null for the flow's.</param>
public readonly record struct FaultSite(
    int Context,
    ulong Flow,
    ParticipantKind? Kind = null,
    uint Id = 0,
    string? Device = null,
    string? Operation = null
);

/// <summary>
/// Decides whether something fails. Asked by everything that can, each time that a fault point is reached; where no source is set
/// nobody asks. Under one seed the same questions in the same order get the same answers. Safe from any thread.
/// </summary>
public interface IFaultSource
{
    /// <summary>Whether the fault strikes here and now.</summary>
    bool ShouldFail(FaultPoint point, in FaultSite site);

    /// <summary>A number for a fault that has just struck (which page, how long): 0 up to <paramref name="below"/>, which is excluded.</summary>
    ulong Choose(ulong below);

    /// <summary>A flow begins: what reaches a fault point under its number belongs to this operation.</summary>
    /// <param name="context">The context's number.</param>
    /// <param name="flow">The flow's number in it.</param>
    /// <param name="operation">The operation's word: <see cref="OperationWords"/>.</param>
    /// <param name="tag">The client's number for the call.</param>
    void Begun(int context, ulong flow, string operation, long tag);

    /// <summary>Something rare was seen.</summary>
    void Saw(Sight sight);

    /// <summary>A flow is over, before its answer leaves.</summary>
    void Ended(int context, ulong flow);
}
