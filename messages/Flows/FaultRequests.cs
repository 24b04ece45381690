namespace Iommufd.Messages.Flows;

/// <summary>One page request of a device.</summary>
/// <param name="Flags">PASID_VALID 1, LAST_PAGE 2.</param>
/// <param name="Pasid">0 without PASID_VALID.</param>
/// <param name="GroupId">The page request group index.</param>
/// <param name="Permissions">READ 1, WRITE 2, EXEC 4, PRIV 8.</param>
/// <param name="Address">The address that faulted.</param>
public sealed record PageRequest(uint Flags, uint Pasid, uint GroupId, uint Permissions, ulong Address);

/// <summary>A group of page requests, answered as one.</summary>
/// <param name="Handle">The attachment that it came through.</param>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="Requests">At least one; the last has LAST_PAGE.</param>
public sealed record FaultGroup(ulong Handle, uint DeviceId, IReadOnlyList<PageRequest> Requests);

/// <summary>Queues a group for the reader.</summary>
public sealed record QueueFault(FaultGroup Group) : FlowRequest;

/// <summary>
/// Takes the oldest queued group and gives it a cookie, the lowest free from 1: it waits for a response now. EINVAL, and
/// nothing taken, where it is larger than the room.
/// </summary>
/// <param name="Records">Records that there is room for.</param>
public sealed record TakeFault(ulong Records) : FlowRequest;

/// <summary>The group taken.</summary>
/// <param name="Errno">OK or EINVAL.</param>
/// <param name="Group">Null when the queue is empty.</param>
/// <param name="Cookie">Names the group in the response.</param>
public sealed record FaultTaken(Errno Errno, FaultGroup? Group, uint Cookie) : FlowResponse(Errno);

/// <summary>The reader did not get a group that was taken: it is the first of the queue again and its cookie is free.</summary>
public sealed record ReturnFault(uint Cookie) : FlowRequest;

/// <summary>The reader's response to a group; the cookie is free again. EINVAL for a cookie that is not in use.</summary>
/// <param name="Cookie">Names the group.</param>
/// <param name="Success">Whether the device may try again; otherwise the access is invalid.</param>
public sealed record AnswerFault(uint Cookie, bool Success) : FlowRequest;

/// <summary>The group that a response answered.</summary>
public sealed record FaultAnswered(FaultGroup Group) : FlowResponse(Errno.OK);

/// <summary>An attachment is over: every group that came through it is answered "invalid", queued or waiting.</summary>
public sealed record DropFaults(ulong Handle) : FlowRequest;

/// <summary>The groups that were answered "invalid".</summary>
public sealed record FaultsDropped(IReadOnlyList<FaultGroup> Groups) : FlowResponse(Errno.OK);

/// <summary>Asks whether anything can be read.</summary>
public sealed record QueryReadable : FlowRequest
{
    /// <summary>The one instance.</summary>
    public static readonly QueryReadable Instance = new();
}

/// <summary>Whether anything can be read.</summary>
public sealed record Readable(bool Any) : FlowResponse(Errno.OK);
