using Iommufd.Core.Context;
using Iommufd.Messages;
using Iommufd.Messages.Commands;
using Iommufd.Messages.Events;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Flows;

/// <summary>Gives a paging HWPT its fault queue again.</summary>
public sealed class SetHwptFaultFlow(ContextCore context, Caller caller, SetHwptFault command) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        if (
            Get<HwptObject>(command.HwptId) is not { Fault: null } hwpt
            || Context.Objects.Find<FaultObject>(command.FaultId) is not { } fault
        )
        {
            Fail(Errno.ENOENT);
            yield break;
        }

        hwpt.Fault = fault;
        fault.Users++;
        Events.Add(new HwptFaultSet(hwpt.Id, fault.Id));
    }
}

/// <summary>
/// Asks of one participant after the other what a command asked of it when it was first run: requests that user memory had no
/// part in. The first refusal ends it.
/// </summary>
public sealed class RepeatFlow(
    ContextCore context,
    Caller caller,
    IReadOnlyList<(Participant To, FlowRequest Request)> requests,
    ContextEvent change
) : Flow(context, caller)
{
    /// <inheritdoc/>
    protected override IEnumerator<FlowWait> Run()
    {
        foreach (var (to, request) in requests)
        {
            var ask = FlowWait.For(to.Kind, to.Id, request);
            yield return ask;
            if (ask.Response.Errno != Errno.OK)
            {
                Fail(ask.Response.Errno);
                yield break;
            }
        }

        Events.Add(change);
    }
}

/// <summary>Which flow applies which replay command.</summary>
public static class ReplayFlows
{
    /// <summary>Makes the flow; null for a command of another kind.</summary>
    public static Flow? TryCreate(ContextCore context, Caller caller, DriverCommand command)
    {
        switch (command)
        {
            case AllocateNestedHwpt c:
                var nested = new HwptAlloc
                {
                    DevId = c.DeviceId,
                    PtId = c.PtId,
                    Flags = c.Flags,
                    FaultId = c.FaultId,
                };
                return new HwptAllocFlow(context, caller, nested, iotlb: c.Iotlb, recorded: true);
            case AllocateGuestStage c:
                var guest = new HwptAlloc
                {
                    DevId = c.DeviceId,
                    PtId = c.PtId,
                    Flags = c.Flags,
                    FaultId = c.FaultId,
                    DataType = c.DataType,
                };
                return new HwptAllocFlow(context, caller, guest, recorded: true, recordedStage: c.Data);
            case AllocateViommu c:
                var viommu = new ViommuAlloc
                {
                    DevId = c.DeviceId,
                    HwptId = c.HwptId,
                    Type = c.Type,
                };
                return new ViommuAllocFlow(context, caller, viommu, c.HasWindow, c.WindowWord);
            case SetHwptFault c:
                return new SetHwptFaultFlow(context, caller, c);
            default:
                return Repeat(command) is var (requests, change) ? Checked(context, caller, requests, change) : null;
        }
    }

    private static Flow Checked(
        ContextCore context,
        Caller caller,
        IReadOnlyList<(Participant To, FlowRequest Request)> requests,
        ContextEvent change
    ) =>
        requests.All(r =>
            context.Objects.Find<ContextObject>(r.To.Id) is { } found
            && DescribeContextFlow.ParticipantOf(found) == r.To
        )
            ? new RepeatFlow(context, caller, requests, change)
            : new RefusedFlow(context, caller, Errno.ENOENT);

    private static (IReadOnlyList<(Participant To, FlowRequest Request)> Requests, ContextEvent Change)? Repeat(
        DriverCommand command
    )
    {
        switch (command)
        {
            case ZeroIotlb c:
                return (
                    One(ParticipantKind.NestedHwpt, c.HwptId, new ZeroWords(c.Mask)),
                    new IotlbInvalidated(c.HwptId, c.Mask)
                );
            case ZeroCaches c:
                return (
                    [
                        .. c.DeviceIds.Zip(
                            c.Masks,
                            (id, mask) =>
                                (new Participant(ParticipantKind.Device, id), (FlowRequest)new ZeroWords(mask))
                        ),
                    ],
                    new CachesInvalidated(c.DeviceIds, c.Masks)
                );
            case TakeFaults c:
                var take = new TakeFault(ulong.MaxValue);
                return (
                    [
                        .. Enumerable.Repeat(
                            (new Participant(ParticipantKind.Fault, c.FaultId), (FlowRequest)take),
                            c.Groups
                        ),
                    ],
                    new FaultsRead(c.FaultId, c.Groups)
                );
            case AnswerFaults c:
                return (
                    [
                        .. c.Cookies.Zip(
                            c.Codes,
                            (cookie, code) =>
                                (
                                    new Participant(ParticipantKind.Fault, c.FaultId),
                                    (FlowRequest)new AnswerFault(cookie, code == 0)
                                )
                        ),
                    ],
                    new FaultsAnswered(c.FaultId, c.Cookies, c.Codes)
                );
            case ReportVevent c:
                return (
                    One(ParticipantKind.Veventq, c.VeventqId, new ReportEvent(c.Payload)),
                    new VeventReported(c.VeventqId, c.Payload)
                );
            case TakeVevents c:
                var next = new TakeEvent(ulong.MaxValue);
                return (
                    [
                        .. Enumerable.Repeat(
                            (new Participant(ParticipantKind.Veventq, c.VeventqId), (FlowRequest)next),
                            c.Events
                        ),
                    ],
                    new VeventsRead(c.VeventqId, c.Events)
                );
            case AllowReservedPasid c:
                return (
                    One(ParticipantKind.Device, c.DeviceId, AcceptReservedPasid.Instance),
                    new ReservedPasidRefused(c.DeviceId)
                );
            default:
                return null;
        }
    }

    private static IReadOnlyList<(Participant To, FlowRequest Request)> One(
        ParticipantKind kind,
        uint id,
        FlowRequest request
    ) => [(new Participant(kind, id), request)];
}
