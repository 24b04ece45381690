using Iommufd.Core.Faults;
using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Flows;
using Xunit;

namespace Iommufd.Core.Tests.Faults;

/// <summary>Which steps a fault source may refuse, and what a participant that can fail half-way is told.</summary>
public sealed class FaultGateTests
{
    private static readonly Participant Who = new(ParticipantKind.Ioas, 5);
    private static readonly IovaRange Range = new(0x1000, 0x1FFF);

    public static TheoryData<FlowRequest, Errno?> Steps =>
        new()
        {
            { new PlaceAreas([], Fixed: false, 0, 0, 0, Publish: true), Errno.ENOMEM },
            { new AddDomain(1, 4096, Range), Errno.ENOMEM },
            { new AddAccess(1, Pins: true), Errno.ENOMEM },
            { new ReserveRanges(1, []), Errno.ENOMEM },
            { new ReplaceAllowed([]), Errno.ENOMEM },
            { new InstallArea(new AreaView(1, Range, 1, 0, 3, 0), [], PageByPage: false), Errno.EADDRINUSE },
            { new RemoveAreas([1]), null },
            { new RemoveDomain(1), null },
            { new NextUnmap(Range, 0), null },
        };

    [Theory]
    [MemberData(nameof(Steps))]
    public void A_step_that_can_fail_is_refused_before_it_is_done_and_one_that_undoes_is_done(
        FlowRequest request,
        Errno? errno
    )
    {
        var state = new Recorder();

        FlowResponse response = FaultGate.Handle(Who, state, state, Step(request), new Always());

        Assert.Equal(errno ?? Errno.OK, response.Errno);
        Assert.Equal(errno is null ? ["do"] : [], state.Log);
        Assert.Equal(errno is not null, FaultGate.CanRefuse(Step(request)));
    }

    [Fact]
    public void A_step_that_nobody_waits_for_is_not_refused()
    {
        FlowStep step = Step(new AddAccess(1, Pins: true)) with { WantsReply = false };
        var state = new Recorder();

        Assert.Equal(Errno.OK, FaultGate.Handle(Who, state, state, step, new Always()).Errno);

        Assert.False(FaultGate.CanRefuse(step));
    }

    [Fact]
    public void Pins_can_be_refused_page_by_page()
    {
        Assert.True(FaultGate.CanRefuse(Step(new FillBegin(1, 1, 1, 0, 0, Charge: true, NotesPins: true))));
        Assert.True(FaultGate.CanRefuse(Step(new AccessAdd(1, 1, 0, 0))));
        Assert.False(FaultGate.CanRefuse(Step(new AccessRemove(1, 1, 0, 0))));
    }

    [Fact]
    public void A_participant_that_can_fail_half_way_is_made_ready_for_one_step()
    {
        var state = new Failing();

        FaultGate.Handle(Who, state, state, Step(new RemoveAreas([1])), new Always());

        Assert.Equal(["arm", "do", "disarm"], state.Log);
    }

    [Fact]
    public void Without_a_source_a_step_is_only_done()
    {
        var state = new Failing();

        FaultGate.Handle(Who, state, state, Step(new AddAccess(1, Pins: true)), faults: null);

        Assert.Equal(["do"], state.Log);
    }

    private static FlowStep Step(FlowRequest request) => new(1, 2, 3, request, WantsReply: true);

    private class Recorder : IFlowParticipant
    {
        internal List<string> Log { get; } = [];

        public FlowResponse Handle(FlowRequest request)
        {
            Log.Add("do");
            return FlowResponse.Done;
        }
    }

    private sealed class Failing : Recorder, IFailingParticipant
    {
        public void Arm(FlowRequest request, IFaultSource faults, in FaultSite site) => Log.Add("arm");

        public void Disarm(FlowRequest request) => Log.Add("disarm");
    }

    private sealed class Always : IFaultSource
    {
        public bool ShouldFail(FaultPoint point, in FaultSite site) => true;

        public ulong Choose(ulong below) => 0;

        public void Begun(int context, ulong flow, string operation, long tag) { }

        public void Saw(Sight sight) { }

        public void Ended(int context, ulong flow) { }
    }
}
