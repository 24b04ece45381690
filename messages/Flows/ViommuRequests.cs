namespace Iommufd.Messages.Flows;

/// <summary>Gives a device a number in a vIOMMU. EEXIST for a number in use.</summary>
public sealed record AddVdevice(ulong VirtId, uint DeviceId) : FlowRequest;

/// <summary>A vDEVICE has gone; its number is free.</summary>
public sealed record RemoveVdevice(ulong VirtId) : FlowRequest;

/// <summary>Asks which devices have which numbers.</summary>
public sealed record FindDevices(IReadOnlyList<ulong> VirtIds) : FlowRequest;

/// <summary>The devices found.</summary>
/// <param name="DeviceIds">In the order asked for; 0 for a number that is not in use.</param>
public sealed record DevicesFound(IReadOnlyList<uint> DeviceIds) : FlowResponse(Errno.OK);

/// <summary>Gives a vIOMMU a queue for a type of events. EEXIST where it has one.</summary>
public sealed record AddVeventq(uint Type, uint VeventqId) : FlowRequest;

/// <summary>An event queue has gone.</summary>
public sealed record RemoveVeventq(uint Type) : FlowRequest;

/// <summary>Asks for the queue of a type of events.</summary>
public sealed record FindVeventq(uint Type) : FlowRequest;

/// <summary>The queue found, 0 for none.</summary>
public sealed record VeventqFound(uint VeventqId) : FlowResponse(Errno.OK);

/// <summary>Asks whether a hardware queue may have a number. EINVAL out of range, EEXIST in use, EIO where the one before is missing.</summary>
public sealed record QueryQueueSlot(uint Index) : FlowRequest;

/// <summary>Whether a hardware queue may have a number.</summary>
/// <param name="Errno">See <see cref="QueryQueueSlot"/>.</param>
/// <param name="Previous">The queue with the number before, which must outlive it; 0 for none.</param>
public sealed record QueueSlot(Errno Errno, uint Previous) : FlowResponse(Errno);

/// <summary>A hardware queue has a number now.</summary>
public sealed record FillQueueSlot(uint Index, uint HwQueueId) : FlowRequest;

/// <summary>A hardware queue has gone. The mock frees number 0 whichever it was.</summary>
public sealed record FreeQueueSlot : FlowRequest
{
    /// <summary>The one instance.</summary>
    public static readonly FreeQueueSlot Instance = new();
}

/// <summary>Queues an event for the reader; a full queue counts it as lost.</summary>
/// <param name="Payload">What the queue's type says.</param>
public sealed record ReportEvent(byte[] Payload) : FlowRequest;

/// <summary>Takes the oldest event. EINVAL, and nothing taken, where it is larger than the room.</summary>
/// <param name="Room">Bytes, at least a header's.</param>
public sealed record TakeEvent(ulong Room) : FlowRequest;

/// <summary>An event as it is read: a header, then the payload.</summary>
/// <param name="Flags">LOST_EVENTS 1: there is no payload.</param>
/// <param name="Sequence">Its number in the queue.</param>
/// <param name="Payload">What the queue's type says.</param>
public sealed record VirtualEvent(uint Flags, uint Sequence, byte[] Payload)
{
    /// <summary>Flag: events were lost, this one last.</summary>
    public const uint LostEvents = 1;

    /// <summary>Bytes of a header.</summary>
    public const int HeaderSize = 8;

    /// <summary>Bytes that the reader gets.</summary>
    public int Size => HeaderSize + Payload.Length;
}

/// <summary>The event taken.</summary>
/// <param name="Errno">OK or EINVAL.</param>
/// <param name="Event">Null when the queue is empty.</param>
public sealed record EventTaken(Errno Errno, VirtualEvent? Event) : FlowResponse(Errno);

/// <summary>The reader did not get an event that was taken: it is the first of the queue again.</summary>
public sealed record ReturnEvent(VirtualEvent Event) : FlowRequest;
