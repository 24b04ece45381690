using Iommufd.Core.Context;
using Iommufd.Core.Flows;
using Iommufd.Core.Invariants;
using Iommufd.Core.Tests.Objects;
using Iommufd.Messages;
using Iommufd.Messages.Flows;
using Iommufd.Messages.Host;
using Xunit;

namespace Iommufd.Core.Tests.Invariants;

/// <summary>Every invariant of a context finds what it is for.</summary>
public sealed class ContextInvariantTests
{
    private readonly HostMachine _machine = new();
    private readonly SequentialContext _context;
    private readonly Caller _caller;

    public ContextInvariantTests()
    {
        _caller = _machine.StartProcess(new ProcessSpec("client"));
        _context = new SequentialContext(_machine, 1);
    }

    private ContextCore Core => _context.Core;

    [Fact]
    public void An_empty_context_breaks_none()
    {
        foreach (var invariant in ContextInvariant.All)
        {
            Assert.Empty(BrokenBy(invariant));
        }
    }

    [Fact]
    public void Each_has_a_name_and_a_sentence_of_its_own()
    {
        Assert.Equal(ContextInvariant.All.Count, ContextInvariant.All.Select(i => i.Name).Distinct().Count());
        Assert.All(ContextInvariant.All, i => Assert.True(i.Sentence.Length > 20));
    }

    [Fact]
    public void A_state_that_is_broken_in_itself_is_found()
    {
        Ioas(new Fake { State = ["two areas overlap"] });
        Assert.Equal("two areas overlap", Assert.Single(BrokenBy(new EveryStateIsSound())).What);
    }

    [Fact]
    public void A_HWPT_that_lacks_an_area_is_found()
    {
        var ioas = Ioas(new Fake());
        Hwpt(ioas, new Fake { Compared = ["0 areas installed, the IOAS has 1"] });
        Assert.Equal("hwpt 2", Assert.Single(BrokenBy(new EveryHwptMirrorsItsIoas())).Where);
    }

    [Fact]
    public void An_area_stored_in_a_HWPT_that_is_not_there_is_found()
    {
        Ioas(new Fake { Areas = [Area(storage: 7)] });
        Assert.Single(BrokenBy(new StorageIsWhereDomainsAre()));
    }

    [Fact]
    public void A_reference_too_many_is_found()
    {
        Ioas(new Fake()).Users++;
        Assert.Equal("2 users where 1 are known", Assert.Single(BrokenBy(new ReferencesAddUp())).What);
    }

    [Fact]
    public void An_object_left_under_construction_is_found()
    {
        Core.Reserve(new IoasObject());
        Assert.Single(BrokenBy(new IdsAreConsistent()));
    }

    [Fact]
    public void A_HWPT_that_is_gone_and_still_listed_is_found()
    {
        Ioas(new Fake()).Hwpts.Add(9);
        Assert.Equal("HWPT 9 is not its own", Assert.Single(BrokenBy(new IdsAreConsistent())).What);
    }

    [Fact]
    public void A_page_set_that_outlives_its_areas_is_found()
    {
        Ioas(new Fake());
        Core.PageSets.Add(_caller.ProcessId, writable: true, 0).Areas = 1;
        Assert.Single(BrokenBy(new PageSetsHaveTheirAreas()));
    }

    [Fact]
    public void A_lock_that_was_never_given_back_is_found()
    {
        // Nobody answers here, so the flow keeps what it holds.
        var silent = new ContextCore(2, _machine, new SilentHost());
        var ioas = silent.Reserve(new IoasObject());
        silent.Objects.Publish(ioas);
        silent.Engine.Start(new HoldingFlow(silent, _caller, ioas));
        var findings = new InvariantFindings();
        Assert.Empty(new NoLockIsHeld().Check(silent, findings));
        Assert.Equal("mutex of IOAS 1", Assert.Single(findings.Broken).Where);
    }

    [Fact]
    public void A_flow_that_ended_in_an_exception_is_found()
    {
        Assert.Throws<InvariantBrokenException>(() => _context.Run(new LeavingFlow(Core, _caller)));
        Assert.Contains("on purpose", Core.Engine.Crashes[0], StringComparison.Ordinal);
        var findings = new InvariantFindings();
        Assert.Empty(new NoFlowCrashed().Check(Core, findings));
        Assert.Single(findings.Broken);
    }

    private static AreaView Area(uint storage) => new(1, new IovaRange(0x1000, 0x1fff), 1, 0, 3, storage);

    private IReadOnlyList<BrokenInvariant> BrokenBy(ContextInvariant invariant)
    {
        var flow = new OneInvariantFlow(Core, _caller, invariant);
        _context.Run(flow);
        return flow.Findings.Broken;
    }

    private IoasObject Ioas(Fake state)
    {
        var ioas = Core.Reserve(new IoasObject());
        Core.Engine.Host.Open(new Participant(ParticipantKind.Ioas, ioas.Id), state);
        Core.Objects.Publish(ioas);
        return ioas;
    }

    private void Hwpt(IoasObject ioas, Fake state)
    {
        const uint id = 2;
        Core.Engine.Host.Open(new Participant(ParticipantKind.Hwpt, id), state);
        ioas.Domains.Add(id);
    }

    private sealed class OneInvariantFlow(ContextCore context, Caller caller, ContextInvariant invariant)
        : Flow(context, caller)
    {
        public InvariantFindings Findings { get; } = new();

        protected override IEnumerator<FlowWait> Run() => invariant.Check(Context, Findings).GetEnumerator();
    }

    private sealed class LeavingFlow(ContextCore context, Caller caller) : Flow(context, caller)
    {
        protected override IEnumerator<FlowWait> Run() => throw new InvalidOperationException("on purpose");
    }

    private sealed class HoldingFlow(ContextCore context, Caller caller, IoasObject ioas) : Flow(context, caller)
    {
        protected override IEnumerator<FlowWait> Run()
        {
            yield return FlowWait.ForLock(ioas.Mutex, exclusive: true);
            yield return FlowWait.For(ParticipantKind.Ioas, ioas.Id, ListAreas.Instance);
        }
    }

    private sealed class SilentHost : IParticipantHost
    {
        public void Open(Participant participant, IFlowParticipant state) { }

        public void Close(Participant participant) { }

        public void Send(Participant to, FlowStep step) { }

        public void Committed(Messages.Events.ContextEvent change) { }

        public void Completed(Flow flow) { }
    }

    private sealed class Fake : IFlowParticipant
    {
        public IReadOnlyList<string> State { get; init; } = [];

        public IReadOnlyList<string> Compared { get; init; } = [];

        public IReadOnlyList<AreaView> Areas { get; init; } = [];

        public FlowResponse Handle(FlowRequest request) =>
            request switch
            {
                CompareAreas => new StateChecked(1, Compared),
                ListAreas => new AreaList(Errno.OK, Areas, false),
                _ => new StateChecked(1, State),
            };
    }
}
