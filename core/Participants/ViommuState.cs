using Iommufd.Core.Flows;
using Iommufd.Messages;
using Iommufd.Messages.Flows;

namespace Iommufd.Core.Participants;

/// <summary>The participant behind a VIOMMU: what the guest's numbers stand for.</summary>
public sealed class ViommuState : IFlowParticipant
{
    private const int MaxQueues = 2;

    private readonly SortedDictionary<ulong, uint> _devices = [];
    private readonly SortedDictionary<uint, uint> _veventqs = [];
    private readonly uint[] _queueSlots = new uint[MaxQueues];

    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request)
    {
        switch (request)
        {
            case AddVdevice add:
                return _devices.TryAdd(add.VirtId, add.DeviceId) ? FlowResponse.Done : FlowResponse.Fail(Errno.EEXIST);
            case RemoveVdevice remove:
                _devices.Remove(remove.VirtId);
                return FlowResponse.Done;
            case FindDevices find:
                return new DevicesFound([.. find.VirtIds.Select(v => _devices.GetValueOrDefault(v))]);
            case AddVeventq add:
                return _veventqs.TryAdd(add.Type, add.VeventqId) ? FlowResponse.Done : FlowResponse.Fail(Errno.EEXIST);
            case RemoveVeventq remove:
                _veventqs.Remove(remove.Type);
                return FlowResponse.Done;
            case FindVeventq find:
                return new VeventqFound(_veventqs.GetValueOrDefault(find.Type));
            case QueryQueueSlot query:
                return Query(query.Index);
            case FillQueueSlot fill:
                _queueSlots[fill.Index] = fill.HwQueueId;
                return FlowResponse.Done;
            case FreeQueueSlot:
                // As the kernel's mock: it does not remember a queue's number, so number 0 is freed and number 1 never.
                _queueSlots[0] = 0;
                return FlowResponse.Done;
            case DescribeState describe:
                return Describe(describe.WithText);
            case CheckState:
                return new StateChecked(0, []);
            default:
                throw new InvariantBrokenException($"a VIOMMU is not asked for {request.GetType().Name}");
        }
    }

    private QueueSlot Query(uint index)
    {
        if (index >= MaxQueues)
        {
            return new QueueSlot(Errno.EINVAL, 0);
        }

        if (_queueSlots[index] != 0)
        {
            return new QueueSlot(Errno.EEXIST, 0);
        }

        var previous = index == 0 ? 0 : _queueSlots[index - 1];
        return new QueueSlot(index > 0 && previous == 0 ? Errno.EIO : Errno.OK, previous);
    }

    private StateDescription Describe(bool withText)
    {
        var lines = new StateLines(withText);
        foreach (var (virtId, device) in _devices)
        {
            lines.Add($"vdevice 0x{virtId:x} device {device}");
        }

        foreach (var (type, queue) in _veventqs)
        {
            lines.Add($"veventq type 0x{type:x} is {queue}");
        }

        lines.Add($"hwqueues {_queueSlots[0]} {_queueSlots[1]}");
        return lines.ToDescription();
    }
}

/// <summary>The participant behind a VDEVICE: nothing but who it is, as the mock's driver has no part in it.</summary>
/// <param name="deviceId">The DEVICE.</param>
/// <param name="viommuId">The VIOMMU.</param>
/// <param name="virtId">The guest's number.</param>
public sealed class VdeviceState(uint deviceId, uint viommuId, ulong virtId) : IFlowParticipant
{
    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request)
    {
        switch (request)
        {
            case DescribeState describe:
                var lines = new StateLines(describe.WithText);
                lines.Add($"device {deviceId} viommu {viommuId} as 0x{virtId:x}");
                return lines.ToDescription();
            case CheckState:
                return new StateChecked(0, []);
            default:
                throw new InvariantBrokenException($"a VDEVICE is not asked for {request.GetType().Name}");
        }
    }
}

/// <summary>The participant behind a HW_QUEUE: where the hardware finds it.</summary>
/// <param name="index">Its number in the vIOMMU.</param>
/// <param name="physical">Physical address of its first byte.</param>
/// <param name="length">Bytes.</param>
public sealed class HwQueueState(uint index, ulong physical, ulong length) : IFlowParticipant
{
    /// <inheritdoc/>
    public FlowResponse Handle(FlowRequest request)
    {
        switch (request)
        {
            case DescribeState describe:
                var lines = new StateLines(describe.WithText);
                lines.Add($"index {index} physical 0x{physical:x} length 0x{length:x}");
                return lines.ToDescription();
            case CheckState:
                return new StateChecked(0, []);
            default:
                throw new InvariantBrokenException($"a HW_QUEUE is not asked for {request.GetType().Name}");
        }
    }
}
