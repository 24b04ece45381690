using Akka.Actor;
using Iommufd.Actors.Protocol;
using Iommufd.Core.Context;
using Iommufd.Core.Participants;
using Iommufd.Messages.Flows;

namespace Iommufd.Actors;

/// <summary>Asks everybody for their invariants, adds those of the whole machine, answers once, and stops.</summary>
internal sealed class InvariantCollector : UntypedActor
{
    private readonly CheckInvariants _check;
    private readonly HostMachine _machine;
    private readonly IReadOnlyList<IActorRef> _contexts;
    private readonly IReadOnlyList<IActorRef> _memories;
    private readonly IActorRef _replyTo;
    private readonly List<InvariantViolation> _violations = [];
    private long _checked;
    private long _pinned;
    private long _userCharged;
    private long _processCharged;
    private int _missing;

    public InvariantCollector(
        CheckInvariants check,
        HostMachine machine,
        IReadOnlyList<IActorRef> contexts,
        IReadOnlyList<IActorRef> memories,
        IActorRef replyTo
    )
    {
        _check = check;
        _machine = machine;
        _contexts = contexts;
        _memories = memories;
        _replyTo = replyTo;
    }

    protected override void PreStart()
    {
        _missing = _contexts.Count + _memories.Count;
        foreach (var context in _contexts)
        {
            context.Tell(new CheckInvariants());
            Context.Watch(context);
        }

        foreach (var memory in _memories)
        {
            memory.Tell(new FlowStep(0, 0, 0, CheckState.Instance, WantsReply: true));
        }

        FinishIfAll();
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case InvariantReport report:
                Context.Unwatch(Sender);
                _checked += report.Checked;
                _violations.AddRange(report.Violations);
                _missing--;
                break;
            case FlowReply { Response: StateChecked state }:
                _checked += state.Checks;
                _violations.AddRange(
                    state.Broken.Select(what => new InvariantViolation("page-set", Sender.Path.Name, what))
                );
                if (state is MemoryChecked memory)
                {
                    _pinned += memory.Pinned;
                    _userCharged += memory.UserCharged;
                    _processCharged += memory.ProcessCharged;
                }

                _missing--;
                break;
            case Terminated:
                _missing--;
                break;
        }

        FinishIfAll();
    }

    private void FinishIfAll()
    {
        if (_missing > 0)
        {
            return;
        }

        if (_check.IsQuiet || _contexts.Count == 0)
        {
            CheckMachine();
        }

        _replyTo.Tell(new InvariantReport(_checked, _violations));
        Context.Stop(Self);
    }

    private void CheckMachine()
    {
        var sums = new MachineSums(_machine, _contexts.Count, _pinned, _userCharged, _processCharged);
        foreach (var invariant in MachineInvariant.All)
        {
            _checked++;
            if (invariant.Broken(sums) is { } found)
            {
                _violations.Add(new InvariantViolation(invariant.Name, "machine", $"{found}; {invariant.Sentence}"));
            }
        }
    }
}

/// <summary>Folds the digests of all contexts, open and closed, in the order of their numbers.</summary>
internal sealed class DigestCollector : UntypedActor
{
    private readonly QueryDigest _query;
    private readonly SortedDictionary<int, IActorRef> _open;
    private readonly SortedDictionary<int, ulong> _digests;
    private readonly SortedDictionary<int, IReadOnlyList<string>> _lines = [];
    private readonly IActorRef _replyTo;
    private int _missing;

    public DigestCollector(
        QueryDigest query,
        SortedDictionary<int, IActorRef> open,
        SortedDictionary<int, ulong> ended,
        IActorRef replyTo
    )
    {
        _query = query;
        _open = open;
        _digests = ended;
        _replyTo = replyTo;
    }

    protected override void PreStart()
    {
        _missing = _open.Count;
        foreach (var context in _open.Values)
        {
            context.Tell(_query);
            Context.Watch(context);
        }

        FinishIfAll();
    }

    protected override void OnReceive(object message)
    {
        switch (message)
        {
            case StateDigest digest:
                Context.Unwatch(Sender);
                var number = _open.First(o => o.Value.Equals(Sender)).Key;
                _digests[number] = digest.Digest;
                _lines[number] = digest.Lines;
                _missing--;
                break;
            case Terminated:
                _missing--;
                break;
        }

        FinishIfAll();
    }

    private void FinishIfAll()
    {
        if (_missing > 0)
        {
            return;
        }

        _replyTo.Tell(new StateDigest(MachineDigest.Of(_digests), [.. _lines.Values.SelectMany(l => l)]));
        Context.Stop(Self);
    }
}
