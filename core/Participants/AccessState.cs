using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>The participant behind an ACCESS: a driver's pins, by the driver's number.</summary>
public sealed class AccessState : IFlowParticipant
{
    private readonly SortedDictionary<uint, RememberPin> _pins = [];

    /// <summary>Pins held.</summary>
    public int PinCount => _pins.Count;

    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request)
    {
        switch (request)
        {
            case RememberPin remember:
                _pins[remember.PinId] = remember;
                return FlowResponse.Done;
            case ForgetPin forget:
                return _pins.Remove(forget.PinId, out var gone)
                    ? new PinsReleased(Errno.OK, gone.Areas)
                    : new PinsReleased(Errno.ENOENT, []);
            case NotifyUnmap notify:
                return LetGo(notify.Range);
            case DescribeState describe:
                return Describe(describe.WithText);
            case CheckState:
                return new StateChecked(0, []);
            default:
                throw new InvariantBrokenException($"an ACCESS is not asked for {request.GetType().Name}");
        }
    }

    private PinsReleased LetGo(IovaRange range)
    {
        var released = new List<AreaView>();
        foreach (var pin in _pins.Values.Where(p => p.Range.Overlaps(range)).ToArray())
        {
            _pins.Remove(pin.PinId);
            released.AddRange(pin.Areas);
        }

        return new PinsReleased(Errno.OK, released);
    }

    private StateDescription Describe(bool withText)
    {
        var lines = new StateLines(withText);
        foreach (var pin in _pins.Values)
        {
            lines.Add($"pin {pin.PinId} {pin.Range} ioas {pin.IoasId}");
        }

        return lines.ToDescription();
    }
}
