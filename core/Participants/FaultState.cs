using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>
/// The participant behind a FAULT: groups that nobody has read, oldest first, and groups that were read and wait for a response,
/// by cookie. Every group is answered exactly once: by the reader, or "invalid" when its attachment or the queue goes.
/// </summary>
public sealed class FaultState : IFlowParticipant
{
    private readonly LinkedList<FaultGroup> _queued = [];
    private readonly SortedDictionary<uint, FaultGroup> _waiting = [];
    private readonly SortedSet<uint> _freed = [];
    private uint _nextCookie = 1;
    private ulong _reported;
    private ulong _succeeded;
    private ulong _invalid;

    /// <summary>Groups that can be read.</summary>
    public int QueuedCount => _queued.Count;

    /// <summary>Groups that wait for a response.</summary>
    public int WaitingCount => _waiting.Count;

    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request)
    {
        switch (request)
        {
            case QueueFault queue:
                _queued.AddLast(queue.Group);
                _reported++;
                return FlowResponse.Done;
            case TakeFault take:
                return Take(take.Records);
            case ReturnFault back:
                _queued.AddFirst(Forget(back.Cookie)!);
                return FlowResponse.Done;
            case AnswerFault answer:
                return Answer(answer);
            case DropFaults drop:
                return Drop(drop.Handle);
            case QueryReadable:
                return new Readable(_queued.Count > 0);
            case DescribeState describe:
                return Describe(describe.WithText);
            case CheckState:
                return Check();
            default:
                throw new InvariantBrokenException($"a FAULT is not asked for {request.GetType().Name}");
        }
    }

    private FaultTaken Take(ulong records)
    {
        if (_queued.First is not { } first)
        {
            return new FaultTaken(Errno.OK, null, 0);
        }

        if ((ulong)first.Value.Requests.Count > records)
        {
            return new FaultTaken(Errno.EINVAL, null, 0);
        }

        _queued.RemoveFirst();
        var cookie = _nextCookie;
        if (_freed.Count > 0)
        {
            cookie = _freed.Min;
            _freed.Remove(cookie);
        }
        else
        {
            _nextCookie++;
        }

        _waiting.Add(cookie, first.Value);
        return new FaultTaken(Errno.OK, first.Value, cookie);
    }

    private FaultGroup? Forget(uint cookie)
    {
        if (_waiting.Remove(cookie, out var group))
        {
            _freed.Add(cookie);
        }

        return group;
    }

    private FlowResponse Answer(AnswerFault answer)
    {
        if (Forget(answer.Cookie) is not { } group)
        {
            return FlowResponse.Fail(Errno.EINVAL);
        }

        _succeeded += answer.Success ? 1u : 0;
        _invalid += answer.Success ? 0u : 1;
        return new FaultAnswered(group);
    }

    private FaultsDropped Drop(ulong handle)
    {
        var dropped = new List<FaultGroup>();
        for (var node = _queued.First; node is not null; )
        {
            var next = node.Next;
            if (node.Value.Handle == handle)
            {
                _queued.Remove(node);
                dropped.Add(node.Value);
                _invalid++;
            }

            node = next;
        }

        foreach (var cookie in _waiting.Where(w => w.Value.Handle == handle).Select(w => w.Key).ToArray())
        {
            dropped.Add(Forget(cookie)!);
            _invalid++;
        }

        return new FaultsDropped(dropped);
    }

    private StateDescription Describe(bool withText)
    {
        var lines = new StateLines(withText);
        lines.Add($"reported {_reported} succeeded {_succeeded} invalid {_invalid}");
        foreach (var group in _queued)
        {
            Add(lines, "queued", group);
        }

        foreach (var (cookie, group) in _waiting)
        {
            Add(lines, FormattableString.Invariant($"cookie {cookie}"), group);
        }

        return lines.ToDescription();
    }

    private static void Add(StateLines lines, string where, FaultGroup group)
    {
        // Not the handle: attempts to attach that failed use up handles, and a replay does not repeat those.
        lines.Add($"{where} device {group.DeviceId}");
        foreach (var request in group.Requests)
        {
            lines.Add(
                $"  {request.Flags} {request.Pasid} {request.GroupId} {request.Permissions} 0x{request.Address:x}"
            );
        }
    }

    private StateChecked Check()
    {
        var broken = new List<string>();
        if (_reported != _succeeded + _invalid + (ulong)(_queued.Count + _waiting.Count))
        {
            broken.Add("every fault group is queued, waits for a response, or was answered once");
        }

        if (_waiting.Count + _freed.Count != _nextCookie - 1)
        {
            broken.Add("every cookie below the next one is in use or free");
        }

        return new StateChecked(2, broken);
    }
}
