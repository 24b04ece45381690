namespace Iommufd.Messages.Flows;

/// <summary>Switches what a device's DMA goes through, and empties its IOTLB of the old translations before answering.</summary>
/// <param name="Pasid">0 for the device's own requests.</param>
/// <param name="Root">The new translation, or null to block.</param>
/// <param name="ViommuId">The vIOMMU that the translation was made through, 0 for none; counts for the device's own requests.</param>
/// <param name="VirtId">The guest's number of the device in that vIOMMU.</param>
/// <remarks>ENOMEM: the selftest's mock device refuses every second switch of one PASID; its old translation stays.</remarks>
public sealed record SwitchTranslation(uint Pasid, ITranslationRoot? Root, uint ViommuId = 0, ulong VirtId = 0)
    : FlowRequest;

/// <summary>The mock device has refused a switch of its reserved PASID, and takes the next one (a replay).</summary>
public sealed record AcceptReservedPasid : FlowRequest
{
    /// <summary>The one instance.</summary>
    public static readonly AcceptReservedPasid Instance = new();
}

/// <summary>Asks under which number the device is known to the vIOMMU behind its translation.</summary>
public sealed record QueryVirtualId : FlowRequest
{
    /// <summary>The one instance.</summary>
    public static readonly QueryVirtualId Instance = new();
}

/// <summary>How a vIOMMU knows the device.</summary>
/// <param name="ViommuId">The vIOMMU, 0 for none.</param>
/// <param name="VirtId">The number.</param>
public sealed record VirtualId(uint ViommuId, ulong VirtId) : FlowResponse(Errno.OK);

/// <summary>Has a device forget what its IOTLB holds of a nested HWPT. Answered when no DMA that uses it is under way.</summary>
/// <param name="Pasid">The address space; null for all of the device.</param>
/// <param name="Ranges">Addresses as the guest knows them.</param>
public sealed record ForgetTranslations(uint? Pasid, IReadOnlyList<IovaRange> Ranges) : FlowRequest;

/// <summary>The response to a page request of the device. Wants no answer.</summary>
/// <param name="GroupId">The request's group.</param>
/// <param name="Success">Whether the device may try again; otherwise its access is invalid.</param>
public sealed record RespondToPageRequest(uint GroupId, bool Success) : FlowRequest;

/// <summary>Remembers a pin of an access.</summary>
/// <param name="PinId">The driver's number for it.</param>
/// <param name="IoasId">The IOAS it was made through.</param>
/// <param name="Range">The IOVAs.</param>
/// <param name="Areas">The pieces of areas pinned.</param>
public sealed record RememberPin(uint PinId, uint IoasId, IovaRange Range, IReadOnlyList<AreaView> Areas) : FlowRequest;

/// <summary>Forgets a pin. ENOENT when an unmap took it already.</summary>
public sealed record ForgetPin(uint PinId) : FlowRequest;

/// <summary>
/// The unmap notification: everything that overlaps is about to go. The access forgets those pins, and the flow releases
/// them. A slow driver may take its time to answer.
/// </summary>
/// <param name="Range">The IOVAs.</param>
public sealed record NotifyUnmap(IovaRange Range) : FlowRequest;

/// <summary>Pins that an access let go of.</summary>
/// <param name="Errno">OK or ENOENT.</param>
/// <param name="Pins">What must be released, piece by piece.</param>
public sealed record PinsReleased(Errno Errno, IReadOnlyList<AreaView> Pins) : FlowResponse(Errno);
