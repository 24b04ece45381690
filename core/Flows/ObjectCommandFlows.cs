using Iommufd.Core.Context;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Which flow carries out which command on the objects around nesting, faults and virtual IOMMUs.</summary>
public static class ObjectCommandFlows
{
    /// <summary>Makes the flow of such a command; null for a command of another kind.</summary>
    public static Flow? TryCreate(ContextCore context, Caller caller, IoctlCommand command) =>
        command switch
        {
            HwptInvalidate c => new InvalidateFlow(context, caller, c),
            FaultQueueAlloc c => new FaultQueueAllocFlow(context, caller, c),
            ViommuAlloc c => new ViommuAllocFlow(context, caller, c),
            VdeviceAlloc c => new VdeviceAllocFlow(context, caller, c),
            VeventqAlloc c => new VeventqAllocFlow(context, caller, c),
            HwQueueAlloc c => new HwQueueAllocFlow(context, caller, c),
            DriverCommand c => TryCreateDriver(context, caller, c),
            TestCommand c => TryCreateTest(context, caller, c),
            _ => null,
        };

    private static Flow? TryCreateDriver(ContextCore context, Caller caller, DriverCommand command) =>
        command switch
        {
            RequestPages c => new RequestPagesFlow(context, caller, c),
            ReportDmaFault c => new ReportDmaFaultFlow(context, caller, c),
            ReadFaultQueue c => new ReadFaultQueueFlow(context, caller, c),
            WriteFaultQueue c => new WriteFaultQueueFlow(context, caller, c),
            PollFaultQueue c => new PollQueueFlow(context, caller, ParticipantKind.Fault, c.FaultId),
            CloseFaultQueue c => new CloseQueueFlow(context, caller, c.FaultId),
            ReadVeventq c => new ReadVeventqFlow(context, caller, c),
            PollVeventq c => new PollQueueFlow(context, caller, ParticipantKind.Veventq, c.VeventqId),
            CloseVeventq c => new CloseQueueFlow(context, caller, c.VeventqId),
            MapWindow c => new MapWindowFlow(context, caller, c),
            UnmapWindow c => new UnmapWindowFlow(context, caller, c),
            _ => ReplayFlows.TryCreate(context, caller, command),
        };

    private static Flow? TryCreateTest(ContextCore context, Caller caller, TestCommand command) =>
        command switch
        {
            TestMdCheckIotlb c => new CheckIotlbFlow(context, caller, c),
            TestTriggerIopf c => new TriggerIopfFlow(context, caller, c),
            TestDevCheckCache c => new CheckCacheFlow(context, caller, c),
            TestTriggerVevent c => new TriggerVeventFlow(context, caller, c),
            TestPasidAttach c => new MockAttachFlow(
                context,
                caller,
                c.StdevId,
                c.Pasid,
                c.PtId,
                replace: false,
                id => c with { PtId = id }
            ),
            TestPasidReplace c => new MockAttachFlow(
                context,
                caller,
                c.StdevId,
                c.Pasid,
                c.PtId,
                replace: true,
                id => c with { PtId = id }
            ),
            TestMockDomainReplace c => new MockAttachFlow(
                context,
                caller,
                c.StdevId,
                pasid: 0,
                c.PtId,
                replace: true,
                id => c with { PtId = id }
            ),
            TestPasidDetach c => new MockPasidDetachFlow(context, caller, c),
            TestPasidCheckHwpt c => new CheckPasidFlow(context, caller, c),
            _ => null,
        };
}
