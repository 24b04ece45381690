using Iommufd.Core.Flows;
using Iommufd.Core.Participants;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Faults;

/// <summary>A participant in which a step can fail half-way: after k pages, after k tables.</summary>
internal interface IFailingParticipant
{
    /// <summary>Asks whether the step that comes next fails, and makes ready for it. Where it does, the step undoes itself.</summary>
    void Arm(FlowRequest request, IFaultSource faults, in FaultSite site);

    /// <summary>The step is over.</summary>
    void Disarm(FlowRequest request);
}

/// <summary>
/// Asks the fault source at a participant's step: a step may be refused before it has done anything, as by a kernel that has no
/// memory for it, or fail half-way in participants that can. Steps that undo something are never refused: they cannot fail in
/// the kernel.
/// </summary>
internal static class FaultGate
{
    /// <summary>Does a step, or refuses it.</summary>
    /// <param name="who">The participant.</param>
    /// <param name="state">Its state.</param>
    /// <param name="handler">Who does the step: the state, or what stands in front of it.</param>
    /// <param name="step">The step.</param>
    /// <param name="faults">Decides; null where nothing fails.</param>
    public static FlowResponse Handle(
        Participant who,
        IFlowParticipant state,
        IFlowParticipant handler,
        FlowStep step,
        IFaultSource? faults
    )
    {
        if (faults is null)
        {
            return handler.Handle(step.Request);
        }

        var site = SiteOf(who, state, step);
        if (step.WantsReply && PointOf(step.Request) is { } point && faults.ShouldFail(point, site))
        {
            return FlowResponse.Fail(point.Explains[0]);
        }

        if (state is not IFailingParticipant failing)
        {
            return handler.Handle(step.Request);
        }

        failing.Arm(step.Request, faults, site);
        try
        {
            return handler.Handle(step.Request);
        }
        finally
        {
            failing.Disarm(step.Request);
        }
    }

    /// <summary>Where a step is done.</summary>
    public static FaultSite SiteOf(Participant who, IFlowParticipant state, FlowStep step) =>
        new(step.Context, step.Flow, who.Kind, who.Id, (state as DeviceState)?.PhysicalDevice);

    /// <summary>Whether a flow can go on when the step is refused with any errno.</summary>
    public static bool CanRefuse(FlowStep step) =>
        step.WantsReply && (PointOf(step.Request) is not null || step.Request is FillBegin or AccessAdd);

    private static FaultPoint? PointOf(FlowRequest request) =>
        request switch
        {
            PlaceAreas => FaultPoints.AreaAlloc,
            AddDomain => FaultPoints.DomainJoin,
            AddAccess => FaultPoints.AccessJoin,
            ReserveRanges or ReplaceAllowed => FaultPoints.RangeAlloc,
            CreateFilePageSet => FaultPoints.PageSetAlloc,
            CopyBytes => FaultPoints.MemoryCopy,
            InstallArea => FaultPoints.IopteInstall,
            AddVdevice or AddVeventq => FaultPoints.ViommuAlloc,
            _ => null,
        };
}
