using Iommufd.Core.Faults;
using Iommufd.Core.PageTables;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

// Injected faults of table memory.
public sealed partial class HwptState
{
    // A map of a few areas rarely takes more tables than this.
    private const ulong TablesTried = 4;

    private readonly TableBudget? _tables;

    /// <inheritdoc/>
    void IFailingParticipant.Arm(FlowRequest request, IFaultSource faults, in FaultSite site)
    {
        var allocates = request is InstallArea or ResizeRange;
        if (allocates && _tables is { } tables && faults.ShouldFail(FaultPoints.TableAlloc, site))
        {
            tables.Left = (long)faults.Choose(TablesTried);
        }
    }

    /// <inheritdoc/>
    void IFailingParticipant.Disarm(FlowRequest request)
    {
        if (_tables is { } tables)
        {
            tables.Left = long.MaxValue;
        }
    }

    /// <summary>How many tables may still be allocated. Changed and asked by the participant's thread alone.</summary>
    private sealed class TableBudget : ITableAllocationGate
    {
        public long Left { get; set; } = long.MaxValue;

        public bool MayAllocate() => Left > 0 && Left-- > 0;
    }
}
