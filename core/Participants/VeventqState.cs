using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>
/// The participant behind a VEVENTQ. Every event reported uses up a number, queued or lost. The last lost one leaves a mark at the
/// end of the queue, which does not count against the depth and goes when another event is queued behind it.
/// </summary>
/// <param name="depth">Events that it holds.</param>
public sealed class VeventqState(uint depth) : IFlowParticipant
{
    private const uint SequenceMask = 0x7fff_ffff;

    private readonly LinkedList<VirtualEvent> _events = [];
    private VirtualEvent? _lost;
    private uint _nextSequence;

    /// <summary>Events that can be read, the mark of lost ones apart.</summary>
    public int EventCount => _events.Count;

    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request)
    {
        switch (request)
        {
            case ReportEvent report:
                Report(report.Payload);
                return FlowResponse.Done;
            case TakeEvent take:
                return Take(take.Room);
            case ReturnEvent back:
                Return(back.Event);
                return FlowResponse.Done;
            case QueryReadable:
                return new Readable(_events.Count > 0 || _lost is not null);
            case DescribeState describe:
                return Describe(describe.WithText);
            case CheckState:
                return new StateChecked(
                    1,
                    (uint)_events.Count > depth ? ["an event queue holds its depth at most"] : []
                );
            default:
                throw new InvariantBrokenException($"a VEVENTQ is not asked for {request.GetType().Name}");
        }
    }

    private void Report(byte[] payload)
    {
        var sequence = _nextSequence;
        _nextSequence = (_nextSequence + 1) & SequenceMask;
        if ((uint)_events.Count < depth)
        {
            _lost = null;
            _events.AddLast(new VirtualEvent(0, sequence, payload));
        }
        else
        {
            _lost = new VirtualEvent(VirtualEvent.LostEvents, sequence, []);
        }
    }

    private EventTaken Take(ulong room)
    {
        if (_events.First is not { } first)
        {
            var lost = _lost;
            _lost = null;
            return new EventTaken(Errno.OK, lost);
        }

        if ((ulong)first.Value.Size > room)
        {
            return new EventTaken(Errno.EINVAL, null);
        }

        _events.RemoveFirst();
        return new EventTaken(Errno.OK, first.Value);
    }

    private void Return(VirtualEvent back)
    {
        if ((back.Flags & VirtualEvent.LostEvents) == 0)
        {
            _events.AddFirst(back);
        }
        else if (_events.Count == 0)
        {
            _lost ??= back;
        }
    }

    private StateDescription Describe(bool withText)
    {
        var lines = new StateLines(withText);
        lines.Add($"depth {depth} next {_nextSequence}");
        foreach (var queued in _events)
        {
            lines.Add($"event {queued.Sequence} {Convert.ToHexString(queued.Payload)}");
        }

        if (_lost is not null)
        {
            lines.Add($"lost {_lost.Sequence}");
        }

        return lines.ToDescription();
    }
}
