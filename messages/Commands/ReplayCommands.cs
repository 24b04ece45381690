// What a journal's events are applied with where the command itself cannot be run again: it read user memory that is gone, or it
// filled a reader's buffer. Ids are dictated by the replay; see RecordedChoices.
namespace Iommufd.Messages.Commands;

/// <summary>HWPT_ALLOC of a nested HWPT with driver data that is not in user memory.</summary>
/// <param name="DeviceId">The DEVICE.</param>
/// <param name="PtId">The nesting parent or the vIOMMU.</param>
/// <param name="Flags">As in HWPT_ALLOC.</param>
/// <param name="Iotlb">What each entry of the mock's IOTLB holds.</param>
/// <param name="FaultId">The fault queue, with its flag.</param>
public sealed record AllocateNestedHwpt(uint DeviceId, uint PtId, HwptAllocFlags Flags, uint Iotlb, uint FaultId)
    : DriverCommand;

/// <summary>Gives a paging HWPT its fault queue, which HWPT_ALLOC does last.</summary>
public sealed record SetHwptFault(uint HwptId, uint FaultId) : DriverCommand;

/// <summary>Zeroes entries of a nested HWPT's IOTLB.</summary>
public sealed record ZeroIotlb(uint HwptId, uint Mask) : DriverCommand;

/// <summary>Zeroes words of devices' caches.</summary>
/// <param name="DeviceIds">The DEVICEs.</param>
/// <param name="Masks">For each: bit n is word n.</param>
public sealed record ZeroCaches(uint[] DeviceIds, uint[] Masks) : DriverCommand;

/// <summary>Takes fault groups out of a queue as a reader with room enough would.</summary>
/// <param name="FaultId">The FAULT.</param>
/// <param name="Groups">How many.</param>
public sealed record TakeFaults(uint FaultId, int Groups) : DriverCommand;

/// <summary>Answers fault groups. EINVAL for an unknown cookie.</summary>
/// <param name="FaultId">The FAULT.</param>
/// <param name="Cookies">Which.</param>
/// <param name="Codes">SUCCESS 0, INVALID 1.</param>
public sealed record AnswerFaults(uint FaultId, uint[] Cookies, uint[] Codes) : DriverCommand;

/// <summary>VIOMMU_ALLOC with driver data that is not in user memory.</summary>
/// <param name="DeviceId">A device of the unit behind it.</param>
/// <param name="HwptId">The nesting parent.</param>
/// <param name="Type">As in the command.</param>
/// <param name="HasWindow">Whether it has a window for mmap.</param>
/// <param name="WindowWord">The first word of the window.</param>
public sealed record AllocateViommu(uint DeviceId, uint HwptId, uint Type, bool HasWindow, uint WindowWord)
    : DriverCommand;

/// <summary>Reports an event to an event queue.</summary>
public sealed record ReportVevent(uint VeventqId, byte[] Payload) : DriverCommand;

/// <summary>Takes events out of a queue as a reader with room enough would.</summary>
public sealed record TakeVevents(uint VeventqId, int Events) : DriverCommand;

/// <summary>A mock device refused a switch of its reserved PASID: it will take the next one.</summary>
public sealed record AllowReservedPasid(uint DeviceId) : DriverCommand;
