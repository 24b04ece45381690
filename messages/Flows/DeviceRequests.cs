namespace Iommufd.Messages.Flows;

/// <summary>Switches what a device's DMA goes through, and empties its IOTLB of the old translations before answering.</summary>
/// <param name="Pasid">0 for the device's own requests.</param>
/// <param name="Root">The new translation, or null to block.</param>
public sealed record SwitchTranslation(uint Pasid, ITranslationRoot? Root) : FlowRequest;

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
